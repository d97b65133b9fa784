/* gather.c - see gather.h. */
#include "gather.h"

#include "sts_http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_CUT SIZE_MAX

/* What came of one action. The same in each order. */
struct result {
    bool asked;
    bool comes;
    const struct dns_answer *dns;
    struct resolve_fetch fetch;
};

/* One resolution, and the way through it that is being taken. */
struct course {
    struct gather *g;
    const char *domain;
    const struct dest *previous;
    bool force;
    int64_t now;
    struct result result[RESOLVE_ACTIONS_MAX]; /* by slot */
    struct err fetch_why;
    struct dns_answer failed; /* the answer that the fault gives */
    enum { WAY_ASKED, WAY_REVERSED, WAY_PICKED, WAY_DICE } way;
    bool first; /* the course that counts */
    size_t cut; /* results that come before the deadline */
    size_t pick[RESOLVE_ACTIONS_MAX], choices[RESOLVE_ACTIONS_MAX], steps;
    uint32_t dice;
};

/* --- results --- */

static void name_question(char out[ASKED_BUF], const struct resolve_action *act)
{
    bool fetch = act->what == RESOLVE_FETCH;

    (void)snprintf(out, ASKED_BUF, "%s %s", fetch ? "policy" : dns_type_name(act->type),
                   fetch ? act->name + sizeof(STS_HTTP_LABEL) - 1 : act->name);
}

static void note_asked(struct gather *g, const struct resolve_action *act)
{
    struct tally *t = &g->tally;

    if (act->what == RESOLVE_FETCH)
        t->fetches++;
    if (t->count < ASKED_MAX)
        name_question(t->asked[t->count], act);
    t->count++;
}

static bool at_policy_host(const struct resolve_action *act, const char *domain)
{
    return act->what == RESOLVE_FETCH || (strncmp(act->name, "mta-sts.", 8) == 0 && strcmp(act->name + 8, domain) == 0);
}

/* Is this the question that was chosen to go wrong? */
static bool meddled(struct gather *g, const struct resolve_action *act, const char *domain)
{
    struct meddle *m = &g->meddle;
    bool here =
        (m->kind == MEDDLE_FAIL || (m->kind == MEDDLE_UNTRIED && act->what == RESOLVE_FETCH)) && g->questions == m->at;

    g->questions++;
    if (here) {
        m->hit = true;
        name_question(m->question, act);
        m->fetch = at_policy_host(act, domain);
    }
    return here;
}

static void ask_world(struct course *c, struct result *result, const struct resolve_action *act)
{
    struct gather *g = c->g;
    bool fault;

    note_asked(g, act);
    fault = meddled(g, act, c->domain);
    if (act->what == RESOLVE_QUERY) {
        dns_answer_fail(&c->failed, "SERVFAIL");
        result->dns = world_ask(g->world, act->name, act->type);
        if (fault)
            result->dns = &c->failed;
        result->comes = result->dns != NULL;
        return;
    }
    result->comes = world_fetch(g->world, act->name, &result->fetch, &c->fetch_why);
    if (fault) {
        result->fetch = (struct resolve_fetch){
            .untried = g->meddle.kind == MEDDLE_UNTRIED, .failure = DEST_STS_FETCH_ERROR, .why = "a fault"};
        result->comes = true;
    }
}

static const struct result *result_of(struct course *c, const struct resolve_action *act)
{
    struct result *result = &c->result[act->slot];

    if (!result->asked && !c->first)
        trouble(c->g->world->trouble, "in another order of results it asks for %s %s too", dns_type_name(act->type),
                act->name);
    if (!result->asked) {
        result->asked = true;
        ask_world(c, result, act);
    }
    return result;
}

/* --- a course --- */

static size_t choose(struct course *c, size_t count)
{
    size_t step = c->steps++;

    c->choices[step] = count;
    switch (c->way) {
    case WAY_ASKED:
        return 0;
    case WAY_REVERSED:
        return count - 1;
    case WAY_PICKED:
        return c->pick[step];
    case WAY_DICE:
        c->dice = c->dice * 1103515245U + 12345U;
        return (c->dice >> 16) % count;
    }
    return 0;
}

static void feed(struct course *c, struct resolve *r, const struct resolve_action *act)
{
    const struct result *result = &c->result[act->slot];

    if (act->what == RESOLVE_QUERY)
        resolve_dns(r, act->slot, result->dns);
    else
        resolve_fetched(r, act->slot, &result->fetch, c->now);
}

/* The deadline: see resolve_take about a fetch that was tried. */
static struct dest *end(struct course *c, struct resolve *r, const struct resolve_action *fetch)
{
    const struct resolve_fetch late = {.failure = DEST_STS_FETCH_ERROR, .why = "no answer in time"};
    struct dest *d;

    if (!resolve_done(r) && fetch != NULL)
        resolve_fetched(r, fetch->slot, &late, c->now); /* passed over when it has come */
    d = resolve_take(r, c->now);
    resolve_free(r);
    if (d == NULL)
        trouble(c->g->world->trouble, "no record came of the resolution of %s", c->domain);
    return d;
}

/* The deadline that is put into the story. */
static bool deadline(struct course *c, const struct resolve_action *fetch)
{
    struct meddle *m = &c->g->meddle;

    if (c->steps == c->cut)
        return true;
    if (!c->first || m->hit || m->kind != MEDDLE_CUT || c->g->results != m->at)
        return false;
    m->hit = true;
    m->fetch = fetch != NULL;
    (void)snprintf(m->question, sizeof(m->question), "deadline after %zu results", c->steps);
    return true;
}

