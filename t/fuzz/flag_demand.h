/*
 * flag_demand.h - what must hold of any plan for any recipients, read from the envelope before and after it: nobody is
 * lost, no flagged recipient goes without the tag, no local one has a tag, tags of ours stand nowhere else, nothing is
 * deleted that stays, all reports that were asked for are asked for, and a second plan has nothing to do.
 */
#ifndef POSTERN_T_FLAG_DEMAND_H
#define POSTERN_T_FLAG_DEMAND_H

#include "ascii.h"
#include "flag.h"
#include "text_demand.h"

#include <strings.h>

#define FLAG_DEMAND_MAX  16 /* recipients */
#define FLAG_DEMAND_TEXT (ADDRESS_TAG_MAX + 1)

static inline bool flag_demand_local(void *context, const char *domain, size_t len)
{
    (void)context;
    return len == 9 && strncasecmp(domain, "ours.test", len) == 0;
}

/* An address as an MTA that minds neither case nor quotes nor routes has it, and the tags at its end. */
struct flag_meaning {
    char text[FLAG_DEMAND_TEXT]; /* "" for one that is not fit */
    char base[FLAG_DEMAND_TEXT];
    size_t required, optional;
    bool local, bare;
};

static inline bool flag_word_ends(const char *text, size_t len, const struct address_tag *tag)
{
    size_t n = strlen(tag->word);

    return len > n + 1 && text[len - n - 1] == tag->delimiter && strncasecmp(text + len - n, tag->word, n) == 0;
}

static inline struct flag_meaning flag_meaning_of(const struct flag_options *o, const char *address)
{
    struct flag_meaning m = {.required = 0};
    struct address_split s;
    bool quoted = false;
    size_t len = 0;

    if (address_split(&s, address, strlen(address), NULL) != 0 || address[s.local_at] == '@' ||
        s.domain_at + s.domain_len - s.local_at + 2 > ADDRESS_TAG_MAX)
        return m;
    for (const char *at = address + s.local_at; at < address + s.domain_at + s.domain_len; at++) {
        if (!quoted && strchr("(),;", *at) != NULL)
            return m;
        quoted ^= *at == '"';
        at += *at == '\\';
    }
    m.bare = s.domain_len == 0;
    m.local = !m.bare && flag_demand_local(NULL, address + s.domain_at, s.domain_len);
    for (size_t i = 0; i < s.local_len; i++) {
        const char *at = address + s.local_at + i;

        if ((m.local || m.bare) && (*at == '@' || *at == '%' || *at == '!'))
            return m;
        if (*at == '"')
            continue;
        if (*at == '\\' && i + 1 < s.local_len)
            i++;
        m.text[len++] = address[s.local_at + i];
    }
    memcpy(m.base, m.text, len);
    for (size_t n = len;;) {
        bool required = flag_word_ends(m.text, n, &o->requiretls);

        m.base[n] = '\0';
        if (!required && !flag_word_ends(m.text, n, &o->optional))
            break;
        m.required += required;
        m.optional += !required;
        n -= strlen(required ? o->requiretls.word : o->optional.word) + 1;
    }
    snprintf(m.text + len, sizeof(m.text) - len, "@%.*s", (int)s.domain_len, address + s.domain_at);
    len = strlen(m.base);
    snprintf(m.base + len, sizeof(m.base) - len, "@%.*s", (int)s.domain_len, address + s.domain_at);
    return m;
}

/* Of NOTIFY, a bit for each: success, failure, delay. */
static inline unsigned flag_asked(const char *const *parameters)
{
    static const char *const words[] = {"success", "failure", "delay"};
    bool said = false;
    unsigned asked = 0;

    for (; parameters != NULL && *parameters != NULL; parameters++) {
        if (said || strncasecmp(*parameters, "notify=", 7) != 0 || strpbrk(*parameters, " \t\r\n\177") != NULL)
            continue;
        said = true;
        for (const char *at = *parameters; *at != '\0'; at++)
            for (unsigned i = 0; i < 3; i++)
                if (strncasecmp(at, words[i], strlen(words[i])) == 0)
                    asked |= 1U << i;
        if (strcasecmp(*parameters, "notify=never") == 0)
            return 0;
    }
    return asked == 0 ? 2 : asked;
}

