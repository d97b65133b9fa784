/* setup_sendmail.c - see setup_sendmail.h. */
#include "setup_sendmail.h"

#include "domain.h"
#include "next_line.h"
#include "setup_sendmail_commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NAMES_MAX 1000 /* octets of names in a note */

struct planning {
    struct setup_plan *plan;
    const struct conf *postern;
    struct setup_sendmail_lines *lines;
    const struct setup_sendmail_facts *facts;
    char mc[4200], cf[4200];
};

/* --- what is in the way --- */

static bool has_word(const char *text, const char *word)
{
    size_t len = strlen(word);

    for (const char *at = text; (at = strstr(at, word)) != NULL; at += len)
        if ((at == text || strchr(" \t\n", at[-1]) != NULL) && strchr(" \t\n", at[len]) != NULL)
            return true;
    return false;
}

static void look_at_build(const struct planning *s)
{
    static const char *const needed[] = {"MAP_REGEX", "MILTER",       "NETINET",          "SOCKETMAP",
                                         "STARTTLS",  "_FFR_MTA_STS", "_FFR_TLS_ALTNAMES"};

    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
        if (!has_word(s->facts->built, needed[i]))
            setup_notef(s->plan, SETUP_CLASH, "this Sendmail is built without %s, and needs it (Debian's has it)",
                        needed[i]);
}

static void look_at_tags(const struct planning *s)
{
    const struct conf_milter *m = &s->postern->milter;

    if (strcasecmp(m->tag, "requiretls") != 0 || strcasecmp(m->optional_tag, "tlsoptional") != 0 ||
        strcmp(m->delimiter, "+") != 0)
        setup_note(
            s->plan, SETUP_CLASH,
            "postern.conf has tags or a delimiter of its own, and postern.m4 knows +requiretls and +tlsoptional: "
            "flagged mail would go out like any other; take them out of the section milter, or change a copy of "
            "postern.m4 and include that by hand");
}

/* A ruleset or mailer that stands twice: m4 does not see that, and Sendmail warns only. */
static size_t count_lines(const char *cf, const char *line)
{
    size_t count = 0, len = strlen(line);

    for (const char *at = cf; *at != '\0'; at = next_line(at))
        count += strncmp(at, line, len) == 0 && strchr(" \t\n,", at[len]) != NULL;
    return count;
}

static void look_for_doubles(const struct planning *s)
{
    static const struct {
        const char *line, *what;
    } doubles[] = {
        {"Scheck_compat", "sendmail.mc has a ruleset check_compat of its own (FEATURE(compat_check), or yours), and "
                          "Postern needs that name: take it out, or merge both into a copy of postern.m4"},
        {"Stls_clt_features",
         "sendmail.mc has a ruleset tls_clt_features of its own, and Postern needs that name: take "
         "it out, or merge both into a copy of postern.m4"},
        {"Mrequiretls", "sendmail.mc has a mailer requiretls of its own: give it another name"},
        {"Mrelaxed", "sendmail.mc has a mailer relaxed of its own: give it another name"},
        {"Kpostfix", "sendmail.mc has a map postfix of its own, and policyd's must be called that: give it another "
                     "name"},
    };

    for (size_t i = 0; i < sizeof(doubles) / sizeof(doubles[0]); i++)
        if (count_lines(s->facts->wanted.text, doubles[i].line) > 1)
            setup_note(s->plan, SETUP_CLASH, doubles[i].what);
}

/* --- sendmail.cf --- */

/* Lines that Sendmail reads: no comments, which have the date. */
static const char *next_read(const char *at)
{
    while (*at == '#' || *at == '\n')
        at = next_line(at);
    return at;
}

static bool same(const char *cf, const char *made)
{
    if (cf == NULL || made == NULL)
        return false;
    for (cf = next_read(cf), made = next_read(made); *cf != '\0' && *made != '\0';
         cf = next_read(next_line(cf)), made = next_read(next_line(made))) {
        size_t len = strcspn(cf, "\n");

        if (len != strcspn(made, "\n") || memcmp(cf, made, len) != 0)
            return false;
    }
    return *cf == '\0' && *made == '\0';
}

