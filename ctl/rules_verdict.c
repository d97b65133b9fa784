/* rules_verdict.c - what the milter would do with a message. */
#include "rules_verdict.h"

#include "print.h"
#include "rules_print.h"

#include <string.h>

/* --- one recipient --- */

enum fate { FATE_PLAIN, FATE_REQUIRED, FATE_OPTIONAL, FATE_LOCAL, FATE_SAME };

static const struct {
    const char *name, *text;
} fates[] = {
    [FATE_PLAIN] = {"none", "by the policy of its domain"},
    [FATE_REQUIRED] = {"requiretls", "only over verified TLS, or back to the sender"},
    [FATE_OPTIONAL] = {"tls-optional", "delivery rather than TLS"},
    [FATE_LOCAL] = {"local", "one of ours"},
    [FATE_SAME] = {"same", "another recipient becomes the same"},
};

static const struct flag_edit *edit_of(const struct flag_plan *plan, size_t recipient)
{
    for (size_t i = 0; i < plan->edits; i++)
        if (plan->edit[i].recipient == recipient)
            return &plan->edit[i];
    return NULL;
}

static bool is_local(const struct rules_verdict *v, const char *address)
{
    struct address_split split;

    return address_split(&split, address, strlen(address), NULL) == 0 && split.domain_len > 0 &&
           v->is_local(v->context, address + split.domain_at, split.domain_len);
}

static enum fate fate_of(const struct rules_verdict *v, const char *address)
{
    if (address_tag_has(&v->flag->requiretls, address, strlen(address), NULL) == 1)
        return FATE_REQUIRED;
    if (address_tag_has(&v->flag->optional, address, strlen(address), NULL) == 1)
        return FATE_OPTIONAL;
    return is_local(v, address) ? FATE_LOCAL : FATE_PLAIN;
}

/* *becomes: its address afterwards; NULL: it goes. */
static enum fate recipient_fate(const char **becomes, const struct rules_verdict *v, size_t recipient)
{
    const struct flag_edit *edit = edit_of(&v->plan, recipient);

    *becomes = edit != NULL ? edit->address : v->view.recipient[recipient].address;
    return *becomes != NULL ? fate_of(v, *becomes) : FATE_SAME;
}

/* --- all of it --- */

static bool is_refused(const struct rules_verdict *v)
{
    return v->reply[0] != '\0';
}

static const char *action_of(const struct rules_verdict *v)
{
    if (is_refused(v))
        return "reject";
    if (v->plan.required != FLAG_NOT)
        return "requiretls";
    return v->plan.optional != FLAG_NOT ? "tls-optional" : "none";
}

static const char *why_of(const struct rules_verdict *v)
{
    if (v->plan.required == FLAG_NOT && v->plan.optional == FLAG_NOT)
        return v->outcome.rule != NULL ? "rule" : "none";
    return flag_why_name(v->plan.required != FLAG_NOT ? v->plan.required : v->plan.optional);
}

/* --- for people --- */

static void print_line(struct buf *out, const char *begin, const char *text)
{
    buf_str(out, begin);
    print_text(out, text, strlen(text));
    buf_char(out, '\n');
}

static void print_verdict(struct buf *out, const struct rules_verdict *v, bool colour)
{
    buf_str(out, "verdict: ");
    print_tinted(out, action_of(v), is_refused(v) ? TINT_BAD : TINT_GOOD, colour);
    if (v->outcome.rule != NULL)
        buf_printf(out, ", rule %s", v->outcome.rule->name);
    else if (strcmp(why_of(v), "none") != 0)
        buf_printf(out, ", by %s", why_of(v));
    buf_char(out, '\n');
    if (is_refused(v))
        print_line(out, "  refused: ", v->reply);
}

static const char *remark_on_no(const struct rules_verdict *v)
{
    if (!v->no_heeded)
        return ", not heeded and taken out (setting tls_required)";
    if (v->view.no == TLS_REQUIRED_NO && v->plan.required != FLAG_NOT && v->plan.optional == FLAG_NOT)
        return ", but REQUIRETLS wins";
    return "";
}

static void print_fields(struct buf *out, const struct rules_verdict *v)
{
    if (v->view.no_fields > 0)
        buf_printf(out, "  TLS-Required: %s%s\n", tls_required_name(v->view.no), remark_on_no(v));
    for (size_t i = 0; v->eval != NULL && !is_refused(v) && i < v->outcome.tags; i++) {
        const struct rule *tag = rule_eval_tag(v->eval, i);

        buf_printf(out, "  adds %s: %s (rule %s)\n", tag->tag_name, tag->tag_value, tag->name);
    }
    if (v->record[0] != '\0')
        print_line(out, "  adds ", v->record);
    if (v->view.record_fields > 0)
        buf_printf(out, "  takes out fields that only the milter writes: %zu\n", v->view.record_fields);
}

