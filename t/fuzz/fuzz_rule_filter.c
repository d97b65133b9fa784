/*
 * fuzz_rule_filter.c - expressions and texts from one recipe, asked with and without rule_filter.h: the answers are the
 * same, and fit at the same place. Only what takes too much work may be false in the one and unknown in the other.
 */
#include "recipe.h"
#include "rule_eval.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const items[] = {
    "a",           "b",
    "k",           "s",
    "1",           "2",
    "-",           " ",
    "ab",          "secret",
    "\xc3\xa4",    "\xc3\x9f",
    "\xce\xbc",    "\xcf\x83",
    "\xd0\xb2",    "\xe5\x90\x88",
    "[ab]",        "[^a]",
    "[a-c]",       "[]a]",
    "[^]a]",       "[a\\]]",
    "[\\d-]",      "[0-9]",
    "[A-Z]",       "[a-z0-9]",
    "[A-Z]{2}",    "[1a]",
    "[[:digit:]]", "[[:alpha:]b]",
    "[ k-s]",      "[\\x61]",
    "[a-\\d]",     "\\d",
    "\\w",         "\\s",
    "\\b",         "\\B",
    ".",           "^",
    "$",           "\\.",
    "\\?",         "?",
    "\\x61",       "\\x{e4}",
    "\\p{Lu}",     "\\pL",
    "\\R",         "\\X",
    "\\N",         "\\Qa(\\E",
    "\\K",         "(?i)",
    "(?-i)",       "(?x)",
    "(?s).",       "(?#b)",
    "#",           "(?=ab)",
    "(?!b)",       "(?<=a)",
    "(?<!ab)",     "(?R)?",
    "(?1)",        "(*ACCEPT)",
    "(?(?=a)b|k)", "(*UCP)",
    "]",           "}",
    "{",           "{,2}",
    "\\101",       "\\t",
    "(?J)",
};

static const char *const opens[] = {"(",   "(?:", "(?=",  "(?!",   "(?<=", "(?<!",
                                    "(?>", "(?|", "(?i:", "(?-i:", "(?x:", "(?<n>"};
static const char *const repeats[] = {"",      "",      "",    "",     "*",  "+",  "?", "{2}",
                                      "{1,2}", "{0,1}", "{0}", "{2,}", "+?", "*+", "??"};

#define PICK(r, of) (of)[take(r) % (sizeof(of) / sizeof((of)[0]))]

static void put_alternatives(struct buf *b, struct recipe *r, unsigned depth)
{
    unsigned n = 1 + take(r) % 5;

    while (n-- > 0) {
        unsigned kind = take(r);

        if (kind % 4 == 1 && depth > 0) {
            buf_str(b, PICK(r, opens));
            put_alternatives(b, r, depth - 1);
            buf_char(b, ')');
        } else {
            buf_str(b, PICK(r, items));
        }
        buf_str(b, PICK(r, repeats));
        buf_str(b, kind % 16 == 3 ? "|" : "");
    }
}

/* Each in a rule that goes on. Those that are not taken, for a mistake in them, are left out. */
static struct rule_set *make_rules(struct recipe *r)
{
    struct rule_set *set = rule_set_new();
    unsigned n = 1 + take(r) % 6;
    struct buf b;

    demand(set != NULL);
    buf_init(&b, RULE_LENGTH_MAX);
    for (unsigned i = 0; i < n; i++) {
        unsigned kind = take(r) % 8;

        buf_reset(&b);
        buf_printf(&b, "r%u: %s \"", i, kind == 7 ? "body contains" : kind == 6 ? "subject matches" : "body matches");
        put_alternatives(&b, r, 3);
        buf_str(&b, "\" -> tag \"A: 1\"");
        if (buf_ok(&b))
            (void)rule_set_add(set, b.data, b.len, NULL);
    }
    buf_clear(&b);
    return set;
}

/* Of pieces that the expressions speak of, letters of other cases, what is no UTF-8, and some octets. */
static void put_text(struct buf *b, struct recipe *r)
{
    static const char *const pieces[] = {
        "a",
        "b",
        "A",
        "K",
        "\xe2\x84\xaa",
        "\xc5\xbf",
        "s",
        "12",
        "1",
        "-",
        " ",
        "ab",
        "SECRET",
        "secret",
        "\xc3\x84",
        "\xc3\xa4",
        "\xe1\xba\x9e",
        "\xce\xbc",
        "\xc2\xb5",
        "\xcf\x82",
        "\xce\xa3",
        "\xe1\xb2\x80",
        "\xd0\x92",
        "\xe5\x90\x88",
        "\n",
        "\r\n",
        "\xff",
        "\xc3",
        "a(",
        "?",
        "]",
        "}",
        "{,2}",
        ".",
        "abab",
        "kk",
        "aa",
        "bb",
    };
    unsigned n = take(r) % 24;
    char octets[8];

    while (n-- > 0) {
        unsigned kind = take(r);

        if (kind == 255)
            buf_add(b, octets, take_octets(octets, sizeof(octets), r));
        else
            buf_str(b, pieces[kind % (sizeof(pieces) / sizeof(pieces[0]))]);
    }
}

static void demand_same(const struct rule_seen *slow, const struct rule_seen *fast)
{
    if (slow->truth == RULE_UNKNOWN) {
        demand(fast->truth == RULE_UNKNOWN || fast->truth == RULE_FALSE);
        return;
    }
    demand(slow->truth == fast->truth);
    demand(slow->value.data == fast->value.data && slow->at == fast->at && slow->len == fast->len);
}

static void try_texts(struct rule_eval *slow, struct rule_eval *fast, const struct buf *one, const struct buf *two)
{
    const struct rule_part parts[] = {{.text = {one->data, one->len}}, {.text = {two->data, two->len}}};
    const struct rule_header header = {{"Subject", 7}, {two->data, two->len}};
    struct rule_message m = {
        .parts = parts, .part_count = 2, .headers = &header, .header_count = 1, .size = (int64_t)one->len};

    rule_eval_run(slow, &m, NULL, NULL);
    rule_eval_run(fast, &m, NULL, NULL);
    for (size_t i = 0; i < rule_eval_count(slow); i++)
        demand_same(rule_eval_trace(slow, i)->seen, rule_eval_trace(fast, i)->seen);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct recipe r = {data, size};
    struct rule_set *set = make_rules(&r);
    struct rule_eval *slow = rule_eval_new(set), *fast;
    struct buf one, two;

    demand(slow != NULL && rule_set_ready(set) == 0);
    fast = rule_eval_new(set);
    demand(fast != NULL);
    buf_init(&one, 1000);
    buf_init(&two, 1000);
    for (int i = 0; i < 3; i++) {
        buf_reset(&one);
        buf_reset(&two);
        put_text(&one, &r);
        put_text(&two, &r);
        try_texts(slow, fast, &one, &two);
    }
    buf_clear(&one);
    buf_clear(&two);
    rule_eval_free(fast);
    rule_eval_free(slow);
    rule_set_free(set);
    return 0;
}
