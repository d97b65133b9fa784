/* expect.c - what a scenario expects of a statement: what was asked of DNS and policy hosts, the answer and how long it
 * goes, and the record. Without a word about it, nothing may have been asked. */
#include "story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The expectations about questions of one statement. */
struct wanted {
    unsigned line;
    bool exact;    /* a list of questions */
    bool whatever; /* this is not what the scenario is about */
    struct range {
        size_t least, most;
    } resolutions, fetches;
};

static void expect_text(struct story *s, const char *what, const char *is, const char *wanted)
{
    if (strcmp(is, wanted) != 0)
        trouble(&s->trouble, "%s: %s", what, is);
}

/* "8m", or "20h..21h" */
static void expect_span(struct story *s, const char *what, int64_t is, const char *word)
{
    char text[80], shown[DURATION_BUF];
    int64_t from, to;
    char *dots;

    (void)snprintf(text, sizeof(text), "%s", word);
    dots = strstr(text, "..");
    if (dots != NULL)
        *dots = '\0';
    if (!duration_read(&from, text) || !duration_read(&to, dots != NULL ? dots + 2 : text))
        trouble(&s->trouble, "no span of time: %s", word);
    else if (is < from || is > to)
        trouble(&s->trouble, "%s: %s", what, duration_show(shown, is));
}

/* --- questions --- */

/* "resolves", "resolves 3 times", "resolves 3..5 times" */
static struct range times(struct story *s, const struct words *w)
{
    struct range r = {1, 1};
    char *end;

    if (w->count == 1)
        return r;
    r.least = r.most = strtoul(w->word[1], &end, 10);
    if (strncmp(end, "..", 2) == 0)
        r.most = strtoul(end + 2, &end, 10);
    if (*end != '\0' || w->count > 3 || (w->count == 3 && strcmp(w->word[2], "times") != 0))
        trouble(&s->trouble, "%s [N times]", w->word[0]);
    return r;
}

static bool within(size_t n, const struct range *r)
{
    return n >= r->least && n <= r->most;
}

/* Take one question off the list. */
static bool take_asked(struct tally *t, const char *question)
{
    for (size_t i = 0; i < t->count && i < ASKED_MAX; i++) {
        if (strcmp(t->asked[i], question) == 0) {
            t->asked[i][0] = '\0';
            return true;
        }
    }
    return false;
}

static void expect_question(struct story *s, const char *type, const char *name)
{
    char question[ASKED_BUF];

    (void)snprintf(question, sizeof(question), "%.7s %.250s", type, name);
    if (!take_asked(&s->site.gather.tally, question))
        trouble(&s->trouble, "not asked: %s", question);
}

/* "MX d.example, addresses mx.d.example, policy d.example" */
static void expect_list(struct story *s, const struct words *w)
{
    char type[16] = "", name[DOMAIN_BUF];

    for (size_t i = 1; i + 1 < w->count; i += 2) {
        size_t len = strcspn(w->word[i + 1], ",");

        (void)snprintf(type, sizeof(type), "%s", w->word[i]);
        (void)snprintf(name, sizeof(name), "%.*s", (int)len, w->word[i + 1]);
        if (strcmp(type, "addresses") == 0) {
            expect_question(s, "AAAA", name);
            expect_question(s, "A", name);
        } else {
            expect_question(s, type, name);
        }
    }
}

static void check_questions(struct story *s, const struct wanted *wanted)
{
    const struct tally *t = &s->site.gather.tally;

    if (wanted->whatever)
        return;
    for (size_t i = 0; wanted->exact && i < t->count && i < ASKED_MAX; i++)
        if (t->asked[i][0] != '\0')
            trouble_at(&s->trouble, wanted->line, "asked as well: %s", t->asked[i]);
    if (!wanted->exact && (!within(t->resolutions, &wanted->resolutions) || !within(t->fetches, &wanted->fetches)))
        trouble_at(&s->trouble, wanted->line, "there were %zu resolutions and %zu fetches", t->resolutions, t->fetches);
}

