/*
 * judge_io.c - see judge_io.h. Changes are only sent when all is decided; and when one cannot be sent the message is
 * put off, so that it never goes on with half of them.
 */
#include "judge_io.h"

#include <stdio.h>
#include <string.h>

#include "charset_io.h"
#include "counters.h"
#include "log.h"
#include "message_rules.h"
#include "unguarded.h"

#define REPLY_MAX      (2 * RULE_REPLY_MAX + 1) /* % is written twice */
#define PARAMETERS_MAX (sizeof("RET=HDRS ") + MESSAGE_ENVID_MAX)

struct judging {
    SMFICTX *ctx;
    const struct session *s;
    struct present *present;
    const char *queue_id;
    struct message_view view;
    struct message_rules seen; /* by rules */
    struct rule_eval *eval;    /* NULL: there are no rules */
    struct rule_outcome outcome;
    struct flag_plan plan;
};

static sfsistat put_off(const struct judging *j, const char *why)
{
    count(COUNT_FAILURES);
    log_error("message-put-off", "qid=%s why=%s", j->queue_id, why);
    if (smfi_setreply(j->ctx, (char[]){"451"}, (char[]){"4.7.1"},
                      (char[]){"This message cannot be looked at now; try again later"}) != MI_SUCCESS)
        log_warning("reply-not-taken", "qid=%s", j->queue_id);
    return SMFIS_TEMPFAIL;
}

/* text is for people; what libmilter takes for a format is made none, and what would end the line a blank. */
static sfsistat refuse(const struct judging *j, const char *status, const char *text)
{
    char code[] = "550", extended[16], reply[REPLY_MAX];
    size_t n = 0;

    for (const char *p = text; *p != '\0' && n + 2 < sizeof(reply); p++) {
        if (*p == '%')
            reply[n++] = '%';
        reply[n++] = (unsigned char)*p < ' ' ? ' ' : *p;
    }
    reply[n] = '\0';
    memcpy(extended, status, strlen(status) + 1);
    if (smfi_setreply(j->ctx, code, extended, reply) != MI_SUCCESS)
        log_warning("reply-not-taken", "qid=%s text=%s", j->queue_id, text);
    return SMFIS_REJECT;
}

/* --- the rules --- */

static void log_unknown(const struct judging *j)
{
    for (size_t i = 0; i < rule_eval_count(j->eval); i++) {
        const struct rule_trace *t = rule_eval_trace(j->eval, i);

        if (t->truth != RULE_UNKNOWN)
            continue;
        count(COUNT_UNKNOWN_RULES);
        log_warning("rule-unknown", "qid=%s rule=%s why=%s counts_as=%s", j->queue_id, t->rule->name, t->why,
                    t->fits ? "fitting" : "not fitting");
    }
}

/* Returns 0, or -1 without memory. */
static int ask_rules(struct judging *j)
{
    const struct snapshot *snapshot = j->s->snapshot;
    const struct message_client client = {.address = j->s->address, .user = j->s->user, .tls = j->s->tls};

    if (rule_set_count(snapshot->rules) == 0)
        return 0;
    if (message_rules_read(&j->seen, &j->view, &client, charset_convert, snapshot->need) != 0)
        return -1;
    j->eval = snapshot_take_eval(snapshot);
    j->outcome = rule_eval_run(j->eval, &j->seen.mail.message, present_in_list, j->present);
    if (j->outcome.unknown > 0)
        log_unknown(j);
    return 0;
}

/* --- the flags --- */

static bool may_say_no(const struct session *s)
{
    return snapshot_heeds_no(s->snapshot, s->user, s->address);
}

static int make_plan(struct judging *j, struct err *e)
{
    const struct flag_message message = {.recipient = j->view.recipient,
                                         .recipients = j->view.recipients,
                                         .refused_tag = j->s->refused_tag,
                                         .mail_requiretls = j->view.requiretls,
                                         .no = may_say_no(j->s) ? j->view.no : TLS_REQUIRED_NONE,
                                         .rule = j->outcome.rule};

    return flag_plan_make(&j->plan, &j->s->snapshot->flag, &message, present_is_local, j->present, e);
}

/* --- what the MTA is told; each returns whether it took it --- */

static bool drop_fields(const struct judging *j, const char *name, size_t count)
{
    for (; count > 0; count--)
        if (smfi_chgheader(j->ctx, unguarded(name), (int)count, NULL) != MI_SUCCESS)
            return false;
    return true;
}

static bool add_tags(const struct judging *j)
{
    for (size_t i = 0; i < j->outcome.tags; i++) {
        const struct rule *tag = rule_eval_tag(j->eval, i);

        if (smfi_addheader(j->ctx, unguarded(tag->tag_name), unguarded(tag->tag_value)) != MI_SUCCESS)
            return false;
    }
    return true;
}

