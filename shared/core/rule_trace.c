/* rule_trace.c - what became of rules, for people. */
#include "rule_eval.h"
#include "utf8.h"

#define SHOWN_MAX 60 /* octets of a value, about */

/* Printable text within quotes. C1 control characters are no more printable than C0. */
static void write_shown(struct buf *out, const char *text, size_t len)
{
    size_t shown = 0, n;

    buf_char(out, '"');
    for (; shown < len && shown < SHOWN_MAX; shown += n) {
        const unsigned char c = (unsigned char)text[shown];

        n = utf8_measure(text + shown, len - shown);
        if (n == 0 || c < 0x20 || c == 0x7f || (c == 0xc2 && (unsigned char)text[shown + 1] < 0xa0)) {
            buf_char(out, '?');
            n = n == 0 ? 1 : n;
        } else {
            buf_add(out, text + shown, n);
        }
    }
    buf_str(out, shown < len ? "...\"" : "\"");
}

static void write_seen(struct buf *out, const struct rule_seen *seen)
{
    buf_str(out, rule_truth_name(seen->truth));
    if (seen->truth == RULE_UNKNOWN)
        buf_printf(out, ", %s", seen->why);
    if (seen->truth != RULE_TRUE || seen->value.data == NULL)
        return;
    buf_str(out, ", ");
    if (seen->len > 0) {
        write_shown(out, seen->value.data + seen->at, seen->len);
        buf_str(out, " in ");
    }
    write_shown(out, seen->value.data, seen->value.len);
}

static void write_rule(struct buf *out, const struct rule_trace *t)
{
    buf_printf(out, "%s: %s", t->rule->name, t->fits ? "fits" : "does not fit");
    if (t->fits)
        buf_printf(out, " -> %s", rule_action_name(t->rule->action));
    if (t->truth == RULE_UNKNOWN)
        buf_printf(out, " (could not be evaluated, and %s is %s)", rule_action_name(t->rule->action),
                   t->fits ? "strict" : "not strict");
    buf_char(out, '\n');
    for (size_t i = 0; i < t->rule->condition_count; i++) {
        buf_str(out, "  ");
        rule_condition_write(out, t->rule, i);
        buf_str(out, ": ");
        write_seen(out, &t->seen[i]);
        buf_char(out, '\n');
    }
}

void rule_eval_write(struct buf *out, const struct rule_eval *eval)
{
    for (size_t i = 0; i < rule_eval_count(eval); i++) {
        const struct rule_trace *t = rule_eval_trace(eval, i);

        if (t->truth != RULE_NOT_ASKED)
            write_rule(out, t);
    }
}
