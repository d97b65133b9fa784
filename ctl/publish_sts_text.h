/* publish_sts_text.h - a published MTA-STS policy for people: the file, the record, what to do in which order; the list
 * of domains. Pure. */
#ifndef POSTERN_PUBLISH_STS_TEXT_H
#define POSTERN_PUBLISH_STS_TEXT_H

#include "publish_sts.h"

/* How it ended. */
struct sts_result {
    const struct sts_plan *plan;
    const struct verdicts *verdicts;
    const struct sts_failures *failures; /* NULL: no reports were looked at */
    int64_t now;
    bool done;        /* it is published; else refused, or only tried */
    const char *file; /* that the policy was written to; NULL: none */
    bool served;      /* postern-stsd of this node serves policies */
};

void sts_result_print(struct buf *out, const struct sts_result *r, bool colour);
json_t *sts_result_json(const struct sts_result *r); /* NULL without memory */

/* --- publish list --- */

struct sts_listed {
    const struct published *policy; /* NULL: cannot be read, */
    const char *domain, *why;       /* and why */
};

void sts_list_print(struct buf *out, const struct sts_listed *row, size_t count, char *const *without, size_t withouts,
                    int64_t now, bool colour);
/* {"domains":[…],"without":[…]}: without are domains of the list local that publish no policy. */
json_t *sts_list_json(const struct sts_listed *row, size_t count, char *const *without, size_t withouts);

#endif
