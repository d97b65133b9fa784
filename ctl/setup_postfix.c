/* setup_postfix.c - what contrib/postfix/main.cf has; the other parts are in the files beside this one. */
#include "setup_postfix_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *postfix_raw(const struct postfix_planning *s, const char *name)
{
    const struct postfix_conf *set = s->facts->set;

    for (size_t i = 0; i < set->parameter_count; i++)
        if (set->parameter[i].service == NULL && strcmp(set->parameter[i].name, name) == 0)
            return set->parameter[i].value;
    return postfix_value(s->postfix, NULL, name);
}

static bool is_set(const struct postfix_planning *s, const char *name)
{
    const struct postfix_conf *set = s->facts->set;

    for (size_t i = 0; i < set->parameter_count; i++)
        if (set->parameter[i].service == NULL && strcmp(set->parameter[i].name, name) == 0)
            return true;
    return false;
}

void postfix_postconf(const struct postfix_planning *s, const char *out[8], const char *const words[])
{
    size_t n = 0;

    out[n++] = "postconf";
    if (s->facts->named) {
        out[n++] = "-c";
        out[n++] = s->facts->config_dir;
    }
    while (*words != NULL && n < 7)
        out[n++] = *words++;
    out[n] = NULL;
}

static void assign(struct buf *out, const char *name, const char *value)
{
    buf_init(out, SETUP_VALUE_MAX);
    buf_printf(out, "%s=", name);
    buf_str(out, value);
}

void postfix_parameter(struct postfix_planning *s, bool there, const char *what, const char *name, const char *value)
{
    const char *argv[8], *undo[8], *shows[8];
    struct setup_command c = {.what = what, .path = s->main_cf, .argv = argv, .undo = undo, .shows = shows};
    struct buf now, before;

    assign(&now, name, value);
    assign(&before, name, postfix_raw(s, name));
    postfix_postconf(s, argv, (const char *[]){"-e", buf_text(&now), NULL});
    if (is_set(s, name))
        postfix_postconf(s, undo, (const char *[]){"-e", buf_text(&before), NULL});
    else
        postfix_postconf(s, undo, (const char *[]){"-X", name, NULL});
    postfix_postconf(s, shows, (const char *[]){"-h", name, NULL});
    if (!buf_ok(&now) || !buf_ok(&before))
        setup_notef(s->plan, SETUP_CLASH, "%s is longer than can be changed here", name);
    else
        setup_command(s->plan, there ? SETUP_THERE : SETUP_NEEDED, &c);
    buf_clear(&now);
    buf_clear(&before);
}

/* --- the TLS policy --- */

/* Where smtp asks policyd: by TCP if policyd listens there, as sockets in /run are outside of a chroot. */
static const char *policy_address(const struct postfix_planning *s)
{
    char **listen = s->postern->policyd.listen;

    for (char **l = listen; *l != NULL; l++)
        if (strncmp(*l, "inet:127.", 9) == 0 || strncmp(*l, "inet:[::1]", 10) == 0)
            return *l;
    return listen[0];
}

static bool asks_policyd(const struct postfix_planning *s)
{
    const char *maps = postfix_value(s->postfix, NULL, "smtp_tls_policy_maps");
    const char *word;
    char ours[400];
    size_t len;

    while (postfix_word(&maps, &word, &len))
        for (char **l = s->postern->policyd.listen; *l != NULL; l++) {
            size_t n = (size_t)snprintf(ours, sizeof(ours), "socketmap:%.300s:", *l);
            if (len > n && strncmp(word, ours, n) == 0)
                return true;
        }
    return false;
}

static void plan_policy(struct postfix_planning *s)
{
    const char *before = postfix_raw(s, "smtp_tls_policy_maps"), *address = policy_address(s);
    bool there = asks_policyd(s);
    struct buf value;

    if (address == NULL || !s->facts->socketmap) {
        setup_note(s->plan, SETUP_CLASH,
                   address == NULL ? "policyd.listen is empty in postern.conf, so Postfix cannot ask it"
                                   : "this Postfix has no socketmap: tables (postconf -m), and needs them");
        return;
    }
    if (*before == '\0' && *postfix_value(s->postfix, NULL, "smtp_tls_per_site") != '\0')
        setup_note(s->plan, SETUP_CLASH,
                   "smtp_tls_per_site is set, and Postfix would not look at it any more beside smtp_tls_policy_maps: "
                   "write what it demands into a table of smtp_tls_policy_maps, and empty it");
    buf_init(&value, SETUP_VALUE_MAX);
    if (*before != '\0')
        buf_printf(&value, "%s%s", before, there ? "" : ", ");
    if (!there)
        buf_printf(&value, "socketmap:%s:postfix", address);
    postfix_parameter(s, there,
                      *before != '\0' && !there ? "the TLS policy of each destination; your own maps go before Postern"
                                                : "the TLS policy of each destination",
                      "smtp_tls_policy_maps", buf_text(&value));
    buf_clear(&value);
}

