/* maillog_smtp.c - see maillog_smtp.h. */
#include "maillog_smtp.h"

#include "ascii.h"

#define QUEUE_ID_LEAST 5

static bool is_host_octet(char c)
{
    return ascii_is_alnum(c) || c == '.' || c == '-' || c == '_' || c == ':' || (unsigned char)c >= 0x80;
}

static bool is_address_octet(char c)
{
    return ascii_is_alnum(c) || c == '.' || c == ':' || c == '%';
}

bool smtp_host_take(struct span *out, struct span *s)
{
    struct span rest = *s, name, address, host;

    if (!span_take_until(&rest, &name, '[') || !span_take_until(&rest, &address, ']') || name.len == 0 ||
        address.len == 0)
        return false;
    host = (struct span){s->at, (size_t)(rest.at - s->at)};
    for (size_t i = 0; i < name.len; i++)
        if (!is_host_octet(name.at[i]))
            return false;
    for (size_t i = 0; i < address.len; i++)
        if (!is_address_octet(address.at[i]))
            return false;
    if (rest.len > 1 && rest.at[0] == ':' && ascii_is_digit(rest.at[1]))
        do
            span_skip(&rest, 1);
        while (rest.len > 0 && ascii_is_digit(rest.at[0]));
    *s = rest;
    *out = host;
    return host.len <= MAILLOG_HOST_MAX;
}

/* "Verified TLS connection established to mx[192.0.2.1]:25: TLSv1.3 with cipher" */
static bool read_tls(struct smtp_line *out, struct span s)
{
    static const struct {
        struct span word;
        enum attempt_trust trust;
    } words[] = {
        {{"Verified", 8}, ATTEMPT_VERIFIED},
        {{"Trusted", 7}, ATTEMPT_TRUSTED},
        {{"Untrusted", 9}, ATTEMPT_UNTRUSTED},
        {{"Anonymous", 9}, ATTEMPT_ANONYMOUS},
    };
    enum smtp_says says;

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (!span_take(&s, words[i].word))
            continue;
        if (span_take(&s, SPAN(" TLS connection established to ")))
            says = SMTP_SAYS_TLS;
        else if (span_take(&s, SPAN(" TLS connection reused to ")))
            says = SMTP_SAYS_REUSED;
        else
            return false;
        if (!smtp_host_take(&out->host, &s) || !span_begins(s, SPAN(": ")))
            return false;
        out->says = says;
        out->trust = words[i].trust;
        return true;
    }
    return false;
}

struct fault_words {
    struct span words;
    enum attempt_fault fault;
    bool alone; /* what follows is the server's: it is no part of the reason */
};

#define FAULT(words, fault, alone)                   \
    {                                                \
        {words, sizeof(words) - 1}, (fault), (alone) \
    }

/* X509_V_ERR_… of OpenSSL, where Postfix gives their numbers. */
static const struct fault_words faults[] = {
    FAULT("untrusted issuer", ATTEMPT_FAULT_ISSUER, true),
    FAULT("self-signed certificate", ATTEMPT_FAULT_ISSUER, false),
    FAULT("certificate has expired", ATTEMPT_FAULT_EXPIRED, false),
    FAULT("not trusted by local or TLSA policy", ATTEMPT_FAULT_TLSA, false),
    FAULT("num=62:", ATTEMPT_FAULT_NAME, false),
    FAULT("num=65:", ATTEMPT_FAULT_TLSA, false),
    FAULT("num=2:", ATTEMPT_FAULT_ISSUER, false),
    FAULT("num=18:", ATTEMPT_FAULT_ISSUER, false),
    FAULT("num=19:", ATTEMPT_FAULT_ISSUER, false),
    FAULT("num=20:", ATTEMPT_FAULT_ISSUER, false),
    FAULT("num=21:", ATTEMPT_FAULT_ISSUER, false),
};

/* "num=62:hostname mismatch" → "hostname mismatch" */
static struct span without_number(struct span s)
{
    struct span number, rest = s;

    return span_take(&rest, SPAN("num=")) && span_take_until(&rest, &number, ':') ? rest : s;
}

/* "server certificate verification failed for mx[192.0.2.1]:25: num=62:hostname mismatch" */
static bool read_fault(struct smtp_line *out, struct span s)
{
    (void)(span_take(&s, SPAN("server ")) || span_take(&s, SPAN("CA ")));
    if (!span_take(&s, SPAN("certificate verification failed for ")) || !smtp_host_take(&out->host, &s) ||
        !span_take(&s, SPAN(": ")))
        return false;
    out->says = SMTP_SAYS_FAULT;
    out->fault = ATTEMPT_FAULT_OTHER;
    out->reason = without_number(s);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
        if (span_begins(s, faults[i].words)) {
            out->fault = faults[i].fault;
            if (faults[i].alone)
                out->reason = faults[i].words;
            break;
        }
    return true;
}

