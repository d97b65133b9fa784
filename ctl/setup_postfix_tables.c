/* setup_postfix_tables.c - the own domains of a Postfix, and transport_flags.regexp and generic_flags.regexp for it. */
#include "setup_postfix_internal.h"

#include "domain.h"
#include "list_pattern.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OWN_LINE  "if !/@("
#define TAG       "\\+requiretls"
#define OPTIONAL  "\\+tlsoptional"
#define RELAYD    "requiretls:"
#define RELAXED   "smtp-relaxed:"
#define TABLE_MAX ((size_t)1 << 20)

/* --- domains --- */

static void add_domain(struct postfix_planning *s, const char *domain, bool local)
{
    for (size_t i = 0; i < s->domains; i++)
        if (strcmp(s->domain[i], domain) == 0) {
            s->local[i] |= local;
            return;
        }
    if (s->domains == SETUP_DOMAINS) {
        s->more_domains = true;
        return;
    }
    s->domain[s->domains] = strdup(domain);
    s->plan->out_of_memory |= s->domain[s->domains] == NULL;
    if (s->domain[s->domains] != NULL)
        s->local[s->domains++] = local;
}

/* A word of a list of domains: a name, or a table or a file, whose names only Postfix knows. */
static void take_word(struct postfix_planning *s, const char *parameter, const char *word, size_t len, bool local,
                      bool below)
{
    char domain[DOMAIN_BUF], parent[DOMAIN_BUF + 1];

    if (len == 0 || *word == '!' || *word == '[')
        return;
    if (memchr(word, ':', len) != NULL || memchr(word, '/', len) != NULL) {
        setup_notef(s->plan, SETUP_NEEDED,
                    "%s has %.*s, whose domains cannot be listed here: name each of them in the line \"if\" of "
                    "transport_flags.regexp, and (posternctl list add local DOMAIN) those whose mail ends here",
                    parameter, (int)(len < 300 ? len : 300), word);
        return;
    }
    if (*word == '.') {
        word++;
        len--;
        below = true;
    } else if (domain_normalise(domain, word, len, NULL) == 0) {
        add_domain(s, domain, local);
    }
    if (below && domain_normalise(domain, word, len, NULL) == 0) {
        (void)snprintf(parent, sizeof(parent), ".%s", domain);
        add_domain(s, parent, local);
    }
}

static void take_list(struct postfix_planning *s, const char *parameter, bool local)
{
    const char *list = postfix_value(s->postfix, NULL, parameter), *word;
    bool below = postfix_list_has(postfix_value(s->postfix, NULL, "parent_domain_matches_subdomains"), parameter);
    size_t len;

    while (postfix_word(&list, &word, &len))
        take_word(s, parameter, word, len, local, below);
}

void postfix_plan_domains(struct postfix_planning *s)
{
    char domain[DOMAIN_BUF];
    size_t local;

    take_list(s, "mydestination", true);
    take_list(s, "virtual_mailbox_domains", true);
    take_list(s, "relay_domains", true);
    local = s->domains;
    take_list(s, "virtual_alias_domains", false);
    if (domain_normalise(domain, s->facts->mail_domain, strlen(s->facts->mail_domain), NULL) == 0)
        add_domain(s, domain, false);
    if (s->more_domains)
        setup_notef(s->plan, SETUP_CLASH,
                    "Postfix has more than %d domains of its own (one of relay_domains may count twice, for what is "
                    "below it), which is too many for this: doc/flagging.md says how it is done by hand",
                    SETUP_DOMAINS);
    if (s->domains > local)
        setup_note(
            s->plan, SETUP_THERE,
            "domains of virtual_alias_domains, and myorigin, are not put into the list local, as their addresses "
            "lead elsewhere and keep their flag then");
    if (local > 0)
        setup_note(s->plan, SETUP_THERE,
                   "a domain in the list local loses the flag: take those out whose aliases or .forward lead elsewhere "
                   "(posternctl list del local DOMAIN; doc/flagging.md)");
}

/* --- tables --- */

static void add_expression(struct buf *out, const char *domain)
{
    if (*domain == '.')
        buf_str(out, "[^@]*");
    for (const char *p = domain; *p != '\0'; p++) {
        if (*p == '.')
            buf_char(out, '\\');
        buf_char(out, *p);
    }
}