/* --- the answer --- */

static bool has_reason(const struct decision *d, const char *text)
{
    for (size_t i = 0; i < d->reason_count; i++)
        if (strstr(d->reason[i], text) != NULL)
            return true;
    return false;
}

static void expect_reason(struct story *s, const char *text)
{
    const struct decision *d = &s->outcome.decision;

    if (!has_reason(d, text))
        trouble(&s->trouble, "no such reason; the last is: %s",
                d->reason_count > 0 ? d->reason[d->reason_count - 1] : "");
}

static void expect_goes_on(struct story *s, const char *word, int64_t now)
{
    if (strcmp(word, "forever") == 0) {
        if (s->outcome.stale_until != INT64_MAX)
            expect_span(s, "goes on", s->outcome.stale_until - now, "0");
    } else {
        expect_span(s, "goes on", s->outcome.stale_until - now, word);
    }
}

/* The answer of the map QUERYwithTLSRPT begins so. */
static void expect_tlsrpt(struct story *s, const char *wanted)
{
    if (strncmp(s->outcome.tlsrpt, wanted, strlen(wanted)) != 0)
        trouble(&s->trouble, "with TLSRPT the answer is: %.300s", s->outcome.tlsrpt);
}

static bool expect_answer(struct story *s, const struct words *w)
{
    const struct outcome *o = &s->outcome;
    int64_t now = s->outcome.asked;

    if (strcmp(w->word[0], "from") == 0)
        expect_text(s, "from", o->from, w->word[1]);
    else if (strcmp(w->word[0], "holds") == 0)
        expect_span(s, "holds", o->valid_until - now, w->word[1]);
    else if (strncmp(w->line, "goes on ", 8) == 0)
        expect_goes_on(s, w->word[2], now);
    else if (strcmp(w->word[0], "ahead") == 0)
        expect_span(s, "ahead", o->refresh_at - now, w->word[1]);
    else if (strcmp(w->word[0], "because") == 0)
        expect_reason(s, w->rest[1]);
    else if (strcmp(w->word[0], "tlsrpt") == 0)
        expect_tlsrpt(s, w->rest[1]);
    else
        return false;
    return true;
}

/* --- the record --- */

static void expect_mx(struct story *s, const struct dest *d, const char *wanted)
{
    struct buf b;

    buf_init(&b, 4000);
    buf_printf(&b, "%s%s%s", dest_mx_name(d->mx), d->mx_secure ? " signed" : "", d->mx_truncated ? " truncated" : "");
    for (size_t i = 0; i < d->host_count; i++)
        buf_printf(&b, " %s=%s", d->host[i].name, dest_dane_name(d->host[i].dane));
    expect_text(s, "mx", buf_text(&b), wanted);
    buf_clear(&b);
}

static void expect_sts(struct story *s, const struct dest *d, const char *wanted)
{
    char is[80];

    (void)snprintf(is, sizeof(is), "%s%s%s", dest_sts_record_name(d->sts.record), d->sts.id[0] != '\0' ? " " : "",
                   d->sts.id);
    expect_text(s, "sts", is, wanted);
}

static void expect_policy(struct story *s, const struct dest *d, const char *wanted)
{
    char is[80] = "-";

    if (d->sts.has_policy)
        (void)snprintf(is, sizeof(is), "%s %s", sts_mode_name(d->sts.policy.mode), d->sts.policy_id);
    expect_text(s, "policy", is, wanted);
}

static void expect_fetch(struct story *s, const struct dest *d, const char *wanted)
{
    expect_text(s, "fetch", d->sts.failure == DEST_STS_OK ? "ok" : dest_sts_failure_name(d->sts.failure), wanted);
}