/* "SSL_connect error to mx[192.0.2.1]:25: lost connection"; "-1" says that the library's words come next */
static void read_handshake(struct smtp_line *out, struct span s)
{
    if (!smtp_host_take(&out->host, &s) || !span_take(&s, SPAN(": ")))
        return;
    out->says = SMTP_SAYS_HANDSHAKE;
    if (!span_begins(s, SPAN("-")))
        out->reason = s;
}

/* "error:0A000410:SSL routines::sslv3 alert handshake failure:../ssl/record/rec_layer_s3.c:1602:…" */
static void read_library(struct smtp_line *out, struct span s)
{
    struct span part;

    if (!span_take(&s, SPAN("error:")))
        return;
    for (int i = 0; i < 4; i++)
        if (!span_take_until(&s, &part, ':'))
            return;
    out->says = SMTP_SAYS_LIBRARY;
    out->reason = part;
}

/* "MX name 'mx.example' does not match STS MX pattern for 'example'" */
static void read_unnamed(struct smtp_line *out, struct span s)
{
    struct span name;

    if (!span_take(&s, SPAN("MX name '")) || !span_take_until(&s, &name, '\'') ||
        !span_begins(s, SPAN(" does not match STS MX pattern for '")) || name.len > MAILLOG_HOST_MAX)
        return;
    out->says = SMTP_SAYS_UNNAMED;
    out->host = name;
}

/* What follows "TLS policy lookup for ": "example/mx.example: TLSA lookup error for mx.example:25" */
static void read_no_tlsa(struct smtp_line *out, struct span s)
{
    struct span destination, name, named;

    if (!span_take_until(&s, &destination, '/') || !span_take_until(&s, &name, ':') ||
        !span_take(&s, SPAN(" TLSA lookup error for ")) || !span_take_until(&s, &named, ':') ||
        !span_equal(name, named) || name.len > MAILLOG_HOST_MAX)
        return;
    out->says = SMTP_SAYS_NO_TLSA;
    out->host = name;
}

static void read_warning(struct smtp_line *out, struct span s)
{
    if (span_take(&s, SPAN("TLS library problem: ")))
        read_library(out, s);
    else if (span_take(&s, SPAN("TLS policy lookup for ")))
        read_no_tlsa(out, s);
    else
        read_unnamed(out, s);
}

/* failure_type=certificate_expired and so on, of the datagram that is sent too */
static void read_tlsrpt_failure(struct smtp_line *out, struct span s)
{
    bool more;

    out->says = SMTP_SAYS_FAULT;
    out->fault = ATTEMPT_FAULT_OTHER;
    if (span_begins(s, SPAN("starttls_not_supported"))) {
        out->says = SMTP_SAYS_REFUSED;
        return;
    }
    if (span_begins(s, SPAN("certificate_host_mismatch")))
        out->fault = ATTEMPT_FAULT_NAME;
    else if (span_begins(s, SPAN("certificate_expired")))
        out->fault = ATTEMPT_FAULT_EXPIRED;
    else if (span_begins(s, SPAN("certificate_not_trusted")))
        out->fault = ATTEMPT_FAULT_ISSUER;
    out->reason = s;
    more = span_take_until(&s, &out->reason, ',');
    if (more && span_take(&s, SPAN(" failure_reason=")))
        out->reason = s;
    if (span_equal(out->reason, SPAN("tls-handshake-failure"))) {
        out->says = SMTP_SAYS_HANDSHAKE;
        out->reason = (struct span){NULL, 0};
    }
}

/* "TLSRPT: status=failure, domain=example, receiving_mx=mx[192.0.2.1], failure_type=…" (3.10) */
static void read_tlsrpt(struct smtp_line *out, struct span s)
{
    struct span domain;

    if (span_take(&s, SPAN("status=failure, domain=")) && span_take_until(&s, &domain, ',') &&
        span_take(&s, SPAN(" receiving_mx=")) && smtp_host_take(&out->host, &s) &&
        span_take(&s, SPAN(", failure_type=")))
        read_tlsrpt_failure(out, s);
}

/* "3D82CAB40D8: to=<…" or "3D82CAB40D8: why a host was given up" */
static void read_message(struct smtp_line *out, struct span s)
{
    size_t len = 0;

    while (len < s.len && ascii_is_alnum(s.at[len]))
        len++;
    if (len < QUEUE_ID_LEAST || len > MAILLOG_QUEUE_ID_MAX)
        return;
    out->queue_id = (struct span){s.at, len};
    span_skip(&s, len);
    if (!span_take(&s, SPAN(": ")))
        return;
    out->says = span_take(&s, SPAN("to=")) ? SMTP_SAYS_DELIVERY : SMTP_SAYS_LEFT;
    out->text = s;
}

void smtp_line_read(struct smtp_line *out, struct span line)
{
    *out = (struct smtp_line){0};
    if (span_take(&line, SPAN("warning: ")))
        read_warning(out, line);
    else if (span_take(&line, SPAN("TLSRPT: ")))
        read_tlsrpt(out, line);
    else if (span_take(&line, SPAN("SSL_connect error to ")))
        read_handshake(out, line);
    else if (!read_tls(out, line) && !read_fault(out, line))
        read_message(out, line);
}
