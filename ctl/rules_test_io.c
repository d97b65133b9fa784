/*
 * rules_test_io.c - posternctl rules test: what the milter would do with a message. Its own parts are asked, in the
 * order of judge_io.c; only what an MTA would do is left out.
 */
#include "clock.h"
#include "output_io.h"
#include "rules_known_io.h"
#include "rules_letter_io.h"
#include "rules_lists_io.h"
#include "rules_session_io.h"
#include "rules_verdict.h"

#include "charset_io.h"
#include "domain.h"
#include "message_rules.h"
#include "snapshot.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define NOTES_MAX 2000

struct test {
    const struct ctl *ctl;
    struct rules_session s;
    struct rules_lists lists;
    struct buf text; /* of the rules behind those of the configuration */
    struct snapshot *snapshot;
    struct message *message;
    struct message_wants wants;
    char address[ADDRESS_BUF]; /* of the client; "": this machine */
    struct message_rules seen;
    struct rule_eval *eval;
    struct buf notes, reply, record;
    struct rules_verdict verdict;
};

static void note(struct test *t, const char *what)
{
    buf_printf(&t->notes, "%s\n", what);
}

static int no_memory(void)
{
    report_error("no memory");
    return CTL_NO;
}

/* --- the rules --- */

static int rules_from_file(struct test *t)
{
    struct err e = {""};

    if (rules_known_input(&t->text, t->ctl->rules, &e) == 0)
        return CTL_YES;
    report_error("%s", e.text);
    return CTL_USAGE;
}

static int rules_from_redis(struct test *t)
{
    struct rules_stored stored;
    struct err e = {""};

    if (t->s.ask == NULL)
        return CTL_YES;
    if (rules_store_read(t->s.ask, &stored, &e) != 0) {
        report_error("%s", e.text);
        return CTL_NO;
    }
    (void)rules_known_allows(&stored, t->s.conf->milter.rules_file); /* said, if the milter goes by others */
    buf_add(&t->text, buf_text(&stored.text), stored.text.len);
    rules_store_clear(&stored);
    return CTL_YES;
}

/* All or none, as the milter has them. */
static int rules_take(struct test *t, const char *where)
{
    struct err e = {""};

    if (rules_session_read(&t->s, where, &t->text) > 0) {
        report_error("rules test: these rules cannot be read, so the milter would not take them up");
        return CTL_NO;
    }
    t->snapshot = snapshot_new(&t->s.conf->milter, buf_text(&t->text), t->text.len, &e);
    if (t->snapshot != NULL)
        return CTL_YES;
    report_error("%s", e.text);
    return CTL_NO;
}

/* Without Redis it goes on, and says so. */
static int rules_read(struct test *t)
{
    const char *file = t->ctl->rules;
    int rc;

    if (rules_session_has_redis(&t->s) && rules_session_connect(&t->s, t->ctl) != CTL_YES)
        note(t,
             file != NULL ? "Redis could not be asked for lists" : "Redis could not be asked: its rules are not here");
    rc = file != NULL ? rules_from_file(t) : rules_from_redis(t);
    return rc == CTL_YES ? rules_take(t, file != NULL ? file : "rules in Redis") : rc;
}

/* --- the message --- */

static int words_check(struct test *t)
{
    const char *client = t->ctl->client, *rules = t->ctl->rules;

    if (rules != NULL && strcmp(rules, "-") == 0 && strcmp(t->ctl->word[0], "-") == 0) {
        report_error("rules test: rules and message cannot both come from standard input; name a file for one of them");
        return CTL_USAGE;
    }
    if (client == NULL || address_normalise(t->address, client, strlen(client)) == 1)
        return CTL_YES;
    report_error("rules test: --client %s: no address; write 192.0.2.1 or 2001:db8::1", client);
    return CTL_USAGE;
}

static int message_read(struct test *t)
{
    struct err e = {""};

    t->wants = snapshot_wants(t->snapshot);
    t->message = message_new();
    if (t->message == NULL)
        return no_memory();
    message_begin(t->message, &t->wants);
    if (rules_letter_read(t->message, t->ctl->word[0], t->ctl, &e) != 0) {
        report_error("%s", e.text);
        return CTL_USAGE;
    }
    message_see(&t->verdict.view, t->message);
    if (t->ctl->sender == NULL)
        note(t, "no --sender was given: the null sender");
    if (t->ctl->rcpt.count == 0)
        note(t, "no --rcpt was given: no rule about recipients fits, and nobody is flagged");
    return CTL_YES;
}

/* --- the verdict --- */

