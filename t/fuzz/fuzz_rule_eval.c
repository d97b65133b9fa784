/*
 * fuzz_rule_eval.c - rules and a message built from one recipe, expressions that take for ever among them. Evaluation
 * ends; what the trace says fits is there; contains and is say what a search by hand says; what the set does not need
 * makes no difference; the next message makes none either.
 */
#include "recipe.h"
#include "rule_eval.h"
#include "rule_expression.h"
#include "utf8_fold.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TEXTS_MAX 12

struct world {
    struct rule_text text[TEXTS_MAX]; /* memory of its own each, so that reading past the end is seen */
    size_t texts;
    struct rule_text recipients[3];
    struct rule_header headers[3];
    struct rule_part parts[3];
    struct rule_message message;
    unsigned lists; /* bits: 2 for each list, what asking it says */
};

/* --- rules --- */

static const char *const pieces[] = {
    "a",   "b",      "ab",    "A",      "\xc3\xa4", "\xc3\x84", "1",           "\\d",      "\\w",
    "\\b", ".",      ".*",    "(a+)+$", "(a|aa)+",  "a*[bc]",   "[^b]",        "(",        "(?:",
    "(?=", "(?<=a)", ")",     "|",      "*",        "+",        "?",           "{2,9}",    "{200}",
    "^",   "$",      "\\\"",  "\\\\",   "(?1)",     "(?-i)",    "[[:alpha:]]", "\\x{3b1}", "\\R",
    "\\X", "(*UCP)", "(?s).", "\\s*",   "-",        " ",        "@",           ":",        "x",
};

static void put_string(struct buf *b, struct recipe *r, bool is_pattern)
{
    unsigned n = take(r) % 6;

    buf_char(b, '"');
    while (n-- > 0) {
        const char *piece = pieces[take(r) % (is_pattern ? sizeof(pieces) / sizeof(pieces[0]) : 7)];

        buf_str(b, piece);
    }
    buf_char(b, '"');
}

static void put_condition(struct buf *b, struct recipe *r)
{
    enum rule_field field = (enum rule_field)(take(r) % RULE_FIELDS);
    enum rule_operator op = (enum rule_operator)(take(r) % RULE_FLAG);

    buf_str(b, rule_field_name(field));
    if (field == RULE_HEADER)
        buf_str(b, take(r) % 2 == 0 ? " \"a\"" : " \"subject\"");
    if (field == RULE_CLIENT_TLS)
        return;
    if (field == RULE_SIZE)
        op = op % 2 == 0 ? RULE_MORE : RULE_LESS;
    else if (op == RULE_MORE || op == RULE_LESS)
        op = RULE_MATCHES;
    buf_printf(b, " %s ", rule_operator_name(op));
    if (field == RULE_SIZE)
        buf_printf(b, "%u", take(r));
    else if (op == RULE_IN_LIST)
        buf_str(b, list_name((enum list_id)(take(r) % LISTS)));
    else if (op == RULE_IS && field == RULE_CLIENT_ADDRESS)
        buf_printf(b, "\"192.0.2.%u\"", take(r) % 4);
    else
        put_string(b, r, op == RULE_MATCHES);
}

static void put_expression(struct buf *b, struct recipe *r, unsigned depth)
{
    unsigned kind = depth == 0 ? 0 : take(r) % 6;

    if (kind < 3) {
        buf_str(b, kind == 1 ? "not " : "");
        put_condition(b, r);
        return;
    }
    buf_str(b, kind == 3 ? "not (" : "(");
    put_expression(b, r, depth - 1);
    buf_str(b, kind == 4 ? ") and (" : ") or (");
    put_expression(b, r, depth - 1);
    buf_char(b, ')');
}

/* Those that are not taken, for a mistake in an expression, are left out. */
static struct rule_set *make_rules(struct recipe *r)
{
    static const char *const actions[] = {"requiretls", "tag \"A: 1\"", "tls-optional", "reject \"no\"", "none"};
    struct rule_set *set = rule_set_new();
    unsigned n = 1 + take(r) % 5;
    struct buf b;

    demand(set != NULL);
    buf_init(&b, RULE_LENGTH_MAX);
    for (unsigned i = 0; i < n; i++) {
        buf_reset(&b);
        buf_printf(&b, "r%u: ", i);
        put_expression(&b, r, 3);
        buf_printf(&b, " -> %s", actions[take(r) % 5]);
        if (buf_ok(&b))
            (void)rule_set_add(set, b.data, b.len, NULL);
    }
    buf_clear(&b);
    return set;
}

