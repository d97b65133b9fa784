/* publish_sts_text.c - see publish_sts_text.h. */
#include "publish_sts_text.h"

#include "member.h"
#include "print.h"
#include "sts_http.h"
#include "table.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEP_MAX 600

/* --- what to do --- */

static void step(json_t *steps, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void step(json_t *steps, const char *fmt, ...)
{
    char text[STEP_MAX];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    (void)json_array_append_new(steps, json_string(text));
}

static void step_serve(json_t *steps, const struct sts_result *r)
{
    const char *domain = r->plan->next.domain;

    if (!r->plan->before) {
        step(steps, "Have the name " STS_HTTP_LABEL "%s lead to your web server, by A and AAAA records or a CNAME.",
             domain);
        step(steps, "Give that web server a certificate for " STS_HTTP_LABEL "%s, of an authority that senders trust.",
             domain);
    }
    if (r->file != NULL)
        step(steps, "Have the web server serve %s as https://" STS_HTTP_LABEL "%s" STS_HTTP_PATH ", type text/plain.",
             r->file, domain);
    else
        step(steps,
             "Have the web server serve the policy file as https://" STS_HTTP_LABEL "%s" STS_HTTP_PATH
             ": %s, or as a file (--out).",
             domain,
             r->served ? "by a proxy to postern-stsd (stsd.publish_listen), which knows it by now"
                       : "by a proxy to postern-stsd, when stsd.publish_listen is set, which it is not here");
}

static void step_record(json_t *steps, const struct sts_result *r)
{
    const struct published *p = &r->plan->next;

    if (!r->plan->changed)
        step(steps, "Only then publish the TXT record, if it is not in DNS yet.");
    else
        step(steps,
             "Only then %s the TXT record; who sees it before takes the old file for the new one (RFC 8461 8.1).",
             r->plan->before ? "change" : "publish");
    if (r->plan->changed && r->plan->before)
        step(steps,
             "Until the record's TTL has passed, senders go by the policy before: leave what it names in place.");
    step(steps, "Look at all of it from outside: posternctl publish sts %s --check", p->domain);
}

#define TIME_BUF 64

static void time_text(char out[TIME_BUF], int64_t when, int64_t now)
{
    struct buf text;

    buf_init(&text, TIME_BUF - 1);
    print_time(&text, when, now);
    (void)snprintf(out, TIME_BUF, "%s", buf_text(&text));
    buf_clear(&text);
}

static void steps_after(json_t *steps, const struct sts_result *r)
{
    const struct published *p = &r->plan->next;
    int64_t until = sts_held_until(p, r->now);
    char when[TIME_BUF];

    if (p->policy.mode == STS_MODE_TESTING) {
        time_text(when, sts_tested_at(p), r->now);
        step(steps, "Have reports sent to you: posternctl publish tlsrpt %s", p->domain);
        step(steps, "From %s on, with the reports that came: posternctl publish sts %s --promote REPORT...", when,
             p->domain);
    }
    if (p->policy.mode != STS_MODE_NONE)
        return;
    time_text(when, until, r->now);
    if (until > 0)
        step(steps,
             "Leave record and file as they are until %s: so long senders may hold an earlier policy (RFC 8461 8.3). "
             "Then take the record away, and the file: posternctl publish remove %s",
             when, p->domain);
    else
        step(steps,
             "No policy that was served before is known here. Leave record and file as they are for the longest "
             "max_age that ever was; then take them away: posternctl publish remove %s",
             p->domain);
}

/*
 * What to do next, in order, an array of strings: first the file is served, then the record is changed (RFC 8461 8.1),
 * what is on the way out stays until senders hold nothing else (8.3). NULL without memory.
 */
static json_t *steps_json(const struct sts_result *r)
{
    json_t *steps = json_array();

    if (steps == NULL || !r->done)
        return steps;
    step_serve(steps, r);
    step_record(steps, r);
    steps_after(steps, r);
    return steps;
}

/* --- a policy --- */

static void print_facts(struct buf *out, const struct sts_result *r)
{
    const struct published *p = &r->plan->next;

    print_text(out, p->domain, strlen(p->domain));
    buf_printf(out, ": mode %s, max_age %" PRIu32 " (", sts_mode_name(p->policy.mode), p->policy.max_age);
    print_span(out, p->policy.max_age);
    buf_printf(out, "), id %s%s%s\n", p->id, r->plan->changed ? "" : ", as it was", r->done ? "" : " (not published)");
}

static void print_policy(struct buf *out, const struct sts_policy *policy)
{
    const char *line;
    size_t len, pos = 0;
    struct buf body;

    buf_init(&body, STS_BODY_MAX);
    published_body(&body, policy);
    while (sts_policy_line(&line, &len, &pos, buf_text(&body), body.len) == 1) {
        buf_str(out, "  ");
        buf_add(out, line, len);
        buf_char(out, '\n');
    }
    buf_clear(&body);
}

static void print_steps(struct buf *out, const struct sts_result *r, bool colour)
{
    json_t *steps = steps_json(r);

    if (steps == NULL)
        out->failed = true;
    if (json_array_size(steps) > 0) {
        buf_char(out, '\n');
        print_tinted(out, "What to do, in this order:", TINT_HEAD, colour);
        buf_char(out, '\n');
    }
    for (size_t i = 0; i < json_array_size(steps); i++) {
        const char *text = json_string_value(json_array_get(steps, i));

        buf_printf(out, "%2zu. ", i + 1);
        print_text(out, text, strlen(text));
        buf_char(out, '\n');
    }
    json_decref(steps);
}

/* The failures of reports, a row each; nothing when there are none. */
static void print_failures(struct buf *out, const struct sts_failures *f, bool colour)
{
    static const char *const head[] = {"RESULT", "SENDER", "MX HOST", "SESSIONS"};
    struct table *t;

    if (f == NULL || f->count == 0)
        return;
    t = table_new_headed(head, sizeof(head) / sizeof(head[0]));
    for (size_t i = 0; i < f->count; i++) {
        table_add(t, TINT_BAD, f->row[i].type);
        table_add(t, TINT_NONE, f->row[i].sender);
        table_add(t, TINT_NONE, f->row[i].host);
        table_addf(t, TINT_NONE, "%" PRId64, f->row[i].sessions);
    }
    table_print(out, t, 0, colour);
    table_free(t);
    buf_char(out, '\n');
}

void sts_result_print(struct buf *out, const struct sts_result *r, bool colour)
{
    const struct published *p = &r->plan->next;
    char txt[STS_TXT_BUF];

    if (r->verdicts->count > 0) {
        verdicts_print(out, r->verdicts, colour);
        buf_char(out, '\n');
    }
    print_failures(out, r->failures, colour);
    print_facts(out, r);
    buf_printf(out, "\nhttps://" STS_HTTP_LABEL "%s" STS_HTTP_PATH ":\n", p->domain);
    print_policy(out, &p->policy);
    sts_txt(txt, p->id);
    buf_printf(out, "\n_mta-sts.%s. IN TXT \"%s\"\n", p->domain, txt);
    print_steps(out, r, colour);
}

static json_t *policy_json(const struct published *p)
{
    return json_pack("{s:s, s:s, s:I, s:o, s:s, s:I, s:I, s:I, s:s}", "domain", p->domain, "mode",
                     sts_mode_name(p->policy.mode), "max_age", (json_int_t)p->policy.max_age, "mx",
                     string_array(p->policy.mx, p->policy.mx_count), "id", p->id, "changed", (json_int_t)p->changed,
                     "since", (json_int_t)p->since, "held_until", (json_int_t)p->held, "by", p->by);
}

static json_t *failures_json(const struct sts_failures *f)
{
    json_t *array = json_array();

    for (size_t i = 0; f != NULL && i < f->count && array != NULL; i++)
        if (json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:I}", "result", f->row[i].type, "sender",
                                                   f->row[i].sender, "host", f->row[i].host, "sessions",
                                                   (json_int_t)f->row[i].sessions)) != 0) {
            json_decref(array);
            array = NULL;
        }
    return array;
}

