/* relay_failure.c - one table says what each failure means; see relay_failure.h. */
#include "relay_failure.h"

#include "ascii.h"

#include <stdio.h>
#include <string.h>

enum next { LAST, NEXT };
enum code { OURS, THEIRS }; /* the enhanced code: that of the table, or the server's own where it has one */

struct meaning {
    const char *name;
    int reply;
    enum next next;
    const char *enhanced;
    enum code code;
    const char *tlsrpt;
    const char *words;
};

#define NOT_SUPPORTED "starttls-not-supported"
#define VALIDATION    "validation-failure"

static const struct meaning meanings[RELAY_FAILED_COUNT] = {
    [RELAY_FAILED_NOTHING] = {"nothing", 451, LAST, "4.3.0", OURS, "", "was not tried"},

    [RELAY_FAILED_NO_FACTS] = {"no-facts", 451, LAST, "4.4.3", OURS, "", "is not known now, and cannot be looked up"},
    [RELAY_FAILED_STALE] = {"stale", 451, LAST, "4.4.3", OURS, "",
                            "is known from before only, and cannot be looked up again now"},
    [RELAY_FAILED_MX_TEMP] = {"mx-temp", 451, LAST, "4.4.3", OURS, "", "has MX records that cannot be looked up now"},
    [RELAY_FAILED_LITERAL] = {"literal", 550, LAST, "5.7.10", OURS, "",
                              "is an address or a host in brackets, without MX records that could be authenticated"},
    [RELAY_FAILED_NO_DOMAIN] = {"no-domain", 550, LAST, "5.1.2", OURS, "", "does not exist"},
    [RELAY_FAILED_NULL_MX] = {"null-mx", 556, LAST, "5.1.10", OURS, "", "takes no mail (null MX)"},
    [RELAY_FAILED_NO_HOST] = {"no-host", 550, LAST, "5.4.4", OURS, "", "has no MX host with an address"},

    [RELAY_FAILED_LOOP] = {"loop", 550, NEXT, "5.4.6", OURS, "",
                           "is this relay, or comes after it by preference: the mail would come back"},
    [RELAY_FAILED_UNAUTHENTICATED] = {"unauthenticated", 550, NEXT, "5.7.10", OURS, "",
                                      "is authenticated neither by DNSSEC nor by an MTA-STS policy in mode enforce"},
    [RELAY_FAILED_NOT_IN_POLICY] = {"not-in-policy", 550, NEXT, "5.7.10", OURS, VALIDATION,
                                    "is not named by the MTA-STS policy"},
    [RELAY_FAILED_POLICY_FETCH] = {"policy-fetch", 451, NEXT, "4.4.3", OURS, "",
                                   "could be authenticated by an MTA-STS policy only, which could not be fetched"},
    [RELAY_FAILED_POLICY_TEMP] = {"policy-temp", 451, NEXT, "4.4.3", OURS, "",
                                  "may stand in an MTA-STS policy, whose record cannot be looked up now"},
    [RELAY_FAILED_TLSA_TEMP] = {"tlsa-temp", 451, NEXT, "4.4.3", OURS, "dnssec-invalid",
                                "has TLSA records that cannot be looked up or validated now"},
    [RELAY_FAILED_ADDRESS_TEMP] = {"address-temp", 451, NEXT, "4.4.3", OURS, "",
                                   "has addresses that cannot be looked up now"},

    [RELAY_FAILED_LOCAL] = {"local", 451, LAST, "4.3.0", OURS, "", "was not tried for want of means on our side"},
    [RELAY_FAILED_BUSY] = {"busy", 451, LAST, "4.4.5", OURS, "",
                           "was not tried, as there are as many connections as may be"},

    [RELAY_FAILED_CONNECT] = {"connect", 451, NEXT, "4.4.1", OURS, "", "cannot be reached"},
    [RELAY_FAILED_CONNECT_TIMEOUT] = {"connect-timeout", 451, NEXT, "4.4.1", OURS, "",
                                      "cannot be reached: no answer to the connection"},
    [RELAY_FAILED_LOST] = {"lost", 451, NEXT, "4.4.2", OURS, "", "closed the connection"},
    [RELAY_FAILED_TIMEOUT] = {"timeout", 451, NEXT, "4.4.2", OURS, "", "did not reply in time"},
    [RELAY_FAILED_NONSENSE] = {"nonsense", 451, NEXT, "4.5.0", OURS, "", "sent what is no SMTP reply"},
    [RELAY_FAILED_GREETING_TEMP] = {"greeting-temp", 451, NEXT, "4.3.2", THEIRS, "", "takes no mail now"},
    [RELAY_FAILED_GREETING_PERM] = {"greeting-perm", 550, NEXT, "5.3.2", THEIRS, "", "takes no mail from us"},
    [RELAY_FAILED_EHLO_TEMP] = {"ehlo-temp", 451, NEXT, "4.3.2", THEIRS, "", "refused EHLO for now"},
    [RELAY_FAILED_EHLO_PERM] = {"ehlo-perm", 550, NEXT, "5.7.10", OURS, NOT_SUPPORTED,
                                "refused EHLO, so it has no STARTTLS"},
    [RELAY_FAILED_STARTTLS_ABSENT] = {"starttls-absent", 550, NEXT, "5.7.10", OURS, NOT_SUPPORTED,
                                      "does not offer STARTTLS"},
    [RELAY_FAILED_STARTTLS_TEMP] = {"starttls-temp", 451, NEXT, "4.7.10", OURS, NOT_SUPPORTED,
                                    "offers STARTTLS, but refused it for now"},
    [RELAY_FAILED_STARTTLS_PERM] = {"starttls-perm", 550, NEXT, "5.7.10", OURS, NOT_SUPPORTED,
                                    "offers STARTTLS, but refused it"},
    [RELAY_FAILED_STARTTLS_INJECTION] = {"starttls-injection", 451, NEXT, "4.7.5", OURS, VALIDATION,
                                         "sent octets in clear behind its reply to STARTTLS"},
    [RELAY_FAILED_HANDSHAKE] = {"handshake", 451, NEXT, "4.7.5", OURS, VALIDATION, "broke the TLS handshake off"},
    [RELAY_FAILED_HANDSHAKE_REFUSED] = {"handshake-refused", 550, NEXT, "5.7.10", OURS, VALIDATION,
                                        "has no TLS version or cipher in common with us (TLS 1.2 is the least)"},
    [RELAY_FAILED_CERT_UNTRUSTED] = {"cert-untrusted", 550, NEXT, "5.7.10", OURS, "certificate-not-trusted",
                                     "has a certificate that is not trusted"},
    [RELAY_FAILED_CERT_EXPIRED] = {"cert-expired", 550, NEXT, "5.7.10", OURS, "certificate-expired",
                                   "has a certificate that is not valid now"},
    [RELAY_FAILED_CERT_NAME] = {"cert-name", 550, NEXT, "5.7.10", OURS, "certificate-host-mismatch",
                                "has a certificate for another name"},
    [RELAY_FAILED_CERT_TLSA] = {"cert-tlsa", 550, NEXT, "5.7.10", OURS, "certificate-not-trusted",
                                "has a certificate that fits none of its TLSA records"},
    [RELAY_FAILED_TLS_EHLO_TEMP] = {"tls-ehlo-temp", 451, NEXT, "4.3.2", THEIRS, "", "refused EHLO under TLS for now"},
    [RELAY_FAILED_TLS_EHLO_PERM] = {"tls-ehlo-perm", 550, NEXT, "5.7.30", OURS, "",
                                    "refused EHLO under TLS, so it has no REQUIRETLS"},
    [RELAY_FAILED_REQUIRETLS] = {"requiretls", 550, NEXT, "5.7.30", OURS, "", "does not offer REQUIRETLS"},
    [RELAY_FAILED_REQUIRETLS_BARE] = {"requiretls-bare", 550, NEXT, "5.7.30", OURS, "",
                                      "offers REQUIRETLS before STARTTLS only, where it does not count"},
    [RELAY_FAILED_SIZE] = {"size", 552, NEXT, "5.3.4", OURS, "", "does not take messages of this size"},
    [RELAY_FAILED_8BITMIME] = {"8bitmime", 550, NEXT, "5.6.3", OURS, "",
                               "does not offer 8BITMIME, and the message has 8-bit text"},
    [RELAY_FAILED_SMTPUTF8] = {"smtputf8", 550, NEXT, "5.6.7", OURS, "",
                               "does not offer SMTPUTF8, which the message needs"},
    [RELAY_FAILED_REQUIRETLS_REFUSED] = {"requiretls-refused", 550, NEXT, "5.7.30", OURS, "",
                                         "offers REQUIRETLS, but refused MAIL with it"},
    [RELAY_FAILED_MAIL_TEMP] = {"mail-temp", 451, NEXT, "4.3.0", THEIRS, "", "refused MAIL for now"},
    [RELAY_FAILED_MAIL_PERM] = {"mail-perm", 550, LAST, "5.0.0", THEIRS, "", "refused MAIL"},

    [RELAY_FAILED_LATE_LOST] = {"late-lost", 451, LAST, "4.4.2", OURS, "", "closed the connection within the message"},
    [RELAY_FAILED_LATE_TIMEOUT] = {"late-timeout", 451, LAST, "4.4.2", OURS, "",
                                   "did not go on with the message in time"},
    [RELAY_FAILED_LATE_NONSENSE] = {"late-nonsense", 451, LAST, "4.5.0", OURS, "",
                                    "sent what is no SMTP reply within the message"},
    [RELAY_FAILED_DEADLINE] = {"deadline", 451, LAST, "4.4.2", OURS, "",
                               "could not be served before our time was over"},
};

