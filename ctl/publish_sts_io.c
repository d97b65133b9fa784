/* publish_sts_io.c - posternctl publish sts: make, check and promote the policy of a domain of ours. */
#include "clock.h"
#include "list_session_io.h"
#include "output_io.h"
#include "probe_io.h"
#include "publish_io.h"
#include "publish_session_io.h"
#include "publish_sts_check_io.h"
#include "publish_sts_text.h"
#include "report_file_io.h"
#include "whole_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct conf_option age_option = {"max-age", CONF_SECONDS, "1d", 0, STS_MAX_AGE_MAX, 0, "", NULL};

/* --- what is asked for --- */

struct wish {
    struct sts_wish wish;
    char (*mx)[DOMAIN_BUF];
    char **list;
};

static int read_mode(struct sts_wish *w, const char *word)
{
    if (word == NULL)
        return CTL_YES;
    w->has_mode = sts_mode_from_name(&w->mode, word, strlen(word)) == 1;
    if (w->has_mode)
        return CTL_YES;
    report_error("--mode: \"%.100s\" is none; there are testing, enforce and none", word);
    return CTL_USAGE;
}

static int read_age(struct sts_wish *w, const char *word)
{
    int64_t seconds = 0;

    w->has_max_age = word != NULL;
    if (read_option(&seconds, &age_option, word) != 0)
        return CTL_USAGE;
    w->max_age = (uint32_t)seconds;
    return CTL_YES;
}

/* In their one form, and each once. */
static int read_patterns(struct wish *w, const struct ctl_values *mx)
{
    struct err e = {""};
    size_t count = 0;

    w->mx = calloc(mx->count > 0 ? mx->count : 1, sizeof(*w->mx));
    w->list = calloc(mx->count > 0 ? mx->count : 1, sizeof(*w->list));
    if (w->mx == NULL || w->list == NULL) {
        report_error("no memory");
        return CTL_NO;
    }
    for (size_t i = 0; i < mx->count; i++) {
        bool double_one = false;

        if (sts_pattern_normalise(w->mx[count], mx->value[i], strlen(mx->value[i]), &e) != 0) {
            report_error("--mx %.300s: %s", mx->value[i], e.text);
            return CTL_USAGE;
        }
        for (size_t k = 0; k < count; k++)
            double_one |= strcmp(w->mx[k], w->mx[count]) == 0;
        w->list[count] = w->mx[count];
        count += !double_one;
    }
    w->wish.mx = w->list;
    w->wish.mx_count = count;
    return CTL_YES;
}

static int read_wish(struct wish *w, const struct ctl *ctl)
{
    int rc = read_mode(&w->wish, ctl->mode);

    if (rc == CTL_YES)
        rc = read_age(&w->wish, ctl->max_age);
    return rc == CTL_YES ? read_patterns(w, &ctl->mx) : rc;
}

static void wish_clear(struct wish *w)
{
    free(w->mx);
    free(w->list);
}

/* --- publishing --- */

struct publishing {
    struct publish_session s;
    const struct ctl *ctl;
    struct wish wish;
    struct sts_plan plan;
    struct verdicts verdicts;
    struct sts_failures failures;
    bool judged; /* the verdicts are there already */
};

static enum sts_mode mode_to_be(const struct publishing *p)
{
    const struct published *before = publish_session_before(&p->s);

    return p->wish.wish.has_mode ? p->wish.wish.mode : before != NULL ? before->policy.mode : STS_MODE_TESTING;
}

/* why: there are no facts. */
static int make_plan(struct publishing *p, const struct dest *facts, const char *why)
{
    struct err e = {""};
    int rc = (int)sts_plan_make(&p->plan, p->s.domain, publish_session_before(&p->s), facts, &p->wish.wish, p->s.now,
                                list_session_author(p->ctl), &e);

    if (rc == CTL_LATER && facts == NULL)
        report_error("%s: %s (%s)", p->s.domain, e.text, why);
    else if (rc != CTL_YES)
        report_error("%s: %s", p->s.domain, e.text);
    return rc;
}