/* --- the message --- */

/* None, or some octets over and over. */
static struct rule_text make_text(struct world *w, struct recipe *r)
{
    char unit[16];
    unsigned kind = take(r);
    size_t len = take_octets(unit, kind % 16, r), times = kind < 16 ? 0 : kind < 128 ? 1 : take16(r) % 2000;
    struct rule_text text = {NULL, len * times};
    char *data;

    if (kind % 16 == 15 || w->texts == TEXTS_MAX)
        return (struct rule_text){NULL, 0};
    data = malloc(text.len == 0 ? 1 : text.len);
    demand(data != NULL);
    for (size_t i = 0; i < times; i++)
        memcpy(data + i * len, unit, len);
    text.data = data;
    w->text[w->texts++] = text;
    return text;
}

static void make_message(struct world *w, struct recipe *r)
{
    static const struct rule_text names[] = {{"A", 1}, {"Subject", 7}, {"", 0}, {NULL, 0}};
    struct rule_message *m = &w->message;
    unsigned flags = take(r);

    m->client_tls = (flags & 1) != 0;
    m->size = (flags & 2) != 0 ? -1 : (int64_t)take(r);
    m->cut = (flags & 4) != 0 ? take(r) : 0;
    w->lists = take16(r);
    m->sender = make_text(w, r);
    m->client_user = make_text(w, r);
    m->client_address = (flags & 8) != 0 ? (struct rule_text){"192.0.2.1", 9} : make_text(w, r);
    m->recipients = w->recipients;
    m->headers = w->headers;
    m->parts = w->parts;
    for (m->recipient_count = 0; m->recipient_count < take(r) % 4; m->recipient_count++)
        w->recipients[m->recipient_count] = make_text(w, r);
    for (m->header_count = 0; m->header_count < take(r) % 4; m->header_count++)
        w->headers[m->header_count] = (struct rule_header){names[take(r) % 4], make_text(w, r)};
    for (m->part_count = 0; m->part_count < take(r) % 4; m->part_count++)
        w->parts[m->part_count] = (struct rule_part){make_text(w, r), make_text(w, r), make_text(w, r)};
}

static int in_list(void *context, enum list_id list, const char *what, size_t len)
{
    const struct world *w = context;

    demand(len > 0 && (list_is_inbound(list) || memchr(what, '@', len) == NULL));
    return (int)(w->lists >> list & 3) == 3 ? -1 : (int)(w->lists >> list & 1);
}

/* --- what must hold --- */

static bool folded_same(const char *text, const struct rule_condition *c)
{
    char folded[RULE_STRING_MAX];

    utf8_fold(folded, text, c->value_len);
    return memcmp(folded, c->folded, c->value_len) == 0;
}

/* By hand, in one value; the letters of a text that was cut out of another are the same but for one cut in two. */
static bool has(struct rule_text text, const struct rule_condition *c)
{
    if (text.data == NULL || (c->op == RULE_IS && text.len != c->value_len))
        return false;
    for (size_t i = 0; i + c->value_len <= text.len; i++)
        if (folded_same(text.data + i, c))
            return true;
    return false;
}

static bool any_has(const struct rule_message *m, const struct rule_condition *c)
{
    bool any = c->field == RULE_SENDER        ? has(m->sender, c)
               : c->field == RULE_CLIENT_USER ? has(m->client_user, c)
                                              : false;

    for (size_t i = 0; c->field == RULE_RECIPIENT && i < m->recipient_count; i++)
        any = any || has(m->recipients[i], c);
    for (size_t i = 0; i < m->part_count; i++)
        any = any || (c->field == RULE_BODY && has(m->parts[i].text, c)) ||
              (c->field == RULE_ATTACHMENT_NAME && has(m->parts[i].name, c)) ||
              (c->field == RULE_ATTACHMENT_TYPE && has(m->parts[i].type, c));
    for (size_t i = 0; i < m->header_count; i++) {
        const struct rule_text *name = &m->headers[i].name;
        const char *want = c->field == RULE_SUBJECT ? "subject" : c->field == RULE_HEADER ? c->header : "?";

        any = any || (name->data != NULL && name->len == strlen(want) &&
                      strncasecmp(name->data, want, name->len) == 0 && has(m->headers[i].value, c));
    }
    return any;
}