static const struct meaning *meaning(enum relay_failed what)
{
    return &meanings[(size_t)what < RELAY_FAILED_COUNT ? what : RELAY_FAILED_NOTHING];
}

const char *relay_failed_name(enum relay_failed what)
{
    return meaning(what)->name;
}

const char *relay_failed_words(enum relay_failed what)
{
    return meaning(what)->words;
}

bool relay_failed_permanent(enum relay_failed what)
{
    return meaning(what)->reply >= 500;
}

bool relay_failed_next(enum relay_failed what)
{
    return meaning(what)->next == NEXT;
}

const char *relay_failed_tlsrpt(enum relay_failed what)
{
    return meaning(what)->tlsrpt;
}

enum relay_failed relay_failed_reply(enum relay_step step, int code, bool with_requiretls)
{
    static const struct {
        enum relay_failed temp, perm;
    } steps[] = {
        [RELAY_STEP_GREETING] = {RELAY_FAILED_GREETING_TEMP, RELAY_FAILED_GREETING_PERM},
        [RELAY_STEP_EHLO] = {RELAY_FAILED_EHLO_TEMP, RELAY_FAILED_EHLO_PERM},
        [RELAY_STEP_STARTTLS] = {RELAY_FAILED_STARTTLS_TEMP, RELAY_FAILED_STARTTLS_PERM},
        [RELAY_STEP_TLS_EHLO] = {RELAY_FAILED_TLS_EHLO_TEMP, RELAY_FAILED_TLS_EHLO_PERM},
        [RELAY_STEP_MAIL] = {RELAY_FAILED_MAIL_TEMP, RELAY_FAILED_MAIL_PERM},
    };

