/* flag_record.c - the value of the header field that says what was decided. */
#include "flag.h"

void flag_record(struct buf *out, const struct flag_plan *plan, const struct rule *rule)
{
    bool required = plan->required != FLAG_NOT;
    enum flag_why why = required ? plan->required : plan->optional;

    if (why == FLAG_NOT)
        return;
    buf_printf(out, "%s; by=%s", required ? "requiretls" : "tls-optional", flag_why_name(why));
    if (why == FLAG_BY_RULE && rule != NULL)
        buf_printf(out, "; rule=%s", rule->name);
    buf_printf(out, "; recipients=%zu", required ? plan->required_count : plan->optional_count);
}
