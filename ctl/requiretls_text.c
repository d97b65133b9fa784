/* requiretls_text.c - see requiretls.h: the table, and what becomes of mail, for people. */
#include "requiretls.h"

#include "print.h"
#include "table.h"

#include <inttypes.h>
#include <string.h>

#define COLUMNS (REQUIRETLS_CONDITIONS + 3)

static enum tint holds_tint(enum requiretls_holds holds)
{
    return holds == REQUIRETLS_OPEN ? TINT_NONE : holds == REQUIRETLS_YES ? TINT_GOOD : TINT_BAD;
}

static void add_verdict(struct table *t, const struct requiretls *r, size_t candidate)
{
    enum relay_failed what = requiretls_failed(r, candidate, false);

    if (what == RELAY_FAILED_NOTHING && !r->host[candidate].asked)
        table_add(t, TINT_NONE, "-");
    else if (what == RELAY_FAILED_NOTHING)
        table_add(t, TINT_GOOD, "yes");
    else if (relay_failed_permanent(what))
        table_add(t, TINT_BAD, "no");
    else
        table_add(t, TINT_WARN, "not now");
}

static void add_row(struct table *t, const struct requiretls *r, size_t candidate)
{
    const struct dest_host *host = r->path.candidate[candidate].host;
    struct requiretls_cell cells[REQUIRETLS_CONDITIONS];

    requiretls_look(cells, r, candidate);
    table_addf(t, TINT_NONE, "%u", host->preference);
    table_add(t, TINT_NONE, host->name);
    for (size_t i = 0; i < REQUIRETLS_CONDITIONS; i++)
        table_add(t, holds_tint(cells[i].holds), cells[i].how);
    add_verdict(t, r, candidate);
}

static void print_table(struct buf *out, const struct requiretls *r, const size_t *order, size_t count, bool colour)
{
    static const char *const head[COLUMNS] = {"PREF",     "HOST", "MX",          "POLICY",     "CONNECTS",
                                              "STARTTLS", "TLS",  "CERTIFICATE", "REQUIRETLS", "TAKES IT"};
    struct table *t = table_new_headed(head, COLUMNS);

    for (size_t i = 0; i < count; i++)
        add_row(t, r, order[i]);
    table_print(out, t, 0, colour);
    table_free(t);
    buf_char(out, '\n');
}

/* Why a host does not take it, in a sentence. Names and words are printable: they are a domain name, and what
 * relay_failure_set has seen to. */
static void print_why(struct buf *out, const struct requiretls *r, size_t candidate)
{
    enum relay_failed what = requiretls_failed(r, candidate, false);
    const struct requiretls_host *h = &r->host[candidate];
    const char *detail = h->why.detail;

    if (what == RELAY_FAILED_NOTHING)
        return;
    buf_printf(out, "%s %s%s%s%s.\n", r->path.candidate[candidate].host->name, relay_failed_words(what),
               detail[0] != '\0' ? ": " : "", detail, h->hurried ? " (postern-relayd waits longer)" : "");
}

static void print_hosts(struct buf *out, const struct requiretls *r, bool colour)
{
    size_t order[DEST_HOSTS_MAX];
    size_t count = requiretls_order(order, r), from;

    if (count == 0)
        return;
    print_table(out, r, order, count, colour);
    from = out->len;
    for (size_t i = 0; i < count; i++)
        print_why(out, r, order[i]);
    if (r->path.dest->mx_truncated)
        buf_printf(out, "There are more than %d MX hosts; the others are not used.\n", DEST_HOSTS_MAX);
    if (out->len > from)
        buf_char(out, '\n');
}

/* "a, b or c" */
static void print_names(struct buf *out, const struct requiretls *r, const struct requiretls_outcome *o)
{
    for (size_t i = 0; i < o->hosts; i++)
        buf_printf(out, "%s%s",
                   i == 0             ? ""
                   : i + 1 < o->hosts ? ", "
                                      : " or ",
                   r->path.candidate[o->host[i]].host->name);
}

static void print_outcome(struct buf *out, const struct requiretls *r, const struct requiretls_outcome *o, bool colour)
{
    static const struct {
        const char *words;
        enum tint tint;
    } results[] = {[REQUIRETLS_DELIVERED] = {"delivered now", TINT_GOOD},
                   [REQUIRETLS_RETURNED] = {"given back", TINT_BAD},
                   [REQUIRETLS_DEFERRED] = {"kept and tried again", TINT_WARN},
                   [REQUIRETLS_UNDECIDED] = {"offered", TINT_NONE}};

    print_tinted(out, results[o->result].words, results[o->result].tint, colour);
    if (o->hosts > 0) {
        buf_str(out, " to ");
        print_names(out, r, o);
        buf_str(out, o->result == REQUIRETLS_UNDECIDED ? "; no host was asked (--offline).\n" : ".\n");
    } else {
        buf_printf(out, ": %d %s %s\n", o->reply.code, o->reply.enhanced, o->reply.text);
    }
}

static bool same_outcome(const struct requiretls_outcome *a, const struct requiretls_outcome *b)
{
    return a->result == b->result && a->hosts == b->hosts && memcmp(a->host, b->host, sizeof(a->host)) == 0 &&
           a->reply.code == b->reply.code && strcmp(a->reply.text, b->reply.text) == 0;
}

void requiretls_print(struct buf *out, const struct requiretls *r, bool colour)
{
    struct requiretls_outcome mail, bounce;
    char name[NEXTHOP_BUF];

    requiretls_judge(&mail, r, false);
    requiretls_judge(&bounce, r, true);
    nexthop_text(name, &r->hop);
    print_hosts(out, r, colour);
    buf_printf(out, "REQUIRETLS mail for %s would be ", name);
    print_outcome(out, r, &mail, colour);
    if (same_outcome(&mail, &bounce))
        return;
    buf_str(out, "A bounce, which has no sender and needs verified TLS alone, would be ");
    print_outcome(out, r, &bounce, colour);
}
