/* rules_session_io.c - what every command about rules has. */
#include "rules_session_io.h"

#include "output_io.h"

#include <string.h>

#define NAMED_MAX 20 /* errors that are named one by one */

static int no_memory(void)
{
    report_error("no memory");
    return CTL_NO;
}

/* conf_read has read each of them. */
bool rules_session_forget(struct rules_session *s)
{
    rule_set_free(s->set);
    s->set = rule_set_new();
    for (char **rule = s->conf->milter.rules; s->set != NULL && *rule != NULL; rule++)
        if (rule_set_add(s->set, *rule, strlen(*rule), NULL) != 0)
            return false;
    if (s->set == NULL)
        return false;
    s->configured = rule_set_count(s->set);
    return true;
}

int rules_session_begin(struct rules_session *s, const struct ctl *ctl)
{
    *s = (struct rules_session){.conf = read_conf(ctl)};
    if (s->conf == NULL)
        return CTL_USAGE;
    return rules_session_forget(s) ? CTL_YES : no_memory();
}

bool rules_session_has_redis(const struct rules_session *s)
{
    return s->conf->redis.url[0] != '\0';
}

int rules_session_connect(struct rules_session *s, const struct ctl *ctl)
{
    s->ask = open_redis(ctl, s->conf);
    return s->ask != NULL ? CTL_YES : CTL_NO;
}

void rules_session_end(struct rules_session *s)
{
    redis_ask_close(s->ask);
    rule_set_free(s->set);
    conf_free(s->conf);
}

struct reading {
    const char *where;
    size_t named;
};

static void name_wrong(void *ctx, const struct rules_line *line, const struct rule *rule, const struct err *why)
{
    struct reading *r = ctx;

    if (rule == NULL && r->named++ < NAMED_MAX)
        report_error("%s:%zu: %s", r->where, line->number, why->text);
}

size_t rules_session_read(struct rules_session *s, const char *where, const struct buf *text)
{
    struct reading r = {.where = strcmp(where, "-") == 0 ? "standard input" : where};
    size_t bad = rules_text_read(s->set, buf_text(text), text->len, name_wrong, &r);

    if (bad > NAMED_MAX)
        report_error("%s: more rules that are wrong: %zu", r.where, bad - NAMED_MAX);
    return bad;
}
