/* rules_kept.c - the rules as the octets of a file, and back. */
#include "rules_kept.h"

#include "siphash.h"

#include <stdio.h>
#include <string.h>

#define NAME     "postern-rules "
#define VERSION  "1"
#define BEGIN    NAME VERSION "\n"
#define CHECKSUM 16
#define END      "end\t"
#define END_LEN  (strlen(END) + CHECKSUM + 1) /* of the last line */

static void checksum(char out[CHECKSUM + 1], const char *data, size_t len)
{
    static const uint8_t key[SIPHASH_KEY] = "postern-rules 1";

    snprintf(out, CHECKSUM + 1, "%016llx", (unsigned long long)siphash(key, data, len));
}

void rules_kept_write(struct buf *out, const struct lists_stamp *stamp, const char *text, size_t len)
{
    char sum[CHECKSUM + 1];
    size_t begin = out->len;

    buf_printf(out, "%sstamp\t%s\t%lld\n", BEGIN, stamp->generation, (long long)stamp->count);
    buf_add(out, text, len);
    if (len > 0 && text[len - 1] != '\n')
        buf_char(out, '\n');
    buf_str(out, END);
    checksum(sum, buf_text(out) + begin, out->len - begin);
    buf_printf(out, "%s\n", sum);
}

/* --- reading --- */

/* Octets that are still to be read. */
struct rest {
    const char *at;
    size_t len;
};

/* Take what stands before the first `end` off, and that too. Returns its length, or -1: there is none. */
static ptrdiff_t cut(const char **out, struct rest *r, char end)
{
    const char *found = r->len == 0 ? NULL : memchr(r->at, end, r->len);

    if (found == NULL)
        return -1;
    *out = r->at;
    r->at = found + 1;
    r->len -= (size_t)(r->at - *out);
    return found - *out;
}

static int take_begin(struct rest *r, struct err *e)
{
    const char *line = r->at;
    size_t len = r->len < strlen(BEGIN) ? r->len : strlen(BEGIN);
    ptrdiff_t version;

    if (len < strlen(BEGIN) && (len == 0 || memcmp(r->at, BEGIN, len) == 0))
        return err_set(e, "the file of rules is truncated: it ends in its first line");
    if (r->len < strlen(NAME) || memcmp(r->at, NAME, strlen(NAME)) != 0)
        return err_set(e, "this is no file of rules: it does not begin with \"%s%s\"", NAME, VERSION);
    version = cut(&line, r, '\n') - (ptrdiff_t)strlen(NAME);
    if (version == (ptrdiff_t)strlen(VERSION) && memcmp(line + strlen(NAME), VERSION, strlen(VERSION)) == 0)
        return 0;
    return err_set(e, "the file of rules has another version, this program reads " VERSION);
}

/* Check the last line and take it off. */
static int take_end(struct rest *r, const char *data, struct err *e)
{
    char sum[CHECKSUM + 1];
    const char *last;

    if (r->len < END_LEN || r->at[r->len - 1] != '\n')
        return err_set(e, "the file of rules is truncated: its last line is missing");
    last = r->at + r->len - END_LEN;
    if (memcmp(last, END, strlen(END)) != 0 || last[-1] != '\n')
        return err_set(e, "the file of rules is truncated: its last line is missing");
    checksum(sum, data, (size_t)(last - data) + strlen(END));
    if (memcmp(last + strlen(END), sum, CHECKSUM) != 0)
        return err_set(e, "the file of rules is damaged: its checksum is not that of its contents");
    r->len -= END_LEN;
    return 0;
}

static int take_stamp(struct lists_stamp *out, struct rest *r, struct err *e)
{
    const char *line = "", *word = "", *generation = "";
    ptrdiff_t line_len = cut(&line, r, '\n');
    struct rest in_line = {line, line_len < 0 ? 0 : (size_t)line_len};
    ptrdiff_t word_len = cut(&word, &in_line, '\t'), generation_len = cut(&generation, &in_line, '\t');

    if (word_len != 5 || memcmp(word, "stamp", 5) != 0 || generation_len < 0)
        return err_set(e, "the file of rules has no line \"stamp\"");
    if (generation_len == 0 && in_line.len == 1 && in_line.at[0] == '0')
        return 0;
    if (lists_stamp_parse(out, generation, (size_t)generation_len, in_line.at, in_line.len, e) != 0)
        return err_prefix(e, "the stamp of the file of rules");
    return 0;
}

int rules_kept_read(struct lists_stamp *stamp, struct buf *text, const char *data, size_t len, struct err *e)
{
    struct rest r = {data, len};

    *stamp = (struct lists_stamp){.count = 0};
    if (len > RULES_KEPT_MAX)
        return err_set(e, "the file of rules is longer than %d octets", RULES_KEPT_MAX);
    if (take_begin(&r, e) != 0 || take_end(&r, data, e) != 0 || take_stamp(stamp, &r, e) != 0)
        return -1;
    buf_add(text, r.at, r.len);
    if (buf_ok(text))
        return 0;
    *stamp = (struct lists_stamp){.count = 0};
    return err_set(e, "no memory for the file of rules, or too long a text in it");
}
