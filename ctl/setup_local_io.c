/* setup_local_io.c - see setup_local_io.h. */
#include "setup_local_io.h"

#include "list_session_io.h"
#include "list_words.h"
#include "print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMENT "posternctl setup "

static struct ctl about_local(const struct ctl *ctl, char **word)
{
    struct ctl local = *ctl;

    word[0] = (char *)"local";
    local.word = word;
    local.word_count = 1;
    return local;
}

static const struct list_entry *find(const struct list_rows *rows, const char *domain)
{
    for (size_t i = 0; i < rows->count; i++)
        if (rows->row[i].entry != NULL && strcmp(rows->row[i].entry->pattern, domain) == 0)
            return rows->row[i].entry;
    return NULL;
}

static bool any_local(const struct setup_plan *p)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->step[i].kind == SETUP_LOCAL)
            return true;
    return false;
}

int setup_local_look(struct setup_plan *p, const struct ctl *ctl)
{
    struct list_rows rows = {0};
    struct list_session s;
    struct err e = {""};
    char *word[1];
    struct ctl local = about_local(ctl, word);
    int rc = 0;

    if (!any_local(p))
        return 0;
    if (list_session_open(&s, &local) != CTL_YES) {
        rc = -1;
    } else if (list_store_read(s.ask, LIST_LOCAL, &rows, &e) != 0) {
        list_session_report(&s, &e);
        rc = -1;
    }
    for (size_t i = 0; i < p->count; i++)
        if (p->step[i].kind == SETUP_LOCAL)
            p->step[i].state = rc == 0 && find(&rows, p->step[i].domain) != NULL ? SETUP_THERE : SETUP_NEEDED;
    list_rows_clear(&rows);
    list_session_end(&s);
    return rc;
}

static int add_one(const struct list_session *s, const struct ctl *ctl, const char *server, char *domain, struct err *e)
{
    char comment[64], *word[1] = {domain};
    struct list_entry_in in = {.author = list_session_author(ctl), .comment = comment, .created = s->now};
    struct list_rows was = {0};
    struct list_entry *entry;
    int rc;

    (void)snprintf(comment, sizeof(comment), COMMENT "%s", server);
    entry = list_words_entry(LIST_LOCAL, word, 1, &in, e);
    if (entry == NULL)
        return err_prefix(e, "list local: %s", domain);
    rc = list_store_put(s->ask, LIST_LOCAL, entry, &was, e);
    list_rows_clear(&was);
    free(entry);
    return rc;
}

int setup_local_add(const struct setup_plan *p, const struct ctl *ctl, bool *begun, struct err *e)
{
    struct list_session s;
    char *word[1];
    struct ctl local = about_local(ctl, word);
    size_t needed = 0;
    int rc = 0;

    for (size_t i = 0; i < p->count; i++)
        needed += p->step[i].kind == SETUP_LOCAL && p->step[i].state == SETUP_NEEDED;
    if (needed == 0)
        return 0;
    if (list_session_begin(&s, &local) != CTL_YES || list_session_to_write(&s, &local) != CTL_YES)
        rc = err_set(e, "the list local cannot be edited");
    for (size_t i = 0; i < p->count && rc == 0; i++)
        if (p->step[i].kind == SETUP_LOCAL && p->step[i].state == SETUP_NEEDED) {
            *begun = true;
            rc = add_one(&s, ctl, p->server, p->step[i].domain, e);
        }
    list_session_end(&s);
    return rc;
}

static int take_one(const struct list_session *s, const struct list_rows *rows, const char *server, const char *domain,
                    struct buf *left, struct err *e)
{
    const struct list_entry *entry = find(rows, domain);
    struct list_rows was = {0};
    char comment[64];
    int rc;

    (void)snprintf(comment, sizeof(comment), COMMENT "%s", server);
    if (entry == NULL)
        return 0;
    if (strcmp(entry->comment, comment) != 0) {
        buf_str(left, "list local: ");
        print_text(left, domain, strlen(domain));
        buf_str(left, ": somebody has changed the entry since; it stays\n");
        return 0;
    }
    rc = list_store_del(s->ask, LIST_LOCAL, domain, domain, &was, e);
    list_rows_clear(&was);
    return rc;
}

int setup_local_take(const char *server, char *const *domains, const struct ctl *ctl, struct buf *left, struct err *e)
{
    struct list_rows rows = {0};
    struct list_session s;
    char *word[1];
    struct ctl local = about_local(ctl, word);
    int rc = 0;

    if (domains == NULL || domains[0] == NULL)
        return 0;
    if (list_session_begin(&s, &local) != CTL_YES || list_session_to_write(&s, &local) != CTL_YES)
        rc = err_set(e, "the list local cannot be edited");
    if (rc == 0)
        rc = list_store_read(s.ask, LIST_LOCAL, &rows, e);
    for (size_t i = 0; domains[i] != NULL && rc == 0; i++)
        rc = take_one(&s, &rows, server, domains[i], left, e);
    list_rows_clear(&rows);
    list_session_end(&s);
    return rc;
}