static void add_own_line(struct buf *out, const struct postfix_planning *s)
{
    buf_str(out, OWN_LINE);
    for (size_t i = 0; i < s->domains; i++) {
        buf_str(out, i > 0 ? "|" : "");
        add_expression(out, s->domain[i]);
    }
    buf_str(out, s->domains > 0 ? ")$/" : "localhost)$/");
}

static bool listens(const struct conf *conf, const char *nexthop, size_t len)
{
    for (char **l = conf->relayd.listen; *l != NULL; l++)
        if (strlen(*l) == len && strncmp(*l, nexthop, len) == 0)
            return true;
    return false;
}

/* The next hop of a line, or where relayd does listen. */
static void add_nexthop(struct buf *out, const struct postfix_planning *s, const char *nexthop, size_t len)
{
    if (listens(s->postern, nexthop, len) || s->postern->relayd.listen[0] == NULL)
        buf_add(out, nexthop, len);
    else
        buf_str(out, s->postern->relayd.listen[0]);
}

/* "\+" where the delimiter is +; the others are no operators. */
static void add_tag(struct buf *out, const struct conf *conf, const char *tag)
{
    if (strcmp(conf->milter.delimiter, "+") == 0)
        buf_char(out, '\\');
    buf_str(out, conf->milter.delimiter);
    buf_str(out, tag);
}

static bool begins(const char *at, size_t left, const char *word)
{
    size_t len = strlen(word);

    return left >= len && memcmp(at, word, len) == 0;
}

static void add_line(struct buf *out, const struct postfix_planning *s, const char *line, size_t len)
{
    const struct conf *conf = s->postern;

    if (begins(line, len, OWN_LINE)) {
        add_own_line(out, s);
        return;
    }
    while (len > 0) {
        size_t used = 1;

        if (begins(line, len, TAG)) {
            add_tag(out, conf, conf->milter.tag);
            used = strlen(TAG);
        } else if (begins(line, len, OPTIONAL)) {
            add_tag(out, conf, conf->milter.optional_tag);
            used = strlen(OPTIONAL);
        } else if (begins(line, len, RELAYD) && begins(line + strlen(RELAYD), len - strlen(RELAYD), "inet:")) {
            buf_str(out, RELAYD);
            add_nexthop(out, s, line + strlen(RELAYD), len - strlen(RELAYD));
            used = len;
        } else if (len == strlen(RELAXED) && begins(line, len, RELAXED)) {
            buf_str(out, RELAXED);
            buf_str(out, postfix_value(s->postfix, NULL, "relayhost"));
            used = len;
        } else {
            buf_char(out, *line);
        }
        line += used;
        len -= used;
    }
}

/* What contrib/postfix has, with the domains, tags and listeners that there are here. */
static void write_table(struct buf *out, const struct postfix_planning *s, const char *template)
{
    buf_init(out, TABLE_MAX);
    while (*template != '\0') {
        size_t len = strcspn(template, "\n");

        if (*template == '#')
            buf_add(out, template, len);
        else
            add_line(out, s, template, len);
        buf_char(out, '\n');
        template += len + (template[len] == '\n');
    }
}

static void plan_table(struct postfix_planning *s, const struct setup_postfix_table *t, const char *name,
                       const char *what)
{
    char path[4096];
    struct buf text;

    (void)snprintf(path, sizeof(path), "%s/%s", s->facts->config_dir, name);
    write_table(&text, s, t->template);
    if (!buf_ok(&text)) {
        s->plan->out_of_memory = true;
    } else if (t->now != NULL && strcmp(t->now, buf_text(&text)) != 0 && !t->ours) {
        setup_file(s->plan, SETUP_THERE, "is there, and stays as you have it", path, 0644, t->now);
        setup_notef(s->plan, SETUP_THERE,
                    "%s is not what would be written here, and is taken for yours; \"posternctl check postfix\" says "
                    "whether it does",
                    path);
    } else {
        setup_file(s->plan, t->now != NULL && strcmp(t->now, buf_text(&text)) == 0 ? SETUP_THERE : SETUP_NEEDED, what,
                   path, 0644, buf_text(&text));
    }
    buf_clear(&text);
}

void postfix_plan_tables(struct postfix_planning *s)
{
    if (s->postern->relayd.listen[0] == NULL)
        setup_note(s->plan, SETUP_CLASH, "relayd.listen is empty in postern.conf, so flagged mail has nowhere to go");
    plan_table(s, &s->facts->transport, "transport_flags.regexp", "the way of flagged mail");
    plan_table(s, &s->facts->generic, "generic_flags.regexp", "takes the tag of TLS-Required: No off");
}
