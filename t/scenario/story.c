/* story.c - see story.h. */
#include "story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- help for statements --- */

const char *story_indented(struct story *s)
{
    const struct script *script = s->script;

    if (s->at + 1 >= script->count || !script->line[s->at + 1].indented)
        return NULL;
    s->at++;
    s->trouble.line = script->line[s->at].number;
    return script->line[s->at].text;
}

static int64_t duration(struct story *s, const char *word)
{
    int64_t seconds;

    if (!duration_read(&seconds, word))
        trouble(&s->trouble, "no span of time such as 30s, 10m, 1h30m, 2d: %s", word);
    return seconds;
}

/* "+5m", "-1h" */
static int64_t offset(struct story *s, const char *word)
{
    if (*word != '+' && *word != '-') {
        trouble(&s->trouble, "a clock is set by +TIME or -TIME, not: %s", word);
        return 0;
    }
    return *word == '-' ? -duration(s, word + 1) : duration(s, word + 1);
}

/* "... at NODE" as words from i on. */
static struct node *at_node(struct story *s, const struct words *w, size_t i)
{
    if (*w->word[i] != '\0' && strcmp(w->word[i], "at") != 0) {
        trouble(&s->trouble, "a word too many: %s", w->word[i]);
        return NULL;
    }
    return site_node(&s->site, *w->word[i] == '\0' ? "" : w->word[i + 1]);
}

static void want_count(struct story *s, const struct words *w, size_t count)
{
    if (w->count > count)
        trouble(&s->trouble, "a word too many: %s", w->word[count]);
    else if (w->count < count)
        trouble(&s->trouble, "something is missing after: %s", w->line);
}

/* --- the world --- */

static void zone_flags(struct story *s, struct zone *z, const struct words *w)
{
    for (size_t i = 2; i < w->count; i++) {
        if (strcmp(w->word[i], "signed") == 0)
            z->is_signed = true;
        else if (strcmp(w->word[i], "unsigned") == 0)
            z->is_signed = z->bogus = false;
        else if (strcmp(w->word[i], "bogus") == 0)
            z->bogus = true;
        else if (strcmp(w->word[i], "mended") == 0)
            z->bogus = false;
        else
            trouble(&s->trouble, "a zone is signed, unsigned, bogus or mended, not: %s", w->word[i]);
    }
}

static void do_zone(struct story *s, const struct words *w)
{
    struct zone *z = world_zone(&s->site.world, w->word[1]);
    const char *text;

    if (z == NULL)
        return;
    zone_flags(s, z, w);
    while ((text = story_indented(s)) != NULL)
        world_publish(&s->site.world, z, text);
}

/* The first line of a name and type takes the place of the set, further ones of the same are added. */
static void do_change(struct story *s, const struct words *w)
{
    struct zone *z = world_find_zone(&s->site.world, w->word[1]);
    char last[200] = "";
    const char *text;

    if (z == NULL)
        return;
    zone_flags(s, z, w);
    while ((text = story_indented(s)) != NULL) {
        struct words rr;
        char set[200];

        words_split(&rr, text);
        (void)snprintf(set, sizeof(set), "%.90s %.90s", rr.word[0], rr.word[2]);
        world_change(&s->site.world, z, text, strcmp(set, last) != 0);
        memcpy(last, set, sizeof(last));
    }
}

static void do_remove(struct story *s, const struct words *w)
{
    want_count(s, w, 3);
    world_remove(&s->site.world, w->word[1], w->word[2]);
}

static void do_fail(struct story *s, const struct words *w)
{
    want_count(s, w, 4);
    world_fail(&s->site.world, w->word[1], w->word[2], w->word[3]);
}

static void do_mend(struct story *s, const struct words *w)
{
    want_count(s, w, 3);
    world_mend(&s->site.world, w->word[1], w->word[2]);
}

