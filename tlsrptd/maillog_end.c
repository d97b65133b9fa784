/* maillog_end.c - see maillog_end.h. */
#include "maillog_end.h"

#include "maillog_smtp.h"

/* What follows "TLS is required, but ". */
static void read_required(struct maillog_end *out, struct span s)
{
    if (span_take(&s, SPAN("was not offered by host ")) && smtp_host_take(&out->host, &s)) {
        out->kind = MAILLOG_END_NOT_OFFERED;
    } else if (span_take(&s, SPAN("host ")) && smtp_host_take(&out->host, &s) &&
               span_take(&s, SPAN(" refused to start TLS: "))) {
        out->kind = MAILLOG_END_REFUSED;
        out->reason = s;
    }
}

/* What follows "host ". */
static void read_host(struct maillog_end *out, struct span s)
{
    if (!smtp_host_take(&out->host, &s))
        return;
    if (span_begins(s, SPAN(" said: ")))
        out->kind = MAILLOG_END_ANSWERED;
    else if (span_begins(s, SPAN(" refused to talk to me: ")))
        out->kind = MAILLOG_END_EARLY;
}

/* What follows "lost connection with " and "conversation with ". */
static void read_lost(struct maillog_end *out, struct span s, struct span words, const char *why)
{
    if (!smtp_host_take(&out->host, &s) || !span_take(&s, words))
        return;
    out->kind = span_begins(s, SPAN("sending ")) ? MAILLOG_END_LOST : MAILLOG_END_LOST_EARLY;
    out->reason = s;
    out->reason_why = why;
}

void maillog_end_read(struct maillog_end *out, struct span text)
{
    *out = (struct maillog_end){.kind = MAILLOG_END_OTHER, .reason_why = ""};
    (void)span_take(&text, SPAN("Protocol error: ")); /* a reply that is neither 4xx nor 5xx */
    if (span_take(&text, SPAN("TLS is required, but "))) {
        read_required(out, text);
    } else if (span_take(&text, SPAN("Cannot start TLS: "))) {
        out->kind = MAILLOG_END_HANDSHAKE;
        out->reason = text;
    } else if (span_begins(text, SPAN("Server certificate not "))) {
        out->kind = MAILLOG_END_CERTIFICATE;
        out->reason = text;
    } else if (span_take(&text, SPAN("host "))) {
        read_host(out, text);
    } else if (span_take(&text, SPAN("lost connection with "))) {
        read_lost(out, text, SPAN(" while "), "lost connection while ");
    } else if (span_take(&text, SPAN("conversation with "))) {
        read_lost(out, text, SPAN(" timed out while "), "timed out while ");
    }
}