json_t *sts_result_json(const struct sts_result *r)
{
    char txt[STS_TXT_BUF], name[DOMAIN_BUF + 16];
    json_t *object = policy_json(&r->plan->next);
    json_t *more;
    struct buf body;

    sts_txt(txt, r->plan->next.id);
    (void)snprintf(name, sizeof(name), "_mta-sts.%s.", r->plan->next.domain);
    buf_init(&body, STS_BODY_MAX);
    published_body(&body, &r->plan->next.policy);
    more = json_pack("{s:b, s:b, s:s, s:{s:s, s:s}, s:o, s:o, s:o}", "published", r->done, "new", r->plan->changed,
                     "policy", buf_text(&body), "record", "name", name, "txt", txt, "verdicts",
                     verdicts_json(r->verdicts), "failures", failures_json(r->failures), "steps", steps_json(r));
    buf_clear(&body);
    if (object == NULL || more == NULL || json_object_update(object, more) != 0) {
        json_decref(object);
        object = NULL;
    }
    json_decref(more);
    return object;
}

/* --- publish list --- */

static enum tint mode_tint(enum sts_mode mode)
{
    return mode == STS_MODE_ENFORCE ? TINT_GOOD : mode == STS_MODE_TESTING ? TINT_WARN : TINT_NONE;
}

