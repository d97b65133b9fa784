/* session_io.c - see session_io.h. */
#include "session_io.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "counters.h"
#include "judge_io.h"
#include "log.h"

/* All that a message may be changed by. An MTA that does not offer it all cannot be served. */
#define ACTIONS (SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_ADDRCPT_PAR | SMFIF_DELRCPT | SMFIF_CHGFROM | SMFIF_SETSYMLIST)

/* Never wanted. */
#define STEPS_UNUSED (SMFIP_NOHELO | SMFIP_NOUNKNOWN)

/*
 * These need no reply before the MTA goes on. The end of the header tells nothing, but without it libmilter takes the
 * end of a message without header fields, after DATA, for an error.
 */
#define STEPS_UNANSWERED (SMFIP_NR_CONN | SMFIP_NR_RCPT | SMFIP_NR_HDR | SMFIP_NR_EOH)

static struct present *present;
static bool by_tcp;
static atomic_size_t open_sessions;
static atomic_size_t busy_sessions;
static atomic_bool refusing;

size_t sessions_open(void)
{
    return atomic_load(&open_sessions);
}

size_t sessions_busy(void)
{
    return atomic_load(&busy_sessions);
}

void sessions_refuse(void)
{
    atomic_store(&refusing, true);
}

/* --- what is asked of the MTA --- */

static bool wants_body(unsigned need)
{
    return (need & (RULE_NEED_BODY | RULE_NEED_ATTACHMENTS | RULE_NEED_SIZE)) != 0;
}

/* The replies that we do without, and the pieces that we need not see, of those that the MTA can leave out. */
static unsigned long choose_steps(unsigned need, bool clients_matter, unsigned long offered)
{
    unsigned long steps = STEPS_UNUSED | STEPS_UNANSWERED | SMFIP_SKIP | SMFIP_RCPT_REJ;

    if (!clients_matter)
        steps |= SMFIP_NR_MAIL;
    /*
     * DATA is wanted for its reply alone: Postfix then hands the session from one process to another, which writes
     * again. By TCP that waits for the first one's octets to be acknowledged, 40 ms, if no reply does that.
     */
    if (!by_tcp)
        steps |= SMFIP_NODATA;
    if (!wants_body(need))
        steps |= SMFIP_NOBODY;
    return steps & offered;
}

/* {tls_version} stands with HELO otherwise, which is not asked for. */
static bool ask_macros(SMFICTX *ctx)
{
    return smfi_setsymlist(ctx, SMFIM_ENVFROM, (char[]){"{auth_authen} {tls_version}"}) == MI_SUCCESS &&
           smfi_setsymlist(ctx, SMFIM_ENVRCPT, (char[]){"{rcpt_mailer} {rcpt_host}"}) == MI_SUCCESS &&
           smfi_setsymlist(ctx, SMFIM_EOM, (char[]){"i"}) == MI_SUCCESS;
}

static sfsistat on_negotiate(SMFICTX *ctx, unsigned long actions, unsigned long steps, unsigned long f2,
                             unsigned long f3, unsigned long *out_actions, unsigned long *out_steps,
                             unsigned long *out_f2, unsigned long *out_f3)
{
    struct session *s;

    (void)f2;
    (void)f3;
    if (atomic_load(&refusing))
        return SMFIS_REJECT;
    s = must_have(calloc(1, sizeof(*s)));
    if ((actions & ACTIONS) != ACTIONS || !ask_macros(ctx) || smfi_setpriv(ctx, s) != MI_SUCCESS) {
        log_error("mta-too-old", "offers=%x wants=%x", (unsigned)actions, (unsigned)ACTIONS);
        free(s);
        return SMFIS_REJECT;
    }
    atomic_fetch_add(&open_sessions, 1);
    count(COUNT_SESSIONS);
    s->snapshot = present_hold(present);
    s->need = s->snapshot->need;
    s->steps = choose_steps(s->need, present_list_holds(present, LIST_INBOUND_REQUIRE), steps);
    s->message = must_have(message_new());
    *out_actions = ACTIONS;
    *out_steps = s->steps;
    *out_f2 = *out_f3 = 0;
    return SMFIS_CONTINUE;
}

