/* report_mail.c - see report_mail.h. */
#include "report_mail.h"

#include "ascii.h"
#include "base64.h"
#include "rua_uri.h"
#include "utc_day.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define HEADER_MAX 16384
#define DATE_BUF   48

/* What is signed. Of those that are named twice none can be added later (dkim.h). */
static const char *const signed_names[] = {
    "from",
    "from",
    "to",
    "to",
    "subject",
    "subject",
    "date",
    "date",
    "message-id",
    "message-id",
    "mime-version",
    "mime-version",
    "content-type",
    "content-type",
    "tls-report-domain",
    "tls-report-domain",
    "tls-report-submitter",
    "tls-report-submitter",
    "tls-required",
    "auto-submitted",
};

/* --- values that may stand in a header --- */

struct values {
    char from[RUA_ADDRESS_BUF], to[RUA_ADDRESS_BUF];
    char date[DATE_BUF];
};

static const char *domain_of(const char *address)
{
    return strchr(address, '@') + 1; /* as rua_address wrote it */
}

/* Is it that domain, or below it? */
static bool is_within(const char *domain, const char *other)
{
    size_t len = strlen(domain), other_len = strlen(other);

    return len >= other_len && strcmp(domain + len - other_len, other) == 0 &&
           (len == other_len || domain[len - other_len - 1] == '.');
}

static int unique_check(const char *unique, struct err *e)
{
    size_t len = strlen(unique);

    for (size_t i = 0; i < len; i++)
        if (!ascii_is_alnum(unique[i]))
            return err_set(e, "what makes a mail unique must be letters and digits");
    return len > 0 && len <= REPORT_MAIL_UNIQUE_MAX
               ? 0
               : err_set(e, "what makes a mail unique must have 1 to %d octets", REPORT_MAIL_UNIQUE_MAX);
}

/* RFC 5322 3.3, in UTC and in no locale. */
static int date_text(char out[DATE_BUF], int64_t now)
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t at = (time_t)now;
    struct tm tm;

    if (now < 0 || now >= utc_day_begins(UTC_DAY_MAX) || gmtime_r(&at, &tm) == NULL)
        return -1;
    snprintf(out, DATE_BUF, "%s, %02d %s %04d %02d:%02d:%02d +0000", days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
             tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
    return 0;
}

static int values_take(struct values *v, const struct report *r, const struct report_mail *m, struct err *e)
{
    if (rua_address(v->from, m->from, strlen(m->from), e) != 0)
        return err_prefix(e, "the sender of reports");
    if (!is_within(domain_of(v->from), r->submitter))
        return err_set(e, "the sender of reports, %s, is not at the domain that submits them, %s", v->from,
                       r->submitter);
    if (rua_address(v->to, m->to, strlen(m->to), e) != 0)
        return err_prefix(e, "the recipient of a report");
    if (date_text(v->date, m->now) != 0)
        return err_set(e, "the time of a mail is before 1970 or after 9999");
    for (size_t i = 0; i < m->keys; i++)
        if (!is_within(domain_of(v->from), m->key[i].domain))
            return err_set(e, "a DKIM key of %s cannot sign for the sender of reports, %s", m->key[i].domain, v->from);
    return unique_check(m->unique, e);
}

/* A local part that is no dot-atom is quoted; it has no octet that needs more (RFC 5322 3.4.1). */
static void address_add(struct buf *out, const char *address)
{
    size_t local = (size_t)(domain_of(address) - address) - 1;
    bool quoted = address[0] == '.' || address[local - 1] == '.' || strstr(address, "..") != NULL;

    buf_printf(out, "%s%.*s%s@%s", quoted ? "\"" : "", (int)local, address, quoted ? "\"" : "", domain_of(address));
}

/* --- the message --- */