static bool is_yes(const struct postfix_planning *s, const char *name)
{
    return strcasecmp(postfix_value(s->postfix, NULL, name), "yes") == 0;
}

/* What TLS_README calls obsolete goes for Postfix as long as there is no level. */
static const char *level_before(const struct postfix_planning *s)
{
    if (!is_yes(s, "smtp_enforce_tls"))
        return "may";
    return is_yes(s, "smtp_tls_enforce_peername") ? "verify" : "encrypt";
}

static void plan_level(struct postfix_planning *s)
{
    const char *level = postfix_value(s->postfix, NULL, "smtp_tls_security_level");
    bool there = *level != '\0' && strcmp(level, "none") != 0;
    const char *wanted = there ? level : *level == '\0' ? level_before(s) : "may";

    postfix_parameter(s, there, "TLS where nothing is published", "smtp_tls_security_level", wanted);
}

static void plan_dnssec(struct postfix_planning *s)
{
    bool there = strcmp(postfix_value(s->postfix, NULL, "smtp_dns_support_level"), "dnssec") == 0;

    if (there || s->facts->resolver_is_near)
        postfix_parameter(s, there, "DANE: Postfix looks up TLSA records itself", "smtp_dns_support_level", "dnssec");
    if (!s->facts->resolver_is_near)
        setup_note(s->plan, SETUP_NEEDED,
                   "DANE needs a validating resolver on this machine, and /etc/resolv.conf names none: apt-get install "
                   "unbound, name 127.0.0.1 there, and run this again");
}

static void plan_authorities(struct postfix_planning *s)
{
    const char *file = postfix_value(s->postfix, NULL, "smtp_tls_CAfile");
    const char *folder = postfix_value(s->postfix, NULL, "smtp_tls_CApath");
    static const char what[] = "MTA-STS: whom certificates of mail servers must come from";

    if (*file != '\0')
        postfix_parameter(s, true, what, "smtp_tls_CAfile", file);
    else if (*folder != '\0')
        postfix_parameter(s, true, what, "smtp_tls_CApath", folder);
    else if (*s->facts->ca_file != '\0')
        postfix_parameter(s, false, what, "smtp_tls_CAfile", s->facts->ca_file);
    else
        setup_note(s->plan, SETUP_CLASH,
                   "there is no file of authorities for smtp_tls_CAfile: apt-get install ca-certificates");
}

static void plan_log(struct postfix_planning *s)
{
    const char *level = postfix_value(s->postfix, NULL, "smtp_tls_loglevel");
    bool there = postfix_number(level) > 0;

    postfix_parameter(s, there, "a line for each TLS session in the mail log", "smtp_tls_loglevel",
                      there ? level : "1");
}

void setup_postfix(struct setup_plan *out, const struct postfix_conf *postfix, const struct conf *postern,
                   const struct setup_postfix_facts *facts)
{
    struct postfix_planning s = {.plan = out, .postfix = postfix, .postern = postern, .facts = facts};
    const char *reload[] = {"postfix", "reload", NULL, NULL, NULL};

    (void)snprintf(s.main_cf, sizeof(s.main_cf), "%s/main.cf", facts->config_dir);
    (void)snprintf(s.master_cf, sizeof(s.master_cf), "%s/master.cf", facts->config_dir);
    if (!facts->regexp)
        setup_note(out, SETUP_CLASH, "this Postfix has no regexp: tables (postconf -m), and needs them");
    postfix_plan_domains(&s);
    postfix_plan_tables(&s);
    postfix_plan_services(&s);
    plan_policy(&s);
    plan_level(&s);
    plan_dnssec(&s);
    plan_authorities(&s);
    plan_log(&s);
    postfix_plan_flags(&s);
    postfix_plan_reports(&s);
    for (size_t i = 0; i < s.domains; i++) {
        if (s.local[i])
            setup_local(out, SETUP_NEEDED, s.domain[i]);
        free(s.domain[i]);
    }
    if (facts->named) {
        reload[1] = "-c";
        reload[2] = facts->config_dir;
        reload[3] = "reload";
    }
    setup_reload(out, reload);
}