/* The envelope after the plan. */
struct flag_after {
    struct flag_recipient recipient[FLAG_DEMAND_MAX];
    struct flag_meaning meaning[FLAG_DEMAND_MAX];
    const char *parameter[FLAG_DEMAND_MAX][3];
    char text[FLAG_DEMAND_MAX][2 * FLAG_DEMAND_TEXT + 100];
    size_t count, stays;
};

static inline void flag_parameters_split(struct flag_after *a, const char *parameters)
{
    char *at = a->text[a->count], *blank;

    demand(strlen(parameters) < sizeof(a->text[0]));
    for (const char *c = parameters; *c != '\0'; c++)
        demand((unsigned char)*c >= 0x20 && *c != 0x7f);
    strcpy(at, parameters);
    blank = strchr(at, ' ');
    if (blank != NULL) {
        *blank++ = '\0';
        demand(strchr(blank, ' ') == NULL && strncasecmp(at, "ORCPT=", 6) == 0);
    }
    a->parameter[a->count][0] = *at != '\0' ? at : NULL;
    a->parameter[a->count][1] = blank;
    demand(*at == '\0' || strncasecmp(at, "ORCPT=", 6) == 0 || strncasecmp(at, "NOTIFY=", 7) == 0);
    demand(blank == NULL || strncasecmp(blank, "NOTIFY=", 7) == 0);
}

static inline void demand_unrouted(const char *unrouted, const char *address)
{
    size_t bare = address[0] != '<';

    demand((unrouted != NULL) == (address[!bare] == '@'));
    if (unrouted == NULL)
        return;
    demand(unrouted[0] == '<' && unrouted[1] != '@' && unrouted[strlen(unrouted) - 1] == '>');
    demand(strncmp(address + strlen(address) + bare - strlen(unrouted) + 1, unrouted + 1, strlen(unrouted) - 2) == 0);
}

static inline void flag_after_make(struct flag_after *a, const struct flag_message *m, const struct flag_plan *p)
{
    const struct flag_edit *edit = p->edit, *end = p->edit + p->edits;

    memset(a, 0, sizeof(*a));
    for (size_t i = 0; i < m->recipients; i++) {
        if (edit < end && edit->recipient == i)
            edit++;
        else
            a->recipient[a->count++] = m->recipient[i];
    }
    demand(edit == end); /* each recipient once, in order */
    a->stays = a->count;
    for (edit = p->edit; edit < end; edit++) {
        demand_unrouted(edit->unrouted, m->recipient[edit->recipient].address);
        demand(edit->parameters != NULL);
        if (edit->address == NULL)
            continue;
        demand(edit->address[0] == '<' && edit->address[strlen(edit->address) - 1] == '>');
        demand(strlen(edit->address) <= ADDRESS_TAG_MAX);
        flag_parameters_split(a, edit->parameters);
        a->recipient[a->count] = (struct flag_recipient){edit->address, a->parameter[a->count]};
        a->count++;
    }
}

/* What the message as a whole comes to, said once more. */
struct flag_says {
    bool whole, optional;
};

static inline struct flag_says flag_says_of(const struct flag_options *o, const struct flag_message *m)
{
    struct flag_says says = {m->mail_requiretls || (m->rule != NULL && m->rule->action == RULE_REQUIRETLS), false};

    for (size_t i = 0; i < m->recipients; i++)
        says.whole = says.whole || (o->whole_message && flag_meaning_of(o, m->recipient[i].address).required > 0);
    says.optional =
        !says.whole && (m->no == TLS_REQUIRED_NO || (m->rule != NULL && m->rule->action == RULE_TLS_OPTIONAL));
    return says;
}

/* The right tag and no other. */
static inline void demand_tags(const struct flag_says *says, const struct flag_meaning *m, const char *address)
{
    if (m->text[0] == '\0') {
        demand(!says->whole);
    } else if (m->local) {
        demand(m->required == 0 && m->optional == 0);
    } else if (says->whole) {
        demand(m->required == 1 && m->optional == 0);
    } else {
        demand(m->required + m->optional <= 1);
        demand(m->optional == 0 || (says->optional && !m->bare));
        demand(m->required + m->optional == 1 || !says->optional || m->bare || strlen(address) + 16 > ADDRESS_TAG_MAX);
    }
}

