/* fallback_commands_io.c - posternctl fallback: where TLS has failed, straight in Redis. */
#include "clock.h"
#include "ctl.h"
#include "fallback_store_io.h"
#include "list_words.h"
#include "output_io.h"

#include "nexthop.h"

#include <stdio.h>
#include <string.h>

#define TEXT_MAX ((size_t)1 << 30)

/* What every command has. */
struct session {
    struct conf *conf;
    struct redis_ask *ask;
    char nexthop[NEXTHOP_BUF]; /* word[0]; "": there is none */
};

static int take_nexthop(struct session *s, const char *word)
{
    struct nexthop hop;
    struct err e = {""};

    if (nexthop_parse(&hop, word, strlen(word), &e) != 0 || hop.kind == NEXTHOP_PARENT) {
        report_error("\"%.300s\" is no next hop: %s", word,
                     e.text[0] != '\0' ? e.text : "write example.com, [host.example.com] or [192.0.2.1]");
        return CTL_USAGE;
    }
    nexthop_text(s->nexthop, &hop);
    return CTL_YES;
}

/* Returns CTL_YES, or the exit code with the reason reported. session_end in any case. */
static int session_open(struct session *s, const struct ctl *ctl)
{
    *s = (struct session){.nexthop = ""};
    if (ctl->word_count > 0 && take_nexthop(s, ctl->word[0]) != CTL_YES)
        return CTL_USAGE;
    s->conf = read_conf(ctl);
    if (s->conf == NULL)
        return CTL_USAGE;
    s->ask = open_redis(ctl, s->conf);
    return s->ask != NULL ? CTL_YES : CTL_NO;
}

static void session_end(struct session *s)
{
    redis_ask_close(s->ask);
    conf_free(s->conf);
}

/* Returns CTL_NO. */
static int report_redis(const struct session *s, const struct err *e)
{
    if (strstr(e->text, "WRONGTYPE") != NULL)
        report_error("%s; \"posternctl fallback clear %s\" takes it away", e->text, s->nexthop);
    else
        report_error("%s", e->text);
    return CTL_NO;
}

static int print_rows(const struct ctl *ctl, struct fallback_rows *rows)
{
    struct buf text;

    fallback_rows_sort(rows);
    if (ctl->options & CTL_JSON)
        return output_json(fallback_json(rows));
    buf_init(&text, TEXT_MAX);
    fallback_print(&text, rows, now_seconds(), ctl->colour);
    return output_and_clear(&text);
}

static int show(const struct ctl *ctl, const struct session *s)
{
    struct fallback_rows rows = {0};
    struct err e = {""};
    int rc = s->nexthop[0] != '\0' ? fallback_store_read(s->ask, s->nexthop, &rows, &e)
                                   : fallback_store_read_all(s->ask, s->conf->redis.prefix, &rows, &e);

    rc = rc == 0 ? print_rows(ctl, &rows) : report_redis(s, &e);
    fallback_rows_clear(&rows);
    return rc;
}

int run_fallback_show(const struct ctl *ctl)
{
    struct session s;
    int rc = session_open(&s, ctl);

    if (rc == CTL_YES)
        rc = show(ctl, &s);
    session_end(&s);
    return rc;
}

static int clear(const struct session *s)
{
    struct err e = {""};
    int64_t count = 0;
    int rc = s->nexthop[0] != '\0' ? fallback_store_clear(s->ask, s->nexthop, &count, &e)
                                   : fallback_store_clear_all(s->ask, s->conf->redis.prefix, &count, &e);

    if (rc != 0)
        return report_redis(s, &e);
    if (s->nexthop[0] != '\0')
        printf("%s: %s\n", s->nexthop, count > 0 ? "forgotten" : "nothing was known");
    else
        printf("next hops forgotten: %lld\n", (long long)count);
    return output_flush();
}

int run_fallback_clear(const struct ctl *ctl)
{
    struct session s;
    int rc = session_open(&s, ctl);

    if (rc == CTL_YES)
        rc = clear(&s);
    session_end(&s);
    return rc;
}

/* --- report --- */

struct outcome {
    char host[DOMAIN_BUF];
    enum fallback_event event;
    int64_t at;
};

static int outcome_parse(struct outcome *out, const struct ctl *ctl)
{
    const char *host = ctl->word[1];
    int64_t now = now_seconds();
    struct err e = {""};

    out->at = now;
    if (address_normalise(out->host, host, strlen(host)) != 1 &&
        domain_normalise(out->host, host, strlen(host), &e) != 0)
        report_error("\"%.300s\" is no MX host: %s", host, e.text);
    else if (fallback_event_by_name(&out->event, ctl->word[2], &e) != 0 ||
             (ctl->at != NULL && list_words_past(&out->at, ctl->at, now, &e) != 0))
        report_error("%s", e.text);
    else
        return CTL_YES;
    return CTL_USAGE;
}

int run_fallback_report(const struct ctl *ctl)
{
    struct session s = {.nexthop = ""};
    struct outcome o;
    struct err e = {""};
    int rc = outcome_parse(&o, ctl);

    if (rc == CTL_YES)
        rc = session_open(&s, ctl);
    if (rc == CTL_YES && fallback_store_report(s.ask, s.nexthop, o.host, o.event, o.at, &e) != 0)
        rc = report_redis(&s, &e);
    if (rc == CTL_YES) {
        printf("%s, %s: %s noted\n", s.nexthop, o.host, fallback_event_name(o.event));
        rc = output_flush();
    }
    session_end(&s);
    return rc;
}