    if ((step == RELAY_STEP_EHLO || step == RELAY_STEP_TLS_EHLO) && code / 100 == 2 && code != 250)
        return RELAY_FAILED_NONSENSE;
    if (code >= 200 && code < 300)
        return RELAY_FAILED_NOTHING;
    if (code < 400 || code > 599)
        return RELAY_FAILED_NONSENSE;
    if (step == RELAY_STEP_MAIL && with_requiretls && (code == 504 || code == 555))
        return RELAY_FAILED_REQUIRETLS_REFUSED;
    return code < 500 ? steps[step].temp : steps[step].perm;
}

enum relay_failed relay_failed_late(enum relay_failed what)
{
    switch (what) {
    case RELAY_FAILED_LOST:
        return RELAY_FAILED_LATE_LOST;
    case RELAY_FAILED_TIMEOUT:
        return RELAY_FAILED_LATE_TIMEOUT;
    case RELAY_FAILED_NONSENSE:
        return RELAY_FAILED_LATE_NONSENSE;
    default:
        return what;
    }
}

/* One to three digits; returns what is behind them, or NULL. */
static const char *pass_number(const char *at)
{
    size_t digits = 0;

    while (digits < 4 && ascii_is_digit(at[digits]))
        digits++;
    return digits >= 1 && digits <= 3 ? at + digits : NULL;
}

/* RFC 3463 2, of this class. */
static bool is_enhanced(const char *text, char class)
{
    const char *at = text;

    if (at[0] != class || at[1] != '.')
        return false;
    at = pass_number(at + 2);
    if (at == NULL || *at != '.')
        return false;
    at = pass_number(at + 1);
    return at != NULL && *at == '\0';
}

