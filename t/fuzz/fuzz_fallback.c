/*
 * fuzz_fallback.c - fallback states as Redis has them: a host, a line feed, the JSON, a line feed, then events, an
 * octet each (a letter as in fallback.t.c for what, how late it comes). A state is the same after its own JSON, and no
 * order of events makes plain text of what TLS has since got over.
 */
#include "fallback_hosts.h"
#include "recipe.h"

#define NOW  1795341600
#define KEEP 3600

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand_json(const struct fallback_state *s)
{
    struct fallback_state again;
    struct buf json;

    buf_init(&json, FALLBACK_JSON_MAX);
    fallback_to_json(&json, s);
    demand(buf_ok(&json));
    demand(fallback_from_json(&again, json.data, json.len, NULL) == 0);
    demand(memcmp(&again, s, sizeof(again)) == 0);
    buf_clear(&json);
}

/* What goes at this host goes at the next hop that has no other. */
static void demand_answers(const struct fallback_state *s)
{
    struct fallback_hosts hosts = {.count = 0};

    fallback_hosts_put(&hosts, "mx.example", s);
    for (int mode = FALLBACK_HOLD; mode <= FALLBACK_PLAIN_FOR; mode++) {
        int64_t until = 0, hop_until = 0;
        bool plain = fallback_goes_plain(s, (enum fallback_mode)mode, KEEP, NOW, &until);

        demand(plain == fallback_hosts_go_plain(&hosts, NULL, (enum fallback_mode)mode, KEEP, NOW, &hop_until));
        demand(until == hop_until);
        demand(!plain || (mode != FALLBACK_HOLD && until > NOW && until <= NOW + KEEP + 60));
        demand(!plain || (s->handshake_failed > s->tls_done || s->later_failed > s->tls_done));
    }
}

static void tell(struct fallback_state *s, struct recipe *in)
{
    int64_t until;

    while (in->left > 0) {
        unsigned n = take(in);

        fallback_note(s, (enum fallback_event)(n % 4), NOW - 70 + (int64_t)(n / 4));
        demand_json(s);
        demand_answers(s);
    }
    fallback_note(s, FALLBACK_TLS_DONE, NOW + 60);
    demand(!fallback_goes_plain(s, FALLBACK_PLAIN, KEEP, NOW, &until));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fallback_hosts hosts = {.count = 0};
    const uint8_t *part[3] = {data, data, data};
    size_t len[3] = {0};
    struct recipe events;
    struct err e = {""};
    int rc;

    for (size_t i = 0, at = 0; i < 3; i++) {
        const uint8_t *lf = at >= size || i == 2 ? NULL : memchr(data + at, '\n', size - at);

        part[i] = size == 0 ? data : data + at;
        len[i] = lf == NULL ? size - at : (size_t)(lf - part[i]);
        at = lf == NULL ? size : at + len[i] + 1;
    }
    rc = fallback_hosts_read(&hosts, (const char *)part[0], len[0], (const char *)part[1], len[1], &e);
    demand((rc == 0) == (e.text[0] == '\0') && (rc == 0) == (hosts.count == 1));
    if (rc != 0)
        return 0;
    demand(strlen(hosts.host[0].name) == len[0]);
    demand_json(&hosts.host[0].state);
    demand_answers(&hosts.host[0].state);
    events = (struct recipe){part[2], len[2]};
    tell(&hosts.host[0].state, &events);
    return 0;
}
