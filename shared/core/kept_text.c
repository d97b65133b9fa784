/* kept_text.c - see kept_text.h. */
#include "kept_text.h"

#include "siphash.h"

#include <stdio.h>
#include <string.h>

#define VERSION  " 1"
#define CHECKSUM 16
#define END      "end\t"
#define END_LEN  (strlen(END) + CHECKSUM + 1) /* of the last line */
#define NAME_MAX 40

/* The key is the beginning of the first line. */
static void checksum(char out[CHECKSUM + 1], const struct kept_kind *kind, const char *data, size_t len)
{
    uint8_t key[SIPHASH_KEY] = {0};
    char line[NAME_MAX];
    size_t octets = (size_t)snprintf(line, sizeof(line), "%s" VERSION, kind->name);

    memcpy(key, line, octets < sizeof(key) ? octets : sizeof(key));
    snprintf(out, CHECKSUM + 1, "%016llx", (unsigned long long)siphash(key, data, len));
}

void kept_text_write(struct buf *out, const struct kept_kind *kind, const struct lists_stamp *stamp, const char *text,
                     size_t len)
{
    char sum[CHECKSUM + 1];
    size_t begin = out->len;

    buf_printf(out, "%s" VERSION "\nstamp\t%s\t%lld\n", kind->name, stamp->generation, (long long)stamp->count);
    buf_add(out, text, len);
    if (len > 0 && text[len - 1] != '\n')
        buf_char(out, '\n');
    buf_str(out, END);
    if (!buf_ok(out))
        return;
    checksum(sum, kind, buf_text(out) + begin, out->len - begin);
    buf_printf(out, "%s\n", sum);
}

/* --- reading --- */

/* What stands in the first line but its version. */
static int take_begin(struct span *r, const struct kept_kind *kind, struct err *e)
{
    char begin[NAME_MAX];
    size_t len = (size_t)snprintf(begin, sizeof(begin), "%s" VERSION "\n", kind->name);
    struct span line;

    if (r->len < len && span_begins((struct span){begin, len}, *r))
        return err_set(e, "the %s is truncated: it ends in its first line", kind->what);
    if (!span_take(r, span_of(kind->name)) || r->len == 0 || r->at[0] != ' ')
        return err_set(e, "this is no %s: it does not begin with \"%s" VERSION "\"", kind->what, kind->name);
    if (span_take_until(r, &line, '\n') && span_is(line, VERSION))
        return 0;
    return err_set(e, "the %s has another version, this program reads" VERSION, kind->what);
}

/* Check the last line and take it off. */
static int take_end(struct span *r, const struct kept_kind *kind, const char *data, struct err *e)
{
    char sum[CHECKSUM + 1];
    const char *last;

    if (r->len < END_LEN || r->at[r->len - 1] != '\n')
        return err_set(e, "the %s is truncated: its last line is missing", kind->what);
    last = r->at + r->len - END_LEN;
    if (memcmp(last, END, strlen(END)) != 0 || last[-1] != '\n')
        return err_set(e, "the %s is truncated: its last line is missing", kind->what);
    checksum(sum, kind, data, (size_t)(last - data) + strlen(END));
    if (memcmp(last + strlen(END), sum, CHECKSUM) != 0)
        return err_set(e, "the %s is damaged: its checksum is not that of its contents", kind->what);
    r->len -= END_LEN;
    return 0;
}

static int take_stamp(struct lists_stamp *out, struct span *r, const struct kept_kind *kind, struct err *e)
{
    struct span line = SPAN(""), generation = SPAN("");

    if (!span_take_until(r, &line, '\n') || !span_take(&line, SPAN("stamp\t")) ||
        !span_take_until(&line, &generation, '\t'))
        return err_set(e, "the %s has no line \"stamp\"", kind->what);
    if (generation.len == 0 && span_is(line, "0"))
        return 0;
    if (lists_stamp_parse(out, generation.at, generation.len, line.at, line.len, e) != 0)
        return err_prefix(e, "the stamp of the %s", kind->what);
    return 0;
}

int kept_text_read(struct span *text, struct lists_stamp *stamp, const struct kept_kind *kind, const char *data,
                   size_t len, struct err *e)
{
    struct span r = {data, len};

    *stamp = (struct lists_stamp){.count = 0};
    *text = (struct span){data, 0};
    if (len > kind->max)
        return err_set(e, "the %s is longer than %zu octets", kind->what, kind->max);
    if (take_begin(&r, kind, e) != 0 || take_end(&r, kind, data, e) != 0)
        return -1;
    if (take_stamp(stamp, &r, kind, e) != 0) {
        *stamp = (struct lists_stamp){.count = 0};
        return -1;
    }
    *text = r;
    return 0;
}