/* One recipient of the message: it is there in the end, and asks for what it asked for. */
static inline void demand_kept(const struct flag_after *a, const struct flag_recipient *r, const struct flag_meaning *m,
                               bool whole)
{
    bool required = !m->local && (whole || m->required > 0), there = false;
    unsigned asked = 0;

    for (size_t i = 0; i < a->count; i++) {
        const struct flag_meaning *n = &a->meaning[i];

        if (m->text[0] == '\0' ? strcmp(r->address, a->recipient[i].address) != 0
                               : n->text[0] == '\0' || strcmp(m->base, n->base) != 0 || required != (n->required > 0))
            continue;
        there = true;
        asked |= flag_asked(a->recipient[i].parameters);
    }
    demand(there);
    demand((flag_asked(r->parameters) & ~asked) == 0);
}

/* What is deleted neither stays nor is added, however loosely an MTA compares. */
static inline void demand_apart(const struct flag_after *a, const struct flag_meaning *deleted)
{
    demand(deleted->text[0] != '\0');
    for (size_t i = 0; i < a->count; i++)
        demand(strcasecmp(deleted->text, a->meaning[i].text) != 0);
}

static inline void demand_counts(const struct flag_after *a, const struct flag_plan *p)
{
    size_t required = 0, optional = 0;
    struct buf out;

    for (size_t i = 0; i < a->count; i++) {
        required += a->meaning[i].required;
        optional += a->meaning[i].optional;
    }
    demand(p->required_count == required && p->optional_count == optional);
    demand((required == 0 || p->required != FLAG_NOT) && (optional == 0) == (p->optional == FLAG_NOT));
    buf_init(&out, 200);
    flag_record(&out, p, NULL);
    demand(buf_ok(&out) && (out.len == 0) == (p->required == FLAG_NOT && p->optional == FLAG_NOT));
    buf_clear(&out);
}

/* Additions are not the same octets as one another, and as one that stays only with more to ask for. */
static inline void demand_merged(const struct flag_after *a)
{
    for (size_t i = a->stays; i < a->count; i++) {
        unsigned asked = 0;
        bool twice = false;

        for (size_t k = 0; k < i; k++) {
            const char *one = a->recipient[k].address, *other = a->recipient[i].address;
            size_t bare = one[0] != '<';

            if (strlen(one) + 2 * bare != strlen(other) || strncmp(one, other + bare, strlen(one) - !bare) != 0)
                continue;
            demand(k < a->stays);
            twice = true;
            asked |= flag_asked(a->recipient[k].parameters);
        }
        demand(!twice || (flag_asked(a->recipient[i].parameters) & ~asked) != 0);
    }
}

static inline void demand_refused(const struct flag_plan *p, const struct err *e)
{
    demand(e->text[0] != '\0' && p->edit == NULL && p->edits == 0);
    for (const char *c = e->text; *c != '\0'; c++)
        demand(*c == ' ' || ascii_is_visible(*c));
}

static inline void demand_again(const struct flag_options *o, const struct flag_message *m, const struct flag_after *a)
{
    struct flag_message again = *m;
    struct flag_plan p;

    again.recipient = a->recipient;
    again.recipients = a->count;
    demand(flag_plan_make(&p, o, &again, flag_demand_local, NULL, NULL) == 0);
    demand(p.edits == 0);
    flag_plan_clear(&p);
}

static inline void demand_plan(const struct flag_options *o, const struct flag_message *m, const struct flag_plan *p)
{
    static struct flag_after a;
    struct flag_says says = flag_says_of(o, m);
    size_t edit = 0;

    flag_after_make(&a, m, p);
    for (size_t i = 0; i < a.count; i++) {
        a.meaning[i] = flag_meaning_of(o, a.recipient[i].address);
        demand_tags(&says, &a.meaning[i], a.recipient[i].address);
    }
    for (size_t i = 0; i < m->recipients; i++) {
        struct flag_meaning meaning = flag_meaning_of(o, m->recipient[i].address);

        demand_kept(&a, &m->recipient[i], &meaning, says.whole);
        if (edit < p->edits && p->edit[edit].recipient == i) {
            demand_apart(&a, &meaning);
            edit++;
        }
    }
    demand_counts(&a, p);
    demand_merged(&a);
    demand_again(o, m, &a);
}

/* Plan, and demand. Returns what flag_plan_make did. */
static inline int flag_try(const struct flag_options *o, const struct flag_message *m)
{
    struct err e = {""};
    struct flag_plan p;
    int rc = flag_plan_make(&p, o, m, flag_demand_local, NULL, &e);

    demand(rc == 0 || rc == -1);
    if (rc == 0)
        demand_plan(o, m, &p);
    else
        demand_refused(&p, &e);
    flag_plan_clear(&p);
    return rc;
}

#endif
