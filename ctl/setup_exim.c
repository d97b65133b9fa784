/* setup_exim.c - may this Exim be set up, and what postern.conf needs; the other parts are in the files beside this. */
#include "setup_exim_internal.h"

#include <stdio.h>
#include <string.h>

/* As contrib/exim/macros has them */
#define POLICY "inet:127.0.0.1:8464"
#define TOLD   "inet:127.0.0.1:8465"
#define RELAYD "inet:127."

#define MAJOR 4 /* the version of which this is known to work, and later ones */
#define MINOR 96

/* --- what Exim is --- */

static bool fits(struct exim_planning *s)
{
    const struct setup_exim_build *b = &s->facts->build;
    size_t before = setup_plan_count(s->plan, SETUP_CLASH);

    if (b->major < MAJOR || (b->major == MAJOR && b->minor < MINOR))
        setup_notef(s->plan, SETUP_CLASH, "this is Exim %u.%u, and needed is 4.96 or later", b->major, b->minor);
    if (!b->gnutls)
        setup_note(s->plan, SETUP_CLASH,
                   "this Exim is not built with GnuTLS, and what the lists say of protocols and ciphers is given to it "
                   "as GnuTLS takes it");
    if (!b->dane || !b->events)
        setup_notef(s->plan, SETUP_CLASH, "this Exim is built without %s, and needs it", b->dane ? "events" : "DANE");
    return setup_plan_count(s->plan, SETUP_CLASH) == before;
}

/* Does mail leave it, and by names of its own? */
static bool sends(struct exim_planning *s)
{
    const struct setup_exim_debian *d = s->facts->debian;

    if (d == NULL || strcmp(d->type, "internet") == 0)
        return true;
    if (strcmp(d->type, "local") == 0)
        setup_note(s->plan, SETUP_THERE, "no mail leaves this machine (dc_eximconfig_configtype is local)");
    else if (strcmp(d->type, "smarthost") == 0 || strcmp(d->type, "satellite") == 0)
        setup_notef(s->plan, SETUP_CLASH,
                    "this machine gives all mail to a smarthost (%.200s), and so no policy of a recipient's domain "
                    "applies here, and no flag: set Postern up on the smarthost. That the way there is safe, Debian's "
                    "REMOTE_SMTP_SMARTHOST_HOSTS_REQUIRE_TLS and REMOTE_SMTP_SMARTHOST_TLS_VERIFY_HOSTS see to",
                    d->smarthost);
    else
        setup_notef(s->plan, SETUP_CLASH,
                    "dc_eximconfig_configtype is %.60s, so this configuration is not Debian's any more: doc/exim.md "
                    "says how the files of %s/exim are put into it by hand",
                    *d->type != '\0' ? d->type : "not set", s->facts->share);
    return false;
}

/* --- addresses --- */

static const char *first_inet(char *const *list, const char *prefix)
{
    for (; *list != NULL; list++)
        if (strncmp(*list, prefix, strlen(prefix)) == 0)
            return *list;
    return NULL;
}

/* Exim 4.96 breaks connections of its own when nobody listens on a UNIX socket. */
static bool find_addresses(struct exim_planning *s)
{
    char *const *listen = s->postern->policyd.exim_listen, *told = s->postern->tlsrptd.exim;
    const char *relayd = first_inet(s->postern->relayd.listen, RELAYD), *port = relayd ? strrchr(relayd, ':') : NULL;
    size_t before = setup_plan_count(s->plan, SETUP_CLASH);

    s->policy = *listen != NULL ? first_inet(listen, "inet:") : POLICY;
    s->told = *told != '\0' ? told : TOLD;
    if (s->policy == NULL)
        setup_notef(s->plan, SETUP_CLASH,
                    "policyd.exim_listen has no address that begins with inet:, and Exim must not ask at a UNIX "
                    "socket (doc/exim.md): add \"%s\"",
                    POLICY);
    if (strncmp(s->told, "inet:", 5) != 0)
        setup_notef(s->plan, SETUP_CLASH,
                    "tlsrptd.exim is no address that begins with inet:, and Exim must not connect to a UNIX socket "
                    "(doc/exim.md): write \"%s\"",
                    TOLD);
    if (port == NULL)
        setup_note(s->plan, SETUP_CLASH,
                   "relayd.listen has no address on 127.0.0.1 or another one of loopback, where Exim gives it mail");
    else
        (void)snprintf(s->relayd, sizeof(s->relayd), "%.*s", (int)(port - relayd - 5), relayd + 5);
    (void)snprintf(s->port, sizeof(s->port), "%.10s", port != NULL ? port + 1 : "");
    return setup_plan_count(s->plan, SETUP_CLASH) == before;
}

