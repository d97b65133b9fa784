/*
 * conn_exim_io.c - what Exim's ${readsocket} gets: one answer to one line, from memory at once, from the operator's
 * lists, or from a look-up, later.
 */
#include "conn_internal.h"

#include "counters.h"
#include "exim_answer.h"
#include "exim_request.h"

#include <stdlib.h>
#include <string.h>

#define SMTPS_PORT 465

_Static_assert(EXIM_REQUEST_MAX < CONN_REQUEST_MAX, "an incomplete request has room in conns.in");

static const char no_lists[] = "the operator's lists are not known, as Redis cannot be reached";
static const char no_room[] = "too many domains are being looked up, try again later";

/* --- policy and mx --- */

static void say(struct conns *s, const struct exim_request *req, const struct answer *a)
{
    struct exim_policy policy = {.domain = req->hop.name, .smtps = a->smtps};

    policy.text = answer_text(a, ANSWER_POSTFIX, &policy.len);
    if (req->verb == EXIM_MX) {
        exim_answer_mx(&s->out, &policy, req->host);
        return;
    }
    count_answer(a);
    exim_answer_policy(&s->out, &policy);
}

/*
 * The mail goes to port 465, and the answer is by the TLSA records of port 25. Postfix asks again with the port, as the
 * transport has it; Exim is told at once what goes there.
 */
static bool is_of_other_port(const struct exim_request *req, const struct answer *a)
{
    return a->smtps && req->hop.port != SMTPS_PORT && (a->level == LEVEL_DANE || a->level == LEVEL_DANE_ONLY);
}

static void on_looked_up(void *ctx, const struct lookup_result *result);

/* Returns false when there is no room. */
static bool look_up(struct conn *c, const struct exim_request *req)
{
    c->wait = lookup_start(c->conns->lookups, &req->hop, on_looked_up, c);
    return c->wait != NULL;
}

static void on_looked_up(void *ctx, const struct lookup_result *result)
{
    struct conn *c = ctx;
    struct conns *s = c->conns;

    buf_reset(&s->out);
    if (!is_of_other_port(c->exim, result->answer)) {
        say(s, c->exim, result->answer);
    } else {
        c->exim->hop.port = SMTPS_PORT;
        if (look_up(c, c->exim))
            return;
        exim_answer_temp(&s->out, no_room);
    }
    conn_reply_late(c);
}

static void answer_policy(struct conn *c, struct exim_request *req)
{
    struct conns *s = c->conns;
    int64_t now = conns_now(s);
    struct answer *a = conn_asked(c, &req->hop, now);

    if (a != NULL) {
        count(COUNT_MEMORY_HITS);
        a->hits++;
        if (answer_due(a, now))
            lookup_refresh(s->lookups, &req->hop);
        if (!is_of_other_port(req, a)) {
            say(s, req, a);
            return;
        }
        req->hop.port = SMTPS_PORT;
    } else {
        count(COUNT_MEMORY_MISSES);
    }
    c->exim = must_have(malloc(sizeof(*req)));
    *c->exim = *req;
    if (!look_up(c, req))
        exim_answer_temp(&s->out, no_room);
}

/* --- list and route --- */

static void answer_list(struct conn *c, const struct exim_request *req)
{
    struct conns *s = c->conns;
    const struct lists *lists = operator_lists_get(s->lists);
    const struct list_entry *entry;

    if (lists == NULL) {
        exim_answer_temp(&s->out, no_lists);
        return;
    }
    entry = lists_match_what(lists, req->list, req->key, req->key_len, conns_now(s));
    exim_answer_list(&s->out, entry != NULL ? entry->value_text : NULL);
}

/* Mail without a tag does not hang on the lists. */
static void answer_route(struct conn *c, const struct exim_request *req)
{
    struct conns *s = c->conns;
    enum exim_route route = exim_request_route(req, &s->tag, &s->optional_tag);
    const struct lists *lists = route == EXIM_ROUTE_NONE ? NULL : operator_lists_get(s->lists);

    if (route != EXIM_ROUTE_NONE && lists == NULL) {
        exim_answer_temp(&s->out, no_lists);
        return;
    }
    if (lists != NULL && lists_match_what(lists, LIST_LOCAL, req->domain, req->domain_len, conns_now(s)) != NULL)
        route = EXIM_ROUTE_NONE;
    exim_answer_route(&s->out, route);
}

/* --- the line --- */

static void answer(struct conn *c, const char *line, size_t len)
{
    struct exim_request req;
    struct err why = {""};

    count(COUNT_REQUESTS);
    count(COUNT_EXIM_REQUESTS);
    if (exim_request_parse(&req, line, len, &why) != 0) {
        conns_bad_request(c->conns, why.text);
        exim_answer_bad(&c->conns->out, why.text);
        return;
    }
    switch (req.verb) {
    case EXIM_POLICY:
    case EXIM_MX:
        answer_policy(c, &req);
        break;
    case EXIM_LIST:
        answer_list(c, &req);
        break;
    case EXIM_ROUTE:
        answer_route(c, &req);
        break;
    }
}

static ssize_t answer_first(struct conn *c, const char *data, size_t len, struct err *why)
{
    ssize_t line = exim_request_line(data, len, why);

    if (line < 0)
        return err_prefix(why, "exim");
    if (line > 0)
        answer(c, data, (size_t)line - 1);
    return line;
}

const struct conn_protocol conn_exim = {.answer = answer_first, .refusal = exim_answer_too_long, .once = true};
