/* rules_verdict.h - what the milter would do with a message, for people and as JSON. Pure. */
#ifndef POSTERN_RULES_VERDICT_H
#define POSTERN_RULES_VERDICT_H

#include <jansson.h>

#include "flag.h"
#include "message.h"
#include "rule_eval.h"

#define RULES_VERDICT_MAX ((size_t)64 << 20) /* octets of it as text */

struct rules_verdict {
    const struct rule_eval *eval; /* NULL: the rules were not asked, as the client is refused before */
    struct rule_outcome outcome;
    const char *reply; /* with which the message is refused: "550 5.7.1 no"; "": it is not */
    struct message_view view;
    bool no_heeded; /* TLS-Required of this sender counts */
    const struct flag_options *flag;
    struct flag_plan plan;
    flag_is_local *is_local;
    void *context;      /* of is_local */
    const char *record; /* the field that is added, with its name; "": none */
    const char *notes;  /* what could not be asked, a line each */
};

void rules_verdict_print(struct buf *out, const struct rules_verdict *v, bool colour);
json_t *rules_verdict_json(const struct rules_verdict *v); /* NULL without memory */

#endif
