/* report_mail_read.c - see report_mail_read.h. */
#include "report_mail_read.h"

#include "ascii.h"
#include "mime_entity.h"
#include "mime_param.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 5   /* multiparts within one another */
#define PARTS_MAX 100 /* of all of them together */

struct octets {
    const char *at;
    size_t len;
};

struct search {
    struct buf *out;
    struct report_found *found;
    struct err *e;
    size_t parts; /* looked at */
};

/* --- the header --- */

/* The value for people, of the first such field. */
static void keep_value(char **slot, const struct header_field *field)
{
    struct buf text;

    if (*slot != NULL)
        return;
    buf_init(&text, MIME_VALUE_MAX);
    header_decode(&text, field->value, field->value_len < MIME_VALUE_MAX ? field->value_len : MIME_VALUE_MAX, NULL);
    *slot = text.data;
}

static void keep_field(struct report_found *f, const struct header_field *field)
{
    if (header_field_is(field, "Subject"))
        keep_value(&f->subject, field);
    else if (header_field_is(field, "TLS-Report-Domain"))
        keep_value(&f->domain, field);
    else if (header_field_is(field, "TLS-Report-Submitter"))
        keep_value(&f->submitter, field);
}

/* Is the parameter of Content-Type this word? In any case. */
static bool type_param_is(const struct mime_header *h, const char *name, const char *word)
{
    struct buf value, param;
    size_t len = h->type.value_len < MIME_VALUE_MAX ? h->type.value_len : MIME_VALUE_MAX;
    bool is = false;

    buf_init(&value, MIME_VALUE_MAX);
    buf_init(&param, MIME_VALUE_MAX);
    if (h->type.value != NULL && header_uncomment(&value, h->type.value, len) == 0 &&
        mime_param_octets(&param, buf_text(&value), value.len, name) == 1)
        is = strcasecmp(buf_text(&param), word) == 0;
    buf_clear(&value);
    buf_clear(&param);
    return is;
}

/* --- multiparts --- */

/* Is the line a boundary? 1: yes; 2: the last. */
static int boundary_is(const char *line, size_t len, const char *boundary)
{
    size_t n = strlen(boundary);
    int rc = 1;

    while (len > 0 && (ascii_is_blank(line[len - 1]) || line[len - 1] == '\r' || line[len - 1] == '\n'))
        len--;
    if (len < n + 2 || memcmp(line, "--", 2) != 0 || memcmp(line + 2, boundary, n) != 0)
        return 0;
    if (len == n + 4 && memcmp(line + n + 2, "--", 2) == 0)
        rc = 2;
    return len == n + 2 || rc == 2 ? rc : 0;
}

/* Take all up to the next boundary off *rest, and the boundary. Returns as boundary_is; 0: there is none, and *part is
 * all. */
static int part_next(struct octets *part, struct octets *rest, const char *boundary)
{
    const char *begin = rest->at, *end = rest->at + rest->len, *line = begin;
    int rc = 0;

    while (rc == 0 && line < end) {
        const char *lf = memchr(line, '\n', (size_t)(end - line));
        const char *next = lf == NULL ? end : lf + 1;

        *part = (struct octets){begin, (size_t)(line - begin)};
        rc = boundary_is(line, (size_t)(next - line), boundary);
        line = next;
    }
    *rest = (struct octets){line, (size_t)(end - line)};
    if (rc == 0)
        *part = (struct octets){begin, (size_t)(end - begin)};
    return rc;
}

static int entity_search(struct search *s, struct octets all, size_t depth, bool report);

/* Returns as entity_search. */
static int multipart_search(struct search *s, const struct mime_entity *m, struct octets body, size_t depth,
                            bool report)
{
    struct octets part;
    int rc = 0;
    int more = part_next(&part, &body, m->boundary); /* what is before the first is no part */

    while (rc == 0 && more == 1) {
        more = part_next(&part, &body, m->boundary);
        rc = ++s->parts > PARTS_MAX ? err_set(s->e, "the mail has more than %d parts", PARTS_MAX)
                                    : entity_search(s, part, depth + 1, report);
    }
    return rc;
}

/* --- the walk --- */

static bool is_report(const char *type)
{
    return strcmp(type, "application/tlsrpt+gzip") == 0 || strcmp(type, "application/tlsrpt+json") == 0;
}

/* The part with the report. Returns 1, or -1. */
static int take_report(struct search *s, struct mime_entity *m, struct octets body)
{
    mime_transfer_decode(s->out, m->transfer, body.at, body.len);
    s->found->type = strdup(m->part.type);
    s->found->file_name = m->part.name;
    m->part.name = NULL;
    return buf_ok(s->out) && s->found->type != NULL ? 1 : err_set(s->e, "no memory");
}

static int header_read(struct mime_entity *m, struct mime_header *h, struct search *s, struct octets *all, size_t depth)
{
    struct header_field field;
    size_t pos = 0;
    int count = 0;

    *h = (struct mime_header){0};
    while (header_field_next(&field, &pos, all->at, all->len) == 1) {
        mime_header_add(h, &field);
        if (depth == 0)
            keep_field(s->found, &field);
        count++;
    }
    mime_entity_read(m, h, false, NULL);
    *all = (struct octets){all->at + pos, all->len - pos};
    return count;
}

/* What a whole mail is told that has no report in it. */
static int refuse(struct search *s, const struct mime_entity *m)
{
    if (strcmp(m->part.type, "multipart/report") != 0)
        return err_set(s->e, "a mail of type %s; a report is multipart/report, or application/tlsrpt+gzip or +json",
                       m->part.type);
    return err_set(s->e, "the mail has no part of type application/tlsrpt+gzip or application/tlsrpt+json");
}

/* Look for the report in a mail or a part; report: it is in a multipart/report. Returns 1: found; 0: no; -1. */
static int entity_search(struct search *s, struct octets all, size_t depth, bool report)
{
    struct mime_header h;
    struct mime_entity m;
    int fields = header_read(&m, &h, s, &all, depth);
    int rc = 0;

    if (depth == 0 && fields == 0) {
        rc = err_set(s->e, "it is neither a mail nor gzip nor JSON");
    } else if (is_report(m.part.type) && (depth == 0 || report)) {
        rc = take_report(s, &m, all);
    } else if (m.kind == MIME_MULTIPART && depth < DEPTH_MAX) {
        report = strcmp(m.part.type, "multipart/report") == 0;
        rc = report && !type_param_is(&h, "report-type", "tlsrpt")
                 ? err_set(s->e, "a report of another kind: its multipart/report is not of report-type tlsrpt")
                 : multipart_search(s, &m, all, depth, report);
    }
    if (rc == 0 && depth == 0)
        rc = refuse(s, &m);
    free(m.part.name);
    return rc;
}

/* The line that mailboxes have before each mail. */
static void skip_from(struct octets *mail)
{
    const char *lf = memchr(mail->at, '\n', mail->len);

    if (lf == NULL || mail->len < 5 || memcmp(mail->at, "From ", 5) != 0)
        return;
    mail->len -= (size_t)(lf + 1 - mail->at);
    mail->at = lf + 1;
}

int report_mail_read(struct buf *out, struct report_found *f, const char *octets, size_t len, struct err *e)
{
    struct search s = {.out = out, .found = f, .e = e};
    struct octets mail = {octets, len};

    f->mail = true;
    skip_from(&mail);
    return entity_search(&s, mail, 0, false) == 1 ? 0 : -1;
}
