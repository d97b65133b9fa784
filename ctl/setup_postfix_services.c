/* setup_postfix_services.c - services of master.cf: contrib/postfix/master.cf and sendmail.cf. */
#include "setup_postfix_internal.h"

#include <stdio.h>
#include <string.h>

struct service {
    const char *what, *name, *type, *private, *maxproc, *command;
    const char *options; /* -o each, one blank between two */
};

static const struct service services[] = {
    {"flagged mail, to postern-relayd", "requiretls", "unix", "-", "200", "lmtp",
     "syslog_name=postfix/requiretls lmtp_tls_security_level=none lmtp_fallback_relay= lmtp_lhlo_timeout=30s "
     "lmtp_rcpt_timeout=1000s lmtp_data_init_timeout=1000s lmtp_data_xfer_timeout=1000s lmtp_data_done_timeout=1000s"},
    {"mail with TLS-Required: No", "smtp-relaxed", "unix", "-", "-", "smtp",
     "syslog_name=postfix/smtp-relaxed smtp_tls_security_level=may smtp_tls_policy_maps= "
     "smtp_generic_maps=regexp:$config_directory/generic_flags.regexp"},
    {"destinations of the list smtps", "smtps", "unix", "-", "-", "smtp",
     "syslog_name=postfix/smtps smtp_tls_wrappermode=yes smtp_tls_security_level=encrypt"},
    {"mail of programs, on its way to the milter", "again", "unix", "-", "-", "smtp",
     "syslog_name=postfix/again smtp_bind_address=127.0.0.1 smtp_tls_security_level=none smtp_tls_policy_maps= "
     "smtp_generic_maps= smtp_header_checks="},
};

/*
 * With a relayhost: "TLS-Required: No" is about the recipient's policies, none of which goes for that hop. What the
 * operator wants of it stays: a password may be sent there.
 */
static const struct service relaxed_to_relayhost = {
    "mail with TLS-Required: No",
    "smtp-relaxed",
    "unix",
    "-",
    "-",
    "smtp",
    "syslog_name=postfix/smtp-relaxed smtp_generic_maps=regexp:$config_directory/generic_flags.regexp"};

static const char again_options[] =
    "syslog_name=postfix/again mynetworks=127.0.0.0/8 smtpd_client_restrictions= smtpd_helo_restrictions= "
    "smtpd_sender_restrictions= smtpd_relay_restrictions=permit_mynetworks,reject smtpd_recipient_restrictions= "
    "smtpd_data_restrictions= smtpd_end_of_data_restrictions= smtpd_reject_unlisted_recipient=no "
    "smtpd_discard_ehlo_keywords= smtpd_discard_ehlo_keyword_address_maps= smtpd_client_connection_count_limit=0 "
    "smtpd_client_connection_rate_limit=0 smtpd_recipient_limit=50000";

static const char pickup_overrides[] = "no_milters,no_address_mappings,no_header_body_checks";

static const struct postfix_service *find(const struct postfix_conf *c, const char *name, const char *type)
{
    for (size_t i = 0; i < c->service_count; i++)
        if (strcmp(c->service[i].name, name) == 0 && strcmp(c->service[i].type, type) == 0)
            return &c->service[i];
    return NULL;
}

/* In a chroot as the others are. */
static const char *chroot_like(const struct postfix_planning *s, const char *name, const char *type)
{
    const struct postfix_service *other = find(s->postfix, name, type);

    return other != NULL ? other->chroot : "y";
}

static void write_line(struct buf *out, const struct service *w, const char *chroot)
{
    const char *at = w->options;

    buf_init(out, SETUP_VALUE_MAX);
    buf_printf(out, "%s/%s=%s %s %s - %s - %s %s", w->name, w->type, w->name, w->type, w->private, chroot, w->maxproc,
               w->command);
    while (*at != '\0') {
        size_t len = strcspn(at, " ");

        buf_str(out, " -o ");
        buf_add(out, at, len);
        at += len + (at[len] == ' ');
    }
}

