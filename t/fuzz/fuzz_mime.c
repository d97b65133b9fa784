/*
 * fuzz_mime.c - messages: four octets that choose limits and where the body is cut, then header and body. Limits hold,
 * what comes out is text, and a body cut off has the same parts but the last two: a header cut short may say
 * that there is a message, which is two.
 */
#include "mime.h"
#include "text_demand.h"

#define FIELDS_MAX 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand_part(const struct mime_part *p)
{
    bool text = strncmp(p->type, "text/", 5) == 0;

    demand(strchr(p->type, '/') != NULL && strlen(p->type) <= MIME_TYPE_MAX);
    demand(strlen(p->charset) <= MIME_CHARSET_MAX);
    demand(p->name == NULL || (p->name[0] != '\0' && strlen(p->name) <= MIME_NAME_MAX && p->attachment));
    if (p->name != NULL)
        demand_text(p->name, strlen(p->name));
    demand(!text || p->text != NULL);
    if (p->text != NULL)
        demand_text(p->text, p->text_len);
}

static void demand_parts(const struct mime *m, const struct mime_limits *limits)
{
    size_t text = 0;

    demand(m->count <= limits->parts && mime_cut_name(m->cut) != NULL);
    for (size_t i = 0; i < m->count; i++) {
        demand_part(&m->part[i]);
        demand(m->part[i].depth <= limits->depth);
        text += m->part[i].text_len;
    }
    demand(text <= limits->text);
    demand(m->cut != MIME_CUT_PARTS || m->count == limits->parts);
}

static void demand_same(const struct mime_part *a, const struct mime_part *b)
{
    demand(strcmp(a->type, b->type) == 0 && strcmp(a->charset, b->charset) == 0);
    demand(a->depth == b->depth && a->attachment == b->attachment && a->guessed == b->guessed);
    demand((a->name == NULL) == (b->name == NULL) && (a->text == NULL) == (b->text == NULL));
    demand(a->name == NULL || strcmp(a->name, b->name) == 0);
    demand(a->text == NULL || strcmp(a->text, b->text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct recipe in = {data, size};
    unsigned depth = take(&in), parts = take(&in), text = take(&in), cut = take(&in);
    struct mime_limits limits = {depth % 16, 1 + parts, text < 128 ? text : 100000, false};
    struct header_field field[FIELDS_MAX];
    struct mime whole, begun;
    size_t count = 0, pos = 0;

    while (count < FIELDS_MAX && header_field_next(&field[count], &pos, (const char *)in.at, in.left) == 1)
        count++;
    demand(mime_read(&whole, field, count, (const char *)in.at + pos, in.left - pos, false, &limits, NULL) == 0);
    demand(whole.cut != MIME_CUT_END);
    demand_parts(&whole, &limits);
    demand(mime_read(&begun, field, count, (const char *)in.at + pos, (in.left - pos) * cut / 256, true, &limits,
                     NULL) == 0);
    demand_parts(&begun, &limits);
    demand(begun.count <= whole.count + 2);
    for (size_t i = 0; i + 2 < begun.count; i++)
        demand_same(&begun.part[i], &whole.part[i]);
    mime_clear(&whole);
    mime_clear(&begun);
    return 0;
}
