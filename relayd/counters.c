/* counters.c - the names and meanings of relayd's numbers. */
#include "counters.h"

#define COUNTER(name_, help_) METRIC("counter", "postern_relayd_" name_, help_)
#define GAUGE(name_, help_)   METRIC("gauge", "postern_relayd_" name_, help_)

#define PLACE(what_)           (COUNT_VERIFIED + 1 + RELAY_FAILED_##what_ - RELAY_FAILED_LOCAL)
#define CONNECT(what_, name_)  [PLACE(what_)] = {.name = "postern_relayd_connects_total{outcome=\"" name_ "\"}"}
#define DECLINED(what_, name_) [PLACE(what_)] = {.name = "postern_relayd_declined_total{why=\"" name_ "\"}"}

struct metric relayd_counters[COUNTERS] = {
    [COUNT_CONNECTIONS] = COUNTER("connections_accepted_total", "Connections of the MTA."),
    [COUNT_TRANSACTIONS] = COUNTER("transactions_total", "Messages begun (MAIL)."),
    [COUNT_MESSAGES] = COUNTER("messages_total", "Messages read to their end."),
    [COUNT_BROKEN] = COUNTER("broken_messages_total", "Of these, not passed on: broken, or larger than size_max."),
    [COUNT_ABANDONED] =
        COUNTER("abandoned_total",
                "Messages not seen through, as the connection of the MTA ended: by it, or by us for its silence."),
    [COUNT_OCTETS] = COUNTER("message_bytes_total", "Octets of messages."),
    [HISTOGRAM_DELIVERY] = METRIC("histogram", "postern_relayd_delivery_seconds",
                                  "From the end of a message to the last answer of its next servers."),
    [HISTOGRAM_CONNECT] = METRIC("histogram", "postern_relayd_connect_seconds",
                                 "From the beginning of a connection to a server to its verification."),
    [COUNT_RECIPIENTS] = COUNTER("recipients_total", "Recipients asked for."),
    [COUNT_DELIVERED] =
        COUNTER("recipients_answered_total{answer=\"delivered\"}",
                "Recipients answered: delivered, their next server has taken the message; put-off: 4xx; refused: 5xx."),
    [COUNT_PUT_OFF] = METRIC_MORE("postern_relayd_recipients_answered_total{answer=\"put-off\"}"),
    [COUNT_REFUSED] = METRIC_MORE("postern_relayd_recipients_answered_total{answer=\"refused\"}"),
    [COUNT_EVENTS] = COUNTER("events_total", "TLS sessions that were to be told to the collector (tlsrpt)."),
    [COUNT_EVENTS_LOST] = COUNTER("events_lost_total", "Of these, not taken by the collector, and given up."),
    [COUNT_REUSED] = COUNTER("reused_total", "Messages begun over a connection that was kept."),
    [COUNT_VERIFIED] =
        COUNTER("connects_total{outcome=\"verified\"}", "Connections to servers, by outcome; busy: none was begun."),
    CONNECT(LOCAL, "local"),
    CONNECT(BUSY, "busy"),
    CONNECT(CONNECT, "connect"),
    CONNECT(CONNECT_TIMEOUT, "connect-timeout"),
    CONNECT(LOST, "lost"),
    CONNECT(TIMEOUT, "timeout"),
    CONNECT(NONSENSE, "nonsense"),
    CONNECT(GREETING_TEMP, "greeting-temp"),
    CONNECT(GREETING_PERM, "greeting-perm"),
    CONNECT(EHLO_TEMP, "ehlo-temp"),
    CONNECT(EHLO_PERM, "ehlo-perm"),
    CONNECT(STARTTLS_ABSENT, "starttls-absent"),
    CONNECT(STARTTLS_TEMP, "starttls-temp"),
    CONNECT(STARTTLS_PERM, "starttls-perm"),
    CONNECT(STARTTLS_INJECTION, "starttls-injection"),
    CONNECT(HANDSHAKE, "handshake"),
    CONNECT(HANDSHAKE_REFUSED, "handshake-refused"),
    CONNECT(CERT_UNTRUSTED, "cert-untrusted"),
    CONNECT(CERT_EXPIRED, "cert-expired"),
    CONNECT(CERT_NAME, "cert-name"),
    CONNECT(CERT_TLSA, "cert-tlsa"),
    CONNECT(TLS_EHLO_TEMP, "tls-ehlo-temp"),
    CONNECT(TLS_EHLO_PERM, "tls-ehlo-perm"),
    [PLACE(REQUIRETLS)] =
        COUNTER("declined_total{why=\"requiretls\"}",
                "Messages that a verified server could or would not take; deadline: our time was over."),
    DECLINED(REQUIRETLS_BARE, "requiretls-bare"),
    DECLINED(SIZE, "size"),
    DECLINED(8BITMIME, "8bitmime"),
    DECLINED(SMTPUTF8, "smtputf8"),
    DECLINED(REQUIRETLS_REFUSED, "requiretls-refused"),
    DECLINED(MAIL_TEMP, "mail-temp"),
    DECLINED(MAIL_PERM, "mail-perm"),
    DECLINED(LATE_LOST, "late-lost"),
    DECLINED(LATE_TIMEOUT, "late-timeout"),
    DECLINED(LATE_NONSENSE, "late-nonsense"),
    DECLINED(DEADLINE, "deadline"),
    [GAUGE_CONNECTIONS] = GAUGE("connections", "Connections of the MTA that are open."),
    [GAUGE_UPSTREAMS] = GAUGE("upstreams", "Connections to next servers, idle ones too."),
    [GAUGE_WAITING] =
        GAUGE("waiting", "Domains of messages that wait in line for a connection (per_domain, upstreams)."),
    [GAUGE_EVENTS] = GAUGE("events_waiting", "TLS sessions that the collector has not confirmed yet."),
};