/* --- postern.conf --- */

static void plan_conf(struct exim_planning *s)
{
    const struct conf *c = s->postern;
    bool asked = c->policyd.exim_listen[0] != NULL;
    char list[400];

    (void)snprintf(list, sizeof(list), "{\"%.300s\"}", s->policy);
    setup_conf(s->plan, asked ? SETUP_THERE : SETUP_NEEDED, "where Exim asks", "policyd", "exim_listen", list);
    setup_conf_text(s->plan, "TLS reports: what Exim tells", "tlsrptd", "exim", c->tlsrptd.exim, s->told);
    setup_conf_text(s->plan, "TLS reports: policies that cannot be fetched", "stsd", "tlsrpt", c->stsd.tlsrpt,
                    c->tlsrptd.listen);
    setup_conf_text(s->plan, "TLS reports: flagged mail", "relayd", "tlsrpt", c->relayd.tlsrpt, c->tlsrptd.listen);
    if (*c->tlsrptd.contact == '\0' && strchr(s->facts->mail_domain, '.') == NULL) {
        setup_note(s->plan, SETUP_NEEDED,
                   "/etc/mailname has no domain, so TLS reports have no sender: set contact in the section tlsrptd");
    } else {
        char contact[300];

        (void)snprintf(contact, sizeof(contact), "postmaster@%.250s", s->facts->mail_domain);
        setup_conf_text(s->plan, "TLS reports: whom to ask about them, and their sender", "tlsrptd", "contact",
                        c->tlsrptd.contact, contact);
    }
    setup_keys(s->plan, &c->tlsrptd, &s->facts->keys);
}

/* --- the machine --- */

/* The units have the usual addresses. To let systemd have them all daemons must end, which is the operator's to do. */
static void plan_doors(struct exim_planning *s)
{
    if (s->facts->doors && strcmp(s->policy, POLICY) == 0 && strcmp(s->told, TOLD) == 0)
        setup_note(s->plan, SETUP_THERE,
                   "systemd can hold the addresses where Exim asks, so that a restart of a daemon refuses nobody; once "
                   "this is done: systemctl stop postern.target && systemctl enable postern-policyd-exim.socket "
                   "postern-tlsrptd-exim.socket && systemctl start postern.target");
}

static void plan_notes(struct exim_planning *s)
{
    if (!s->facts->resolver_is_near)
        setup_note(s->plan, SETUP_NEEDED,
                   "DANE needs a validating resolver on this machine, and /etc/resolv.conf names none: apt-get install "
                   "unbound, name 127.0.0.1 there, with \"options trust-ad\"");
    else if (!s->facts->resolver_is_trusted)
        setup_note(s->plan, SETUP_NEEDED,
                   "DANE needs the line \"options trust-ad\" in /etc/resolv.conf: without it Exim is not told that an "
                   "answer was validated, and takes no host's TLSA records");
    if (!s->facts->authorities)
        setup_note(s->plan, SETUP_NEEDED,
                   "MTA-STS needs authorities that certificates must come from: apt-get install ca-certificates");
    setup_note(s->plan, SETUP_THERE,
               "what comes back to its sender has no text any more, only the header, as it may have been flagged (RFC "
               "8689 section 5); the macro POSTERN_BOUNCES_WITH_BODY leaves that as it is");
}

void setup_exim(struct setup_plan *out, const struct conf *postern, const struct setup_exim_facts *facts)
{
    struct exim_planning s = {.plan = out, .postern = postern, .facts = facts};
    const char *by_systemd[] = {"systemctl", "reload", "exim4", NULL};
    const char *by_script[] = {"invoke-rc.d", "exim4", "reload", NULL};

    if (!sends(&s) || !fits(&s) || !find_addresses(&s))
        return;
    exim_plan_files(&s);
    plan_conf(&s);
    exim_plan_domains(&s);
    plan_notes(&s);
    plan_doors(&s);
    setup_reload(out, facts->systemd ? by_systemd : by_script);
}
