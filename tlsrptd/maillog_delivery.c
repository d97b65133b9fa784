/* maillog_delivery.c - see maillog_delivery.h. */
#include "maillog_delivery.h"

#include <stdlib.h>

#include "ascii.h"
#include "maillog_smtp.h"

#define SECONDS_MAX 100000

/* A quoted string with its quotes. */
static bool take_quoted(struct span *s)
{
    if (!span_take(s, SPAN("\"")))
        return false;
    while (s->len > 0 && s->at[0] != '"')
        span_skip(s, s->at[0] == '\\' && s->len > 1 ? 2 : 1);
    return span_take(s, SPAN("\""));
}

static bool is_special(char c)
{
    return (unsigned char)c <= ' ' || c == 0x7f || strchr("<>(),;\"\\", c) != NULL;
}

/* "<user@example>"; the domain is what stands behind the last '@'. */
static bool take_address(struct span *domain, struct span *s)
{
    *domain = (struct span){NULL, 0};
    if (!span_take(s, SPAN("<")))
        return false;
    if (span_begins(*s, SPAN("\"")) && !take_quoted(s))
        return false;
    while (s->len > 0 && !is_special(s->at[0])) {
        if (s->at[0] == '@')
            *domain = (struct span){s->at + 1, 0};
        else if (domain->at != NULL)
            domain->len++;
        span_skip(s, 1);
    }
    return span_take(s, SPAN(">"));
}

static bool take_relay(struct span *relay, struct span *s)
{
    *relay = (struct span){NULL, 0};
    if (!span_take(s, SPAN(", relay=")))
        return false;
    if (!span_begins(*s, SPAN("none, ")))
        return smtp_host_take(relay, s);
    return span_take(s, SPAN("none"));
}

static double seconds(struct span number)
{
    char text[32];
    double n = span_copy(text, sizeof(text), number) ? strtod(text, NULL) : 0;

    return n >= 0 && n < SECONDS_MAX ? n : 0;
}

/* "0.01/0.02/0.09/0.04": the last two, rounded up. */
static long session_seconds(struct span delays)
{
    struct span connect = {NULL, 0};

    for (int i = 0; i < 3; i++)
        if (!span_take_until(&delays, &connect, '/'))
            return 0;
    return (long)(seconds(connect) + seconds(delays)) + 1;
}

static void take_field(struct maillog_delivery *out, struct span name, struct span value)
{
    if (span_equal(name, SPAN("conn_use")))
        out->reused = true;
    else if (span_equal(name, SPAN("delays")))
        out->seconds = session_seconds(value);
    else if (span_equal(name, SPAN("tls")))
        out->level = value;
}

/* ", delay=0.16, delays=…, tls=secure, dsn=2.0.0" up to ", status=", all Postfix's own words without blanks. */
static bool take_fields(struct maillog_delivery *out, struct span *s)
{
    struct span name;
    size_t len;

    while (!span_take(s, SPAN(", status="))) {
        if (!span_take(s, SPAN(", ")) || !span_take_until(s, &name, '='))
            return false;
        for (len = 0; len < s->len && s->at[len] != ',' && !ascii_is_blank(s->at[len]);)
            len++;
        take_field(out, name, (struct span){s->at, len});
        span_skip(s, len);
    }
    return true;
}

bool maillog_delivery_read(struct maillog_delivery *out, struct span line)
{
    struct span other, status;

    *out = (struct maillog_delivery){0};
    if (!take_address(&out->domain, &line) || (span_take(&line, SPAN(", orig_to=")) && !take_address(&other, &line)) ||
        !take_relay(&out->relay, &line) || !take_fields(out, &line) || !span_take_until(&line, &status, ' ') ||
        !span_take(&line, SPAN("(")))
        return false;
    if (line.len > 0 && line.at[line.len - 1] == ')')
        line.len--;
    out->sent = span_equal(status, SPAN("sent")) || span_equal(status, SPAN("deliverable"));
    out->reason = line;
    return !span_has(line, SPAN(">, relay="));
}
