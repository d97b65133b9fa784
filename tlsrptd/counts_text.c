/* counts_text.c - see counts_text.h. */
#include "counts_text.h"
#include "hex.h"
#include "json_text.h"
#include "utf8.h"

#include <openssl/evp.h>
#include <string.h>

/* A character as it is kept: lower case; '?' for what is no text. */
static size_t character(char out[UTF8_MAX], const char *s, size_t left, size_t *took)
{
    size_t octets = utf8_measure(s, left);

    *took = octets == 0 ? 1 : octets;
    if (octets > 1) {
        memcpy(out, s, octets);
        return octets;
    }
    if (octets == 0 || (unsigned char)*s < 0x20 || *s == 0x7f)
        out[0] = '?';
    else
        out[0] = *s >= 'A' && *s <= 'Z' ? (char)(*s - 'A' + 'a') : *s;
    return 1;
}

/* One final dot goes; "example.com.." and "." stay. */
static size_t without_dot(const char *domain, size_t len)
{
    bool one = len > 1 && domain[len - 1] == '.' && domain[len - 2] != '.';

    return one ? len - 1 : len;
}

size_t counts_domain(char out[DOMAIN_BUF], const char *domain)
{
    size_t left = domain == NULL ? 0 : without_dot(domain, strlen(domain)), len = 0, took;
    bool ascii = true;

    for (const char *at = domain; left > 0; at += took, left -= took) {
        char one[UTF8_MAX];
        size_t octets = character(one, at, left, &took);

        if (len + octets > DOMAIN_MAX)
            break;
        ascii = ascii && octets == 1;
        memcpy(out + len, one, octets);
        len += octets;
    }
    out[len] = '\0';
    if (!ascii) {
        char labels[DOMAIN_BUF];

        if (domain_normalise(labels, out, len, NULL) == 0) {
            memcpy(out, labels, sizeof(labels));
            len = strlen(out);
        }
    }
    return len;
}

void counts_policy_text(struct buf *out, const char *record, const struct tlsrpt_policy *policy)
{
    char domain[DOMAIN_BUF];

    (void)counts_domain(domain, policy->domain);
    buf_str(out, "{\"record\": \"");
    (void)json_text_add(out, record != NULL ? record : "", TLSRPT_RECORD_TEXT);
    buf_printf(out, "\",\"policy-type\": \"%s\"", tlsrpt_policy_type_name(policy->type));
    json_text_member(out, ",", "policy-domain", domain, TLSRPT_NAME_MAX);
    json_text_array(out, ",", "policy-string", policy->string, policy->strings, TLSRPT_STRINGS_MAX);
    json_text_array(out, ",", "mx-host", policy->mx, policy->mx_count, TLSRPT_MX_MAX);
    buf_char(out, '}');
}

void counts_detail_text(struct buf *out, const struct tlsrpt_failure *failure)
{
    char host[DOMAIN_BUF];

    (void)counts_domain(host, failure->mx_name);
    buf_printf(out, "{\"result-type\": \"%s\"", tlsrpt_result_name(failure->result));
    json_text_member(out, ",", "sending-mta-ip", failure->sending_ip, TLSRPT_ADDRESS_MAX);
    json_text_member(out, ",", "receiving-mx-hostname", host, TLSRPT_NAME_MAX);
    json_text_member(out, ",", "receiving-mx-helo", failure->mx_helo, TLSRPT_HELO_MAX);
    json_text_member(out, ",", "receiving-ip", failure->receiving_ip, TLSRPT_ADDRESS_MAX);
    json_text_member(out, ",", "additional-information", failure->additional, TLSRPT_ADDITIONAL_MAX);
    json_text_member(out, ",", "failure-reason-code", failure->reason, TLSRPT_REASON_MAX);
    buf_char(out, '}');
}

void counts_detail_other(struct buf *out, enum tlsrpt_result result)
{
    counts_detail_text(out, &(struct tlsrpt_failure){.result = result, .reason = "other"});
}

int counts_id(char out[COUNTS_ID_BUF], const char *text, size_t len)
{
    unsigned char digest[EVP_MAX_MD_SIZE];

    if (EVP_Digest(text, len, digest, NULL, EVP_sha256(), NULL) != 1)
        return -1;
    hex_write(out, digest, (COUNTS_ID_BUF - 1) / 2);
    return 0;
}