static void look_at_cf(const struct planning *s)
{
    const struct setup_sendmail_facts *f = s->facts;

    if (f->cf == NULL)
        setup_notef(s->plan, SETUP_CLASH, "there is no %s; \"make -C /etc/mail\" makes it", s->cf);
    else if (*f->cf_wrong != '\0')
        setup_notef(s->plan, SETUP_CLASH, "Sendmail does not take %s as it is: %s", s->cf, f->cf_wrong);
    else if (!f->cf_is_ours && !same(f->cf, f->now.text) && !same(f->cf, f->bare.text) && !same(f->cf, f->wanted.text))
        setup_notef(s->plan, SETUP_CLASH,
                    "%s is not what m4 makes of %s: it was edited by hand, or made by another Sendmail. What stands in "
                    "it alone would be lost: write it into sendmail.mc, \"make -C /etc/mail\", and run this again",
                    s->cf, s->mc);
    if (f->wanted.text == NULL) {
        setup_notef(s->plan, SETUP_CLASH, "m4 does not take sendmail.mc with Postern's lines: %s", f->wanted.why);
        return;
    }
    if (!f->authorities)
        setup_note(s->plan, SETUP_CLASH,
                   "there is no file of authorities (confCACERT), whom certificates of mail servers must come from: "
                   "apt-get install ca-certificates");
    look_for_doubles(s);
}

static void plan_mc(const struct planning *s, bool there)
{
    static const char what[] = "TLS policies, the milter, and flagged mail to relayd: the end of sendmail.mc";
    const char *words[SETUP_SENDMAIL_WORDS];

    setup_sendmail_add(words, s->mc, s->facts->mc, s->lines);
    if (there)
        setup_file(s->plan, SETUP_THERE, what, s->mc, 0644, s->facts->mc);
    else
        setup_command(s->plan, SETUP_NEEDED,
                      &(struct setup_command){.what = what,
                                              .path = s->mc,
                                              .argv = words,
                                              .undo = (const char *[]){"sed", "-i", "--follow-symlinks",
                                                                       SETUP_SENDMAIL_DELETE, s->mc, NULL}});
}

static void plan_cf(const struct planning *s, bool there)
{
    static const char what[] = "sendmail.cf is made of it, and Sendmail must take it";
    const char *words[SETUP_SENDMAIL_WORDS], *undo[SETUP_SENDMAIL_WORDS];

    setup_sendmail_make(words, s->facts, false);
    setup_sendmail_make(undo, s->facts, true);
    if (there)
        setup_file(s->plan, SETUP_THERE, what, s->cf, 0644, s->facts->cf);
    else
        setup_command(s->plan, SETUP_NEEDED,
                      &(struct setup_command){.what = what, .path = s->cf, .argv = words, .undo = undo});
}

static void plan_files(const struct planning *s)
{
    const struct setup_sendmail_facts *f = s->facts;
    struct buf wanted;
    bool there;

    buf_init(&wanted, SETUP_FILE_MAX);
    if (setup_sendmail_mc(&wanted, f->mc, s->lines) != 0 || !buf_ok(&wanted)) {
        setup_notef(s->plan, SETUP_CLASH,
                    "%s has one of the marks \"dnl >>> postern\" and \"dnl <<< postern\" without the other: write it "
                    "again, or take all of it out",
                    s->mc);
    } else {
        there = strcmp(buf_text(&wanted), f->mc) == 0;
        plan_mc(s, there);
        plan_cf(s, there && same(f->cf, f->wanted.text));
    }
    buf_clear(&wanted);
}

/* --- postern.conf --- */

/* Postern's rules are in sendmail.cf, and nothing says how: what they hold back stays held back. */
static bool is_in_force(const struct planning *s)
{
    return s->facts->cf != NULL && strstr(s->facts->cf, "\nSPosternAnswer") != NULL;
}

static void plan_dane(const struct planning *s)
{
    bool kept = s->facts->dane_set || *s->facts->beside != '\0' || is_in_force(s);
    bool dane = kept && s->postern->policyd.dane;

    setup_conf(s->plan, kept ? SETUP_THERE : SETUP_NEEDED, "this Sendmail cannot check DANE", "policyd", "dane",
               dane ? "yes" : "no");
    if (!s->facts->dane_set && *s->facts->beside != '\0')
        setup_notef(
            s->plan, SETUP_NEEDED,
            "%s asks this policyd, too, so DANE stays on here: give Sendmail a policyd of its own, whose "
            "postern.conf has \"policyd { dane = no }\", or mail from Sendmail to domains with DANE waits until "
            "it comes back",
            s->facts->beside);
    setup_notef(
        s->plan, SETUP_THERE,
        "DANE is for you to choose, in postern.conf. \"policyd { dane = no }\"%s: mail to a domain that DANE alone "
        "protects goes as before, over TLS if it is offered, unverified; MTA-STS, also of such a domain, goes on. "
        "\"policyd { dane = yes }\"%s: that mail waits, and comes back after Timeout.queuereturn; nothing goes "
        "unverified. Flagged mail is not touched by it: relayd does DANE itself",
        dane ? "" : " (so it is here)", dane ? " (so it is here)" : "");
}

/* --- the list local --- */

