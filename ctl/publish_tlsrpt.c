/* publish_tlsrpt.c - see publish_tlsrpt.h. */
#include "publish_tlsrpt.h"

#include "ascii.h"

#include <stdio.h>
#include <string.h>

#define WHAT "TLSRPT record"

int tlsrpt_mailto(char out[TLSRPT_URI_MAX + 1], const char *address, struct err *e)
{
    char clean[RUA_ADDRESS_BUF];
    enum rua_kind kind;
    struct buf uri;
    int rc = -1;

    if (rua_address(clean, address, strlen(address), e) < 0)
        return err_prefix(e, "%.100s", address);
    buf_init(&uri, TLSRPT_URI_MAX);
    buf_str(&uri, "mailto:");
    for (const char *c = clean; *c != '\0'; c++) {
        if (ascii_is_alnum(*c) || strchr("@.-_+=~", *c) != NULL)
            buf_char(&uri, *c);
        else
            buf_printf(&uri, "%%%02X", (unsigned)(unsigned char)*c);
    }
    if (!buf_ok(&uri))
        rc = err_set(e, "%.100s: too long", address);
    else if (rua_uri_check(&kind, buf_text(&uri), uri.len, e) == 0)
        rc = snprintf(out, TLSRPT_URI_MAX + 1, "%s", buf_text(&uri)) > 0 ? 0 : -1;
    buf_clear(&uri);
    return rc;
}

static int check_uri(const char *uri, struct err *e)
{
    enum rua_kind kind;

    if (strchr(uri, ':') == NULL && strchr(uri, '@') != NULL)
        return err_set(e, "%.200s: an address is written as mailto:ADDRESS", uri);
    if (rua_uri_check(&kind, uri, strlen(uri), e) < 0)
        return err_prefix(e, "%.200s", uri);
    if (kind == RUA_OTHER)
        return err_set(e, "%.200s: reports go to mailto: and https: URIs only", uri);
    return 0;
}

int tlsrpt_text(struct buf *out, struct tlsrpt_record *record, const char *const *rua, size_t count, struct err *e)
{
    struct buf text;
    int rc;

    if (count == 0 || count > TLSRPT_RUA_MAX)
        return err_set(e, "a record names 1 to %d URIs", TLSRPT_RUA_MAX);
    for (size_t i = 0; i < count; i++)
        if (check_uri(rua[i], e) < 0)
            return -1;
    buf_init(&text, TLSRPT_RECORD_MAX);
    buf_str(&text, "v=TLSRPTv1; rua=");
    for (size_t i = 0; i < count; i++)
        buf_printf(&text, "%s%s", i > 0 ? "," : "", rua[i]);
    if (!buf_ok(&text))
        rc = err_set(e, "the record would be longer than %d octets", TLSRPT_RECORD_MAX);
    else
        rc = tlsrpt_record_parse(record, buf_text(&text), text.len, e) == 1 ? 0 : -1;
    if (rc == 0)
        buf_add(out, buf_text(&text), text.len);
    buf_clear(&text);
    return rc;
}

/* --- advice --- */

bool domain_within(const char *name, const char *domain)
{
    size_t n = strlen(name), d = strlen(domain);

    return n >= d && strcmp(name + n - d, domain) == 0 && (n == d || name[n - d - 1] == '.');
}

/* The domain of the address; "" when it is no mailto: URI. */
static void mail_domain(char out[DOMAIN_BUF], const char *uri)
{
    char address[RUA_ADDRESS_BUF];
    const char *at;
    enum rua_kind kind;

    out[0] = '\0';
    if (rua_uri_check(&kind, uri, strlen(uri), NULL) < 0 || kind != RUA_MAILTO ||
        rua_mailto_address(address, uri, strlen(uri), NULL) < 0)
        return;
    at = strrchr(address, '@');
    (void)snprintf(out, DOMAIN_BUF, "%s", at != NULL ? at + 1 : "");
}

