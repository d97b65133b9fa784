/* script.c - see script.h. */
#include "script.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Cut the remark and the blanks at the end. */
static void trim(char *text)
{
    size_t len;

    for (char *c = text; (c = strchr(c, '#')) != NULL; c++) {
        if (c == text || (c[-1] == ' ' && (c[1] == ' ' || c[1] == '\n' || c[1] == '\0'))) {
            *c = '\0';
            break;
        }
    }
    len = strlen(text);
    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\n'))
        text[--len] = '\0';
}

static void script_add(struct script *s, unsigned number, char *text)
{
    size_t indent = strspn(text, " ");
    struct script_line *grown;

    trim(text + indent);
    if (text[indent] == '\0')
        return;
    grown = realloc(s->line, (s->count + 1) * sizeof(*grown));
    if (grown == NULL)
        abort();
    s->line = grown;
    s->line[s->count++] = (struct script_line){number, indent > 0, strdup(text + indent)};
}

int script_read(struct script *out, const char *path)
{
    const char *slash = strrchr(path, '/');
    FILE *f = fopen(path, "r");
    char text[1024];

    memset(out, 0, sizeof(*out));
    if (f == NULL)
        return -1;
    (void)snprintf(out->name, sizeof(out->name), "%s", slash == NULL ? path : slash + 1);
    for (unsigned number = 1; fgets(text, sizeof(text), f) != NULL; number++)
        script_add(out, number, text);
    (void)fclose(f);
    return 0;
}

void script_clear(struct script *s)
{
    for (size_t i = 0; i < s->count; i++)
        free(s->line[i].text);
    free(s->line);
    s->line = NULL;
    s->count = 0;
}

static void say(struct trouble *t, unsigned line, const char *fmt, va_list ap)
{
    int n;

    if (in_trouble(t))
        return;
    n = snprintf(t->text, sizeof(t->text), "%s:%u: ", t->file, line);
    (void)vsnprintf(t->text + n, sizeof(t->text) - (size_t)n, fmt, ap);
}

void trouble(struct trouble *t, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say(t, t->line, fmt, ap);
    va_end(ap);
}

void trouble_at(struct trouble *t, unsigned line, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say(t, line, fmt, ap);
    va_end(ap);
}

bool in_trouble(const struct trouble *t)
{
    return t->text[0] != '\0';
}

void words_split(struct words *out, const char *text)
{
    char *at = out->text;

    memset(out, 0, sizeof(*out));
    (void)snprintf(out->line, sizeof(out->line), "%s", text);
    memcpy(out->text, out->line, sizeof(out->text));
    for (size_t i = 0; i < WORDS_MAX; i++)
        out->word[i] = out->rest[i] = "";
    out->rest[WORDS_MAX] = "";
    while (*(at += strspn(at, " ")) != '\0' && out->count < WORDS_MAX) {
        out->rest[out->count] = out->line + (at - out->text);
        out->word[out->count++] = at;
        at += strcspn(at, " ");
        if (*at != '\0')
            *at++ = '\0';
    }
}

static const struct {
    char letter;
    int64_t seconds;
} units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};

static int64_t unit_seconds(char letter)
{
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (units[i].letter == letter)
            return units[i].seconds;
    return 0;
}

bool duration_read(int64_t *seconds, const char *word)
{
    *seconds = 0;
    if (strcmp(word, "0") == 0)
        return true;
    if (*word == '\0')
        return false;
    while (*word != '\0') {
        char *end;
        long n = strtol(word, &end, 10);

        if (end == word || *word < '0' || *word > '9' || unit_seconds(*end) == 0)
            return false;
        *seconds += n * unit_seconds(*end);
        word = end + 1;
    }
    return true;
}

const char *duration_show(char out[DURATION_BUF], int64_t seconds)
{
    size_t n = 0;

    if (seconds < 0) {
        out[n++] = '-';
        seconds = -seconds;
    }
    if (seconds == 0)
        out[n++] = '0';
    out[n] = '\0';
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        int64_t count = seconds / units[i].seconds;

        seconds %= units[i].seconds;
        if (count > 0)
            n += (size_t)snprintf(out + n, DURATION_BUF - n, "%lld%c", (long long)count, units[i].letter);
    }
    return out;
}
