/* rules_print.c - shows rules. */
#include "rules_print.h"

#include "print.h"

#include <string.h>

json_t *rules_json_text(const char *text, size_t len)
{
    struct buf out;
    json_t *string;

    buf_init(&out, 4 * len + 1);
    print_text(&out, text, len);
    string = json_string(buf_text(&out));
    buf_clear(&out);
    return string;
}

/* --- for people --- */

struct printing {
    struct buf *out;
    size_t number;
    bool colour;
};

static void print_rule(void *ctx, const struct rules_line *line, const struct rule *rule, const struct err *why)
{
    struct printing *p = ctx;
    struct buf wrong;

    if (rule != NULL)
        buf_printf(p->out, "%4zu  ", ++p->number);
    else
        buf_str(p->out, "   -  ");
    print_text(p->out, line->text, line->len);
    buf_char(p->out, '\n');
    if (rule != NULL)
        return;
    buf_init(&wrong, 4 * ERR_MAX + 100);
    buf_printf(&wrong, "line %zu: ", line->number);
    print_text(&wrong, why->text, strlen(why->text));
    buf_str(p->out, "      ");
    print_tinted(p->out, buf_text(&wrong), TINT_BAD, p->colour);
    buf_char(p->out, '\n');
    buf_clear(&wrong);
}

static void print_configured(struct printing *p, const struct rule_set *set)
{
    const struct err fine = {""};
    struct buf text;

    buf_init(&text, RULES_PRINT_MAX);
    for (size_t i = 0; i < rule_set_count(set); i++) {
        struct rules_line line = {.number = i + 1};

        buf_reset(&text);
        rule_write(&text, rule_set_at(set, i));
        line.text = buf_text(&text);
        line.len = text.len;
        print_rule(p, &line, rule_set_at(set, i), &fine);
    }
    buf_clear(&text);
}

static void print_head(struct buf *out, const char *where, size_t count, bool colour)
{
    struct buf head;

    buf_init(&head, 200);
    buf_printf(&head, "%s: %zu %s", where, count, count == 1 ? "rule" : "rules");
    print_tinted(out, buf_text(&head), TINT_HEAD, colour);
    buf_char(out, '\n');
    buf_clear(&head);
}

size_t rules_print(struct buf *out, const struct rules_shown *shown, bool colour)
{
    struct printing p = {.out = out, .colour = colour};

    print_head(out, "configuration", rule_set_count(shown->set), colour);
    print_configured(&p, shown->set);
    if (shown->text == NULL)
        return 0;
    print_head(out, "Redis", rules_text_count(shown->text, shown->len), colour);
    return rules_text_read(shown->set, shown->text, shown->len, print_rule, &p);
}

/* --- JSON --- */

struct listing {
    json_t *rules;
    size_t number;
};

static json_t *rule_json(size_t number, const struct rule *rule)
{
    struct buf text;
    json_t *out;

    buf_init(&text, RULES_PRINT_MAX);
    rule_write(&text, rule);
    out = json_pack("{s:I, s:s, s:s, s:s}", "number", (json_int_t)number, "name", rule->name, "rule", buf_text(&text),
                    "action", rule_action_name(rule->action));
    buf_clear(&text);
    return out;
}

static void list_rule(void *ctx, const struct rules_line *line, const struct rule *rule, const struct err *why)
{
    struct listing *l = ctx;
    json_t *one = rule != NULL ? rule_json(++l->number, rule)
                               : json_pack("{s:o, s:o}", "rule", rules_json_text(line->text, line->len), "error",
                                           rules_json_text(why->text, strlen(why->text)));

    json_object_set_new(one, "line", json_integer((json_int_t)line->number));
    json_array_append_new(l->rules, one);
}

json_t *rules_json(const struct rules_shown *shown, size_t *bad)
{
    struct listing l = {.rules = json_array()};
    json_t *configured = json_array(), *stored = json_null();

    *bad = 0;
    for (; l.number < rule_set_count(shown->set); l.number++)
        json_array_append_new(configured, rule_json(l.number + 1, rule_set_at(shown->set, l.number)));
    if (shown->text != NULL) {
        *bad = rules_text_read(shown->set, shown->text, shown->len, list_rule, &l);
        stored = json_pack("{s:s, s:I, s:O}", "generation", shown->stamp->generation, "edits",
                           (json_int_t)shown->stamp->count, "rules", l.rules);
    }
    json_decref(l.rules);
    return json_pack("{s:o, s:o}", "configuration", configured, "redis", stored);
}