/* What a callback returns whose reply the MTA may do without. */
static sfsistat go_on(const struct session *s, unsigned long step)
{
    return s != NULL && (s->steps & step) != 0 ? SMFIS_NOREPLY : SMFIS_CONTINUE;
}

/* --- the client --- */

static void set_address(struct session *s, const struct sockaddr *sa)
{
    const void *at = NULL;
    int family = sa == NULL ? AF_UNSPEC : sa->sa_family;

    s->address[0] = '\0';
    if (family == AF_INET) {
        at = &((const struct sockaddr_in *)(const void *)sa)->sin_addr;
    } else if (family == AF_INET6) {
        const struct in6_addr *six = &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr;

        at = six;
        if (IN6_IS_ADDR_V4MAPPED(six)) {
            family = AF_INET;
            at = six->s6_addr + 12;
        }
    }
    if (at != NULL && inet_ntop(family, at, s->address, sizeof(s->address)) == NULL)
        s->address[0] = '\0';
}

static sfsistat on_connect(SMFICTX *ctx, char *name, struct sockaddr *sa)
{
    struct session *s = smfi_getpriv(ctx);

    if (s == NULL)
        return SMFIS_CONTINUE;
    set_address(s, sa);
    free(s->name);
    s->name = name == NULL || name[0] == '[' || strcmp(name, "unknown") == 0 ? NULL : must_have(strdup(name));
    return go_on(s, SMFIP_NR_CONN);
}

static bool on_inbound_require(const struct session *s)
{
    return (s->address[0] != '\0' &&
            present_in_list(present, LIST_INBOUND_REQUIRE, s->address, strlen(s->address)) == 1) ||
           (s->name != NULL && present_in_list(present, LIST_INBOUND_REQUIRE, s->name, strlen(s->name)) == 1);
}

/* --- a message --- */

static void message_over(struct session *s)
{
    if (!s->in_message)
        return;
    s->in_message = false;
    atomic_fetch_sub(&busy_sessions, 1);
}

/*
 * The session, when a message is under way. NULL: the MTA sends pieces of a message that did not begin here (refused,
 * out of order, or without negotiation, as after QUIT_NC). They are let pass, as a reply might not be read; at the end
 * such a message is put off.
 */
static struct session *in_message(SMFICTX *ctx)
{
    struct session *s = smfi_getpriv(ctx);

    return s != NULL && s->in_message ? s : NULL;
}

/* By the rules of now, if they need nothing that the MTA was not asked for when the session began. */
static void renew_snapshot(struct session *s)
{
    const struct snapshot *now = present_hold(present);

    if ((now->need & ~s->need) == 0) {
        snapshot_release(s->snapshot);
        s->snapshot = now;
    } else {
        snapshot_release(now);
    }
}

static void begin_message(struct session *s, SMFICTX *ctx)
{
    const char *user = smfi_getsymval(ctx, (char[]){"{auth_authen}"});
    const char *tls = smfi_getsymval(ctx, (char[]){"{tls_version}"});

    message_over(s);
    s->in_message = true;
    atomic_fetch_add(&busy_sessions, 1);
    renew_snapshot(s);
    s->wants = snapshot_wants(s->snapshot);
    message_begin(s->message, &s->wants);
    s->refused_tag = false;
    s->tls = tls != NULL && tls[0] != '\0';
    free(s->user);
    s->user = user == NULL || user[0] == '\0' ? NULL : must_have(strdup(user));
}

static sfsistat on_sender(SMFICTX *ctx, char **words)
{
    struct session *s = smfi_getpriv(ctx);

    if (s == NULL)
        return SMFIS_CONTINUE;
    begin_message(s, ctx);
    if (atomic_load(&refusing)) {
        message_over(s);
        return (s->steps & SMFIP_NR_MAIL) != 0 ? SMFIS_NOREPLY : SMFIS_TEMPFAIL;
    }
    message_sender(s->message, words);
    if ((s->steps & SMFIP_NR_MAIL) != 0)
        return SMFIS_NOREPLY;
    if (s->tls || !on_inbound_require(s))
        return SMFIS_CONTINUE;
    count(COUNT_STARTTLS_MISSING);
    log_info("starttls-missing", "client=%s name=%s", s->address, s->name);
    message_over(s);
    if (smfi_setreply(ctx, (char[]){"530"}, (char[]){"5.7.0"}, (char[]){"Must issue a STARTTLS command first"}) !=
        MI_SUCCESS)
        return SMFIS_TEMPFAIL;
    return SMFIS_REJECT;
}