/* As the MTA gave it, and as it may know it. */
static bool delete_recipient(const struct judging *j, const struct flag_edit *edit)
{
    const char *address = j->view.recipient[edit->recipient].address;

    return smfi_delrcpt(j->ctx, unguarded(address)) == MI_SUCCESS &&
           (edit->unrouted == NULL || smfi_delrcpt(j->ctx, edit->unrouted) == MI_SUCCESS);
}

static bool change_recipients(const struct judging *j)
{
    for (size_t i = 0; i < j->plan.edits; i++)
        if (!delete_recipient(j, &j->plan.edit[i]))
            return false;
    for (size_t i = 0; i < j->plan.edits; i++) {
        const struct flag_edit *edit = &j->plan.edit[i];
        char *parameters = edit->parameters[0] == '\0' ? NULL : edit->parameters;

        if (edit->address != NULL && smfi_addrcpt_par(j->ctx, edit->address, parameters) != MI_SUCCESS)
            return false;
    }
    return true;
}

/*
 * A bounce of flagged mail has no body in it (RFC 8689 5). The null sender of a program on the MTA's machine is "",
 * which libmilter does not take.
 */
static bool ask_for_headers_only(const struct judging *j)
{
    const char *sender = j->view.sender[0] == '\0' ? "<>" : j->view.sender;
    char parameters[PARAMETERS_MAX] = "RET=HDRS";

    if (j->plan.required == FLAG_NOT)
        return true;
    if (j->view.envid != NULL)
        snprintf(parameters, sizeof(parameters), "RET=HDRS %s", j->view.envid);
    return smfi_chgfrom(j->ctx, unguarded(sender), parameters) == MI_SUCCESS;
}

static bool record(const struct judging *j)
{
    const char *name = j->s->snapshot->record_header;
    struct buf value;
    bool ok;

    if (name[0] == '\0' || (j->plan.required_count == 0 && j->plan.optional_count == 0))
        return true;
    buf_init(&value, 1000);
    flag_record(&value, &j->plan, j->outcome.rule);
    ok = buf_ok(&value) && smfi_addheader(j->ctx, unguarded(name), value.data) == MI_SUCCESS;
    buf_clear(&value);
    return ok;
}

static bool apply(const struct judging *j)
{
    return drop_fields(j, j->s->snapshot->record_header, j->view.record_fields) &&
           (may_say_no(j->s) || drop_fields(j, TLS_REQUIRED_FIELD, j->view.no_fields)) && add_tags(j) &&
           change_recipients(j) && ask_for_headers_only(j) && record(j);
}

static void tell(const struct judging *j)
{
    const struct flag_plan *p = &j->plan;
    const char *rule = j->outcome.rule == NULL ? NULL : j->outcome.rule->name;

    if (p->required_count > 0) {
        count_required(p->required);
        count_many(COUNT_REQUIRED_RECIPIENTS, p->required_count);
        log_info("requiretls", "qid=%s by=%s rule=%s recipients=%zu", j->queue_id, flag_why_name(p->required), rule,
                 p->required_count);
    }
    if (p->optional_count > 0) {
        count_optional(p->optional);
        count_many(COUNT_OPTIONAL_RECIPIENTS, p->optional_count);
        log_info("tls-optional", "qid=%s by=%s rule=%s recipients=%zu", j->queue_id, flag_why_name(p->optional), rule,
                 p->optional_count);
    }
}

static sfsistat judge(struct judging *j)
{
    struct err e = {""};
    int rc;

    if (ask_rules(j) != 0)
        return put_off(j, "no memory");
    if (j->outcome.action == RULE_REJECT) {
        count(COUNT_REJECTED);
        log_info("rejected", "qid=%s rule=%s", j->queue_id, j->outcome.rule->name);
        return refuse(j, "5.7.1", j->outcome.rule->text);
    }
    rc = make_plan(j, &e);
    if (rc == FLAG_NO_MEMORY)
        return put_off(j, e.text);
    if (rc != 0) {
        count(COUNT_UNFLAGGABLE);
        log_warning("unflaggable", "qid=%s why=%s", j->queue_id, e.text);
        return refuse(j, "5.7.30", e.text);
    }
    if (!apply(j))
        return put_off(j, "the MTA did not take a change");
    tell(j);
    return SMFIS_CONTINUE;
}

sfsistat judge_message(SMFICTX *ctx, struct session *s, struct present *present)
{
    struct judging j = {.ctx = ctx, .s = s, .present = present};
    sfsistat verdict;

    j.queue_id = smfi_getsymval(ctx, (char[]){"i"});
    message_see(&j.view, s->message);
    verdict = message_ok(s->message) ? judge(&j) : put_off(&j, "no memory, or too many recipients");
    if (j.eval != NULL)
        snapshot_give_eval(s->snapshot, j.eval);
    flag_plan_clear(&j.plan);
    message_rules_clear(&j.seen);
    return verdict;
}
