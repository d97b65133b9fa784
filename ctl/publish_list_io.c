/* publish_list_io.c - posternctl publish list and publish remove. */
#include "list_store_io.h"
#include "output_io.h"
#include "publish_session_io.h"
#include "publish_sts_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- list --- */

struct listing {
    struct published_all all;
    struct list_rows local;
    struct sts_listed *row;
    char **without;
    size_t withouts;
};

static bool is_published(const struct published_all *all, const char *domain)
{
    for (size_t i = 0; i < all->count; i++)
        if (strcmp(all->row[i].domain, domain) == 0)
            return true;
    return false;
}

/* Exact names of the list local; one that ends, or begins with a dot, names no domain that could publish. */
static bool is_domain(const struct list_row *row, int64_t now)
{
    char domain[DOMAIN_BUF];

    return row->entry != NULL && list_entry_live(row->entry, now) &&
           domain_normalise(domain, row->pattern, strlen(row->pattern), NULL) == 0;
}

static int arrange(struct listing *l, int64_t now)
{
    l->row = calloc(l->all.count > 0 ? l->all.count : 1, sizeof(*l->row));
    l->without = calloc(l->local.count > 0 ? l->local.count : 1, sizeof(*l->without));
    if (l->row == NULL || l->without == NULL || l->all.failed || l->local.failed) {
        report_error("no memory");
        return CTL_NO;
    }
    for (size_t i = 0; i < l->all.count; i++) {
        const struct published_stored *s = &l->all.row[i];

        l->row[i] = (struct sts_listed){s->why.text[0] == '\0' ? &s->policy : NULL, s->domain, s->why.text};
    }
    for (size_t i = 0; i < l->local.count; i++)
        if (is_domain(&l->local.row[i], now) && !is_published(&l->all, l->local.row[i].pattern))
            l->without[l->withouts++] = l->local.row[i].pattern;
    return CTL_YES;
}

static int print_list(const struct listing *l, const struct ctl *ctl, int64_t now)
{
    struct buf text;

    if (ctl->options & CTL_JSON)
        return output_json(sts_list_json(l->row, l->all.count, l->without, l->withouts));
    buf_init(&text, CTL_OUTPUT_MAX);
    sts_list_print(&text, l->row, l->all.count, l->without, l->withouts, now, ctl->colour);
    return output_and_clear(&text);
}

static int list(const struct publish_session *s, const struct ctl *ctl)
{
    struct listing l = {.row = NULL};
    struct err e = {""};
    int rc = CTL_LATER;

    if (published_store_read_all(s->ask, &l.all, &e) != 0 || list_store_read(s->ask, LIST_LOCAL, &l.local, &e) != 0)
        report_error("%s", e.text);
    else
        rc = arrange(&l, s->now);
    if (rc == CTL_YES)
        rc = print_list(&l, ctl, s->now);
    free(l.row);
    free(l.without);
    list_rows_clear(&l.local);
    published_all_clear(&l.all);
    return rc;
}

int run_publish_list(const struct ctl *ctl)
{
    struct publish_session s;
    int rc = publish_session_begin(&s, ctl);

    if (rc == CTL_YES)
        rc = publish_session_connect(&s, ctl);
    if (rc == CTL_YES)
        rc = list(&s, ctl);
    publish_session_end(&s);
    return rc;
}

/* --- remove --- */

static int may_remove(const struct publish_session *s, const struct ctl *ctl)
{
    const struct published *p = publish_session_before(s);
    struct err e = {""};

    if (!s->stored.there) {
        report_error("%s: no policy is published; posternctl publish list shows which there are", s->domain);
        return CTL_NO;
    }
    if (p == NULL || (ctl->options & CTL_FORCE) != 0 || sts_may_remove(p, s->now, &e) == CTL_YES)
        return CTL_YES;
    report_error("%s: %s; --force removes it now", s->domain, e.text);
    return CTL_NO;
}

static int print_removed(const struct publish_session *s, const struct ctl *ctl)
{
    if (ctl->options & CTL_JSON)
        return output_json(json_pack("{s:s, s:b}", "domain", s->domain, "removed", 1));
    printf("%s: removed. Now take away the TXT record _mta-sts.%s, the file, and the name mta-sts.%s.\n", s->domain,
           s->domain, s->domain);
    return output_flush();
}

int run_publish_remove(const struct ctl *ctl)
{
    struct publish_session s;
    struct err e = {""};
    int rc = publish_session_begin(&s, ctl);

    if (rc == CTL_YES)
        rc = publish_session_read(&s, ctl);
    if (rc == CTL_YES)
        rc = may_remove(&s, ctl);
    if (rc == CTL_YES)
        rc = publish_session_edited(&s, published_store_remove(s.ask, &s.stored, &e), &e);
    if (rc == CTL_YES)
        rc = print_removed(&s, ctl);
    publish_session_end(&s);
    return rc;
}
