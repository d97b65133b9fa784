/*
 * fuzz_rule_mail.c - messages: an octet that chooses what is left out, then header and body, read for rules and asked
 * by rules about all that they can see. Texts are UTF-8, what the trace says fits is there, and what is read of one
 * thing alone is what is read of it among all.
 */
#include "charset_io.h"
#include "rule_mail.h"
#include "text_demand.h"

#define FIELDS_MAX 16
#define ALL        (RULE_NEED_HEADER | RULE_NEED_BODY | RULE_NEED_ATTACHMENTS)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char rules[] =
    "h: header \"X\" matches \"(a|b)+c\" -> tag \"A: 1\"\n"
    "s: subject contains \"secret\" or subject is \"\xc3\xa4\" -> tag \"A: 2\"\n"
    "b: body contains \"secret\" or body matches \"\\d{4}-\\d{4}\" -> tag \"A: 3\"\n"
    "n: attachment.name matches \"\\.p12$\" or attachment.type is \"text/html\" -> tag \"A: 4\"\n"
    "z: size > 10 and not (body matches \"^x*y\" or attachment.name contains \"a\") -> requiretls\n";

/* A value that stands between others. */
static void demand_utf8(const struct rule_text *value)
{
    demand(value->data != NULL && memchr(value->data, '\0', value->len) == NULL);
    for (size_t i = 0, octets; i < value->len; i += octets) {
        octets = utf8_measure(value->data + i, value->len - i);
        demand(octets > 0);
    }
}

static void demand_part(const struct rule_part *p)
{
    demand((p->name.data == NULL || p->type.data != NULL) && (p->type.data == NULL || p->type.len > 0));
    if (p->name.data != NULL)
        demand_text(p->name.data, p->name.len);
    if (p->text.data != NULL)
        demand_text(p->text.data, p->text.len);
}

static bool same(struct rule_text a, struct rule_text b)
{
    return (a.data == NULL) == (b.data == NULL) && a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* One part of what is needed is as it is with the rest, and the rest is not there. */
static void demand_alone(const struct rule_message *all, const struct rule_mail_source *source, unsigned need)
{
    struct rule_mail mail;
    const struct rule_message *m = &mail.message;
    bool body = (need & RULE_NEED_BODY) != 0, attachments = (need & RULE_NEED_ATTACHMENTS) != 0;

    demand(rule_mail_read(&mail, source, need) == 0);
    demand(m->header_count == ((need & RULE_NEED_HEADER) != 0 ? all->header_count : 0));
    demand(m->part_count == (body || attachments ? all->part_count : 0));
    for (size_t i = 0; i < m->header_count; i++)
        demand(same(m->headers[i].value, all->headers[i].value));
    for (size_t i = 0; i < m->part_count; i++) {
        demand(body ? same(m->parts[i].text, all->parts[i].text) : m->parts[i].text.data == NULL);
        demand(attachments ? same(m->parts[i].name, all->parts[i].name) : m->parts[i].name.data == NULL);
        demand(attachments ? same(m->parts[i].type, all->parts[i].type) : m->parts[i].type.data == NULL);
    }
    demand((m->cut & ~all->cut) == 0);
    rule_mail_clear(&mail);
}

static void demand_seen(const struct rule_eval *eval)
{
    for (size_t i = 0; i < rule_eval_count(eval); i++) {
        const struct rule_trace *t = rule_eval_trace(eval, i);

        for (size_t k = 0; k < t->rule->condition_count; k++)
            demand(t->seen[k].at + t->seen[k].len <= t->seen[k].value.len);
    }
}

static void ask(const struct rule_message *m)
{
    struct rule_set *set = rule_set_new();
    struct rule_eval *eval;
    struct buf text;

    demand(set != NULL && rule_set_read(set, rules, strlen(rules), NULL) == 0);
    demand((rule_set_need(set) & ALL) == ALL);
    eval = rule_eval_new(set);
    demand(eval != NULL);
    rule_eval_run(eval, m, NULL, NULL);
    demand_seen(eval);
    buf_init(&text, 1 << 20);
    rule_eval_write(&text, eval);
    demand(buf_ok(&text));
    buf_clear(&text);
    rule_eval_free(eval);
    rule_set_free(set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct recipe in = {data, size};
    unsigned left_out = take(&in);
    struct header_field field[FIELDS_MAX];
    struct rule_mail_source source = {.field = field, .fields_left_out = (left_out & 1) != 0, .size = (int64_t)size};
    struct rule_mail mail;
    size_t pos = 0;

    while (source.fields < FIELDS_MAX &&
           header_field_next(&field[source.fields], &pos, (const char *)in.at, in.left) == 1)
        source.fields++;
    source.body = (const char *)in.at + pos;
    source.body_len = in.left - pos;
    source.body_more = (left_out & 2) != 0;
    source.convert = (left_out & 4) != 0 ? NULL : charset_convert;
    demand(rule_mail_read(&mail, &source, ALL) == 0);
    for (size_t i = 0; i < mail.message.header_count; i++)
        demand_utf8(&mail.message.headers[i].value);
    for (size_t i = 0; i < mail.message.part_count; i++)
        demand_part(&mail.message.parts[i]);
    ask(&mail.message);
    for (unsigned need = RULE_NEED_HEADER; need < ALL; need += RULE_NEED_HEADER)
        demand_alone(&mail.message, &source, need);
    rule_mail_clear(&mail);
    return 0;
}
