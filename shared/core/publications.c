/* publications.c - see publications.h. */
#include "publications.h"

#include <stdlib.h>
#include <string.h>

static const struct kept_kind kind = {
    .name = "postern-published", .what = "file of policies", .max = PUBLICATIONS_KEPT_MAX};

void publications_clear(struct publications *p)
{
    for (size_t i = 0; i < p->count; i++)
        free(p->row[i].domain);
    free(p->row);
    *p = (struct publications){0};
}

static int make_room(struct publications *p, struct err *e)
{
    size_t room = p->room > 0 ? p->room + p->room / 2 : 16;
    struct publication *grown;

    if (p->count < p->room)
        return 0;
    grown = realloc(p->row, room * sizeof(*grown));
    if (grown == NULL)
        return err_set(e, "no memory");
    p->row = grown;
    p->room = room;
    return 0;
}

/* The domain, and the JSON as published_write has it. */
static int row_fill(struct publication *out, const struct published *p, struct err *e)
{
    size_t domain_size = strlen(p->domain) + 1;
    struct buf json;

    *out = (struct publication){.changed = p->changed};
    buf_init(&json, PUBLISHED_JSON_MAX);
    published_write(&json, p);
    out->domain = buf_ok(&json) ? malloc(domain_size + json.len + 1) : NULL;
    if (out->domain != NULL) {
        memcpy(out->domain, p->domain, domain_size);
        memcpy(out->domain + domain_size, json.data, json.len + 1);
        out->json = out->domain + domain_size;
        out->json_len = json.len;
    }
    buf_clear(&json);
    return out->domain != NULL ? 0 : err_set(e, "no memory, or too long");
}

static int row_make(struct publication *out, const char *domain, size_t domain_len, const char *json, size_t len,
                    struct err *e)
{
    struct published published;
    char name[DOMAIN_BUF];
    int rc;

    if (!span_copy(name, sizeof(name), (struct span){domain, domain_len}) || strlen(name) != domain_len)
        return err_set(e, "the name is no domain");
    if (published_read(&published, name, json, len, e) != 0)
        return -1;
    rc = row_fill(out, &published, e);
    published_clear(&published);
    return rc;
}

int publications_add(struct publications *p, const char *domain, size_t domain_len, const char *json, size_t len,
                     struct err *e)
{
    if (p->count >= PUBLISHED_MAX)
        return err_set(e, "more than %d domains", PUBLISHED_MAX);
    if (make_room(p, e) != 0 || row_make(&p->row[p->count], domain, domain_len, json, len, e) != 0)
        return -1;
    p->count++;
    return 0;
}

/* --- order --- */

static int compare_domain(const void *a, const void *b)
{
    return strcmp(((const struct publication *)a)->domain, ((const struct publication *)b)->domain);
}

/* By domain, the latest first. */
static int compare(const void *a, const void *b)
{
    int64_t x = ((const struct publication *)a)->changed, y = ((const struct publication *)b)->changed;
    int order = compare_domain(a, b);

    return order != 0 ? order : (x < y) - (x > y);
}

void publications_sort(struct publications *p)
{
    size_t kept = 0;

    if (p->count > 1)
        qsort(p->row, p->count, sizeof(*p->row), compare);
    for (size_t i = 0; i < p->count; i++) {
        if (kept > 0 && compare_domain(&p->row[kept - 1], &p->row[i]) == 0)
            free(p->row[i].domain);
        else
            p->row[kept++] = p->row[i];
    }
    p->count = kept;
}

/* Where the domain is, or would be. */
static size_t place_of(const struct publications *p, const char *domain, bool *there)
{
    size_t from = 0, to = p->count;

    *there = false;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = strcmp(p->row[middle].domain, domain);

        if (order == 0)
            *there = true;
        if (order >= 0)
            to = middle;
        else
            from = middle + 1;
    }
    return from;
}

const struct publication *publications_find(const struct publications *p, const char *domain)
{
    bool there;
    size_t at = place_of(p, domain, &there);

    return there ? &p->row[at] : NULL;
}

int publications_put(struct publications *p, const char *domain, size_t domain_len, const char *json, size_t len,
                     struct err *e)
{
    struct publication row = {.domain = NULL};
    bool there;
    size_t at;

    if (make_room(p, e) != 0 || row_make(&row, domain, domain_len, json, len, e) != 0)
        return -1;
    at = place_of(p, row.domain, &there);
    if (!there && p->count >= PUBLISHED_MAX) {
        free(row.domain);
        return err_set(e, "more than %d domains", PUBLISHED_MAX);
    }
    if (there)
        free(p->row[at].domain);
    else
        memmove(&p->row[at + 1], &p->row[at], (p->count++ - at) * sizeof(*p->row));
    p->row[at] = row;
    return there ? 1 : 0;
}

bool publications_remove(struct publications *p, const char *domain, size_t len)
{
    char name[DOMAIN_BUF];
    bool there = false;
    size_t at = span_copy(name, sizeof(name), (struct span){domain, len}) ? place_of(p, name, &there) : 0;

    if (!there)
        return false;
    free(p->row[at].domain);
    memmove(&p->row[at], &p->row[at + 1], (--p->count - at) * sizeof(*p->row));
    return true;
}

int64_t publications_merge(struct publications *p, struct publications *known)
{
    size_t sorted = p->count;
    int64_t lacking = 0;

    for (size_t i = 0; i < known->count; i++) {
        const struct publications all = {.row = p->row, .count = sorted};
        const struct publication *mine = publications_find(&all, known->row[i].domain);

        if (mine != NULL && mine->changed >= known->row[i].changed)
            continue;
        if (make_room(p, NULL) != 0)
            return -1;
        known->row[i].lacking = true;
        p->row[p->count++] = known->row[i];
        known->row[i].domain = NULL;
        lacking++;
    }
    publications_clear(known);
    publications_sort(p);
    return lacking;
}

/* --- the file --- */

void publications_write(struct buf *out, const struct publications *p, const struct lists_stamp *stamp)
{
    struct buf text;

    buf_init(&text, PUBLICATIONS_KEPT_MAX);
    for (size_t i = 0; i < p->count; i++)
        buf_printf(&text, "%s\t%s\n", p->row[i].domain, p->row[i].json);
    if (buf_ok(&text))
        kept_text_write(out, &kind, stamp, buf_text(&text), text.len);
    else
        out->failed = true;
    buf_clear(&text);
}

int publications_read(struct publications *p, struct lists_stamp *stamp, size_t *left_out, const char *data, size_t len,
                      struct err *e)
{
    struct span text, line, domain;

    *p = (struct publications){0};
    *left_out = 0;
    if (kept_text_read(&text, stamp, &kind, data, len, e) != 0)
        return -1;
    while (span_take_until(&text, &line, '\n'))
        if (!span_take_until(&line, &domain, '\t') ||
            publications_add(p, domain.at, domain.len, line.at, line.len, NULL) != 0)
            (*left_out)++;
    publications_sort(p);
    return 0;
}
