/* lists_kept.c - all lists as the octets of a file, and back. */
#include "lists_kept.h"

#include "siphash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME     "postern-lists "
#define VERSION  "1"
#define BEGIN    NAME VERSION "\n"
#define CHECKSUM 16

static void checksum(char out[CHECKSUM + 1], const char *data, size_t len)
{
    static const uint8_t key[SIPHASH_KEY] = "postern-lists 1";

    snprintf(out, CHECKSUM + 1, "%016llx", (unsigned long long)siphash(key, data, len));
}

/* Returns how many entries. */
static size_t write_list(struct buf *out, const struct list *l, enum list_id list)
{
    const struct list_entry *entry;
    const void *cursor = NULL;
    size_t count = 0;

    while ((entry = list_next(l, &cursor)) != NULL) {
        buf_printf(out, "%s\t%s\t", list_name(list), entry->pattern);
        list_entry_to_json(out, entry);
        buf_char(out, '\n');
        count++;
    }
    return count;
}

void lists_kept_write(struct buf *out, const struct lists *lists, const struct lists_stamp *stamp)
{
    char sum[CHECKSUM + 1];
    size_t begin = out->len, count = 0;

    buf_printf(out, "%sstamp\t%s\t%lld\n", BEGIN, stamp->generation, (long long)stamp->count);
    for (size_t i = 0; i < LISTS; i++)
        count += write_list(out, lists->list[i], (enum list_id)i);
    buf_printf(out, "end\t%zu\t", count);
    checksum(sum, buf_text(out) + begin, out->len - begin);
    buf_printf(out, "%s\n", sum);
}

/* --- reading --- */

/* A line, or a part of it. */
struct part {
    const char *text;
    size_t len;
};

static bool part_is(const struct part *p, const char *text)
{
    return p->len == strlen(text) && memcmp(p->text, text, p->len) == 0;
}

/* Cut what stands before the first `end` off *rest, which goes on behind it. Returns false when there is none. */
static bool cut(struct part *out, struct part *rest, char end)
{
    const char *at = rest->len == 0 ? NULL : memchr(rest->text, end, rest->len);

    if (at == NULL)
        return false;
    *out = (struct part){rest->text, (size_t)(at - rest->text)};
    *rest = (struct part){at + 1, rest->len - out->len - 1};
    return true;
}

/* A line of three parts. */
static bool cut_three(struct part out[3], struct part line)
{
    if (!cut(&out[0], &line, '\t') || !cut(&out[1], &line, '\t') || memchr(line.text, '\t', line.len) != NULL)
        return false;
    out[2] = line;
    return true;
}

static int check_begin(struct part *rest, struct err *e)
{
    size_t len = rest->len < strlen(BEGIN) ? rest->len : strlen(BEGIN);
    struct part line;

    if (memcmp(rest->text, BEGIN, len) == 0 && len < strlen(BEGIN))
        return err_set(e, "the snapshot is truncated: it ends in its first line");
    if (!cut(&line, rest, '\n') || line.len < strlen(NAME) || memcmp(line.text, NAME, strlen(NAME)) != 0)
        return err_set(e, "this is no snapshot of lists: it does not begin with \"%s%s\"", NAME, VERSION);
    if (line.len != strlen(NAME VERSION) || memcmp(line.text, NAME VERSION, line.len) != 0)
        return err_set(e, "the snapshot has the version \"%.*s\", this program reads " VERSION,
                       (int)(line.len - strlen(NAME) < 20 ? line.len - strlen(NAME) : 20), line.text + strlen(NAME));
    return 0;
}

/* Check the last line and take it off *all; entries: what it counts, as text. */
static int check_end(struct part *all, struct part *entries, struct err *e)
{
    const char *lf, *line;
    struct part part[3];
    char sum[CHECKSUM + 1];
    size_t len = all->len;

    if (len == 0 || all->text[len - 1] != '\n')
        return err_set(e, "the snapshot is truncated: its last line has no end");
    lf = memrchr(all->text, '\n', len - 1);
    line = lf == NULL ? all->text : lf + 1;
    if (!cut_three(part, (struct part){line, len - 1 - (size_t)(line - all->text)}) || !part_is(&part[0], "end"))
        return err_set(e, "the snapshot is truncated: its last line is missing");
    checksum(sum, all->text, (size_t)(part[2].text - all->text));
    if (!part_is(&part[2], sum))
        return err_set(e, "the snapshot is damaged: its checksum is %.*s, that of its contents %s",
                       (int)(part[2].len < CHECKSUM ? part[2].len : CHECKSUM), part[2].text, sum);
    *entries = part[1];
    all->len = (size_t)(line - all->text);
    return 0;
}

