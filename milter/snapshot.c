/* snapshot.c - see snapshot.h. */
#include "snapshot.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

#define IDLE_MAX 32 /* memories kept for the next message */

struct whole {
    struct snapshot s; /* first: what others see */
    atomic_uint users;
    struct rule_set *rules;
    char *tag, *optional_tag, *record_header;
    pthread_mutex_t lock; /* for: */
    struct rule_eval *idle[IDLE_MAX];
    size_t idles;
};

/* Constant for everybody but this file. */
static struct whole *whole_of(const struct snapshot *s)
{
    union {
        const struct snapshot *in;
        struct whole *out;
    } u = {s};

    return u.out;
}

static void free_whole(struct whole *w)
{
    for (size_t i = 0; i < w->idles; i++)
        rule_eval_free(w->idle[i]);
    rule_set_free(w->rules);
    pthread_mutex_destroy(&w->lock);
    free(w->tag);
    free(w->optional_tag);
    free(w->record_header);
    free(w);
}

static int add_rules(struct rule_set *set, char *const *rules, const char *text, size_t len, struct err *e)
{
    for (size_t i = 0; rules[i] != NULL; i++)
        if (rule_set_add(set, rules[i], strlen(rules[i]), e) != 0)
            return err_prefix(e, "rule %zu of the configuration", i + 1);
    if (rule_set_read(set, text, len, e) != 0)
        return err_prefix(e, "rules in Redis");
    if (rule_set_ready(set) != 0)
        log_oom();
    return 0;
}

static enum tls_required_from no_from(const char *word)
{
    if (strcmp(word, "anyone") == 0)
        return TLS_REQUIRED_FROM_ANYONE;
    return strcmp(word, "submitters") == 0 ? TLS_REQUIRED_FROM_SUBMITTERS : TLS_REQUIRED_FROM_NOBODY;
}

static void take_settings(struct whole *w, const struct conf_milter *conf)
{
    w->tag = must_have(strdup(conf->tag));
    w->optional_tag = must_have(strdup(conf->optional_tag));
    w->record_header = must_have(strdup(conf->record_header));
    w->s.flag = (struct flag_options){
        .requiretls = {.delimiter = conf->delimiter[0], .word = w->tag},
        .optional = {.delimiter = conf->delimiter[0], .word = w->optional_tag},
        .whole_message = strcmp(conf->scope, "message") == 0,
    };
    w->s.no_from = no_from(conf->tls_required);
    w->s.record_header = w->record_header;
    w->s.body_octets = (size_t)conf->body_octets;
}

struct snapshot *snapshot_new(const struct conf_milter *conf, const char *text, size_t len, struct err *e)
{
    struct whole *w = must_have(calloc(1, sizeof(*w)));

    if (pthread_mutex_init(&w->lock, NULL) != 0)
        log_oom();
    w->users = 1;
    w->rules = must_have(rule_set_new());
    take_settings(w, conf);
    if (add_rules(w->rules, conf->rules, text, len, e) == 0) {
        w->s.rules = w->rules;
        w->s.need = rule_set_need(w->rules);
        return &w->s;
    }
    free_whole(w);
    return NULL;
}

static bool is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0 || address[0] == '\0';
}

struct message_wants snapshot_wants(const struct snapshot *s)
{
    const bool body = (s->need & (RULE_NEED_BODY | RULE_NEED_ATTACHMENTS)) != 0;

    return (struct message_wants){.fields = body || (s->need & RULE_NEED_HEADER) != 0,
                                  .body_octets = body ? s->body_octets : 0,
                                  .shape = (s->need & RULE_NEED_ATTACHMENTS) != 0,
                                  .record_header = s->record_header};
}

bool snapshot_heeds_no(const struct snapshot *s, const char *user, const char *address)
{
    if (s->no_from == TLS_REQUIRED_FROM_ANYONE)
        return true;
    return s->no_from == TLS_REQUIRED_FROM_SUBMITTERS && (user != NULL || is_loopback(address));
}

const struct snapshot *snapshot_hold(const struct snapshot *s)
{
    atomic_fetch_add(&whole_of(s)->users, 1);
    return s;
}

void snapshot_release(const struct snapshot *s)
{
    if (s != NULL && atomic_fetch_sub(&whole_of(s)->users, 1) == 1)
        free_whole(whole_of(s));
}

struct rule_eval *snapshot_take_eval(const struct snapshot *s)
{
    struct whole *w = whole_of(s);
    struct rule_eval *eval = NULL;

    pthread_mutex_lock(&w->lock);
    if (w->idles > 0)
        eval = w->idle[--w->idles];
    pthread_mutex_unlock(&w->lock);
    if (eval == NULL)
        eval = rule_eval_new(w->rules);
    if (eval == NULL)
        log_oom();
    return eval;
}

void snapshot_give_eval(const struct snapshot *s, struct rule_eval *eval)
{
    struct whole *w = whole_of(s);

    pthread_mutex_lock(&w->lock);
    if (w->idles < IDLE_MAX) {
        w->idle[w->idles++] = eval;
        eval = NULL;
    }
    pthread_mutex_unlock(&w->lock);
    rule_eval_free(eval);
}
