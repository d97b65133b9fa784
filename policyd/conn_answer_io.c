/*
 * conn_answer_io.c - what each request of the socketmap protocol gets: from memory at once, from the operator's lists,
 * or from a look-up, later.
 */
#include "conn_internal.h"

#include "counters.h"
#include "request.h"

#include <stdio.h>
#include <string.h>

static const char notfound[] = "9:NOTFOUND ,";

static void reply_text(struct buf *out, enum socketmap_status status, const char *text)
{
    socketmap_reply(out, status, text, strlen(text));
}

static void on_looked_up(void *ctx, const struct lookup_result *result)
{
    size_t len;
    struct conn *c = ctx;
    const char *wire = answer_wire(result->answer, c->map, &len);

    count_answer(result->answer);
    buf_reset(&c->conns->out);
    buf_add(&c->conns->out, wire, len);
    conn_reply_late(c);
}

static void answer_from_memory(struct conn *c, const struct request *req, struct answer *a, int64_t now)
{
    struct conns *s = c->conns;
    size_t len;
    const char *wire = answer_wire(a, req->map, &len);

    count(COUNT_MEMORY_HITS);
    count_answer(a);
    a->hits++;
    buf_add(&s->out, wire, len);
    if (answer_due(a, now))
        lookup_refresh(s->lookups, &req->hop);
}

/* The answer in memory that may be given, or NULL. */
static struct answer *remembered(const struct conn *c, const struct nexthop *hop, int64_t now)
{
    struct memory *memory = c->conns->memory;
    char text[NEXTHOP_BUF];

    if (!lookup_remembers(hop))
        return NULL;
    if (hop->kind == NEXTHOP_DOMAIN)
        return memory_get(memory, hop->name, strlen(hop->name), now);
    nexthop_text(text, hop);
    return memory_get(memory, text, strlen(text), now);
}

struct answer *conn_asked(const struct conn *c, const struct nexthop *hop, int64_t now)
{
    struct answer *a = remembered(c, hop, now);
    char text[NEXTHOP_BUF];

    if (hop->kind == NEXTHOP_DOMAIN) {
        busy_add(c->conns->memory->busy, hop->name, strlen(hop->name), a == NULL, now);
        return a;
    }
    nexthop_text(text, hop);
    busy_add(c->conns->memory->busy, text, strlen(text), a == NULL, now);
    return a;
}

static void answer_policy(struct conn *c, const struct request *req)
{
    int64_t now = conns_now(c->conns);
    struct answer *a = conn_asked(c, &req->hop, now);

    if (a != NULL) {
        answer_from_memory(c, req, a, now);
        return;
    }
    count(COUNT_MEMORY_MISSES);
    c->map = req->map;
    c->wait = lookup_start(c->conns->lookups, &req->hop, on_looked_up, c);
    if (c->wait == NULL)
        reply_text(&c->conns->out, SOCKETMAP_TEMP, "too many domains are being looked up, try again later");
}

/* --- transport, ehlo and requiretls: what the lists say beside the policy --- */

static void reply_transport(struct buf *out, const char *domain)
{
    char text[DOMAIN_BUF + sizeof("smtps::465")];

    snprintf(text, sizeof(text), "smtps:%s:465", domain);
    reply_text(out, SOCKETMAP_OK, text);
}

/*
 * Postfix has one process that asks for transports, of recipients and of senders, and everybody waits for it: so the
 * answer is given at once. By the domain's own name that is the whole truth. Whether an entry fits its MX hosts is
 * known when memory has the domain; if not, it is looked up for the next time, which is when the mail leaves the queue.
 */
static void answer_transport(struct conn *c, const struct request *req)
{
    struct conns *s = c->conns;
    const struct lists *lists = operator_lists_get(s->lists);
    int64_t now = conns_now(s);
    bool none = lists == NULL || list_count(lists->list[LIST_SMTPS]) == 0;
    bool named = !none && list_match_name(lists->list[LIST_SMTPS], req->hop.name, now) != NULL;
    const struct answer *a = none || named ? NULL : remembered(c, &req->hop, now);

    if (named || (a != NULL && a->smtps)) {
        reply_transport(&s->out, req->hop.name);
        return;
    }
    if (!none && a == NULL)
        lookup_prepare(s->lookups, &req->hop);
    reply_text(&s->out, SOCKETMAP_NOTFOUND, "");
}

/* An error here would make Postfix offer nothing at all, so lists that are not known are lists without the client. */
static void answer_ehlo(struct conn *c, const struct request *req)
{
    const struct lists *lists = operator_lists_get(c->conns->lists);
    int64_t now = conns_now(c->conns);
    bool discard = lists != NULL && lists_match_client(lists, LIST_INBOUND_EXCLUDE, &req->hop, now) != NULL &&
                   lists_match_client(lists, LIST_INBOUND_REQUIRE, &req->hop, now) == NULL;

    reply_text(&c->conns->out, discard ? SOCKETMAP_OK : SOCKETMAP_NOTFOUND, discard ? "starttls" : "");
}

/* For Postfix NOTFOUND is "enforce". An entry may say that by name where a wider one says less, so unknown lists wait.
 */
static void answer_requiretls(struct conn *c, const struct request *req)
{
    struct conns *s = c->conns;
    const struct lists *lists = operator_lists_get(s->lists);
    const struct list_entry *entry = NULL;

    if (lists == NULL) {
        reply_text(&s->out, SOCKETMAP_TEMP, "the operator's lists are not known, as Redis cannot be reached");
        return;
    }
    entry = lists_match_hop(lists, LIST_REQUIRETLS, &req->hop, conns_now(s));
    reply_text(&s->out, entry != NULL ? SOCKETMAP_OK : SOCKETMAP_NOTFOUND, entry != NULL ? entry->value_text : "");
}

void conns_bad_request(struct conns *s, const char *why)
{
    unsigned left_out;

    count(COUNT_BAD_REQUESTS);
    if (log_allowed(&s->bad_requests, conns_now(s), &left_out))
        log_warning("bad-request", "why=%s left_out=%u", why, left_out);
}

static void answer(struct conn *c, const struct netstring *ns)
{
    struct conns *s = c->conns;
    struct request req;

    count(COUNT_REQUESTS);
    request_parse(&req, ns->data, ns->len);
    switch (req.kind) {
    case REQUEST_POLICY:
        answer_policy(c, &req);
        break;
    case REQUEST_TRANSPORT:
        answer_transport(c, &req);
        break;
    case REQUEST_EHLO:
        answer_ehlo(c, &req);
        break;
    case REQUEST_REQUIRETLS:
        answer_requiretls(c, &req);
        break;
    case REQUEST_NOTFOUND:
        buf_add(&s->out, notfound, sizeof(notfound) - 1);
        break;
    case REQUEST_BAD:
        conns_bad_request(s, req.why.text);
        reply_text(&s->out, SOCKETMAP_PERM, req.why.text);
        break;
    }
}

static ssize_t answer_first(struct conn *c, const char *data, size_t len, struct err *why)
{
    struct netstring ns;
    int found = netstring_parse(&ns, data, len, SOCKETMAP_REQUEST_MAX);

    if (found < 0)
        return err_set(why, "not a netstring of at most %d octets", SOCKETMAP_REQUEST_MAX);
    if (found == 0)
        return 0;
    answer(c, &ns);
    return (ssize_t)ns.total;
}

const struct conn_protocol conn_socketmap = {.answer = answer_first, .refusal = ""};
