/* maillog_process.c - see maillog_process.h. */
#include "maillog_process.h"

#include <stdlib.h>

#include "maillog_delivery.h"

#define LEFT_SECONDS 60 /* that a session took at most, where no delays= tells */

void maillog_process_free(void *process)
{
    struct maillog_process *p = process;

    if (p != NULL)
        free(p->held);
    free(p);
}

static void forget_session(struct maillog_process *p)
{
    p->session = (struct maillog_session){0};
}

static void forget_message(struct maillog_process *p)
{
    p->queue_id[0] = '\0';
    p->counted[0] = '\0';
    p->held_count = 0;
    p->unclaimed = 0;
}

/* A message that is another than the one before: nothing of that one waits any more. */
static void begin_message(struct maillog_process *p, struct span queue_id)
{
    size_t claimed = p->unclaimed;

    if (!span_equal((struct span){p->queue_id, strlen(p->queue_id)}, queue_id)) {
        if (claimed > 0)
            memmove(p->held, p->held + p->held_count - claimed, claimed * sizeof(*p->held));
        forget_message(p);
        p->held_count = claimed;
        span_copy(p->queue_id, sizeof(p->queue_id), queue_id);
    }
    p->unclaimed = 0;
}

static bool make_room(struct maillog_process *p)
{
    size_t room = p->held_room == 0 ? 1 : p->held_room * 2;
    struct tls_attempt *more;

    if (p->held_count < p->held_room)
        return true;
    more = room > MAILLOG_HELD ? NULL : realloc(p->held, room * sizeof(*p->held));
    if (more == NULL)
        return false;
    p->held = more;
    p->held_room = room;
    return true;
}

static bool hold(struct maillog_process *p, const struct tls_attempt *attempt)
{
    if (!make_room(p))
        return false;
    p->held[p->held_count++] = *attempt;
    return true;
}

/* Now that the domain is known. An address literal, or no domain at all, has nobody to report to. */
static void give_held(struct maillog_process *p, struct span domain, maillog_attempt_fn *fn, void *ctx)
{
    struct tls_attempt *a;

    for (size_t i = 0; i < p->held_count; i++) {
        a = &p->held[i];
        if (domain_normalise(a->domain, domain.at, domain.len, NULL) == 0)
            fn(ctx, a);
    }
    p->held_count = 0;
}

/* Another recipient in the session that was counted: no TLS line came between, and it had begun before. */
static bool is_counted(const struct maillog_process *p, const struct maillog_outcome *o, struct span host)
{
    return p->session.host[0] == '\0' && p->counted[0] != '\0' &&
           span_equal((struct span){p->counted, strlen(p->counted)}, host) && o->at - o->seconds - 1 <= p->counted_at;
}

/* After a handshake that broke, the message went to the same host in plain text: that is how the attempt ended. */
static void mend_held(struct maillog_process *p, const struct maillog_outcome *o)
{
    struct tls_attempt *last = p->held_count == 0 ? NULL : &p->held[p->held_count - 1];

    if (last == NULL || last->tls != ATTEMPT_HANDSHAKE_FAILED || last->end != ATTEMPT_NO_SECURITY)
        return;
    if (o->sent)
        last->end = ATTEMPT_SENT;
    else if (o->end.kind == MAILLOG_END_ANSWERED || o->end.kind == MAILLOG_END_EARLY)
        last->end = ATTEMPT_ANSWERED;
    else if (o->end.kind == MAILLOG_END_LOST || o->end.kind == MAILLOG_END_LOST_EARLY)
        last->end = ATTEMPT_LOST;
}

static void end_session(struct maillog_process *p, const struct maillog_outcome *o)
{
    struct span host = maillog_outcome_host(o, &p->session);
    struct tls_attempt attempt;

    if (is_counted(p, o, host)) {
        mend_held(p, o);
    } else {
        if (maillog_session_attempt(&attempt, &p->session, o))
            (void)hold(p, &attempt);
        span_copy(p->counted, sizeof(p->counted), host);
    }
    p->counted_at = o->at;
    forget_session(p);
}

/* A host was given up, and others are tried: "QID: Cannot start TLS: handshake failure" and so on. */
static void left(struct maillog_process *p, const struct smtp_line *line, int64_t at)
{
    struct maillog_outcome o = {.at = at, .seconds = LEFT_SECONDS};

    maillog_end_read(&o.end, line->text);
    begin_message(p, line->queue_id);
    if (o.end.kind != MAILLOG_END_OTHER)
        end_session(p, &o);
}

static void delivered(struct maillog_process *p, const struct smtp_line *line, int64_t at, maillog_attempt_fn *fn,
                      void *ctx)
{
    struct maillog_delivery d;
    struct maillog_outcome o = {.at = at};

    begin_message(p, line->queue_id);
    if (!maillog_delivery_read(&d, line->text)) {
        forget_message(p);
        forget_session(p);
        return;
    }
    o.seconds = d.seconds;
    o.relay = d.relay;
    o.level = d.level;
    o.sent = d.sent;
    maillog_end_read(&o.end, d.reason);
    if (d.relay.len > 0 && !d.reused)
        end_session(p, &o);
    forget_session(p);
    give_held(p, d.domain, fn, ctx);
}

void maillog_process_line(struct maillog_process *p, const struct smtp_line *line, int64_t at, bool skip,
                          maillog_attempt_fn *fn, void *ctx)
{
    struct tls_attempt attempt;

    if (skip) {
        forget_message(p);
        forget_session(p);
    } else if (line->says == SMTP_SAYS_DELIVERY) {
        delivered(p, line, at, fn, ctx);
    } else if (line->says == SMTP_SAYS_LEFT) {
        left(p, line, at);
    } else if (line->says == SMTP_SAYS_UNNAMED || line->says == SMTP_SAYS_NO_TLSA) {
        if (maillog_passed_attempt(&attempt, line, at) && hold(p, &attempt))
            p->unclaimed++;
    } else {
        maillog_session_note(&p->session, line, at);
    }
}