static void add_domain(struct table *t, const struct published *p, int64_t now)
{
    struct buf text;

    buf_init(&text, 100);
    table_add(t, TINT_NONE, p->domain);
    table_add(t, mode_tint(p->policy.mode), sts_mode_name(p->policy.mode));
    print_time(&text, p->since, now);
    table_add(t, TINT_NONE, buf_text(&text));
    buf_reset(&text);
    print_span(&text, p->policy.max_age);
    table_add(t, TINT_NONE, buf_text(&text));
    table_add(t, TINT_NONE, p->id);
    for (size_t i = 0; i < p->policy.mx_count; i++) {
        for (int blank = 0; i > 0 && blank < 5; blank++)
            table_add(t, TINT_NONE, NULL);
        table_add(t, TINT_NONE, p->policy.mx[i]);
    }
    table_end_row(t);
    buf_clear(&text);
}

void sts_list_print(struct buf *out, const struct sts_listed *row, size_t count, char *const *without, size_t withouts,
                    int64_t now, bool colour)
{
    static const char *const head[] = {"DOMAIN", "MODE", "SINCE", "MAX_AGE", "ID", "MX"};
    struct table *t = table_new_headed(head, sizeof(head) / sizeof(head[0]));

    for (size_t i = 0; i < count; i++) {
        if (row[i].policy != NULL) {
            add_domain(t, row[i].policy, now);
            continue;
        }
        table_add(t, TINT_NONE, row[i].domain);
        table_addf(t, TINT_BAD, "cannot be read: %s", row[i].why);
        table_end_row(t);
    }
    if (count > 0)
        table_print(out, t, 0, colour);
    else
        buf_str(out, "no domain publishes a policy\n");
    table_free(t);
    for (size_t i = 0; i < withouts; i++) {
        print_text(out, without[i], strlen(without[i]));
        buf_str(out, ": in the list local, publishes no policy\n");
    }
}

json_t *sts_list_json(const struct sts_listed *row, size_t count, char *const *without, size_t withouts)
{
    json_t *domains = json_array();

    for (size_t i = 0; i < count && domains != NULL; i++) {
        json_t *one = row[i].policy != NULL ? policy_json(row[i].policy)
                                            : json_pack("{s:o, s:o}", "domain", harmless_string(row[i].domain), "error",
                                                        harmless_string(row[i].why));

        if (json_array_append_new(domains, one) != 0) {
            json_decref(domains);
            domains = NULL;
        }
    }
    return json_pack("{s:o, s:o}", "domains", domains, "without", string_array(without, withouts));
}
