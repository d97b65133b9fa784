/* mime.c - the walk over a message. */
#include "mime.h"

#include "ascii.h"
#include "mime_charset.h"
#include "mime_entity.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A multipart that we are in. */
struct level {
    char boundary[MIME_BOUNDARY_MAX + 1];
    size_t boundary_len;
    size_t depth; /* of its parts */
    bool digest;
};

struct walk {
    struct mime *out;
    const struct mime_limits *limits;
    struct mime_converter *converter;
    const char *body;
    size_t len;
    bool more;  /* the body is cut off there */
    size_t pos; /* always at the beginning of a line */
    struct level *level;
    size_t levels;
    size_t room; /* for parts */
    size_t text_left;
};

const char *mime_cut_name(enum mime_cut cut)
{
    static const char *const names[] = {"whole", "end", "depth", "parts", "text", "field"};

    return names[cut];
}

void mime_clear(struct mime *m)
{
    for (size_t i = 0; i < m->count; i++) {
        free(m->part[i].name);
        free(m->part[i].text);
    }
    free(m->part);
    memset(m, 0, sizeof(*m));
}

static void cut_at(struct walk *w, enum mime_cut cut)
{
    if (w->out->cut == MIME_WHOLE)
        w->out->cut = cut;
}

/* --- boundaries --- */

struct boundary {
    size_t level; /* whose it is */
    bool last;
};

/* The end of the line at `at`, its LF included. */
static size_t line_end(const struct walk *w, size_t at)
{
    const char *lf = memchr(w->body + at, '\n', w->len - at);

    return lf == NULL ? w->len : (size_t)(lf - w->body) + 1;
}

/* Is the line from..to a boundary of a multipart that we are in? */
static bool boundary_is(struct boundary *out, const struct walk *w, size_t from, size_t to)
{
    const char *line = w->body + from;
    size_t len = to - from;

    if (len < 3 || line[0] != '-' || line[1] != '-')
        return false;
    if (w->more && to == w->len && line[len - 1] != '\n')
        return false; /* cut off: it could go on to be another */
    line += 2;
    len -= 2;
    while (len > 0 && (ascii_is_blank(line[len - 1]) || line[len - 1] == '\r' || line[len - 1] == '\n'))
        len--;
    for (size_t i = w->levels; i-- > 0;) {
        const struct level *l = &w->level[i];

        if (len < l->boundary_len || memcmp(line, l->boundary, l->boundary_len) != 0)
            continue;
        *out = (struct boundary){i, len > l->boundary_len};
        if (!out->last || (len == l->boundary_len + 2 && memcmp(line + len - 2, "--", 2) == 0))
            return true;
    }
    return false;
}

/* Go behind the next boundary. Returns whether there is one; *content_end is where what is before it ends. */
static bool boundary_find(struct boundary *out, size_t *content_end, struct walk *w)
{
    size_t begin = w->pos, end;

    for (size_t at = begin; w->levels > 0 && at < w->len; at = end) {
        end = line_end(w, at);
        if (!boundary_is(out, w, at, end))
            continue;
        w->pos = end;
        if (at > begin)
            at -= at - begin > 1 && w->body[at - 2] == '\r' ? 2 : 1; /* the line end before it is its own */
        *content_end = at;
        return true;
    }
    w->pos = *content_end = w->len;
    return false;
}

/* --- parts --- */

/* Append the text of a part. What mail programs may show in two ways is there in both. */
static void charset_read(struct buf *text, struct mime_part *part, const char *octets, size_t len,
                         struct mime_converter *c)
{
    unsigned doubt = mime_charset_read(text, part->charset, strlen(part->charset), octets, len, c);

    if ((doubt & MIME_DOUBT_ASCII) != 0) {
        buf_char(text, '\n');
        mime_charset_to_utf8(text, MIME_CHARSET_UNKNOWN, octets, len);
    }
    if (part->guessed != MIME_SURE)
        return;
    if ((doubt & MIME_DOUBT_CHARSET) != 0)
        part->guessed = MIME_GUESS_CHARSET;
    else if ((doubt & MIME_DOUBT_OCTETS) != 0)
        part->guessed = MIME_GUESS_OCTETS;
}

static void text_read(struct walk *w, struct mime_part *part, enum mime_transfer transfer, const char *raw, size_t len)
{
    struct buf octets, text;

    buf_init(&octets, w->text_left < SIZE_MAX / 2 ? 2 * w->text_left : SIZE_MAX); /* CR LF becomes LF */
    buf_init(&text, w->text_left);
    if (transfer == MIME_TRANSFER_BASE64 || transfer == MIME_TRANSFER_QUOTED) {
        mime_transfer_decode(&octets, transfer, raw, len);
        raw = buf_text(&octets);
        len = octets.len;
    }
    buf_reserve(&text, 0);
    charset_read(&text, part, raw, len, w->converter);
    if (!buf_ok(&octets) || !buf_ok(&text))
        cut_at(w, MIME_CUT_TEXT);
    buf_clear(&octets);
    part->text = text.data;
    part->text_len = text.len;
    w->text_left -= text.len;
}

