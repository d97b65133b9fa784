/* counters.c - the names and meanings of relayd's numbers. */
#include "counters.h"

#define COUNTER(name_, help_)                                               \
    {                                                                       \
        .name = "postern_relayd_" name_, .help = (help_), .type = "counter" \
    }
#define GAUGE(name_, help_)                                               \
    {                                                                     \
        .name = "postern_relayd_" name_, .help = (help_), .type = "gauge" \
    }

struct metric counters[COUNTERS] = {
    [COUNT_CONNECTIONS] = COUNTER("connections_total", "Connections of the MTA."),
    [COUNT_TRANSACTIONS] = COUNTER("transactions_total", "Messages begun (MAIL)."),
    [COUNT_MESSAGES] = COUNTER("messages_total", "Messages read to their end."),
    [COUNT_BROKEN] = COUNTER("broken_messages_total", "Of these, not passed on: broken, or larger than size_max."),
    [COUNT_ABANDONED] = COUNTER("abandoned_total", "Messages that the MTA has broken off by closing its connection."),
    [COUNT_OCTETS] = COUNTER("message_octets_total", "Octets of messages."),
    [COUNT_RECIPIENTS] = COUNTER("recipients_total", "Recipients asked for."),
    [COUNT_DELIVERED] = COUNTER("delivered_total", "Recipients whose next server has taken the message."),
    [COUNT_PUT_OFF] = COUNTER("put_off_total", "Recipients answered 4xx."),
    [COUNT_REFUSED] = COUNTER("refused_total", "Recipients answered 5xx."),
    [COUNT_EVENTS] = COUNTER("events_total", "TLS sessions that were to be told to the collector (tlsrpt)."),
    [COUNT_EVENTS_LOST] = COUNTER("events_lost_total", "Of these, not taken by the collector, and given up."),
    [GAUGE_CONNECTIONS] = GAUGE("connections", "Connections of the MTA that are open."),
    [GAUGE_UPSTREAMS] = GAUGE("upstreams", "Connections to next servers, idle ones too."),
    [GAUGE_EVENTS] = GAUGE("events_waiting", "TLS sessions that the collector has not confirmed yet."),
};