static void make_printable(char *text)
{
    for (char *c = text; *c != '\0'; c++)
        if (!ascii_is_visible(*c) && *c != ' ')
            *c = '?';
}

void relay_failure_set(struct relay_failure *out, enum relay_failed what, const char *host, const char *enhanced,
                       const char *detail)
{
    const struct meaning *m = meaning(what);

    *out = (struct relay_failure){.what = what};
    snprintf(out->host, sizeof(out->host), "%s", host);
    if (enhanced != NULL && m->code == THEIRS && is_enhanced(enhanced, m->enhanced[0]))
        snprintf(out->enhanced, sizeof(out->enhanced), "%s", enhanced);
    snprintf(out->detail, sizeof(out->detail), "%s", detail != NULL ? detail : "");
    make_printable(out->host);
    make_printable(out->detail);
}

/* Which of two counts more: the last word, then what is temporary, then who got further. */
static int weight(const struct relay_failure *f)
{
    const int steps = RELAY_FAILED_COUNT;

    return (relay_failed_next(f->what) ? 0 : 2 * steps) + (relay_failed_permanent(f->what) ? 0 : steps) + (int)f->what;
}

/* "HOST CONDITION (DETAIL)", or the same of the domain. Returns its length. */
static size_t describe(char *out, size_t size, const struct relay_failure *f)
{
    const char *words = relay_failed_words(f->what);
    const char *detail = f->detail;
    int len = snprintf(out, size, "%s %s%s%s%s", f->host[0] != '\0' ? f->host : "the domain", words,
                       detail[0] != '\0' ? " (" : "", detail, detail[0] != '\0' ? ")" : "");

    return len > 0 ? (size_t)len : 0;
}

static void add_other(struct relay_tally *t, const struct relay_failure *f)
{
    char text[RELAY_TEXT_MAX];
    size_t used = strlen(t->others);
    size_t len = describe(text, sizeof(text), f);

    if (used + len + 2 >= sizeof(t->others))
        t->unnamed++;
    else
        snprintf(t->others + used, sizeof(t->others) - used, "; %s", text);
}

static bool is_unconnected(const struct relay_failure *f)
{
    return f->what == RELAY_FAILED_CONNECT || f->what == RELAY_FAILED_CONNECT_TIMEOUT;
}

bool relay_failure_outweighs(const struct relay_failure *f, const struct relay_failure *than)
{
    if (is_unconnected(f) != is_unconnected(than))
        return is_unconnected(than);
    return weight(f) > weight(than);
}

/* No more comes of the host that was added last. */
static void settle(struct relay_tally *t)
{
    const struct relay_failure *f = &t->last;

    if (t->count == 1) {
        t->lead = *f;
    } else if (t->count > 1 && weight(f) > weight(&t->lead)) {
        add_other(t, &t->lead);
        t->lead = *f;
    } else if (t->count > 1) {
        add_other(t, f);
    }
}

void relay_tally_add(struct relay_tally *t, const struct relay_failure *f)
{
    if (t->count > 0 && strcmp(f->host, t->last.host) == 0) {
        if (relay_failure_outweighs(f, &t->last))
            t->last = *f;
        return;
    }
    settle(t);
    t->count++;
    t->last = *f;
}

void relay_tally_reply(struct relay_reply *out, const struct relay_tally *tally, const char *domain)
{
    struct relay_tally t = *tally;
    const struct relay_failure *lead = &t.lead;
    const struct meaning *m;
    char text[RELAY_TEXT_MAX], more[40] = "";
    int len;

    settle(&t);
    m = meaning(lead->what);
    out->code = m->reply;
    snprintf(out->enhanced, sizeof(out->enhanced), "%s", lead->enhanced[0] != '\0' ? lead->enhanced : m->enhanced);
    describe(text, sizeof(text), lead);
    if (t.unnamed > 0)
        snprintf(more, sizeof(more), "; and %zu more", t.unnamed);
    len = snprintf(out->text, sizeof(out->text), "REQUIRETLS mail for %s cannot be delivered%s: %s%s%s", domain,
                   m->reply < 500 ? " now" : "", text, t.others, more);
    if (len < 0 || (size_t)len >= sizeof(out->text))
        memcpy(out->text + sizeof(out->text) - sizeof("..."), "...", sizeof("..."));
    make_printable(out->text);
}
