/* sts_http.c - which HTTP answers carry a policy, and the names under which a domain publishes what we look for. */
#include "sts_http.h"

#include "ascii.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char media_type[] = "text/plain";

/* The type ends at the field's end, at ';' or at blanks before either: "text/plainer" and "text/plain, x" are others.
 */
static bool is_text_plain(const char *s)
{
    while (ascii_is_blank(*s))
        s++;
    if (strncasecmp(s, media_type, sizeof media_type - 1) != 0)
        return false;
    s += sizeof media_type - 1;
    while (ascii_is_blank(*s))
        s++;
    return *s == '\0' || *s == ';';
}

int sts_http_check(long status, const char *content_type, struct err *e)
{
    if (status != 200)
        return err_set(e, "HTTP status %ld", status);
    if (content_type == NULL)
        return err_set(e, "there is no content type, it must be %s", media_type);
    if (!is_text_plain(content_type))
        return err_set(e, "content type is %.100s, not %s", content_type, media_type);
    return 0;
}

static int join_name(char out[DOMAIN_BUF], const char *labels, const char *domain)
{
    int len = snprintf(out, DOMAIN_BUF, "%s%s", labels, domain);

    if (domain[0] == '\0' || len < 0 || len > DOMAIN_MAX) {
        out[0] = '\0';
        return -1;
    }
    return 0;
}

int sts_record_name(char out[DOMAIN_BUF], const char *domain)
{
    return join_name(out, "_mta-sts.", domain);
}

int sts_policy_host(char out[DOMAIN_BUF], const char *domain)
{
    return join_name(out, STS_HTTP_LABEL, domain);
}

int tlsrpt_record_name(char out[DOMAIN_BUF], const char *domain)
{
    return join_name(out, "_smtp._tls.", domain);
}
