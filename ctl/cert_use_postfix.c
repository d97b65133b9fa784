/* cert_use_postfix.c - what Postfix lacks so that it serves a certificate of the store; see cert_use.h. */
#include "cert_use.h"
#include "setup_postfix_internal.h"

#include <stdio.h>
#include <string.h>

static const char *const certificates[] = {
    "smtpd_tls_chain_files",
    "smtpd_tls_cert_file",
    "smtpd_tls_eccert_file",
    "smtpd_tls_dcert_file",
};

/* The first certificate that a service sets for itself in master.cf; NULL: none. */
static const struct postfix_parameter *own_certificate(const struct postfix_conf *p, const struct postfix_service *s)
{
    for (size_t i = 0; i < p->parameter_count; i++) {
        const struct postfix_parameter *o = &p->parameter[i];
        for (size_t k = 0; k < sizeof(certificates) / sizeof(certificates[0]); k++)
            if (o->service != NULL && strcmp(o->service, s->id) == 0 && strcmp(o->name, certificates[k]) == 0)
                return o;
    }
    return NULL;
}

static bool sets_chain(const struct postfix_conf *p, const struct postfix_service *s)
{
    for (size_t i = 0; i < p->parameter_count; i++)
        if (p->parameter[i].service != NULL && strcmp(p->parameter[i].service, s->id) == 0 &&
            strcmp(p->parameter[i].name, certificates[0]) == 0)
            return true;
    return false;
}

/* smtpd_tls_chain_files goes before all others, also before those that a service has for itself; those stay. */
static void plan_service(struct postfix_planning *s, const struct postfix_service *service)
{
    const char *argv[8], *undo[8], *shows[8];
    char name[400], value[sizeof(name) + 1];
    struct setup_command c = {.what = "a service with a certificate of its own keeps it",
                              .path = s->master_cf,
                              .argv = argv,
                              .undo = undo,
                              .shows = shows};

    (void)snprintf(name, sizeof(name), "%.300s/%s", service->id, certificates[0]);
    (void)snprintf(value, sizeof(value), "%s=", name);
    postfix_postconf(s, argv, (const char *[]){"-P", value, NULL});
    postfix_postconf(s, undo, (const char *[]){"-PX", name, NULL});
    postfix_postconf(s, shows, (const char *[]){"-P", name, NULL});
    setup_command(s->plan, SETUP_NEEDED, &c);
}

/* Returns whether one of them keeps a certificate of its own. */
static bool plan_services(struct postfix_planning *s, const struct postfix_service *main_service)
{
    bool any = false;

    for (size_t i = 0; i < s->postfix->service_count; i++) {
        const struct postfix_service *service = &s->postfix->service[i];
        const struct postfix_parameter *own = own_certificate(s->postfix, service);

        if (own == NULL)
            continue;
        if (service == main_service)
            setup_notef(s->plan, SETUP_CLASH,
                        "the service %.100s of master.cf has a certificate of its own (-o %s=%.200s), and would go on "
                        "to serve it: take it out",
                        service->id, own->name, own->value);
        else if (!sets_chain(s->postfix, service))
            plan_service(s, service);
        any |= service != main_service;
    }
    return any;
}

/* Is there a parameter that is not about certificates of smtpd, and has the value of one that is? */
static bool is_referred_to(const struct postfix_planning *s, const char *name)
{
    const struct postfix_conf *set = s->facts->set;

    for (size_t i = 0; i < set->parameter_count; i++)
        if (strncmp(set->parameter[i].name, "smtpd_tls_", 10) != 0 && strstr(set->parameter[i].value, name) != NULL)
            return true;
    return false;
}

/* Postfix warns in each smtpd of the other parameters, and does not go by them. */
static void plan_others(struct postfix_planning *s, bool own)
{
    for (size_t i = 1; i < sizeof(certificates) / sizeof(certificates[0]); i++) {
        if (*postfix_value(s->postfix, NULL, certificates[i]) == '\0')
            continue;
        if (own || is_referred_to(s, certificates[i]))
            setup_notef(s->plan, SETUP_THERE,
                        "%s stays, as something else goes by it; the warning of smtpd that it is ignored does not "
                        "matter",
                        certificates[i]);
        else
            postfix_parameter(s, false, "does not count any more", certificates[i], "");
    }
}

static void plan_level(struct postfix_planning *s)
{
    const char *level = postfix_value(s->postfix, NULL, "smtpd_tls_security_level");
    bool there = *level != '\0' && strcmp(level, "none") != 0;

    postfix_parameter(s, there, "STARTTLS is offered", "smtpd_tls_security_level", there ? level : "may");
}

void cert_use_postfix(struct setup_plan *out, const struct cert_use *use, const struct cert_use_postfix_facts *f)
{
    const struct setup_postfix_facts facts = {.config_dir = f->config_dir, .named = f->named, .set = f->set};
    struct postfix_planning s = {.plan = out, .postfix = f->postfix, .facts = &facts};
    const char *chain = postfix_value(f->postfix, NULL, "smtpd_tls_chain_files");
    const char *reload[] = {"postfix", "reload", NULL, NULL, NULL};
    const struct postfix_service *main_service;
    struct cert_where at;
    bool own;

    (void)snprintf(s.main_cf, sizeof(s.main_cf), "%s/main.cf", f->config_dir);
    (void)snprintf(s.master_cf, sizeof(s.master_cf), "%s/master.cf", f->config_dir);
    cert_where_postfix(&at, f->postfix, &main_service);
    own = plan_services(&s, main_service);
    postfix_parameter(&s, strcmp(chain, use->live) == 0, "the certificate and its key", "smtpd_tls_chain_files",
                      use->live);
    plan_others(&s, own);
    plan_level(&s);
    if (f->named) {
        reload[1] = "-c";
        reload[2] = f->config_dir;
        reload[3] = "reload";
    }
    setup_reload(out, reload);
}