/* An enforced policy is looked at with the eyes of a sender, before it is published. */
static int plan_enforced(struct publishing *p)
{
    struct err e = {""};
    struct probe *probe = p->judged ? NULL : probe_run(p->s.conf, p->s.domain, PROBE_PORT, STS_PROBE_MS, &e);
    struct dest *facts = probe == NULL ? publish_facts(p->s.conf, p->s.domain, &e) : NULL;
    const struct dest *known = probe != NULL ? probe->dest : facts;
    int rc = make_plan(p, known, e.text);

    if (rc == CTL_YES && !p->judged) {
        sts_judge_hosts(&p->verdicts, &p->plan.next.policy, known, e.text);
        sts_judge_probe(&p->verdicts, probe, e.text);
    }
    if (rc == CTL_YES && (!p->judged || p->wish.wish.has_max_age))
        sts_judge_age(&p->verdicts, &p->plan.next.policy);
    probe_free(probe);
    dest_free(facts);
    return rc;
}

static int plan_other(struct publishing *p)
{
    struct err e = {""};
    struct dest *facts = publish_facts(p->s.conf, p->s.domain, &e);
    int rc = make_plan(p, facts, e.text);

    if (rc == CTL_YES) {
        sts_judge_hosts(&p->verdicts, &p->plan.next.policy, facts, e.text);
        sts_judge_age(&p->verdicts, &p->plan.next.policy);
    }
    dest_free(facts);
    return rc;
}

/* Returns CTL_YES when it may be published. */
static int may_publish(const struct publishing *p)
{
    int rc = (int)verdicts_exit(&p->verdicts);

    if (rc == CTL_YES || (p->ctl->options & CTL_FORCE) != 0)
        return CTL_YES;
    report_error("%s: not published, and what was published before stays: %s; --force goes on all the same",
                 p->s.domain,
                 rc == CTL_NO ? "see the lines that say bad" : "see the lines that say unknown, or try again later");
    return rc;
}

static int print_result(const struct publishing *p, bool done, const char *file)
{
    const struct sts_result r = {.plan = &p->plan,
                                 .verdicts = &p->verdicts,
                                 .failures = &p->failures,
                                 .now = p->s.now,
                                 .done = done,
                                 .file = file,
                                 .served = p->s.conf->stsd.publish_listen[0] != '\0'};
    struct buf text;

    if (p->ctl->options & CTL_JSON)
        return output_json(sts_result_json(&r));
    buf_init(&text, CTL_OUTPUT_MAX);
    sts_result_print(&text, &r, p->ctl->colour);
    return output_and_clear(&text);
}

/* Web servers run as somebody else. */
static int write_file(const char *path, const struct sts_policy *policy)
{
    const struct whole_file_owner as = {.mode = 0644, .uid = (uid_t)-1, .gid = (gid_t)-1};
    struct buf body;
    int rc = CTL_YES;

    buf_init(&body, STS_BODY_MAX);
    published_body(&body, policy);
    if (!buf_ok(&body))
        errno = ENOMEM;
    if (!buf_ok(&body) || whole_file_put(path, buf_text(&body), body.len, &as) != 0) {
        report_error("cannot write %s: %s", path, strerror(errno));
        report_error("the policy is kept in Redis, and served by postern-stsd; the file is not written");
        rc = CTL_NO;
    }
    buf_clear(&body);
    return rc;
}

static int store(struct publishing *p)
{
    struct err e = {""};

    if (!p->plan.changed)
        return CTL_YES;
    return publish_session_edited(&p->s, published_store_write(p->s.ask, &p->s.stored, &p->plan.next, &e), &e);
}

/* When the file cannot be written it is published all the same, and what to do is told. */
static int store_and_print(struct publishing *p)
{
    int rc = store(p), printed;
    const char *file = NULL;

    if (rc != CTL_YES)
        return rc;
    if (p->ctl->out != NULL) {
        rc = write_file(p->ctl->out, &p->plan.next.policy);
        file = rc == CTL_YES ? p->ctl->out : NULL;
    }
    printed = print_result(p, true, file);
    return rc == CTL_YES ? printed : rc;
}

static int publish(struct publishing *p)
{
    int rc = mode_to_be(p) == STS_MODE_ENFORCE ? plan_enforced(p) : plan_other(p);
    int printed;

    if (rc != CTL_YES)
        return rc;
    rc = may_publish(p);
    if (rc == CTL_YES && (p->ctl->options & CTL_DRY_RUN) == 0)
        return store_and_print(p);
    printed = print_result(p, false, NULL);
    return rc == CTL_YES ? printed : rc;
}