static int rules_ask(struct test *t)
{
    const struct message_client client = {
        .address = t->address, .user = t->ctl->user, .tls = (t->ctl->options & CTL_TLS) != 0};

    t->eval = rule_eval_new(t->snapshot->rules);
    if (t->eval == NULL ||
        message_rules_read(&t->seen, &t->verdict.view, &client, charset_convert, t->snapshot->need) != 0)
        return no_memory();
    t->verdict.eval = t->eval;
    t->verdict.outcome = rule_eval_run(t->eval, &t->seen.mail.message, rules_lists_ask, &t->lists);
    return CTL_YES;
}

static int flags_plan(struct test *t)
{
    struct rules_verdict *v = &t->verdict;
    const struct flag_message message = {.recipient = v->view.recipient,
                                         .recipients = v->view.recipients,
                                         .no = v->no_heeded ? v->view.no : TLS_REQUIRED_NONE,
                                         .rule = v->outcome.rule};
    struct err e = {""};
    int rc = flag_plan_make(&v->plan, v->flag, &message, rules_lists_local, &t->lists, &e);

    if (rc == FLAG_NO_MEMORY)
        return no_memory();
    if (rc != 0) {
        buf_printf(&t->reply, "550 5.7.30 %s", e.text);
    } else if (t->snapshot->record_header[0] != '\0' && (v->plan.required_count > 0 || v->plan.optional_count > 0)) {
        buf_printf(&t->record, "%s: ", t->snapshot->record_header);
        flag_record(&t->record, &v->plan, v->outcome.rule);
    }
    return CTL_YES;
}

static bool starttls_missing(struct test *t)
{
    return (t->ctl->options & CTL_TLS) == 0 && t->address[0] != '\0' &&
           rules_lists_ask(&t->lists, LIST_INBOUND_REQUIRE, t->address, strlen(t->address)) == 1;
}

static int judge(struct test *t)
{
    struct rules_verdict *v = &t->verdict;
    int rc = CTL_YES;

    v->flag = &t->snapshot->flag;
    v->is_local = rules_lists_local;
    v->context = &t->lists;
    v->no_heeded = snapshot_heeds_no(t->snapshot, t->ctl->user, t->address);
    if (starttls_missing(t))
        buf_str(&t->reply, "530 5.7.0 Must issue a STARTTLS command first");
    else
        rc = rules_ask(t);
    if (rc == CTL_YES && v->outcome.action == RULE_REJECT)
        buf_printf(&t->reply, "550 5.7.1 %s", v->outcome.rule->text);
    else if (rc == CTL_YES && t->reply.len == 0)
        rc = flags_plan(t);
    if (rules_lists_missed(&t->lists))
        note(t, "lists could not be asked: what was to be in one is unknown, and no domain is one of ours");
    v->reply = buf_text(&t->reply);
    v->record = buf_text(&t->record);
    v->notes = buf_text(&t->notes);
    return rc;
}

static int tell(const struct test *t)
{
    struct buf text;

    if (t->ctl->options & CTL_JSON)
        return output_json(rules_verdict_json(&t->verdict));
    buf_init(&text, RULES_VERDICT_MAX);
    rules_verdict_print(&text, &t->verdict, t->ctl->colour);
    return output_and_clear(&text);
}

static int run(struct test *t)
{
    int rc = rules_session_begin(&t->s, t->ctl);

    if (rc == CTL_YES)
        rc = words_check(t);
    if (rc == CTL_YES)
        rc = rules_read(t);
    if (rc == CTL_YES && rules_lists_init(&t->lists, t->s.ask, rules_session_has_redis(&t->s), now_seconds()) != 0)
        rc = no_memory();
    if (rc == CTL_YES)
        rc = message_read(t);
    if (rc == CTL_YES)
        rc = judge(t);
    return rc == CTL_YES ? tell(t) : rc;
}

int run_rules_test(const struct ctl *ctl)
{
    struct test t = {.ctl = ctl};
    int rc;

    buf_init(&t.text, RULES_TEXT_MAX);
    buf_init(&t.notes, NOTES_MAX);
    buf_init(&t.reply, NOTES_MAX);
    buf_init(&t.record, NOTES_MAX);
    rc = run(&t);
    flag_plan_clear(&t.verdict.plan);
    rule_eval_free(t.eval);
    message_rules_clear(&t.seen);
    message_free(t.message);
    snapshot_release(t.snapshot);
    rules_lists_clear(&t.lists);
    buf_clear(&t.text);
    buf_clear(&t.notes);
    buf_clear(&t.reply);
    buf_clear(&t.record);
    rules_session_end(&t.s);
    return rc;
}