/* Make room for one more part. Returns 1; 0: no more are allowed; -1 without memory. */
static int part_room(struct walk *w)
{
    size_t room = w->room == 0 ? 8 : 2 * w->room;
    struct mime_part *part;

    if (w->out->count == w->limits->parts) {
        cut_at(w, MIME_CUT_PARTS);
        return 0;
    }
    if (w->out->count < w->room)
        return 1;
    part = realloc(w->out->part, room * sizeof(*part));
    if (part == NULL)
        return -1;
    w->out->part = part;
    w->room = room;
    return 1;
}

/* Add what is in e, its name from now on ours; content NULL: it is gone into. Returns as part_room does. */
static int part_add(struct walk *w, struct mime_entity *e, const char *content, size_t len)
{
    bool compound = strncmp(e->part.type, "multipart/", 10) == 0 || strncmp(e->part.type, "message/", 8) == 0;
    int rc = part_room(w);

    if (rc != 1) {
        free(e->part.name);
        return rc;
    }
    if (content != NULL && !w->limits->no_text && (e->kind == MIME_TEXT || compound))
        text_read(w, &e->part, e->transfer, content, len);
    w->out->part[w->out->count++] = e->part;
    return 1;
}

/* --- the walk --- */

/* Read the header at pos, which ends at an empty line, at what is no field, or at a boundary. */
static void header_read(struct mime_entity *e, struct walk *w, size_t depth, bool in_digest)
{
    struct mime_header h = {0};
    struct header_field field;
    struct boundary b;

    while (!boundary_is(&b, w, w->pos, line_end(w, w->pos)) && header_field_next(&field, &w->pos, w->body, w->len) == 1)
        mime_header_add(&h, &field);
    mime_entity_read(e, &h, in_digest, w->converter);
    e->part.depth = depth;
    if (e->cut)
        cut_at(w, MIME_CUT_FIELD);
}

/* One too deep is a part like others, whose text is what it is made of. */
static bool may_enter(struct walk *w, struct mime_entity *e)
{
    if (e->kind != MIME_MULTIPART && e->kind != MIME_MESSAGE)
        return false;
    if (e->part.depth < w->limits->depth)
        return true;
    cut_at(w, MIME_CUT_DEPTH);
    e->part.guessed = MIME_GUESS_PARTS;
    return false;
}

static void level_push(struct walk *w, struct mime_entity *e)
{
    struct level *l = &w->level[w->levels++];

    l->boundary_len = strlen(e->boundary);
    memcpy(l->boundary, e->boundary, l->boundary_len + 1);
    l->depth = e->part.depth + 1;
    l->digest = e->digest;
    free(e->part.name);
}

/* What is in e, and all behind it up to the next boundary. Returns 1: *b is the boundary; 0: the walk is over; -1. */
static int entity_walk(struct boundary *b, struct walk *w, struct mime_entity *e)
{
    size_t begin, end;
    bool found, enter;
    int rc = 1;

    for (; (enter = may_enter(w, e)) && e->kind == MIME_MESSAGE; header_read(e, w, e->part.depth + 1, false))
        if ((rc = part_add(w, e, NULL, 0)) != 1)
            return rc;
    if (enter)
        level_push(w, e);
    begin = w->pos;
    found = boundary_find(b, &end, w);
    if (!enter)
        rc = part_add(w, e, w->body + begin, end - begin);
    return rc == 1 ? found : rc;
}

/* Behind a last boundary: on to the next. Returns whether a part begins there; *ended: nothing can come any more. */
static bool part_begins(bool *ended, struct boundary *b, struct walk *w)
{
    size_t end;

    for (*ended = false; b->last;) {
        w->levels = b->level;
        *ended = w->levels == 0;
        if (!boundary_find(b, &end, w))
            return false;
    }
    w->levels = b->level + 1;
    return true;
}

static int walk_all(struct walk *w, struct mime_entity *e)
{
    bool ended = false;
    struct boundary b;
    int rc;

    while ((rc = entity_walk(&b, w, e)) == 1 && part_begins(&ended, &b, w))
        header_read(e, w, w->level[b.level].depth, w->level[b.level].digest);
    if (w->more && !ended)
        cut_at(w, MIME_CUT_END);
    return rc < 0 ? -1 : 0;
}

int mime_read(struct mime *out, const struct header_field *fields, size_t count, const char *body, size_t len,
              bool more, const struct mime_limits *limits, struct mime_converter *c)
{
    struct walk w = {.out = out,
                     .limits = limits,
                     .converter = c,
                     .body = len > 0 ? body : "",
                     .len = len,
                     .more = more,
                     .text_left = limits->text};
    struct mime_header h = {0};
    struct mime_entity e;
    int rc;

    memset(out, 0, sizeof(*out));
    w.level = calloc(limits->depth + 1, sizeof(*w.level));
    if (w.level == NULL)
        return -1;
    for (size_t i = 0; i < count; i++)
        mime_header_add(&h, &fields[i]);
    mime_entity_read(&e, &h, false, c);
    if (e.cut)
        cut_at(&w, MIME_CUT_FIELD);
    rc = walk_all(&w, &e);
    free(w.level);
    if (rc != 0)
        mime_clear(out);
    return rc;
}
