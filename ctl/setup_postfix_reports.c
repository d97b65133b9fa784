/* setup_postfix_reports.c - TLS reports: what tlsrptd hears, who sends reports and how, keys. */
#include "setup_postfix_internal.h"

#include <stdio.h>
#include <string.h>

static void plan_conf(struct postfix_planning *s, const char *what, const char *section, const char *key,
                      const char *now, const char *wanted)
{
    setup_conf_text(s->plan, what, section, key, now, wanted);
}

/* tlsrptd reads the log. */
static void plan_reader(struct postfix_planning *s)
{
    const char *user = s->postern->tlsrptd.user, *group = s->facts->log_group;

    if (group == NULL)
        setup_notef(s->plan, SETUP_NEEDED, "tlsrptd (user %s) must be able to read %s: doc/tls-reports.md says how",
                    user, s->facts->log);
    else if (*group != '\0')
        setup_command(s->plan, SETUP_NEEDED,
                      &(struct setup_command){.what = "tlsrptd may read the log, once it is restarted",
                                              .argv = (const char *[]){"usermod", "-a", "-G", group, user, NULL},
                                              .undo = (const char *[]){"gpasswd", "-d", user, group, NULL},
                                              .daemon = "tlsrptd"});
}

static void plan_log(struct postfix_planning *s)
{
    const struct conf_tlsrptd *t = &s->postern->tlsrptd;
    const char *name = postfix_value(s->postfix, NULL, "syslog_name");

    if (*t->log == '\0' && *s->facts->log == '\0') {
        setup_note(
            s->plan, SETUP_NEEDED,
            "neither /var/log/mail.log nor the journal is here, so TLS reports lack what Postfix does: set log in "
            "the section tlsrptd");
        return;
    }
    plan_conf(s, "TLS reports: what Postfix has logged", "tlsrptd", "log", t->log, s->facts->log);
    if (*t->log == '\0' || strcmp(t->log, s->facts->log) == 0)
        plan_reader(s);
    if (*name != '\0' && strcmp(name, t->log_name) != 0) {
        if (strcmp(t->log_name, "postfix") == 0)
            plan_conf(s, "the name under which this Postfix logs", "tlsrptd", "log_name", "", name);
        else
            setup_notef(s->plan, SETUP_CLASH, "Postfix logs as %.100s, and tlsrptd.log_name is %.100s", name,
                        t->log_name);
    }
}

/* Reports must arrive although the receiver's TLS is what they are about (RFC 8460 5.3). */
static void plan_way_out(struct postfix_planning *s, const char *from)
{
    const char *before = postfix_raw(s, "sender_dependent_default_transport_maps");
    const char *version = postfix_value(s->postfix, NULL, "mail_version");
    const char *minor = strchr(version, '.');
    bool knows = postfix_number(version) > 3 ||
                 (postfix_number(version) == 3 && minor != NULL && postfix_number(minor + 1) >= 10);
    struct buf ours, value;

    if (knows || *from == '\0' || strncmp(s->postern->tlsrptd.mail, "sendmail:", 9) != 0)
        return;
    buf_init(&ours, SETUP_VALUE_MAX);
    buf_init(&value, SETUP_VALUE_MAX);
    buf_printf(&ours, "inline:{ {%s = smtp-relaxed:%s} }", from, postfix_value(s->postfix, NULL, "relayhost"));
    if (strstr(before, buf_text(&ours)) == NULL)
        buf_printf(&value, "%s%s", buf_text(&ours), *before != '\0' ? ", " : "");
    buf_str(&value, before);
    postfix_parameter(s, strstr(before, buf_text(&ours)) != NULL, "reports leave by the service smtp-relaxed",
                      "sender_dependent_default_transport_maps", buf_text(&value));
    buf_clear(&ours);
    buf_clear(&value);
}

/* The sender is an address of its own: what it sends goes without policies, and a person's mail must not. */
static void plan_sender(struct postfix_planning *s)
{
    const struct conf_tlsrptd *t = &s->postern->tlsrptd;
    char contact[300] = "", from[300] = "";

    if (*t->contact != '\0') {
        plan_conf(s, "TLS reports: whom to ask about them", "tlsrptd", "contact", t->contact, "");
        plan_way_out(s, t->from);
        if (*t->from == '\0')
            setup_note(
                s->plan, SETUP_THERE,
                "reports come from tlsrptd.contact, which goes by the policies of all others: with a from of its "
                "own they would reach receivers whose TLS is broken, too");
        return;
    }
    if (strchr(s->facts->mail_domain, '.') == NULL) {
        setup_note(s->plan, SETUP_NEEDED,
                   "myorigin has no domain, so TLS reports have no sender: set contact in the section tlsrptd");
        return;
    }
    (void)snprintf(contact, sizeof(contact), "postmaster@%.250s", s->facts->mail_domain);
    (void)snprintf(from, sizeof(from), "tlsrpt@%.250s", s->facts->mail_domain);
    plan_conf(s, "TLS reports: whom to ask about them", "tlsrptd", "contact", "", contact);
    plan_conf(s, "TLS reports: their sender", "tlsrptd", "from", t->from, from);
    plan_way_out(s, *t->from != '\0' ? t->from : from);
}

static void plan_keys(struct postfix_planning *s)
{
    const struct setup_postfix_facts *f = s->facts;
    struct setup_keys keys = {.conf_file = f->conf_file,
                              .key_folder = f->key_folder,
                              .key_folder_there = f->key_folder_there,
                              .group = f->group};

    memcpy(keys.key_there, f->key_there, sizeof(keys.key_there));
    setup_keys(s->plan, &s->postern->tlsrptd, &keys);
}

void postfix_plan_reports(struct postfix_planning *s)
{
    plan_log(s);
    plan_conf(s, "TLS reports: policies that cannot be fetched", "stsd", "tlsrpt", s->postern->stsd.tlsrpt,
              s->postern->tlsrptd.listen);
    plan_conf(s, "TLS reports: flagged mail", "relayd", "tlsrpt", s->postern->relayd.tlsrpt,
              s->postern->tlsrptd.listen);
    plan_sender(s);
    plan_keys(s);
}