/* policy D MODE MX... max_age TIME */
static void short_policy(struct story *s, struct policy *p, const struct words *w)
{
    size_t n = (size_t)snprintf(p->body, sizeof(p->body), "version: STSv1\nmode: %s\n", w->word[2]);
    size_t i = 3;

    for (; i < w->count && strcmp(w->word[i], "max_age") != 0; i++)
        n += (size_t)snprintf(p->body + n, sizeof(p->body) - n, "mx: %s\n", w->word[i]);
    want_count(s, w, i + 2);
    (void)snprintf(p->body + n, sizeof(p->body) - n, "max_age: %lld\n", (long long)duration(s, w->word[i + 1]));
}

static void policy_file(struct story *s, struct policy *p)
{
    const char *text;
    size_t n = 0;

    while ((text = story_indented(s)) != NULL && n + 1000 < sizeof(p->body))
        n += (size_t)snprintf(p->body + n, sizeof(p->body) - n, "%s\n", text);
    if (n == 0)
        trouble(&s->trouble, "no lines of the policy file follow");
}

static void do_policy(struct story *s, const struct words *w)
{
    static const struct {
        const char *word;
        enum policy_kind kind;
    } kinds[] = {{"untrusted", POLICY_UNTRUSTED},
                 {"unreachable", POLICY_UNREACHABLE},
                 {"silent", POLICY_SILENT},
                 {"untried", POLICY_UNTRIED}};
    struct policy *p = world_policy(&s->site.world, w->word[1]);

    if (p == NULL)
        return;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(w->word[2], kinds[i].word) == 0) {
            want_count(s, w, 3);
            p->kind = kinds[i].kind;
            (void)snprintf(p->body, sizeof(p->body), "%s", w->word[2]);
            return;
        }
    }
    if (strcmp(w->word[2], "status") == 0)
        p->status = strtol(w->word[3], NULL, 10);
    else if (strcmp(w->word[2], "type") == 0)
        (void)snprintf(p->content_type, sizeof(p->content_type), "%s", w->word[3]);
    else if (strcmp(w->word[2], "file") == 0)
        policy_file(s, p);
    else
        short_policy(s, p, w);
}

/* --- the site --- */

/* Settings in the words of postern.conf. */
static void do_set(struct story *s, const struct words *w)
{
    struct site *site = &s->site;
    const struct {
        const char *name;
        int64_t *value;
        bool *flag;
    } settings[] = {
        {"ttl_min", &site->gather.options.ttl_min, NULL},
        {"refetch_after", &site->refetch_after, NULL},
        {"retry_after", &site->retry_after, NULL},
        {"refresh_used_within", &site->used_within, NULL},
        {"sts_unknown_hold", &site->decide.sts_unknown_hold, NULL},
        {"stale_max", &site->decide.stale_max, NULL},
        {"dane", NULL, &site->decide.dane},
        {"sts", NULL, &site->decide.sts},
    };

    want_count(s, w, 3);
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        if (strcmp(settings[i].name, w->word[1]) != 0)
            continue;
        if (settings[i].flag != NULL)
            *settings[i].flag = strcmp(w->word[2], "on") == 0;
        else
            *settings[i].value = duration(s, w->word[2]);
        site_configure(site);
        return;
    }
    trouble(&s->trouble, "no such setting: %s", w->word[1]);
}

static void do_node(struct story *s, const struct words *w)
{
    if (strcmp(w->word[2], "clock") == 0 || w->count == 2)
        (void)site_node_new(&s->site, w->word[1], w->count == 2 ? 0 : offset(s, w->word[3]));
    else
        trouble(&s->trouble, "a node has a clock, not: %s", w->word[2]);
}

static void do_clock(struct story *s, const struct words *w)
{
    struct node *n = site_node(&s->site, w->word[1]);

    want_count(s, w, 3);
    if (n != NULL)
        n->clock += offset(s, w->word[2]);
}