static bool expect_record(struct story *s, const struct words *w, const struct dest *d)
{
    const char *what = w->word[1], *wanted = w->rest[2];
    int64_t now = node_now(&s->site, s->node);

    if (strcmp(what, "mx") == 0)
        expect_mx(s, d, wanted);
    else if (strcmp(what, "sts") == 0)
        expect_sts(s, d, wanted);
    else if (strcmp(what, "policy") == 0)
        expect_policy(s, d, wanted);
    else if (strcmp(what, "fetch") == 0)
        expect_fetch(s, d, wanted);
    else if (strcmp(what, "tlsrpt") == 0)
        expect_text(s, "tlsrpt", d->tlsrpt[0] != '\0' ? d->tlsrpt : "-", wanted);
    else if (strcmp(what, "lives") == 0)
        expect_span(s, "lives", d->valid_until - d->resolved, wanted);
    else if (strcmp(what, "gathered") == 0)
        expect_span(s, "gathered ago", now - d->resolved, w->word[2]);
    else if (strcmp(what, "fetched") == 0)
        expect_span(s, "fetched ago", now - d->sts.fetched, w->word[2]);
    else if (strcmp(what, "expires") == 0)
        expect_span(s, "expires in", d->sts.expires - now, w->word[3]);
    else if (strcmp(what, "unknown") == 0)
        expect_span(s, "unknown for", now - d->sts.temp_since, w->word[3]);
    else
        return false;
    return true;
}

static bool look_at_record(struct story *s, const struct words *w)
{
    struct dest *d = s->node == NULL ? NULL : site_record(&s->site, s->node, s->domain);
    bool understood = true;

    if (strcmp(w->line, "record none") == 0) {
        if (d != NULL)
            trouble(&s->trouble, "there is a record");
    } else if (d == NULL) {
        trouble(&s->trouble, "there is no record of %s", s->domain);
    } else {
        understood = expect_record(s, w, d);
    }
    dest_free(d);
    return understood;
}

/* When the schedule fetches the policy again: "refetch in 20h..1d", "refetch never" */
static void expect_refetch(struct story *s, const struct words *w)
{
    const struct entry *e = redis_entry(&s->site, s->domain);
    int64_t at = e == NULL ? 0 : e->refresh;

    if (strcmp(w->word[1], "never") == 0) {
        if (at != 0)
            trouble(&s->trouble, "the policy will be fetched again");
    } else if (at == 0) {
        trouble(&s->trouble, "the policy will not be fetched again");
    } else {
        expect_span(s, "refetch in", at - node_now(&s->site, s->node), w->word[2]);
    }
}

/* --- all of them --- */

static void expect(struct story *s, struct wanted *wanted, const char *text)
{
    struct words w;
    bool understood = true;

    words_split(&w, text);
    if (strcmp(w.word[0], "resolves") == 0) {
        wanted->resolutions = times(s, &w);
    } else if (strcmp(w.word[0], "fetches") == 0) {
        wanted->fetches = times(s, &w);
        if (wanted->resolutions.most == 0)
            wanted->resolutions = wanted->fetches;
    } else if (strcmp(w.line, "asks whatever") == 0) {
        wanted->whatever = true;
    } else if (strcmp(w.word[0], "asks") == 0) {
        wanted->exact = true;
        expect_list(s, &w);
    } else if (strcmp(w.word[0], "record") == 0) {
        understood = look_at_record(s, &w);
    } else if (strcmp(w.word[0], "refetch") == 0) {
        expect_refetch(s, &w);
    } else {
        understood = expect_answer(s, &w);
    }
    if (!understood)
        trouble(&s->trouble, "unknown expectation: %s", text);
}

void story_expect(struct story *s)
{
    struct wanted wanted = {.line = s->trouble.line};
    const char *text;

    while ((text = story_indented(s)) != NULL)
        if (s->expecting)
            expect(s, &wanted, text);
    if (s->expecting)
        check_questions(s, &wanted);
}
