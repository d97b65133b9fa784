/* list_file_commands_io.c - posternctl list import, export, restore: lists out of files into Redis, and back. */
#include "ctl.h"
#include "input_io.h"
#include "list_import.h"
#include "list_known_io.h"
#include "list_session_io.h"
#include "list_text.h"
#include "output_io.h"

#include <stdio.h>
#include <string.h>

/* --- import --- */

/* Read and check the file. Returns CTL_YES, or the exit code with the reasons reported. */
static int import_read(struct list_import *out, const struct ctl *ctl, const struct list_session *s)
{
    const char *path = ctl->word[1];
    const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
    bool postfix = (ctl->options & CTL_POSTFIX) != 0;
    struct err e = {""};
    struct buf text;
    int rc;

    *out = (struct list_import){0};
    if (postfix && !list_import_takes_postfix(s->list)) {
        report_error("a TLS policy table of Postfix has entries for exclude, require and protocols, and none for %s",
                     list_name(s->list));
        return CTL_USAGE;
    }
    buf_init(&text, LIST_IMPORT_FILE_MAX);
    rc = input_read(&text, path, &e);
    if (rc == 1)
        list_import_read(out, s->list, buf_text(&text), text.len, postfix, name);
    else
        report_error("%s", rc == 0 ? "the file is too long, or there is no memory for it" : e.text);
    buf_clear(&text);
    return rc == 1 ? CTL_YES : CTL_USAGE;
}

/* Name what is wrong. Returns CTL_YES when nothing is. */
static int import_check(const struct list_import *i, const struct ctl *ctl)
{
    fputs(buf_text(&i->errors), stderr);
    if (i->bad > LIST_IMPORT_NAMED)
        report_error("more lines that are wrong: %zu", i->bad - LIST_IMPORT_NAMED);
    if (i->bad > 0)
        report_error("nothing was imported");
    else if (i->rows.failed)
        report_error("no memory");
    else if (i->rows.count == 0 && (ctl->options & CTL_REPLACE) != 0)
        report_error("the file has no entries; \"posternctl list clear %s\" empties the list", ctl->word[0]);
    else
        return CTL_YES;
    return CTL_NO;
}

static void import_tell_left_out(const struct list_import *i)
{
    fputs(buf_text(&i->notes), stderr);
    if (i->left_out > LIST_IMPORT_NAMED)
        report_error("more lines of which something is left out: %zu", i->left_out - LIST_IMPORT_NAMED);
    if (i->others > 0)
        report_error("lines that have nothing for this list: %zu; exclude, require and protocols each take their part",
                     i->others);
}

static int import_put(struct list_import *i, const struct ctl *ctl, const struct list_session *s)
{
    bool replace = (ctl->options & CTL_REPLACE) != 0;
    bool dry = (ctl->options & CTL_DRY_RUN) != 0;
    struct list_rows before;
    struct err e = {""};
    struct buf text;
    int rc;

    if (list_store_read(s->ask, s->list, &before, &e) != 0)
        return list_session_report(s, &e);
    list_rows_sign(&i->rows, &before, list_session_author(ctl), s->now);
    buf_init(&text, LIST_TEXT_MAX);
    list_changes_print(&text, s->list, &before, &i->rows, replace, dry);
    if (dry)
        buf_str(&text, "nothing was written (--dry-run)\n");
    rc = !dry && list_store_import(s->ask, s->list, &i->rows, replace, &e) != 0 ? list_session_report(s, &e)
                                                                                : output_text(&text);
    buf_clear(&text);
    list_rows_clear(&before);
    return rc;
}

int run_list_import(const struct ctl *ctl)
{
    struct list_session s;
    struct list_import import = {0};
    int rc = list_session_begin(&s, ctl);

    if (rc == CTL_YES)
        rc = import_read(&import, ctl, &s);
    if (rc == CTL_YES)
        rc = import_check(&import, ctl);
    if (rc == CTL_YES)
        rc = ctl->options & CTL_DRY_RUN ? list_session_connect(&s, ctl) : list_session_to_write(&s, ctl);
    if (rc == CTL_YES) {
        import_tell_left_out(&import);
        rc = import_put(&import, ctl, &s);
    }
    list_import_clear(&import);
    list_session_end(&s);
    return rc;
}

/* --- export --- */

static int export(const struct ctl *ctl, const struct list_session *s)
{
    struct list_rows rows;
    struct err e = {""};
    struct buf text;
    size_t unreadable;
    int rc;

    if (list_store_read(s->ask, s->list, &rows, &e) != 0)
        return list_session_report(s, &e);
    buf_init(&text, LIST_TEXT_MAX);
    unreadable = list_export_print(&text, &rows);
    list_rows_clear(&rows);
    if (!buf_ok(&text) || ctl->word_count < 2)
        rc = output_verbatim(&text);
    else
        rc = output_file(ctl->word[1], &text);
    buf_clear(&text);
    if (unreadable == 0)
        return rc;
    report_error("entries that cannot be read and are left out: %zu; \"posternctl list show %s\" shows them",
                 unreadable, list_name(s->list));
    return CTL_NO;
}

int run_list_export(const struct ctl *ctl)
{
    struct list_session s;
    int rc = list_session_open(&s, ctl);

    if (rc == CTL_YES)
        rc = export(ctl, &s);
    list_session_end(&s);
    return rc;
}

/* --- restore --- */

static int restore_from(const struct list_session *s, const struct list_known *known)
{
    const char *path = s->conf->policyd.lists_file;
    struct list_head head;
    struct err e = {""};

    if (!known->there) {
        report_error("this node knows no lists: %s%s", path[0] != '\0' ? "there is no file " : "lists_file is not set",
                     path);
        return CTL_NO;
    }
    if (list_store_head(s->ask, &head, &e) != 0)
        return list_session_report(s, &e);
    if (lists_stamp_judge(&known->stamp, lists_count(&known->lists), &head.stamp) == LISTS_STAMP_ADOPT) {
        report_error("Redis has its lists, and they are not older than those of %s: nothing to restore", path);
        return CTL_NO;
    }
    if (list_known_restore(s->ask, known, &head, &e) != 0)
        return list_session_report(s, &e);
    if (known->left_out.count > 0)
        report_error("%zu entries of %s cannot be read and are left out; the first: %s", known->left_out.count, path,
                     known->left_out.first.text);
    printf("%zu entries of %s are in Redis again\n", lists_count(&known->lists), path);
    return output_flush();
}

static int restore(const struct list_session *s)
{
    struct list_known known;
    struct err e = {""};
    int rc;

    if (list_known_read(&known, s->conf->policyd.lists_file, &e) != 0) {
        report_error("%s", e.text);
        return CTL_NO;
    }
    rc = restore_from(s, &known);
    list_known_clear(&known);
    return rc;
}

static int discard(const struct list_session *s)
{
    struct err e = {""};

    if (list_store_discard(s->ask, &e) != 0)
        return list_session_report(s, &e);
    puts("the lists go on from what Redis has");
    return output_flush();
}

int run_list_restore(const struct ctl *ctl)
{
    struct list_session s;
    int rc = list_session_open(&s, ctl);

    if (rc == CTL_YES)
        rc = ctl->options & CTL_DISCARD ? discard(&s) : restore(&s);
    list_session_end(&s);
    return rc;
}
