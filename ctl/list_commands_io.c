/* list_commands_io.c - posternctl list show, add, del, clear: what a person does with the operator's lists, straight in
 * Redis. */
#include "ctl.h"
#include "list_session_io.h"
#include "list_text.h"
#include "list_words.h"
#include "output_io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- show --- */

static int show_all(const struct ctl *ctl, const struct list_session *s)
{
    int64_t count[LISTS];
    struct err e = {""};
    struct buf text;

    for (size_t i = 0; i < LISTS; i++)
        if (list_store_count(s->ask, (enum list_id)i, &count[i], &e) != 0)
            return list_session_report(s, &e);
    if (ctl->options & CTL_JSON)
        return output_json(lists_json(count));
    buf_init(&text, LIST_TEXT_MAX);
    lists_print(&text, count, ctl->colour);
    return output_and_clear(&text);
}

static int show_one(const struct ctl *ctl, const struct list_session *s)
{
    struct list_rows rows;
    struct err e = {""};
    struct buf text;
    int rc;

    if (list_store_read(s->ask, s->list, &rows, &e) != 0)
        return list_session_report(s, &e);
    if (ctl->options & CTL_JSON) {
        rc = output_json(list_json(s->list, &rows, s->now));
    } else {
        buf_init(&text, LIST_TEXT_MAX);
        list_print(&text, s->list, &rows, s->now, ctl->colour);
        rc = output_and_clear(&text);
    }
    list_rows_clear(&rows);
    return rc;
}

int run_list_show(const struct ctl *ctl)
{
    struct list_session s;
    int rc = list_session_open(&s, ctl);

    if (rc == CTL_YES)
        rc = ctl->word_count > 0 ? show_one(ctl, &s) : show_all(ctl, &s);
    list_session_end(&s);
    return rc;
}

/* --- add, del, clear --- */

/* "added to require: LINE", and "  was: LINE". */
static int print_edit(const char *what, const struct list_session *s, const struct list_row *row,
                      const struct list_row *was)
{
    struct buf text;

    buf_init(&text, LIST_TEXT_MAX);
    buf_printf(&text, "%s %s: ", what, list_name(s->list));
    list_row_print(&text, row);
    buf_char(&text, '\n');
    if (was != NULL) {
        buf_str(&text, "  was: ");
        list_row_print(&text, was);
        buf_char(&text, '\n');
    }
    return output_and_clear(&text);
}

static struct list_entry *entry_make(const struct ctl *ctl, const struct list_session *s)
{
    struct list_entry_in in = {.author = list_session_author(ctl),
                               .comment = ctl->comment != NULL ? ctl->comment : "",
                               .created = s->now,
                               .override = (ctl->options & CTL_OVERRIDE) != 0};
    struct list_entry *entry = NULL;
    struct err e = {""};

    if (ctl->expires == NULL || list_words_expires(&in.expires, ctl->expires, s->now, &e) == 0)
        entry = list_words_entry(s->list, ctl->word + 1, ctl->word_count - 1, &in, &e);
    if (entry == NULL)
        report_error("list add %s: %s", list_name(s->list), e.text);
    return entry;
}

int run_list_add(const struct ctl *ctl)
{
    struct list_session s;
    struct list_entry *entry = NULL;
    struct list_rows was = {0};
    struct err e = {""};
    int rc = list_session_begin(&s, ctl);

    if (rc == CTL_YES && (entry = entry_make(ctl, &s)) == NULL)
        rc = CTL_USAGE;
    if (rc == CTL_YES)
        rc = list_session_to_write(&s, ctl);
    if (rc == CTL_YES && list_store_put(s.ask, s.list, entry, &was, &e) != 0)
        rc = list_session_report(&s, &e);
    if (rc == CTL_YES) {
        const struct list_row row = {.pattern = NULL, .entry = entry};

        rc = print_edit(was.count > 0 ? "replaced in" : "added to", &s, &row, was.count > 0 ? was.row : NULL);
    }
    list_rows_clear(&was);
    free(entry);
    list_session_end(&s);
    return rc;
}

static int delete (const struct ctl *ctl, const struct list_session *s)
{
    const char *word = ctl->word[1];
    struct list_pattern pattern;
    struct list_rows was;
    struct err wrong = {""}, e = {""};
    int rc;

    if (list_pattern_parse(&pattern, word, strlen(word), &wrong) != 0)
        snprintf(pattern.text, sizeof(pattern.text), "%s", ""); /* it may be there all the same, put in by hand */
    if (list_store_del(s->ask, s->list, pattern.text, word, &was, &e) != 0)
        return list_session_report(s, &e);
    if (was.count > 0) {
        rc = print_edit("taken out of", s, was.row, NULL);
    } else {
        report_error("list del: the list %s has no entry %s%s%s", list_name(s->list),
                     wrong.text[0] == '\0' ? pattern.text : word, wrong.text[0] != '\0' ? ": " : "", wrong.text);
        rc = CTL_NO;
    }
    list_rows_clear(&was);
    return rc;
}

int run_list_del(const struct ctl *ctl)
{
    struct list_session s;
    int rc = list_session_begin(&s, ctl);

    if (rc == CTL_YES)
        rc = list_session_to_write(&s, ctl);
    if (rc == CTL_YES)
        rc = delete (ctl, &s);
    list_session_end(&s);
    return rc;
}

int run_list_clear(const struct ctl *ctl)
{
    struct list_session s;
    struct err e = {""};
    int64_t count = 0;
    int rc = list_session_begin(&s, ctl);

    if (rc == CTL_YES)
        rc = list_session_to_write(&s, ctl);
    if (rc == CTL_YES && list_store_clear(s.ask, s.list, &count, &e) != 0)
        rc = list_session_report(&s, &e);
    if (rc == CTL_YES) {
        printf("%s: %lld removed\n", list_name(s.list), (long long)count);
        rc = output_flush();
    }
    list_session_end(&s);
    return rc;
}
