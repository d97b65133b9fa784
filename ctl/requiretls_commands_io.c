/*
 * requiretls_commands_io.c - explain --requiretls: the facts from stsd, the plan, the hosts, and what that means, as
 * postern-relayd would have it now.
 */
#include "ask_io.h"
#include "clock.h"
#include "ctl.h"
#include "output_io.h"
#include "requiretls.h"
#include "requiretls_probe_io.h"

#include "conf.h"

#include <stdlib.h>
#include <string.h>

#define STSD    "postern-stsd"
#define WAIT_MS 15000 /* as long as a person waits */

static const struct conf_option timeout_option = {"timeout", CONF_MILLIS, "15s", 100, 600000, 0, "", NULL};

/* Returns 0, or -1 with the reason reported. */
static int read_timeout(int64_t *ms, const struct ctl *ctl)
{
    *ms = WAIT_MS;
    return read_option(ms, &timeout_option, ctl->timeout);
}

/* Returns 0, or -1 with the reason reported. */
static int read_domain(struct nexthop *hop, const char *word)
{
    struct err e = {""};

    if (nexthop_parse(hop, word, strlen(word), &e) == 0 && hop->port == 0 && hop->kind != NEXTHOP_PARENT)
        return 0;
    report_error("\"%.300s\" is no domain that an address may have%s%s", word, e.text[0] != '\0' ? ": " : "", e.text);
    return -1;
}

/* The facts, or NULL with the reason reported: relayd has none then either. */
static struct dest *read_facts(const struct answer *a, const char *domain)
{
    struct dest *d = NULL;
    struct err e = {""};

    if (a->status == CALL_OK)
        d = dest_from_json(buf_text(&a->text), a->text.len, &e);
    if (a->status != CALL_OK) {
        report_refusal(STSD, domain, a);
    } else if (d == NULL) {
        report_error("%s: its answer is no destination record: %s", STSD, e.text);
    } else if (!domain_equal(d->domain, domain)) {
        report_error("%s: asked about %s, it told of %s", STSD, domain, d->domain);
        dest_free(d);
        d = NULL;
    }
    return d;
}

/* Returns 0, or -1 when stsd cannot be asked, with the reason reported: that says nothing of relayd. */
static int ask_facts(struct dest **out, const char *domain, const char *stsd, int64_t ms)
{
    struct answer a = {.status = CALL_TEMP};
    int rc = ask_program(&a, STSD, stsd, "resolve", domain, (int)ms);

    if (rc == 0)
        *out = read_facts(&a, domain);
    answer_clear(&a);
    return rc;
}

static void make_plan(struct requiretls *r, const struct dest *d, const struct conf_relayd *conf)
{
    struct smtp_client_settings own;
    struct relay_path_in in = {.kind = r->hop.kind,
                               .dest = d,
                               .age = DECIDE_FRESH, /* stsd gives no others */
                               .sts_unknown_hold = conf->sts_unknown_hold,
                               .own_name = own.name};

    smtp_client_settings_take(&own, conf);
    r->now = now_seconds();
    relay_path_plan(&r->path, &in, r->now);
}

static int print_result(const struct requiretls *r, const struct ctl *ctl)
{
    static const int codes[] = {[REQUIRETLS_DELIVERED] = CTL_YES,
                                [REQUIRETLS_RETURNED] = CTL_NO,
                                [REQUIRETLS_DEFERRED] = CTL_LATER,
                                [REQUIRETLS_UNDECIDED] = CTL_YES};
    struct requiretls_outcome mail;
    struct buf text;
    int rc;

    requiretls_judge(&mail, r, false);
    if (ctl->options & CTL_JSON) {
        rc = output_json(requiretls_json(r));
    } else {
        buf_init(&text, CTL_OUTPUT_MAX);
        requiretls_print(&text, r, ctl->colour);
        rc = output_and_clear(&text);
    }
    return rc == CTL_YES ? codes[mail.result] : rc;
}

/* The domain has been read. */
static int explain(struct requiretls *r, const struct ctl *ctl, const struct conf *conf, int64_t ms)
{
    struct dest *d = NULL;
    struct err e = {""};
    int rc;

    if (r->hop.kind == NEXTHOP_DOMAIN && ask_facts(&d, r->hop.name, conf->relayd.stsd, ms) != 0)
        return CTL_LATER;
    make_plan(r, d, &conf->relayd);
    if (!r->offline && r->path.usable > 0 && requiretls_probe(r, &conf->relayd, ms, &e) != 0) {
        report_error("the hosts cannot be asked: %s", e.text);
        rc = CTL_USAGE;
    } else {
        rc = print_result(r, ctl);
    }
    dest_free(d);
    return rc;
}

int run_explain_requiretls(const struct ctl *ctl)
{
    struct requiretls *r = calloc(1, sizeof(*r));
    struct conf *conf = NULL;
    int64_t ms;
    int rc = CTL_USAGE;

    if (r == NULL)
        report_error("no memory");
    else if (read_timeout(&ms, ctl) == 0 && read_domain(&r->hop, ctl->word[0]) == 0)
        conf = read_conf(ctl);
    if (conf != NULL) {
        r->offline = (ctl->options & CTL_OFFLINE) != 0;
        rc = explain(r, ctl, conf, ms);
    }
    conf_free(conf);
    free(r);
    return rc;
}
