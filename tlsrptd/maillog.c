/* maillog.c - see maillog.h. */
#include "maillog.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "cache.h"
#include "maillog_process.h"
#include "maillog_smtp.h"
#include "siphash.h"
#include "span.h"

#define IDENT_MAX 200

struct maillog {
    char *name;
    char *own_sender;
    struct cache *processes; /* by "IDENT PID" */
    struct cache *own;       /* queue ids of our reports, and of notifications about them; the values are nothing */
};

/* Process and queue ids are this machine's own: nobody else chooses them. */
static const uint8_t no_secret[SIPHASH_KEY];

struct maillog *maillog_new(const char *name, const char *own_sender)
{
    struct maillog *m = calloc(1, sizeof(*m));

    if (m == NULL)
        return NULL;
    m->name = strdup(name);
    m->own_sender = strdup(own_sender);
    m->processes = cache_new(MAILLOG_PROCESSES, maillog_process_free, no_secret);
    m->own = cache_new(MAILLOG_OWN, NULL, no_secret);
    if (m->name != NULL && m->own_sender != NULL && m->processes != NULL && m->own != NULL)
        return m;
    maillog_free(m);
    return NULL;
}

void maillog_free(struct maillog *m)
{
    if (m == NULL)
        return;
    free(m->name);
    free(m->own_sender);
    cache_free(m->processes);
    cache_free(m->own);
    free(m);
}

/* "postfix/smtp" or "postfix/NAME/smtp": then "smtp" is left. */
static bool take_service(struct span *ident, const char *syslog_name)
{
    struct span name = {syslog_name, strlen(syslog_name)}, own_name;

    if (!span_take(ident, name) || !span_take(ident, SPAN("/")))
        return false;
    return memchr(ident->at, '/', ident->len) == NULL ||
           (span_take_until(ident, &own_name, '/') && !span_equal(own_name, SPAN(MAILLOG_RELAXED)));
}

/* "from=<reports@mta.example>, size=308" of qmgr, each time that the message is taken up, and "removed" */
static void add_qmgr(struct maillog *m, struct span text)
{
    size_t len = strlen(m->own_sender);
    struct span id;

    if (len == 0 || !span_take_until(&text, &id, ':') || id.len == 0 || id.len > MAILLOG_QUEUE_ID_MAX)
        return;
    if (span_equal(text, SPAN(" removed")))
        cache_remove(m->own, id.at, id.len);
    else if (span_take(&text, SPAN(" from=<")) && text.len > len && strncasecmp(text.at, m->own_sender, len) == 0 &&
             text.at[len] == '>')
        cache_put(m->own, id.at, id.len, m);
}

static bool is_own(const struct maillog *m, struct span id)
{
    return id.len > 0 && cache_peek(m->own, id.at, id.len) != NULL;
}

/* "QID: sender non-delivery notification: QID" of bounce: what it says of a report is not reported either (W11). */
static void add_bounce(struct maillog *m, struct span text)
{
    struct span id, words;

    if (span_take_until(&text, &id, ':') && is_own(m, id) && span_take_until(&text, &words, ':') &&
        span_has(words, SPAN(" notification")) && span_take(&text, SPAN(" ")) && text.len > 0 &&
        text.len <= MAILLOG_QUEUE_ID_MAX)
        cache_put(m->own, text.at, text.len, m);
}

/* The state of the process, made when there is none. NULL without memory: the line goes by. */
static struct maillog_process *process_of(struct maillog *m, const struct maillog_entry *entry)
{
    char key[IDENT_MAX + 32];
    int len;
    struct maillog_process *p;

    if (entry->ident_len > IDENT_MAX)
        return NULL;
    len = snprintf(key, sizeof(key), "%.*s %ld", (int)entry->ident_len, entry->ident, entry->pid);
    p = cache_get(m->processes, key, (size_t)len);
    if (p != NULL)
        return p;
    p = calloc(1, sizeof(*p));
    if (p != NULL && cache_put(m->processes, key, (size_t)len, p) != 0) {
        maillog_process_free(p);
        p = NULL;
    }
    return p;
}

static void add_smtp(struct maillog *m, const struct maillog_entry *entry, struct span text, maillog_attempt_fn *fn,
                     void *ctx)
{
    struct smtp_line line;
    struct maillog_process *p;

    smtp_line_read(&line, text);
    if (line.says == SMTP_SAYS_NOTHING)
        return;
    p = process_of(m, entry);
    if (p != NULL)
        maillog_process_line(p, &line, entry->at, is_own(m, line.queue_id), fn, ctx);
}

void maillog_add(struct maillog *m, const struct maillog_entry *entry, maillog_attempt_fn *fn, void *ctx)
{
    struct span ident = {entry->ident, entry->ident_len}, text = {entry->text, entry->text_len};

    if (!take_service(&ident, m->name))
        return;
    if (text.len > MAILLOG_LINE_MAX)
        text.len = MAILLOG_LINE_MAX;
    if (span_equal(ident, SPAN("smtp")))
        add_smtp(m, entry, text, fn, ctx);
    else if (span_equal(ident, SPAN("qmgr")))
        add_qmgr(m, text);
    else if (span_equal(ident, SPAN("bounce")))
        add_bounce(m, text);
}