/* "5.1.1" and no more */
static bool is_status(const char *text)
{
    return (text[0] == '4' || text[0] == '5') && text[1] == '.' && text[strspn(text, "0123456789.")] == '\0';
}

/*
 * The MTA also tells of recipients that it has refused, with the mailer "error", and the status of its reply as their
 * host (that of a valid alias is "error", too, but with words behind the status). They are no recipients; but the
 * sender may think so.
 */
static bool was_refused(SMFICTX *ctx)
{
    const char *mailer = smfi_getsymval(ctx, (char[]){"{rcpt_mailer}"});
    const char *host = smfi_getsymval(ctx, (char[]){"{rcpt_host}"});

    return mailer != NULL && host != NULL && strcmp(mailer, "error") == 0 && is_status(host);
}

static sfsistat on_recipient(SMFICTX *ctx, char **words)
{
    struct session *s = in_message(ctx);

    if (s == NULL)
        return go_on(smfi_getpriv(ctx), SMFIP_NR_RCPT);
    if (was_refused(ctx))
        s->refused_tag = s->refused_tag || flag_has_tag(&s->snapshot->flag, words[0]);
    else
        message_recipient(s->message, words);
    return go_on(s, SMFIP_NR_RCPT);
}

static sfsistat on_data(SMFICTX *ctx)
{
    (void)ctx;
    return SMFIS_CONTINUE;
}

static sfsistat on_field(SMFICTX *ctx, char *name, char *value)
{
    struct session *s = in_message(ctx);

    if (s == NULL)
        return go_on(smfi_getpriv(ctx), SMFIP_NR_HDR);
    message_field(s->message, name, value);
    return go_on(s, SMFIP_NR_HDR);
}

static sfsistat on_end_of_header(SMFICTX *ctx)
{
    return go_on(smfi_getpriv(ctx), SMFIP_NR_EOH);
}

static sfsistat on_body(SMFICTX *ctx, unsigned char *octets, size_t len)
{
    struct session *s = in_message(ctx);

    if (s == NULL)
        return SMFIS_CONTINUE;
    if (!message_body(s->message, octets, len) && (s->snapshot->need & RULE_NEED_SIZE) == 0 &&
        (s->steps & SMFIP_SKIP) != 0)
        return SMFIS_SKIP;
    return SMFIS_CONTINUE;
}

static sfsistat on_end(SMFICTX *ctx)
{
    struct session *s = in_message(ctx);
    sfsistat verdict;

    if (s == NULL)
        return SMFIS_TEMPFAIL;
    verdict = judge_message(ctx, s, present);
    count(COUNT_MESSAGES);
    message_over(s);
    return verdict;
}

static sfsistat on_abort(SMFICTX *ctx)
{
    struct session *s = smfi_getpriv(ctx);

    if (s != NULL)
        message_over(s);
    return SMFIS_CONTINUE;
}

static sfsistat on_close(SMFICTX *ctx)
{
    struct session *s = smfi_getpriv(ctx);

    if (s == NULL)
        return SMFIS_CONTINUE;
    smfi_setpriv(ctx, NULL);
    message_over(s);
    snapshot_release(s->snapshot);
    message_free(s->message);
    free(s->name);
    free(s->user);
    free(s);
    atomic_fetch_sub(&open_sessions, 1);
    return SMFIS_CONTINUE;
}

struct smfiDesc session_milter(struct present *p, bool tcp)
{
    static char name[] = "postern-milter";

    present = p;
    by_tcp = tcp;
    return (struct smfiDesc){.xxfi_name = name,
                             .xxfi_version = SMFI_VERSION,
                             .xxfi_flags = ACTIONS,
                             .xxfi_connect = on_connect,
                             .xxfi_envfrom = on_sender,
                             .xxfi_envrcpt = on_recipient,
                             .xxfi_data = on_data,
                             .xxfi_header = on_field,
                             .xxfi_eoh = on_end_of_header,
                             .xxfi_body = on_body,
                             .xxfi_eom = on_end,
                             .xxfi_abort = on_abort,
                             .xxfi_close = on_close,
                             .xxfi_negotiate = on_negotiate};
}
