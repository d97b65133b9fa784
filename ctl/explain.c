/* explain.c - policyd's answer to "explain", for people. */
#include "explain.h"

#include "member.h"
#include "print.h"

#include <string.h>

struct meaning {
    const char *word, *text;
};

static const struct meaning levels[] = {
    {"default", "Nothing is known that binds: the MTA's own setting decides, and no certificate is asked for on "
                "Postern's account."},
    {"none", "Mail goes in clear: TLS is not tried."},
    {"may", "Mail goes over TLS when the server offers it, in clear otherwise; certificates are not checked."},
    {"encrypt", "Mail goes only over TLS; certificates are not checked."},
    {"dane",
     "Mail to hosts with usable TLSA records goes only over TLS with a certificate that fits them; other hosts are "
     "used without such a check."},
    {"verify", "Mail goes only over TLS, to servers with a valid certificate for their name."},
    {"secure", "Mail goes only over TLS, to servers with a valid certificate for one of the published MX names."},
    {"dane-only", "Mail goes only over TLS, to servers whose certificate fits their DNSSEC-signed TLSA records."},
    {NULL, "Postern gave an answer that this posternctl does not know; is it older than the daemon?"},
};

static const struct meaning sources[] = {
    {"memory", "from policyd's memory"},
    {"redis", "from Redis"},
    {"stsd", "looked up by stsd just now"},
    {"stale", "old ones, as newer ones cannot be had now"},
    {"none", "none were needed, or none could be had"},
    {NULL, "of unknown origin"},
};

static const char *meaning_of(const struct meaning *table, const char *word)
{
    while (table->word != NULL && strcmp(table->word, word) != 0)
        table++;
    return table->text;
}

/* True when the answer is OK and this level. */
static bool answer_is(const char *answer, const char *level)
{
    size_t len = strlen(level);

    return strncmp(answer, "OK ", 3) == 0 && strncmp(answer + 3, level, len) == 0 &&
           (answer[3 + len] == '\0' || answer[3 + len] == ' ');
}

enum tint answer_tint(const char *answer)
{
    if (strncmp(answer, "TEMP", 4) == 0 || strncmp(answer, "PERM", 4) == 0)
        return TINT_BAD;
    if (answer_is(answer, "secure") || answer_is(answer, "dane-only") || answer_is(answer, "dane") ||
        answer_is(answer, "verify"))
        return TINT_GOOD;
    return answer_is(answer, "none") ? TINT_WARN : TINT_NONE;
}

static const char *sentence(const json_t *explanation)
{
    if (json_is_true(json_object_get(explanation, "temp")))
        return "Mail is held and tried again later: what binds it cannot be told now.";
    if (strcmp(member_text(explanation, "kind"), "parent") == 0) {
        return "Postfix asks for parent domains too; Postern never answers for them, as that would cover all "
               "subdomains.";
    }
    if (strcmp(member_text(explanation, "level"), "secure") == 0 &&
        strstr(member_text(explanation, "answer"), " match=") == NULL)
        return "Mail goes only over TLS, to servers with a valid certificate for the next hop's own name or one below "
               "it.";
    return meaning_of(levels, member_text(explanation, "level"));
}

/* The name is another one than what was asked; brackets and ports make no other one. */
static bool has_other_name(const char *nexthop, const char *domain)
{
    return domain[0] != '\0' && strcmp(domain, nexthop) != 0 && nexthop[0] != '[';
}

/* As "  1. text" lines. */
static void reasons_print(struct buf *out, const json_t *reasons)
{
    for (size_t i = 0; i < json_array_size(reasons); i++) {
        const char *reason = json_string_value(json_array_get(reasons, i));

        buf_printf(out, "  %zu. ", i + 1);
        print_text(out, reason != NULL ? reason : "?", reason != NULL ? strlen(reason) : 1);
        buf_char(out, '\n');
    }
}

static void print_answer(struct buf *out, const char *answer, bool colour)
{
    struct buf text;

    buf_init(&text, out->max);
    print_text(&text, answer, strlen(answer));
    if (!buf_ok(&text))
        out->failed = true;
    print_tinted(out, buf_text(&text), answer_tint(answer), colour);
    buf_clear(&text);
}

static void print_source(struct buf *out, const json_t *explanation, int64_t now)
{
    int64_t until = member_number(explanation, "valid_until");

    buf_printf(out, "\nFacts: %s.\n", meaning_of(sources, member_text(explanation, "source")));
    if (until > 0) {
        buf_str(out, until > now ? "The answer holds until " : "The answer held until ");
        print_time(out, until, now);
        buf_str(out, ".\n");
    }
}

void explain_print(struct buf *out, const json_t *explanation, int64_t now, bool colour)
{
    const char *nexthop = member_text(explanation, "nexthop");
    const char *domain = member_text(explanation, "domain");
    const char *answer = member_text(explanation, "answer");
    const char *tlsrpt = member_text(explanation, "answer_tlsrpt");

    print_text(out, nexthop, strlen(nexthop));
    if (has_other_name(nexthop, domain)) {
        buf_str(out, " (as ");
        print_text(out, domain, strlen(domain));
        buf_str(out, ")");
    }
    buf_str(out, ": ");
    print_answer(out, answer, colour);
    buf_printf(out, "\n%s\n", sentence(explanation));
    if (json_is_true(json_object_get(explanation, "smtps")))
        buf_str(out, "It goes by implicit TLS, port 465.\n");
    if (json_is_true(json_object_get(explanation, "overridden")))
        buf_str(out, "An entry of the lists says override: what the destination publishes may be more than this.\n");
    buf_str(out, "\nWhy:\n");
    reasons_print(out, json_object_get(explanation, "reasons"));
    print_source(out, explanation, now);
    if (tlsrpt[0] != '\0' && strcmp(tlsrpt, answer) != 0) {
        buf_str(out, "With TLSRPT attributes (Postfix 3.10 or later): ");
        print_text(out, tlsrpt, strlen(tlsrpt));
        buf_char(out, '\n');
    }
}