static void print_recipients(struct buf *out, const struct rules_verdict *v)
{
    for (size_t i = 0; !is_refused(v) && i < v->view.recipients; i++) {
        const char *address = v->view.recipient[i].address, *becomes;
        enum fate fate = recipient_fate(&becomes, v, i);

        buf_str(out, "  ");
        print_text(out, address, strlen(address));
        if (becomes != NULL && strcmp(becomes, address) != 0) {
            buf_str(out, " -> ");
            print_text(out, becomes, strlen(becomes));
        }
        buf_printf(out, ": %s\n", fates[fate].text);
    }
}

static void print_notes(struct buf *out, const char *notes)
{
    for (size_t len; *notes != '\0'; notes += len + 1) {
        len = strcspn(notes, "\n");
        buf_str(out, "note: ");
        print_text(out, notes, len);
        buf_char(out, '\n');
    }
}

void rules_verdict_print(struct buf *out, const struct rules_verdict *v, bool colour)
{
    if (v->eval != NULL)
        rule_eval_write(out, v->eval);
    print_verdict(out, v, colour);
    print_fields(out, v);
    print_recipients(out, v);
    print_notes(out, v->notes);
}

/* --- JSON --- */

static json_t *text_json(struct rule_text text)
{
    return text.data == NULL ? json_null() : rules_json_text(text.data, text.len);
}

static json_t *condition_json(const struct rule_trace *t, size_t i)
{
    const struct rule_seen *seen = &t->seen[i];
    struct buf text;
    json_t *out;

    buf_init(&text, RULES_VERDICT_MAX);
    rule_condition_write(&text, t->rule, i);
    out = json_pack("{s:s, s:s}", "condition", buf_text(&text), "truth", rule_truth_name(seen->truth));
    buf_clear(&text);
    if (seen->truth == RULE_TRUE && seen->value.data != NULL) {
        json_object_set_new(out, "value", text_json(seen->value));
        if (seen->len > 0)
            json_object_set_new(out, "match", rules_json_text(seen->value.data + seen->at, seen->len));
    }
    if (seen->why != NULL)
        json_object_set_new(out, "why", json_string(seen->why));
    return out;
}

static json_t *trace_json(const struct rule_trace *t)
{
    json_t *conditions = json_array();

    for (size_t i = 0; i < t->rule->condition_count; i++)
        json_array_append_new(conditions, condition_json(t, i));
    return json_pack("{s:s, s:s, s:b, s:s, s:o}", "name", t->rule->name, "truth", rule_truth_name(t->truth), "fits",
                     (int)t->fits, "action", rule_action_name(t->rule->action), "conditions", conditions);
}

static json_t *rules_asked_json(const struct rules_verdict *v)
{
    json_t *out = json_array();

    for (size_t i = 0; v->eval != NULL && i < rule_eval_count(v->eval); i++)
        if (rule_eval_trace(v->eval, i)->truth != RULE_NOT_ASKED)
            json_array_append_new(out, trace_json(rule_eval_trace(v->eval, i)));
    return out;
}

static json_t *recipients_json(const struct rules_verdict *v)
{
    json_t *out = json_array();

    for (size_t i = 0; !is_refused(v) && i < v->view.recipients; i++) {
        const char *address = v->view.recipient[i].address, *becomes;
        enum fate fate = recipient_fate(&becomes, v, i);

        json_array_append_new(out, json_pack("{s:o, s:o, s:s}", "address", rules_json_text(address, strlen(address)),
                                             "becomes",
                                             becomes == NULL ? json_null() : rules_json_text(becomes, strlen(becomes)),
                                             "flag", fates[fate].name));
    }
    return out;
}

static json_t *fields_json(const struct rules_verdict *v)
{
    json_t *out = json_array();

    for (size_t i = 0; v->eval != NULL && !is_refused(v) && i < v->outcome.tags; i++)
        json_array_append_new(out, json_string(rule_eval_tag(v->eval, i)->text));
    if (v->record[0] != '\0')
        json_array_append_new(out, json_string(v->record));
    return out;
}

static json_t *notes_json(const char *notes)
{
    json_t *out = json_array();

    for (size_t len; *notes != '\0'; notes += len + 1) {
        len = strcspn(notes, "\n");
        json_array_append_new(out, rules_json_text(notes, len));
    }
    return out;
}

json_t *rules_verdict_json(const struct rules_verdict *v)
{
    json_t *rule = v->outcome.rule != NULL ? json_string(v->outcome.rule->name) : json_null();
    json_t *reply = is_refused(v) ? rules_json_text(v->reply, strlen(v->reply)) : json_null();

    return json_pack("{s:s, s:s, s:o, s:o, s:s, s:b, s:o, s:o, s:o, s:o}", "verdict", action_of(v), "by", why_of(v),
                     "rule", rule, "reply", reply, "tls_required", tls_required_name(v->view.no), "tls_required_heeded",
                     (int)v->no_heeded, "adds", fields_json(v), "recipients", recipients_json(v), "rules",
                     rules_asked_json(v), "notes", notes_json(v->notes));
}
