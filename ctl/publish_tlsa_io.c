/* publish_tlsa_io.c - posternctl publish tlsa: the TLSA records of a server, and how its key changes. */
#include "ctl.h"
#include "output_io.h"
#include "probe_io.h"
#include "publish_io.h"
#include "publish_tlsa.h"
#include "publish_view_io.h"
#include "tlsa_match.h"
#include "zone_text.h"

#include "conf.h"

#include <stdlib.h>
#include <string.h>

/* --- the records and the plan --- */

static void add_record(struct buf *zone, const struct tlsa_view *view, const struct tlsa_key *key)
{
    struct tlsa rr = tlsa_of_digest(key->digest);

    if (!key->there)
        return;
    zone_comment(zone, "%s", key->label);
    zone_tlsa(zone, view->host, view->port, (uint32_t)view->tlsa_ttl, &rr);
}

static void add_plan(struct buf *zone, const struct tlsa_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        zone_comment(zone, "%zu. [%s] %s", i + 1, plan->step[i].state, plan->step[i].text);
    zone_comment(zone, "Now: %s", plan->judged.why);
}

static json_t *plan_json(const struct tlsa_plan *plan)
{
    json_t *steps = json_array();

    for (size_t i = 0; i < plan->count; i++)
        (void)json_array_append_new(steps, json_pack("{s:i, s:s, s:s}", "step", (int)i + 1, "state",
                                                     plan->step[i].state, "text", plan->step[i].text));
    return steps;
}

static int print_all(const struct ctl *ctl, const struct tlsa_view *view, const struct verdicts *notes)
{
    struct tlsa_plan plan;
    struct buf zone;
    int rc;

    tlsa_plan(&plan, view);
    buf_init(&zone, PUBLISH_ZONE_MAX);
    publish_comments(&zone, notes);
    add_plan(&zone, &plan);
    add_record(&zone, view, view->live);
    add_record(&zone, view, view->next);
    if (!(ctl->options & CTL_JSON))
        return output_and_clear(&zone);
    rc = output_json(json_pack("{s:s, s:i, s:I, s:s, s:s, s:s, s:o, s:o}", "host", view->host, "port", (int)view->port,
                               "ttl", (json_int_t)plan.judged.ttl, "step", tlsa_step_name(plan.judged.step), "why",
                               plan.judged.why, "zone", buf_text(&zone), "plan", plan_json(&plan), "notes",
                               verdicts_json(notes)));
    buf_clear(&zone);
    return rc;
}

/* Records that do not fit what the server shows would stop its mail. */
static int print_or_refuse(const struct ctl *ctl, const struct tlsa_view *view)
{
    struct verdicts notes = {0};
    int rc;

    tlsa_before(&notes, view);
    if (tlsa_served(view) != TLSA_SERVED_OTHER || (ctl->options & CTL_FORCE)) {
        rc = print_all(ctl, view, &notes);
    } else {
        for (size_t i = 0; i < notes.count && !notes.failed; i++)
            if (notes.line[i].level == VERDICT_BAD)
                report_error("%s %s", notes.line[i].what, notes.line[i].words);
        report_error("no record is printed, as mail would stop; --force prints them nevertheless");
        rc = CTL_NO;
    }
    verdicts_clear(&notes);
    return rc;
}

void publish_tlsa_zone(struct buf *zone, const struct tlsa_key *key, const struct conf *conf, const char *host)
{
    const struct tlsa_view view = {.host = host, .port = PROBE_PORT, .tlsa_ttl = conf->certs.tlsa_ttl};

    add_record(zone, &view, key);
}

/* --- the command --- */

static int check(const struct ctl *ctl, const struct tlsa_view *view)
{
    struct verdicts v = {0};
    int rc;

    tlsa_check(&v, view, true);
    rc = publish_verdicts(ctl, &v, json_pack("{s:s, s:i}", "host", view->host, "port", (int)view->port));
    verdicts_clear(&v);
    return rc;
}

static int with_keys(const struct ctl *ctl, const struct conf *conf, const char *host, uint16_t port)
{
    bool checks = (ctl->options & CTL_CHECK) != 0;
    struct publish_view v;
    struct err e = {""};
    int rc = publish_view_keys(&v, conf, host, ctl->cert, ctl->next, &e);

    if (rc < 0 || (rc == 0 && !checks)) {
        if (rc < 0)
            report_error("%s", e.text);
        else
            report_error("%s: no certificate that can be read here is for this host: name one with --cert, a file or "
                         "one of \"posternctl cert list\" (as root); for a domain, \"posternctl publish all\" looks "
                         "at each of its MX hosts",
                         host);
        rc = CTL_USAGE;
    } else if (publish_view_look(&v, conf, port, &e) != 0) {
        report_error("%s", e.text);
        rc = CTL_LATER;
    } else {
        rc = checks ? check(ctl, &v.view) : print_or_refuse(ctl, &v.view);
    }
    publish_view_clear(&v);
    return rc;
}

static const struct conf_option port_option = {"port", CONF_NUMBER, "25", 1, 65535, 0, "", NULL};

int run_publish_tlsa(const struct ctl *ctl)
{
    struct conf *conf = read_conf(ctl);
    char host[DOMAIN_BUF];
    int64_t port = PROBE_PORT;
    int rc = CTL_USAGE;

    if (conf != NULL && publish_domain(host, ctl) == 0 && read_option(&port, &port_option, ctl->port) == 0)
        rc = with_keys(ctl, conf, host, (uint16_t)port);
    conf_free(conf);
    return rc;
}