static void header_make(struct buf *out, const struct report *r, const struct report_mail *m, const struct values *v)
{
    buf_str(out, "From: ");
    address_add(out, v->from);
    buf_str(out, "\r\nTo: ");
    address_add(out, v->to);
    buf_printf(out, "\r\nDate: %s\r\nMessage-ID: <%s@%s>\r\n", v->date, m->unique, domain_of(v->from));
    buf_printf(out, "Subject: Report Domain: %s\r\n Submitter: %s\r\n Report-ID: <%s>\r\n", r->domain, r->submitter,
               r->id);
    buf_printf(out, "TLS-Report-Domain: %s\r\nTLS-Report-Submitter: %s\r\n", r->domain, r->submitter);
    buf_str(out, "TLS-Required: No\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n");
    buf_printf(out, "Content-Type: multipart/report; report-type=\"tlsrpt\";\r\n\tboundary=\"report_%s\"\r\n",
               m->unique);
}

/* E14: for a person. */
static void text_make(struct buf *out, const struct report *r)
{
    time_t at = (time_t)utc_day_begins(r->day);
    char day[DATE_BUF] = "";
    struct tm tm;

    if (gmtime_r(&at, &tm) == NULL || strftime(day, sizeof(day), "%Y-%m-%d", &tm) == 0)
        out->failed = true;
    buf_str(out, "This is a report about TLS in deliveries of mail to your domain (RFC 8460).\r\n\r\n");
    buf_printf(out, "Domain:     %s\r\nSubmitter:  %s\r\nReport-ID:  <%s>\r\n", r->domain, r->submitter, r->id);
    buf_printf(out, "Period:     %sT00:00:00Z to %sT23:59:59Z\r\n", day, day);
    buf_printf(out, "Sessions:   %" PRIu64 " successful, %" PRIu64 " failed\r\n", r->successful, r->failed);
    if (r->left_out > 0)
        buf_printf(out, "Left out:   %zu rare kinds of failures, which are counted as \"other\"\r\n", r->left_out);
    buf_str(out, "\r\nA session to which two policies applied is counted under each. The report\r\n"
                 "itself is attached: JSON, compressed with gzip. You get it because the\r\n"
                 "TLSRPT record of the domain asks for it.\r\n");
}

static void body_make(struct buf *out, const struct report *r, const struct report_mail *m)
{
    buf_printf(out, "--report_%s\r\nContent-Type: text/plain; charset=us-ascii\r\n", m->unique);
    buf_str(out, "Content-Transfer-Encoding: 7bit\r\n\r\n");
    text_make(out, r);
    buf_printf(out, "\r\n--report_%s\r\nContent-Type: application/tlsrpt+gzip\r\n", m->unique);
    buf_str(out, "Content-Transfer-Encoding: base64\r\n");
    buf_printf(out, "Content-Disposition: attachment;\r\n\tfilename=\"%s\"\r\n\r\n", r->file_name);
    base64_add_lines(out, buf_text(&r->gzip), r->gzip.len);
    buf_printf(out, "\r\n--report_%s--\r\n", m->unique);
}

static int signatures_add(struct buf *out, const struct report_mail *m, const struct buf *header,
                          const struct buf *body, struct err *e)
{
    for (size_t i = 0; i < m->keys; i++)
        if (dkim_sign(out, &m->key[i], buf_text(header), header->len, buf_text(body), body->len, signed_names,
                      sizeof(signed_names) / sizeof(signed_names[0]), m->now, e) != 0)
            return -1;
    return 0;
}

int report_mail_build(struct buf *out, const struct report *r, const struct report_mail *m, struct err *e)
{
    struct values v;
    struct buf header, body;
    int rc;

    if (values_take(&v, r, m, e) != 0)
        return -1;
    buf_init(&header, HEADER_MAX);
    buf_init(&body, REPORT_MAIL_MAX);
    header_make(&header, r, m, &v);
    body_make(&body, r, m);
    if (!buf_ok(&header) || !buf_ok(&body))
        rc = err_set(e, "the mail with the report is too large, or there is no memory");
    else
        rc = signatures_add(out, m, &header, &body, e);
    if (rc == 0) {
        buf_add(out, buf_text(&header), header.len);
        buf_str(out, "\r\n");
        buf_add(out, buf_text(&body), body.len);
        rc = buf_ok(out) ? 0 : err_set(e, "no memory for a mail, or it is too large");
    }
    buf_clear(&header);
    buf_clear(&body);
    return rc;
}