static void demand_seen(const struct rule_message *m, const struct rule_condition *c, const struct rule_seen *seen)
{
    bool text = c->op == RULE_IS || c->op == RULE_CONTAINS;

    demand((seen->truth == RULE_UNKNOWN) == (seen->why != NULL));
    if (seen->truth == RULE_NOT_ASKED)
        return;
    if (text && c->field != RULE_CLIENT_ADDRESS)
        demand(any_has(m, c) == (seen->truth == RULE_TRUE));
    if (seen->truth != RULE_TRUE || seen->value.data == NULL)
        return;
    demand(seen->at + seen->len <= seen->value.len);
    demand(c->op != RULE_CONTAINS || (seen->len == c->value_len && folded_same(seen->value.data + seen->at, c)));
}

/* Tags go on, all else ends; unknown rules fit when they are strict. */
static void demand_trace(const struct rule_eval *eval, const struct rule_message *m, const struct rule_outcome *o)
{
    size_t tags = 0, unknown = 0, i = 0;

    for (; i < rule_eval_count(eval); i++) {
        const struct rule_trace *t = rule_eval_trace(eval, i);
        const struct rule_expression *x = t->rule->expression;

        demand(t->truth != RULE_NOT_ASKED && (t->why != NULL) == (t->truth == RULE_UNKNOWN));
        demand(t->fits ==
               (t->truth == RULE_TRUE || (t->truth == RULE_UNKNOWN && rule_action_is_strict(t->rule->action))));
        for (size_t k = 0; k < x->conditions; k++)
            demand_seen(m, &x->condition[k], &t->seen[k]);
        unknown += t->truth == RULE_UNKNOWN;
        if (t->fits && t->rule->action == RULE_TAG)
            demand(rule_eval_tag(eval, tags++) == t->rule);
        else if (t->fits)
            break;
    }
    demand(o->rule == (i < rule_eval_count(eval) ? rule_eval_trace(eval, i)->rule : NULL));
    demand(o->action == (o->rule == NULL ? RULE_NONE : o->rule->action));
    demand(o->tags == tags && o->unknown == unknown);
    for (i++; i < rule_eval_count(eval); i++)
        demand(rule_eval_trace(eval, i)->truth == RULE_NOT_ASKED);
}

/* What the set does not need is not there. */
static struct rule_message strip(const struct rule_message *m, unsigned need)
{
    struct rule_message less = *m;
    const struct rule_text none = {NULL, 0};

    if ((need & RULE_NEED_CLIENT) == 0)
        less.client_address = less.client_user = none;
    if ((need & RULE_NEED_SENDER) == 0)
        less.sender = none;
    less.recipient_count = (need & RULE_NEED_RECIPIENTS) != 0 ? m->recipient_count : 0;
    less.header_count = (need & RULE_NEED_HEADER) != 0 ? m->header_count : 0;
    less.part_count = (need & (RULE_NEED_BODY | RULE_NEED_ATTACHMENTS)) != 0 ? m->part_count : 0;
    less.size = (need & RULE_NEED_SIZE) != 0 ? m->size : -1;
    return less;
}

static void demand_outcome(struct rule_eval *eval, struct world *w, const struct rule_message *m,
                           const struct rule_outcome *o)
{
    struct rule_outcome again = rule_eval_run(eval, m, in_list, w);

    demand(again.rule == o->rule && again.action == o->action && again.tags == o->tags && again.unknown == o->unknown);
}

static void try_message(const struct rule_set *set, struct rule_eval *eval, struct world *w)
{
    static const struct rule_message nothing = {.size = 0};
    struct rule_message less = strip(&w->message, rule_set_need(set));
    struct rule_outcome o = rule_eval_run(eval, &w->message, in_list, w);
    struct buf text;

    demand_trace(eval, &w->message, &o);
    buf_init(&text, 1 << 20);
    rule_eval_write(&text, eval);
    demand(buf_ok(&text));
    buf_clear(&text);
    rule_eval_run(eval, &nothing, NULL, NULL);
    if (o.unknown == 0) /* the work that may be done goes by the length of all texts */
        demand_outcome(eval, w, &less, &o);
    demand_outcome(eval, w, &w->message, &o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct recipe r = {data, size};
    struct world w = {.texts = 0};
    struct rule_set *set = make_rules(&r);
    struct rule_eval *eval;

    demand(rule_set_ready(set) == 0);
    eval = rule_eval_new(set);
    demand(eval != NULL);
    make_message(&w, &r);
    try_message(set, eval, &w);
    rule_eval_free(eval);
    rule_set_free(set);
    for (size_t i = 0; i < w.texts; i++)
        free((void *)(uintptr_t)w.text[i].data);
    return 0;
}