static int read_stamp(struct lists_stamp *out, struct part *rest, struct err *e)
{
    struct part line, part[3];

    memset(out, 0, sizeof(*out));
    if (!cut(&line, rest, '\n') || !cut_three(part, line) || !part_is(&part[0], "stamp"))
        return err_set(e, "the snapshot has no line \"stamp\"");
    if (part[1].len == 0 && part_is(&part[2], "0"))
        return 0;
    if (lists_stamp_parse(out, part[1].text, part[1].len, part[2].text, part[2].len, e) != 0)
        return err_prefix(e, "the stamp of the snapshot");
    return 0;
}

/* Returns NULL for what is left out. */
static struct list_entry *read_entry(enum list_id *list, const struct part part[3], struct err *e)
{
    struct list_entry *entry;
    char name[32] = "";

    if (part[0].len < sizeof(name))
        memcpy(name, part[0].text, part[0].len);
    if (strlen(name) != part[0].len || list_by_name(list, name, NULL) != 0) {
        err_set(e, "there is no list \"%.*s\"", (int)(part[0].len < 40 ? part[0].len : 40), part[0].text);
        return NULL;
    }
    entry = list_entry_from_json(*list, part[1].text, part[1].len, part[2].text, part[2].len, e);
    if (entry == NULL)
        err_prefix(e, "list %s, %.*s", name, (int)(part[1].len < 80 ? part[1].len : 80), part[1].text);
    return entry;
}

static int read_line(struct lists *out, struct lists_left_out *left_out, struct part line, struct err *e)
{
    struct part part[3];
    struct list_entry *entry;
    struct err why = {""};
    enum list_id list;

    if (!cut_three(part, line))
        return err_set(e, "the snapshot has a line that is no entry: %.*s", (int)(line.len < 80 ? line.len : 80),
                       line.text);
    entry = read_entry(&list, part, &why);
    if (entry == NULL) {
        if (left_out->count++ == 0)
            left_out->first = why;
        return 0;
    }
    if (list_put(out->list[list], entry) == 0)
        return 0;
    free(entry);
    return err_set(e, "no memory for the lists of the snapshot");
}

static int read_lines(struct lists *out, struct lists_left_out *left_out, struct part rest, const struct part *entries,
                      struct err *e)
{
    struct part line;
    size_t count = 0;
    char text[32];

    for (; cut(&line, &rest, '\n'); count++)
        if (read_line(out, left_out, line, e) != 0)
            return -1;
    snprintf(text, sizeof(text), "%zu", count);
    if (!part_is(entries, text))
        return err_set(e, "the snapshot has %zu entries and says that it has %.*s", count,
                       (int)(entries->len < 20 ? entries->len : 20), entries->text);
    return 0;
}

/* All but the entries: *rest is their lines, *entries how many the last line counts. Damage is found here. */
static int read_head(struct lists_stamp *stamp, struct part *rest, struct part *entries, struct part all, struct err *e)
{
    memset(stamp, 0, sizeof(*stamp));
    if (all.len == 0)
        return err_set(e, "the snapshot is truncated: it is empty");
    if (all.len > LISTS_KEPT_MAX)
        return err_set(e, "the snapshot is longer than %d octets", LISTS_KEPT_MAX);
    *rest = all;
    if (check_begin(rest, e) != 0 || check_end(&all, entries, e) != 0)
        return -1;
    rest->len = (size_t)(all.text + all.len - rest->text);
    return read_stamp(stamp, rest, e);
}

int lists_kept_head(struct lists_stamp *stamp, size_t *entries, const char *data, size_t len, struct err *e)
{
    struct part rest = {"", 0}, counted = {"", 0};

    *entries = 0;
    if (read_head(stamp, &rest, &counted, (struct part){data, len}, e) != 0)
        return -1;
    for (size_t i = 0; i < counted.len; i++) {
        if (counted.text[i] < '0' || counted.text[i] > '9' || *entries > LISTS_KEPT_MAX)
            return err_set(e, "the snapshot does not say how many entries it has");
        *entries = *entries * 10 + (size_t)(counted.text[i] - '0');
    }
    return 0;
}

int lists_kept_read(struct lists *out, struct lists_stamp *stamp, struct lists_left_out *left_out, const char *data,
                    size_t len, const uint8_t secret[16], struct err *e)
{
    struct part rest = {"", 0}, entries = {"", 0};

    *left_out = (struct lists_left_out){0};
    *out = (struct lists){0};
    if (read_head(stamp, &rest, &entries, (struct part){data, len}, e) != 0)
        return -1;
    if (lists_init(out, secret) != 0)
        return err_set(e, "no memory for the lists of the snapshot");
    if (read_lines(out, left_out, rest, &entries, e) == 0)
        return 0;
    lists_clear(out);
    memset(stamp, 0, sizeof(*stamp));
    return -1;
}