void tlsrpt_advise(struct verdicts *v, const char *domain, const struct tlsrpt_record *record)
{
    bool elsewhere = false;
    char mail[DOMAIN_BUF];

    for (size_t i = 0; i < record->rua_count; i++) {
        const char *uri = record->rua[i];

        mail_domain(mail, uri);
        elsewhere = elsewhere || mail[0] == '\0' || !domain_within(mail, domain);
        if (mail[0] == '\0')
            verdicts_add(v, VERDICT_OK, "reports go to", "%s", uri);
        else if (strcmp(mail, domain) == 0)
            verdicts_add(v, VERDICT_OK, "reports go to", "%s, the domain itself", uri);
        else
            verdicts_add(v, VERDICT_OK, "reports go to",
                         "%s: %s is another name than %s, which needs nobody's leave; see that reports are read there",
                         uri, mail, domain);
    }
    if (record->rua_count > 0 && !elsewhere)
        verdicts_add(v, VERDICT_WARN, "reports go to",
                     "%s alone: when TLS fails there, the reports of it may not arrive either. Reporters should "
                     "send them in spite of that (RFC 8460 3), but not all do: name an https: URI, or an address at a "
                     "domain whose mail goes elsewhere, too",
                     domain);
}

/* --- live --- */

static bool same_uris(const struct tlsrpt_record *a, const struct tlsrpt_record *b)
{
    size_t same = 0;

    for (size_t i = 0; i < a->rua_count; i++)
        for (size_t j = 0; j < b->rua_count; j++)
            same += strcmp(a->rua[i], b->rua[j]) == 0;
    return a->rua_count == b->rua_count && same == a->rua_count; /* doubles were dropped */
}

static bool select_record(struct verdicts *v, struct tlsrpt_record *live, const char *name, const struct dns_answer *a)
{
    struct sts_txt txt[DNS_MX_MAX];
    size_t count = a->count < DNS_MX_MAX ? a->count : DNS_MX_MAX, which = 0;
    struct err e = {""};
    int rc;

    for (size_t i = 0; i < count; i++)
        txt[i] = (struct sts_txt){a->rr[i].text, a->rr[i].text_len};
    rc = tlsrpt_record_select(&which, txt, count, &e);
    if (rc == 1)
        rc = tlsrpt_record_parse(live, txt[which].text, txt[which].len, &e);
    if (rc == 0)
        verdicts_add(v, VERDICT_BAD, WHAT, "none of the TXT records at %s is one", name);
    if (rc < 0)
        verdicts_add(v, VERDICT_BAD, WHAT, "%s: %s; no reports come", name, e.text);
    return rc == 1;
}

bool tlsrpt_compare(struct verdicts *v, struct tlsrpt_record *live, const char *name, const struct dns_answer *answer,
                    const struct tlsrpt_record *want)
{
    const char *validated = verdict_dnssec(answer->secure);

    memset(live, 0, sizeof(*live));
    if (answer->status == DNS_FAILED) {
        verdicts_add(v, VERDICT_UNKNOWN, WHAT, "%s cannot be looked up now: %s", name, answer->why);
        return false;
    }
    if (answer->status != DNS_FOUND) {
        verdicts_add(v, VERDICT_BAD, WHAT, "there is no TXT record at %s: nobody sends reports", name);
        return false;
    }
    if (!select_record(v, live, name, answer))
        return false;
    if (live->rua_count == 0)
        verdicts_add(v, VERDICT_BAD, WHAT, "%s: valid, but names no mailto: or https: URI: no reports come", name);
    else if (want != NULL && !same_uris(want, live))
        verdicts_add(v, VERDICT_BAD, WHAT, "%s: valid (%s), but names other URIs than are wanted", name, validated);
    else
        verdicts_add(v, VERDICT_OK, WHAT, "%s: valid (%s)", name, validated);
    return live->rua_count > 0;
}

void tlsrpt_mail_domain(struct verdicts *v, const char *domain, const struct dns_answer *answer)
{
    if (answer->status == DNS_FAILED)
        verdicts_add(v, VERDICT_UNKNOWN, "reports go to", "the MX records of %s cannot be looked up now: %s", domain,
                     answer->why);
    else if (answer->status == DNS_NXDOMAIN)
        verdicts_add(v, VERDICT_BAD, "reports go to", "there is no domain %s: reports cannot be sent there", domain);
    else if (answer->status == DNS_FOUND && answer->count > 0 && answer->rr[0].name[0] == '\0')
        verdicts_add(v, VERDICT_BAD, "reports go to", "%s takes no mail (null MX)", domain);
}
