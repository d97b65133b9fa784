/* log_position.c - see log_position.h. */
#include "log_position.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ascii.h"
#include "siphash.h"

static const char file_word[] = "file 1 ";
static const char journal_word[] = "journal 1 ";

uint64_t log_fingerprint(const void *before, size_t len)
{
    static const uint8_t key[SIPHASH_KEY] = "log fingerprint";

    return siphash(key, before, len);
}

void log_position_write(char out[LOG_POSITION_MAX + 1], const struct log_position *p)
{
    out[0] = '\0';
    if (p->kind == LOG_POSITION_FILE)
        (void)snprintf(out, LOG_POSITION_MAX + 1, "%s%" PRIu64 " %" PRIu64 " %" PRId64 " %016" PRIx64 " %" PRId64,
                       file_word, p->device, p->inode, p->offset, p->fingerprint, p->changed);
    else if (p->kind == LOG_POSITION_JOURNAL)
        (void)snprintf(out, LOG_POSITION_MAX + 1, "%s%s", journal_word, p->cursor);
}

/* A decimal number up to max, and its one blank or the end behind it. Returns what follows, or NULL. */
static const char *read_number(uint64_t *out, const char *s, uint64_t max)
{
    uint64_t n = 0;

    if (!ascii_is_digit(*s))
        return NULL;
    for (; ascii_is_digit(*s); s++) {
        uint64_t digit = (uint64_t)(*s - '0');

        if (n > (max - digit) / 10)
            return NULL;
        n = 10 * n + digit;
    }
    if (*s != ' ' && *s != '\0')
        return NULL;
    *out = n;
    return *s == ' ' ? s + 1 : s;
}

static const char *read_fingerprint(uint64_t *out, const char *s)
{
    uint64_t n = 0;

    for (int i = 0; i < 16; i++, s++) {
        if (ascii_hex_value(*s) < 0)
            return NULL;
        n = n << 4 | (uint64_t)ascii_hex_value(*s);
    }
    *out = n;
    return *s == ' ' ? s + 1 : NULL;
}

static int read_file(struct log_position *out, const char *s)
{
    uint64_t offset, changed;

    s = read_number(&out->device, s, UINT64_MAX);
    s = s == NULL ? NULL : read_number(&out->inode, s, UINT64_MAX);
    s = s == NULL ? NULL : read_number(&offset, s, INT64_MAX);
    s = s == NULL ? NULL : read_fingerprint(&out->fingerprint, s);
    s = s == NULL ? NULL : read_number(&changed, s, INT64_MAX);
    if (s == NULL || *s != '\0' || s[-1] == ' ')
        return -1;
    out->kind = LOG_POSITION_FILE;
    out->offset = (int64_t)offset;
    out->changed = (int64_t)changed;
    return 0;
}

static int read_journal(struct log_position *out, const char *s)
{
    size_t len = strlen(s);

    if (len == 0 || len > LOG_CURSOR_MAX)
        return -1;
    for (size_t i = 0; i < len; i++)
        if (!ascii_is_visible(s[i]))
            return -1;
    out->kind = LOG_POSITION_JOURNAL;
    memcpy(out->cursor, s, len + 1);
    return 0;
}

int log_position_read(struct log_position *out, const char *text, struct err *e)
{
    struct log_position p = {.kind = LOG_POSITION_NONE};
    int rc = -1;

    if (strncmp(text, file_word, sizeof(file_word) - 1) == 0)
        rc = read_file(&p, text + sizeof(file_word) - 1);
    else if (strncmp(text, journal_word, sizeof(journal_word) - 1) == 0)
        rc = read_journal(&p, text + sizeof(journal_word) - 1);
    else if (text[0] == '\0')
        rc = 0;
    if (rc != 0)
        return err_set(e, "'%.100s' is no position in a log", text);
    *out = p;
    return 0;
}
