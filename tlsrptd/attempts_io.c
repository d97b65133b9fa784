/* attempts_io.c - see attempts_io.h. */
#include "attempts_io.h"

#include "attempt_judge.h"
#include "call_client.h"
#include "counters.h"
#include "facts_io.h"
#include "log.h"
#include "millis.h"
#include "plain_wanted.h"
#include "utc_day.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define EXPLAIN_MS 20000
#define FULL_MS    200 /* to the next look whether the collector has room */

/* An attempt, or a position. */
struct item {
    TAILQ_ENTRY(item) next;
    struct attempts *all;
    bool ready;
    struct facts_wait *wait;
    struct facts *facts; /* NULL when ready: not known */
    struct call_sent *asked;
    bool plain_wanted;
    char *source, *position; /* then it is no attempt */
    struct tls_attempt attempt;
};

struct attempts {
    TAILQ_HEAD(items, item) items;
    size_t waiting; /* attempts among them */
    bool counts, was_full;
    struct facts_client *facts;
    struct call_client *policyd; /* NULL: there is none */
    struct collector *collector;
    struct fallback_feed *feed;
    struct event *later; /* the collector was full */
    struct event *room_event;
    void (*room)(void *ctx);
    void *ctx;
    struct attempts_stats stats;
};

bool attempts_full(const struct attempts *a)
{
    return a->waiting >= ATTEMPTS_MAX;
}

size_t attempts_waiting(const struct attempts *a)
{
    return a->waiting;
}

size_t attempts_of_exim(const struct attempts *a)
{
    size_t count = 0;

    for (const struct item *i = TAILQ_FIRST(&a->items); i != NULL; i = TAILQ_NEXT(i, next))
        count += i->attempt.by_exim ? 1 : 0;
    return count;
}

struct attempts_stats attempts_stats(const struct attempts *a)
{
    return a->stats;
}

void attempts_patience(struct attempts *a, int64_t first_ms, unsigned tries)
{
    facts_patience(a->facts, first_ms, tries);
}

/* --- leaving --- */

static void item_free(struct item *i)
{
    if (i->wait != NULL)
        facts_cancel(i->wait);
    if (i->asked != NULL)
        call_cancel(i->asked);
    facts_release(i->facts);
    free(i->source);
    free(i->position);
    free(i);
}

/* What became of the event. */
struct counted {
    struct item *item;
    bool refused;
};

static void on_event(void *ctx, const struct tlsrpt_event *event)
{
    struct counted *c = ctx;
    struct attempts *all = c->item->all;

    if (collector_count(all->collector, utc_day(c->item->attempt.at), event) != 0) {
        c->refused = true;
    } else {
        all->stats.reported++;
        count_session(c->item->attempt.by_exim ? SESSION_EXIM : SESSION_LOG, event);
    }
}

/* Returns false when the collector does not take it now. */
static bool item_count(struct item *i)
{
    struct attempts *all = i->all;
    struct counted c = {i, false};

    if (i->facts == NULL || !all->counts)
        return true;
    if (attempt_judge(&i->attempt, facts_dest(i->facts), i->plain_wanted, on_event, &c) != 0)
        log_oom();
    return !c.refused;
}

static bool item_leave(struct item *i)
{
    if (i->position != NULL) {
        collector_position(i->all->collector, i->source, i->position);
        return true;
    }
    return !collector_full(i->all->collector) && item_count(i);
}

static void waiting_changed(struct attempts *a)
{
    facts_impatient(a->facts, a->waiting > ATTEMPTS_MAX / 2);
    if (attempts_full(a)) {
        a->was_full = true;
    } else if (a->was_full && a->waiting <= ATTEMPTS_MAX / 2) {
        a->was_full = false;
        event_active(a->room_event, EV_TIMEOUT, 0);
    }
}

static void leave(struct attempts *a)
{
    struct item *i = TAILQ_FIRST(&a->items), *next;

    for (; i != NULL && i->ready; i = next) {
        next = TAILQ_NEXT(i, next);
        if (!item_leave(i)) {
            timer_start(a->later, FULL_MS);
            break;
        }
        TAILQ_REMOVE(&a->items, i, next);
        if (i->position == NULL)
            a->waiting--;
        item_free(i);
    }
    waiting_changed(a);
}

static void on_later(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    leave(ctx);
}

static void on_room(evutil_socket_t fd, short what, void *ctx)
{
    struct attempts *a = ctx;

    (void)fd;
    (void)what;
    if (a->room != NULL)
        a->room(a->ctx);
}

/* --- facts, and what policyd says --- */

/* To fallback as well, unless the mail went by another way than to the domain's hosts: then the next hop is not known.
 */
