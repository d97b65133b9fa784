/* output_io.c - standard output and standard error. An output that cannot be written is an error of the command, too.
 */
#include "output_io.h"

#include "ctl.h"
#include "print.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ERROR_MAX 2000

void report_error(const char *fmt, ...)
{
    char raw[ERROR_MAX];
    struct buf text;
    va_list ap;

    va_start(ap, fmt);
    if (vsnprintf(raw, sizeof(raw), fmt, ap) < 0)
        raw[0] = '\0';
    va_end(ap);
    buf_init(&text, 4 * sizeof(raw));
    print_text(&text, raw, strlen(raw));
    fprintf(stderr, "posternctl: %s\n", buf_text(&text));
    buf_clear(&text);
}

int output_flush(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return CTL_YES;
    if (errno != EPIPE) /* a reader that has seen enough needs no message */
        report_error("cannot write to standard output: %s", strerror(errno));
    return CTL_NO;
}

int output_text(const struct buf *text)
{
    if (!buf_ok(text)) {
        report_error("no memory, or the answer is too long to print; --json has no limit");
        return CTL_NO;
    }
    fwrite(buf_text(text), 1, text->len, stdout);
    return output_flush();
}

int output_and_clear(struct buf *text)
{
    int rc = output_text(text);

    buf_clear(text);
    return rc;
}

int output_verbatim(const struct buf *text)
{
    struct buf harmless;
    const char *at, *end, *stop = buf_text(text) + text->len;

    if (!isatty(STDOUT_FILENO))
        return output_text(text);
    buf_init(&harmless, 4 * text->len + 1);
    for (at = buf_text(text); at < stop; at = end + 1) {
        end = memchr(at, '\n', (size_t)(stop - at));
        end = end == NULL ? stop : end;
        print_text(&harmless, at, (size_t)(end - at));
        buf_char(&harmless, '\n');
    }
    return output_and_clear(&harmless);
}

int output_file(const char *path, const struct buf *text)
{
    FILE *to = buf_ok(text) ? fopen(path, "we") : NULL;
    bool fine = to != NULL;

    if (!buf_ok(text))
        return output_text(text);
    if (fine && fwrite(buf_text(text), 1, text->len, to) != text->len)
        fine = false;
    if (to != NULL && fclose(to) != 0)
        fine = false;
    if (!fine)
        report_error("cannot write %s: %s", path, strerror(errno));
    return fine ? CTL_YES : CTL_NO;
}

int output_json(json_t *value)
{
    /* On a terminal nothing but ASCII: \u009b, say, would act on it. */
    char *text = value != NULL ? json_dumps(value, isatty(STDOUT_FILENO) ? JSON_ENSURE_ASCII : 0) : NULL;
    int rc = CTL_NO;

    json_decref(value);
    if (text == NULL) {
        report_error("no memory for the answer");
        return CTL_NO;
    }
    if (puts(text) < 0 && errno != EPIPE)
        report_error("cannot write to standard output: %s", strerror(errno));
    else
        rc = output_flush();
    free(text);
    return rc;
}