static void plan_service(struct postfix_planning *s, const struct service *w)
{
    const struct postfix_service *now = find(s->postfix, w->name, w->type);
    const char *argv[8], *undo[8], *shows[8];
    struct setup_command c = {.what = w->what, .path = s->master_cf, .argv = argv, .undo = undo, .shows = shows};
    struct buf line;
    char id[128];

    if (now != NULL && strcmp(now->command, w->command) != 0) {
        setup_notef(s->plan, SETUP_CLASH,
                    "master.cf has a service %s/%s that is %s, and Postern wants one that is %s: %s", w->name, w->type,
                    now->command, w->command, w->what);
        return;
    }
    write_line(&line, w, chroot_like(s, "smtp", "unix"));
    (void)snprintf(id, sizeof(id), "%s/%s", w->name, w->type);
    postfix_postconf(s, argv, (const char *[]){"-M", "-e", buf_text(&line), NULL});
    postfix_postconf(s, undo, (const char *[]){"-MX", id, NULL});
    postfix_postconf(s, shows, (const char *[]){"-M", id, NULL});
    setup_command(s->plan, now != NULL ? SETUP_THERE : SETUP_NEEDED, &c);
    buf_clear(&line);
}

/* An option of the service pickup. */
static void plan_pickup(struct postfix_planning *s, bool there, const char *name, const char *value)
{
    const char *argv[8], *undo[8], *shows[8];
    struct setup_command c = {.what = "mail of programs (sendmail) passes the milter, too",
                              .path = s->master_cf,
                              .argv = argv,
                              .undo = undo,
                              .shows = shows};
    char id[128], setting[300];

    (void)snprintf(id, sizeof(id), "pickup/unix/%s", name);
    (void)snprintf(setting, sizeof(setting), "%s=%s", id, value);
    postfix_postconf(s, argv, (const char *[]){"-P", "-e", setting, NULL});
    postfix_postconf(s, undo, (const char *[]){"-PX", id, NULL});
    postfix_postconf(s, shows, (const char *[]){"-P", id, NULL});
    setup_command(s->plan, there ? SETUP_THERE : SETUP_NEEDED, &c);
}

static const char *own_option(const struct postfix_conf *c, const char *id, const char *name)
{
    for (size_t i = 0; i < c->parameter_count; i++)
        if (c->parameter[i].service != NULL && strcmp(c->parameter[i].service, id) == 0 &&
            strcmp(c->parameter[i].name, name) == 0)
            return c->parameter[i].value;
    return NULL;
}

/* Mail of programs comes in again by SMTP. */
static void plan_programs(struct postfix_planning *s)
{
    const char *own = own_option(s->postfix, "pickup/unix", "content_filter"), *filter = own != NULL ? own : "";
    const char *overrides = own_option(s->postfix, "pickup/unix", "receive_override_options");
    char name[32], wanted[64];
    struct service again = {"where mail of programs comes in again", name, "inet", "n", "-", "smtpd", again_options};
    bool there = strncmp(filter, "again:[127.0.0.1]:", 18) == 0;

    if (find(s->postfix, "pickup", "unix") == NULL) {
        setup_note(s->plan, SETUP_THERE, "master.cf has no pickup, so no mail of programs is taken");
        return;
    }
    (void)snprintf(name, sizeof(name), "127.0.0.1:%u",
                   there ? (unsigned)postfix_number(filter + 18) : s->facts->again_port);
    (void)snprintf(wanted, sizeof(wanted), "again:[127.0.0.1]:%s", name + 10);
    if (!there && s->facts->again_port == 0) {
        setup_note(s->plan, SETUP_CLASH,
                   "no port of 127.0.0.1 from 10026 on is free, where mail of programs comes in again");
        return;
    }
    if (!there && *filter != '\0') {
        setup_notef(
            s->plan, SETUP_CLASH,
            "pickup has a content_filter of yours, %.200s, so mail of programs goes there, and not to the milter; "
            "contrib/postfix/sendmail.cf says how both can be",
            filter);
        return;
    }
    if (overrides != NULL && strcmp(overrides, pickup_overrides) != 0) {
        setup_notef(s->plan, SETUP_CLASH, "pickup has receive_override_options of yours, %.200s; Postern wants %s",
                    overrides, pickup_overrides);
        return;
    }
    plan_service(s, &again);
    plan_pickup(s, there, "content_filter", wanted);
    plan_pickup(s, overrides != NULL, "receive_override_options", pickup_overrides);
}

void postfix_plan_services(struct postfix_planning *s)
{
    bool relayed = *postfix_value(s->postfix, NULL, "relayhost") != '\0';

    for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
        bool relaxed = strcmp(services[i].name, relaxed_to_relayhost.name) == 0;

        plan_service(s, relaxed && relayed ? &relaxed_to_relayhost : &services[i]);
    }
    plan_programs(s);
    setup_note(
        s->plan, SETUP_THERE,
        "the list smtps (port 465) is not asked, as Postfix then takes no mail while policyd is away; to use it put "
        "a map behind the others in transport_maps: doc/lists.md");
}