static struct dest *run(struct course *c)
{
    struct resolve *r = resolve_new(c->domain, c->previous, c->force, c->now, &c->g->options);
    struct resolve_action pending[RESOLVE_ACTIONS_MAX], act, fetch;
    size_t count = 0, which;
    bool fetching = false;

    c->steps = 0;
    if (r == NULL)
        abort();
    for (;;) {
        while (resolve_next(r, &act) == 1) {
            if (act.what == RESOLVE_FETCH) {
                fetch = act;
                fetching = true;
            }
            if (result_of(c, &act)->comes)
                pending[count++] = act;
        }
        if (count == 0 || deadline(c, fetching ? &fetch : NULL))
            return end(c, r, fetching ? &fetch : NULL);
        c->g->results += c->first ? 1 : 0;
        which = choose(c, count);
        act = pending[which];
        memmove(&pending[which], &pending[which + 1], (--count - which) * sizeof(act));
        feed(c, r, &act);
    }
}

/* --- other courses --- */

static bool to_text(struct buf *out, const struct dest *d)
{
    buf_reset(out);
    dest_to_json(out, d);
    return buf_ok(out);
}

/* What every record must be, whatever was answered. */
static const char *unsound(const struct course *c, const struct dest *d)
{
    const struct dest *before = c->previous;
    int64_t life = d->valid_until - d->resolved;

    if (life < 1 || life > (dest_temporary(d) ? RESOLVE_TEMP_TTL : RESOLVE_TTL_MAX))
        return "its life is out of bounds";
    if (d->sts.has_policy && !dest_sts_live(&d->sts, d->resolved))
        return "its policy has expired";
    if (before == NULL || !c->g->options.sts || !dest_sts_live(&before->sts, d->resolved) ||
        before->sts.fetched > d->resolved)
        return NULL;
    if (d->sts.has_policy ? d->sts.fetched < before->sts.fetched : d->sts.attempted <= before->sts.attempted)
        return "it has lost the policy that was known";
    return NULL;
}

/* Sound, and Redis gives back what it was given. */
static void check(struct course *c, const struct dest *d, struct buf *text)
{
    struct trouble *t = c->g->world->trouble;
    const char *why = unsound(c, d);
    struct err e = {""};
    struct dest *back;
    struct buf again;

    if (!to_text(text, d)) {
        trouble(t, "the record is too long");
        return;
    }
    if (why != NULL)
        trouble(t, "%s, after %zu results: %.500s", why, c->steps, buf_text(text));
    buf_init(&again, DEST_JSON_MAX);
    back = dest_from_json(text->data, text->len, &e);
    if (back == NULL || !to_text(&again, back) || strcmp(buf_text(&again), buf_text(text)) != 0)
        trouble(t, "the record does not survive Redis: %s", e.text);
    dest_free(back);
    buf_clear(&again);
}

/* The same resolution once more; whole: it must give this record. */
static void try_course(struct course *c, const struct buf *whole)
{
    struct dest *d = run(c);
    struct buf text;

    if (d == NULL)
        return;
    buf_init(&text, DEST_JSON_MAX);
    check(c, d, &text);
    if (whole != NULL && strcmp(buf_text(&text), buf_text(whole)) != 0)
        trouble(c->g->world->trouble, "the order of results changes the record: %.300s but %.300s", buf_text(whole),
                buf_text(&text));
    c->g->orders++;
    buf_clear(&text);
    dest_free(d);
}

/* The next order after the one that was taken, as of numbers with digits of different bases. */
static bool next_order(struct course *c)
{
    for (size_t i = c->steps; i-- > 0;) {
        if (c->pick[i] + 1 < c->choices[i]) {
            c->pick[i]++;
            memset(&c->pick[i + 1], 0, (RESOLVE_ACTIONS_MAX - i - 1) * sizeof(c->pick[0]));
            return true;
        }
    }
    return false;
}

static void try_orders(struct course *c, const struct buf *whole)
{
    bool more = true;

    c->cut = NO_CUT;
    c->way = WAY_PICKED;
    for (unsigned i = 0; more && i < ORDERS_ALL; i++) {
        try_course(c, whole);
        more = next_order(c);
    }
    c->way = WAY_DICE;
    for (unsigned i = 0; more && i < ORDERS_DICE; i++) {
        c->dice = i;
        try_course(c, whole);
    }
}

static void try_cuts(struct course *c, size_t steps)
{
    for (c->cut = 0; c->cut < steps; c->cut++) {
        c->way = WAY_ASKED;
        try_course(c, NULL);
        c->way = WAY_REVERSED;
        try_course(c, NULL);
    }
}

struct dest *gather(struct gather *g, const char *domain, const struct dest *previous, bool force, int64_t now)
{
    struct course c = {.g = g, .domain = domain, .previous = previous, .force = force, .now = now, .cut = NO_CUT};
    bool hit = g->meddle.hit;
    struct dest *d;
    struct buf text;

    g->tally.resolutions++;
    c.first = true;
    c.way = g->reversed ? WAY_REVERSED : WAY_ASKED;
    d = run(&c);
    c.first = false;
    buf_init(&text, DEST_JSON_MAX);
    if (d != NULL && (g->explore || hit != g->meddle.hit))
        check(&c, d, &text);
    if (d != NULL && g->explore && g->explored < EXPLORED_MAX) {
        g->explored++;
        try_cuts(&c, c.steps);
        try_orders(&c, &text);
    }
    buf_clear(&text);
    return d;
}