static void item_ready(struct item *i)
{
    const struct tls_attempt *t = &i->attempt;
    enum fallback_event event;

    i->ready = true;
    if ((i->facts == NULL || attempt_is_direct(t, facts_dest(i->facts))) && attempt_fallback(&event, t))
        fallback_feed_add(i->all->feed, t->domain, t->host, event, t->at);
}

static void on_explained(void *ctx, enum call_status status, const char *text, size_t len, int reached)
{
    struct item *i = ctx;
    enum plain_wanted wanted = status == CALL_OK ? plain_wanted_read(text, len) : PLAIN_UNKNOWN;

    (void)reached;
    i->asked = NULL;
    i->plain_wanted =
        wanted == PLAIN_WANTED || (wanted == PLAIN_UNKNOWN && !attempt_policy_demands(facts_dest(i->facts)));
    item_ready(i);
    leave(i->all);
}

static bool is_question(const struct item *i)
{
    const struct tls_attempt *t = &i->attempt;

    return i->all->counts && t->tls == ATTEMPT_NO_TLS && (t->end == ATTEMPT_SENT || t->end == ATTEMPT_ANSWERED) &&
           attempt_is_reported(t, facts_dest(i->facts));
}

/* Takes the reference over. */
static void item_facts(struct item *i, struct facts *facts)
{
    struct attempts *all = i->all;

    i->facts = facts;
    if (facts == NULL)
        all->stats.not_judged++;
    if (facts != NULL && is_question(i)) {
        if (all->policyd != NULL)
            i->asked = call_send(all->policyd, "explain", i->attempt.domain, strlen(i->attempt.domain), EXPLAIN_MS,
                                 on_explained, i);
        if (i->asked != NULL)
            return;
        i->plain_wanted = !attempt_policy_demands(facts_dest(facts));
    }
    item_ready(i);
}

static void on_facts(void *ctx, struct facts *facts)
{
    struct item *i = ctx;

    i->wait = NULL;
    item_facts(i, facts);
    leave(i->all);
}

/* --- coming in --- */

static struct item *item_new(struct attempts *a)
{
    struct item *i = must_have(calloc(1, sizeof(*i)));

    i->all = a;
    TAILQ_INSERT_TAIL(&a->items, i, next);
    return i;
}

/* One that went to an address is no session with the domain's hosts; nothing is told of it. */
void attempts_add(struct attempts *a, const struct tls_attempt *attempt)
{
    struct facts *facts;
    struct item *i;

    a->stats.attempts++;
    if (attempt->host[0] == '\0' || attempt->domain[0] == '\0')
        return;
    i = item_new(a);
    i->attempt = *attempt;
    a->waiting++;
    facts = facts_known(a->facts, attempt->domain);
    if (facts == NULL) {
        i->wait = facts_ask(a->facts, attempt->domain, on_facts, i);
        waiting_changed(a);
        return;
    }
    item_facts(i, facts);
    leave(a);
}

void attempts_position(struct attempts *a, const char *source, const char *position)
{
    struct item *last = TAILQ_LAST(&a->items, items);

    if (last == NULL) {
        collector_position(a->collector, source, position);
        return;
    }
    if (last->position != NULL && strcmp(last->source, source) == 0) {
        free(last->position);
    } else {
        last = item_new(a);
        last->ready = true;
        last->source = must_have(strdup(source));
    }
    last->position = must_have(strdup(position));
}

/* --- beginning and end --- */

struct attempts *attempts_new(struct event_base *base, const char *stsd, const char *policyd, bool counts,
                              struct collector *c, struct fallback_feed *feed, void (*room)(void *ctx), void *ctx,
                              struct err *e)
{
    struct attempts *a = must_have(calloc(1, sizeof(*a)));

    TAILQ_INIT(&a->items);
    a->counts = counts;
    a->collector = c;
    a->feed = feed;
    a->room = room;
    a->ctx = ctx;
    a->later = must_have(evtimer_new(base, on_later, a));
    a->room_event = must_have(evtimer_new(base, on_room, a));
    a->facts = facts_client_new(base, stsd, e);
    if (a->facts != NULL && policyd[0] != '\0')
        a->policyd = call_client_new(base, policyd, e);
    if (a->facts != NULL && (a->policyd != NULL || policyd[0] == '\0'))
        return a;
    attempts_free(a);
    return NULL;
}

void attempts_free(struct attempts *a)
{
    if (a == NULL)
        return;
    for (struct item *i = TAILQ_FIRST(&a->items), *next; i != NULL; i = next) {
        next = TAILQ_NEXT(i, next);
        item_free(i);
    }
    facts_client_free(a->facts);
    call_client_free(a->policyd);
    event_free(a->later);
    event_free(a->room_event);
    free(a);
}