/* --- --check --- */

/* Without Redis it goes on: all the rest can be seen from outside. */
static int check(struct publishing *p)
{
    int rc = publish_session_read(&p->s, p->ctl);

    if (rc != CTL_YES)
        verdicts_add(&p->verdicts, VERDICT_UNKNOWN, "Redis", "what was published cannot be compared with");
    else if (publish_session_before(&p->s) == NULL)
        verdicts_add(&p->verdicts, VERDICT_WARN, "Redis", "knows of no policy of the domain; posternctl publish sts %s",
                     p->s.domain);
    sts_check(&p->verdicts, p->s.conf, p->s.domain, publish_session_before(&p->s), true);
    return publish_verdicts(
        p->ctl, &p->verdicts,
        json_pack("{s:s, s:s}", "domain", p->s.domain, "verdict", verdict_level_name(verdicts_worst(&p->verdicts))));
}

/* --- --promote --- */

static int read_reports(struct publishing *p, const struct published *before)
{
    for (size_t i = 1; i < p->ctl->word_count; i++) {
        struct report_found found;
        int rc = report_file_read(&found, p->ctl->word[i]);

        if (rc != CTL_YES)
            return CTL_USAGE;
        sts_failures_add(&p->failures, found.json, p->s.domain, before->changed);
        report_found_clear(&found);
    }
    return CTL_YES;
}

static int promote(struct publishing *p)
{
    const struct published *before = publish_session_before(&p->s);
    int rc;

    if (before == NULL || before->policy.mode == STS_MODE_NONE) {
        report_error("%s: %s, so there is nothing to be promoted; begin with \"posternctl publish sts %s%s\"",
                     p->s.domain, before == NULL ? "no policy is published" : "the policy is in mode none", p->s.domain,
                     before == NULL ? "" : " --mode testing");
        return CTL_NO;
    }
    rc = read_reports(p, before);
    if (rc != CTL_YES)
        return rc;
    if (before->policy.mode == STS_MODE_TESTING)
        sts_judge_testing(&p->verdicts, before, p->s.now);
    sts_judge_reports(&p->verdicts, &p->failures);
    sts_check(&p->verdicts, p->s.conf, p->s.domain, before, true);
    p->judged = true;
    p->wish.wish.has_mode = true;
    p->wish.wish.mode = STS_MODE_ENFORCE;
    return publish(p);
}

/* --- all of it --- */

static int wrong_words(const struct ctl *ctl)
{
    const uint64_t makes = CTL_MODE | CTL_MX | CTL_MAX_AGE | CTL_OUT | CTL_DRY_RUN | CTL_FORCE | CTL_BY;

    if ((ctl->options & CTL_CHECK) != 0 && (ctl->options & (makes | CTL_PROMOTE)) != 0)
        report_error("publish sts: --check changes nothing, and goes with --json alone");
    else if ((ctl->options & CTL_PROMOTE) != 0 && (ctl->options & (CTL_MODE | CTL_MX)) != 0)
        report_error("publish sts: --promote does not go with --mode or --mx");
    else if ((ctl->options & CTL_PROMOTE) == 0 && ctl->word_count > 1)
        report_error("publish sts: files of reports go with --promote");
    else
        return CTL_YES;
    return CTL_USAGE;
}

static int run(struct publishing *p)
{
    int rc = wrong_words(p->ctl);

    if (rc == CTL_YES)
        rc = read_wish(&p->wish, p->ctl);
    if (rc == CTL_YES)
        rc = publish_session_begin(&p->s, p->ctl);
    if (rc == CTL_YES && (p->ctl->options & CTL_CHECK) != 0)
        return check(p);
    if (rc == CTL_YES)
        rc = publish_session_read(&p->s, p->ctl);
    if (rc != CTL_YES)
        return rc;
    return (p->ctl->options & CTL_PROMOTE) != 0 ? promote(p) : publish(p);
}

int run_publish_sts(const struct ctl *ctl)
{
    struct publishing p = {.ctl = ctl};
    int rc = run(&p);

    publish_session_end(&p.s);
    wish_clear(&p.wish);
    sts_plan_clear(&p.plan);
    verdicts_clear(&p.verdicts);
    sts_failures_clear(&p.failures);
    return rc;
}