/* The next name that a class has: lines, with prompts before them. Returns 1, or 0 at the end. */
static int next_name(char out[DOMAIN_BUF], const char **at)
{
    while (**at != '\0') {
        const char *line = *at;
        size_t len;

        while (strncmp(line, "> ", 2) == 0)
            line += 2;
        len = strcspn(line, "\n");
        *at = next_line(line);
        if (len > 0 && *line != '[' && memchr(line, ' ', len) == NULL && domain_normalise(out, line, len, NULL) == 0)
            return 1;
    }
    return 0;
}

static bool in_class(const char *class, const char *name)
{
    char other[DOMAIN_BUF];

    while (next_name(other, &class) == 1)
        if (strcmp(other, name) == 0)
            return true;
    return false;
}

static bool in_mailertable(const char *table, const char *name)
{
    char key[DOMAIN_BUF];

    for (const char *at = table; *at != '\0'; at = next_line(at))
        if (domain_normalise(key, at, strcspn(at, " \t\n"), NULL) == 0 && strcmp(key, name) == 0)
            return true;
    return false;
}

static void add_name(struct buf *out, const char *name)
{
    buf_printf(out, "%s%s", out->len > 0 ? ", " : "", name);
}

static void say_names(const struct planning *s, enum setup_state state, const struct buf *names, const char *what)
{
    if (names->len > 0)
        setup_notef(s->plan, state, "%.*s%s: %s", NAMES_MAX, buf_text(names), names->len > NAMES_MAX ? " …" : "", what);
}

/* Domains that mail is taken for: those of a mailertable go on to a host of the operator's. */
static void plan_relayed(const struct planning *s)
{
    const char *at = s->facts->relayed;
    char name[DOMAIN_BUF];
    struct buf others;

    buf_init(&others, SETUP_FILE_MAX);
    while (next_name(name, &at) == 1) {
        if (in_class(s->facts->own, name))
            continue;
        if (in_mailertable(s->facts->mailertable, name))
            setup_local(s->plan, SETUP_NEEDED, name);
        else
            add_name(&others, name);
    }
    say_names(s, SETUP_THERE, &others,
              "in relay-domains, and not in the mailertable, so not put into the list local: flagged mail to them goes "
              "by their MX records. \"posternctl list add local DOMAIN\" if their mailboxes are on a host of yours");
    buf_clear(&others);
}

static void plan_virtual(const struct planning *s)
{
    const char *at = s->facts->virtual;
    char name[DOMAIN_BUF];
    struct buf names;

    buf_init(&names, SETUP_FILE_MAX);
    while (next_name(name, &at) == 1)
        if (!in_class(s->facts->own, name))
            add_name(&names, name);
    say_names(
        s, SETUP_NEEDED, &names,
        "domains of the virtusertable alone: flagged mail to them would be led to relayd, and back here. Put them "
        "into local-host-names, or, if all of it ends here, into the list local");
    buf_clear(&names);
}

static void plan_local(const struct planning *s)
{
    const char *at = s->facts->own;
    char name[DOMAIN_BUF];
    bool any = false;

    while (next_name(name, &at) == 1) {
        setup_local(s->plan, SETUP_NEEDED, name);
        any = true;
    }
    plan_relayed(s);
    plan_virtual(s);
    if (any)
        setup_note(s->plan, SETUP_THERE,
                   "a domain in the list local loses the flag: take those out whose aliases, virtusertable or .forward "
                   "lead elsewhere (posternctl list del local DOMAIN; doc/flagging.md)");
}

/* --- all of it --- */

void setup_sendmail(struct setup_plan *out, const struct conf *postern, struct setup_sendmail_lines *lines,
                    const struct setup_sendmail_facts *facts)
{
    struct planning s = {.plan = out, .postern = postern, .lines = lines, .facts = facts};

    (void)snprintf(s.mc, sizeof(s.mc), "%.4000s/sendmail.mc", facts->config_dir);
    (void)snprintf(s.cf, sizeof(s.cf), "%.4000s/sendmail.cf", facts->config_dir);
    if (*facts->program == '\0')
        setup_note(out, SETUP_CLASH, "there is no Sendmail: apt-get install sendmail");
    else
        look_at_build(&s);
    look_at_tags(&s);
    if (facts->mc == NULL) {
        setup_notef(out, SETUP_CLASH, "there is no %s, so sendmail.cf was made some other way: doc/sendmail.md", s.mc);
    } else {
        look_at_cf(&s);
        plan_files(&s);
    }
    plan_dane(&s);
    setup_note(out, SETUP_THERE,
               "TLS reports say nothing of what Sendmail does, as tlsrptd does not read its log (doc/sendmail.md)");
    plan_local(&s);
    setup_reload(out, facts->reload);
}
