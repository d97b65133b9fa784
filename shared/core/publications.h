/*
 * publications.h - the published policies of all own domains (published.h), as stsd knows them: found by their domain,
 * kept in a file, and brought together with those of a Redis that has lost some. Pure.
 */
#ifndef POSTERN_PUBLICATIONS_H
#define POSTERN_PUBLICATIONS_H

#include "kept_text.h"
#include "published.h"

/* Octets of a file of them: a hundred thousand with some MX hosts each. */
#define PUBLICATIONS_KEPT_MAX (256 << 20)

struct publication {
    char *domain; /* owned; the JSON is behind it */
    const char *json;
    size_t json_len;
    int64_t changed;
    bool lacking; /* publications_merge: Redis has it not, or an older one */
};

/* All zero: none. */
struct publications {
    struct publication *row; /* by domain, but for what was added since publications_sort */
    size_t count, room;
};

void publications_clear(struct publications *p);

/* Add a domain's. Returns 0, or -1 with the reason in e: it cannot be read, there is no memory, or too many are there.
 */
int publications_add(struct publications *p, const char *domain, size_t domain_len, const char *json, size_t len,
                     struct err *e);

/* Bring what was added into order; of two of one domain the one that was changed last stays. */
void publications_sort(struct publications *p);

/* For one change. put: as add, in the place of an older one, whatever its time. Returns whether it was there. */
int publications_put(struct publications *p, const char *domain, size_t domain_len, const char *json, size_t len,
                     struct err *e);
bool publications_remove(struct publications *p, const char *domain, size_t len);

/* NULL: there is none. Valid until the next change. */
const struct publication *publications_find(const struct publications *p, const char *domain);

/*
 * Move into *p what `known` has and *p lacks, or has of an earlier time, and mark it as lacking. known is empty then.
 * Returns how many, or -1 without memory.
 */
int64_t publications_merge(struct publications *p, struct publications *known);

/* The file: kept_text.h, "postern-published"; in a line each the domain, TAB, its JSON. */
void publications_write(struct buf *out, const struct publications *p, const struct lists_stamp *stamp);

/* *left_out: lines that this version does not take. Returns 0; or -1 with the reason in e, *p empty and no stamp. */
int publications_read(struct publications *p, struct lists_stamp *stamp, size_t *left_out, const char *data, size_t len,
                      struct err *e);

#endif