static void do_redis(struct story *s, const struct words *w)
{
    if (strcmp(w->line, "redis down") == 0)
        redis_down(&s->site);
    else if (strcmp(w->line, "redis flushed") == 0)
        redis_flush(&s->site);
    else if (strcmp(w->line, "redis up") == 0 || strcmp(w->line, "redis up empty") == 0)
        redis_rise(&s->site, w->count == 3);
    else
        trouble(&s->trouble, "redis is down, up, up empty or flushed");
}

static void do_stsd(struct story *s, const struct words *w)
{
    struct node *n = at_node(s, w, 2);

    if (n == NULL)
        return;
    if (strcmp(w->word[1], "restart") == 0)
        stsd_restart(&s->site, n);
    else if (strcmp(w->word[1], "up") == 0 || strcmp(w->word[1], "down") == 0)
        n->stsd_up = strcmp(w->word[1], "up") == 0;
    else
        trouble(&s->trouble, "stsd is up or down, or there is a restart, not: %s", w->word[1]);
}

static void do_restart(struct story *s, const struct words *w)
{
    struct node *n = at_node(s, w, 1);

    if (n != NULL)
        node_restart(&s->site, n);
}

/* --- events --- */

static void event(struct story *s, struct node *n)
{
    s->node = n;
    s->outcome.text[0] = '\0';
    s->site.gather.tally.count = s->site.gather.tally.resolutions = s->site.gather.tally.fetches = 0;
}

static void keep_mail(struct story *s)
{
    struct mail *m = &s->mail[s->mails];

    if (s->mails == MAILS_MAX) {
        trouble(&s->trouble, "more than %d mails", MAILS_MAX);
        return;
    }
    if (!s->faulty && s->site.gather.meddle.hit) {
        s->faulty = true;
        s->first_faulty = s->mails;
    }
    *m = (struct mail){
        .strength = s->outcome.strength, .asked = s->outcome.asked, .line = s->trouble.line, .world = s->world};
    (void)snprintf(m->text, sizeof(m->text), "%.110s", s->outcome.text);
    s->mails++;
}

/* The text wanted, or its first word alone where the rest is for people. */
static bool text_fits(const char *text, const char *wanted)
{
    size_t len = strlen(wanted);

    if (strcmp(wanted, "OK") == 0)
        return false;
    return strcmp(text, wanted) == 0 ||
           (strchr(wanted, ' ') == NULL && strncmp(text, wanted, len) == 0 && text[len] == ' ');
}

/* mail KEY [at NODE] -> ANSWER, from word i on */
static void mail(struct story *s, const struct words *w, size_t i)
{
    bool elsewhere = strcmp(w->word[i + 2], "at") == 0;
    size_t arrow = elsewhere ? i + 4 : i + 2;
    struct node *n = site_node(&s->site, elsewhere ? w->word[i + 3] : "");

    if (arrow + 1 >= WORDS_MAX || strcmp(w->word[arrow], "->") != 0 || *w->word[arrow + 1] == '\0') {
        trouble(&s->trouble, "mail KEY [at NODE] -> ANSWER");
        return;
    }
    if (n == NULL)
        return;
    s->node = n;
    (void)snprintf(s->domain, sizeof(s->domain), "%s", w->word[i + 1]);
    site_mail(&s->site, n, s->domain, &s->outcome);
    keep_mail(s);
    if (s->expecting && !text_fits(s->outcome.text, w->rest[arrow + 1]))
        trouble(&s->trouble, "the answer is \"%s\" (from %s)", s->outcome.text, s->outcome.from);
}

static void do_mail(struct story *s, const struct words *w)
{
    event(s, NULL);
    mail(s, w, 0);
}

/* every TIME for TIME mail ...: the first at once, and the last TIME before the end */
static void do_every(struct story *s, const struct words *w)
{
    int64_t step = duration(s, w->word[1]), span = duration(s, w->word[3]);

    event(s, NULL);
    if (strcmp(w->word[2], "for") != 0 || strcmp(w->word[4], "mail") != 0 || step <= 0)
        trouble(&s->trouble, "every TIME for TIME mail ...");
    for (int64_t passed = 0; passed < span && !in_trouble(&s->trouble); passed += step) {
        mail(s, w, 4);
        site_pass(&s->site, s->site.time + step);
    }
}

static void pass_until(struct story *s, int64_t until)
{
    event(s, site_node(&s->site, ""));
    if (until < s->site.time)
        trouble(&s->trouble, "that time has passed");
    else
        site_pass(&s->site, until);
}

static void do_pass(struct story *s, const struct words *w)
{
    want_count(s, w, 2);
    pass_until(s, s->site.time + duration(s, w->word[1]));
}

static void do_at(struct story *s, const struct words *w)
{
    want_count(s, w, 2);
    pass_until(s, SITE_START + duration(s, w->word[1]));
}

static void do_refresh(struct story *s, const struct words *w)
{
    struct node *n = at_node(s, w, 2);

    event(s, n);
    (void)snprintf(s->domain, sizeof(s->domain), "%s", w->word[1]);
    if (n != NULL)
        site_refresh(&s->site, n, s->domain);
}

/* Only look: nothing is asked. */
static void do_known(struct story *s, const struct words *w)
{
    event(s, at_node(s, w, 2));
    (void)snprintf(s->domain, sizeof(s->domain), "%s", w->word[1]);
}

static void do_nothing(struct story *s, const struct words *w)
{
    (void)s;
    (void)w;
}

/* --- the telling --- */

static const struct statement {
    const char *word;
    void (*fn)(struct story *s, const struct words *w);
    bool is_event; /* what it brings about is looked at */
} statements[] = {
    {"checks", do_nothing, false}, {"says", do_nothing, false},    {"zone", do_zone, false},
    {"change", do_change, false},  {"remove", do_remove, false},   {"fail", do_fail, false},
    {"mend", do_mend, false},      {"policy", do_policy, false},   {"set", do_set, false},
    {"node", do_node, false},      {"clock", do_clock, false},     {"redis", do_redis, false},
    {"stsd", do_stsd, false},      {"restart", do_restart, false}, {"mail", do_mail, true},
    {"every", do_every, true},     {"+", do_pass, true},           {"at", do_at, true},
    {"refresh", do_refresh, true}, {"known", do_known, true},
};

static void world_changes(struct story *s)
{
    s->world++;
    world_changed(&s->site.world);
}

static void carry_out(struct story *s)
{
    const struct script_line *line = &s->script->line[s->at];
    struct words w;

    s->trouble.line = line->number;
    words_split(&w, line->text);
    if (line->indented) {
        trouble(&s->trouble, "nothing may stand below that line: %s", line->text);
        return;
    }
    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
        if (strcmp(statements[i].word, w.word[0]) == 0) {
            statements[i].fn(s, &w);
            if (statements[i].is_event)
                story_expect(s);
            else
                world_changes(s);
            return;
        }
    }
    trouble(&s->trouble, "unknown word: %s", w.word[0]);
}

void story_tell(struct story *s, const struct script *script, bool expecting, bool reversed,
                const struct meddle *meddle)
{
    memset(s, 0, sizeof(*s));
    s->script = script;
    s->trouble.file = script->name;
    s->expecting = expecting;
    s->mail = calloc(MAILS_MAX, sizeof(*s->mail));
    if (s->mail == NULL)
        abort();
    site_init(&s->site, &s->trouble);
    s->site.world.strict = expecting;
    s->site.gather.reversed = reversed;
    s->site.gather.explore = expecting && !reversed;
    if (meddle != NULL)
        s->site.gather.meddle = *meddle;
    for (; s->at < script->count && !in_trouble(&s->trouble); s->at++)
        carry_out(s);
    if (!in_trouble(&s->trouble))
        world_check_used(&s->site.world);
}

void story_clear(struct story *s)
{
    site_clear(&s->site);
    free(s->mail);
}
