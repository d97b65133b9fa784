/* list_commands_io.c - posternctl list: what a person does with the operator's lists, straight in Redis. */
#include "clock.h"
#include "ctl.h"
#include "input_io.h"
#include "list_import.h"
#include "list_known_io.h"
#include "list_store_io.h"
#include "list_text.h"
#include "list_words.h"
#include "output_io.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What every command has. */
struct session {
    struct conf *conf;
    struct redis_ask *ask;
    enum list_id list; /* word[0], if there is one */
    int64_t now;
};

/* Read the configuration and the list's name. Returns CTL_YES, or the exit code with the reason reported. */
static int session_begin(struct session *s, const struct ctl *ctl)
{
    struct err e = {""};

    *s = (struct session){.now = now_seconds()};
    if (ctl->word_count > 0 && list_by_name(&s->list, ctl->word[0], &e) != 0) {
        report_error("%s", e.text);
        return CTL_USAGE;
    }
    s->conf = read_conf(ctl);
    return s->conf != NULL ? CTL_YES : CTL_USAGE;
}

static int session_connect(struct session *s, const struct ctl *ctl)
{
    struct conf_redis redis = conf_redis_for(s->conf, &s->conf->posternctl.redis);
    struct err e = {""};

    s->ask = redis_ask_open(&redis, &e);
    if (s->ask != NULL)
        return CTL_YES;
    report_error("%s; is it running, and is it the one of the section redis in %s (-c FILE)?", e.text, ctl->conf_file);
    return CTL_NO;
}

/* Both, for commands that only read. */
static int session_open(struct session *s, const struct ctl *ctl)
{
    int rc = session_begin(s, ctl);

    return rc == CTL_YES ? session_connect(s, ctl) : rc;
}

/* And for those that write. */
static int session_open_to_write(struct session *s, const struct ctl *ctl)
{
    int rc = session_connect(s, ctl);

    if (rc == CTL_YES && !list_known_allows(s->ask, s->conf->policyd.lists_file))
        rc = CTL_NO;
    return rc;
}

static void session_end(struct session *s)
{
    redis_ask_close(s->ask);
    conf_free(s->conf);
}

/* Returns CTL_NO. */
static int report_redis(const struct session *s, const struct err *e)
{
    const char *wrong = strstr(e->text, "WRONGTYPE");

    if (wrong == NULL)
        report_error("%s", e->text);
    else if (strstr(wrong, "list: ") != NULL)
        report_error("%s; \"posternctl list restore --discard\" makes it anew", e->text);
    else
        report_error("%s, so somebody has put it there by hand; \"posternctl list clear %s\" takes it away", e->text,
                     list_name(s->list));
    return CTL_NO;
}

static int print_and_clear(struct buf *text)
{
    int rc = output_text(text);

    buf_clear(text);
    return rc;
}

/* --- show --- */

static int show_all(const struct ctl *ctl, const struct session *s)
{
    int64_t count[LISTS];
    struct err e = {""};
    struct buf text;

    for (size_t i = 0; i < LISTS; i++)
        if (list_store_count(s->ask, (enum list_id)i, &count[i], &e) != 0)
            return report_redis(s, &e);
    if (ctl->options & CTL_JSON)
        return output_json(lists_json(count));
    buf_init(&text, LIST_TEXT_MAX);
    lists_print(&text, count, ctl->colour);
    return print_and_clear(&text);
}

static int show_one(const struct ctl *ctl, const struct session *s)
{
    struct list_rows rows;
    struct err e = {""};
    struct buf text;
    int rc;

    if (list_store_read(s->ask, s->list, &rows, &e) != 0)
        return report_redis(s, &e);
    if (ctl->options & CTL_JSON) {
        rc = output_json(list_json(s->list, &rows, s->now));
    } else {
        buf_init(&text, LIST_TEXT_MAX);
        list_print(&text, s->list, &rows, s->now, ctl->colour);
        rc = print_and_clear(&text);
    }
    list_rows_clear(&rows);
    return rc;
}

int run_list_show(const struct ctl *ctl)
{
    struct session s;
    int rc = session_open(&s, ctl);

    if (rc == CTL_YES)
        rc = ctl->word_count > 0 ? show_one(ctl, &s) : show_all(ctl, &s);
    session_end(&s);
    return rc;
}

/* --- add, del, clear --- */

/* Who it is that edits. */
static const char *author(const struct ctl *ctl)
{
    const char *name = ctl->by != NULL ? ctl->by : getenv("SUDO_USER");
    const struct passwd *user;

    if (name == NULL || name[0] == '\0')
        name = getenv("LOGNAME");
    if (name != NULL && name[0] != '\0')
        return name;
    user = getpwuid(getuid());
    return user != NULL ? user->pw_name : "";
}

/* "added to require: LINE", and "  was: LINE". */
static int print_edit(const char *what, const struct session *s, const struct list_row *row, const struct list_row *was)
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
    return print_and_clear(&text);
}

static struct list_entry *entry_make(const struct ctl *ctl, const struct session *s)
{
    struct list_entry_in in = {.author = author(ctl),
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
    struct session s;
    struct list_entry *entry = NULL;
    struct list_rows was = {0};
    struct err e = {""};
    int rc = session_begin(&s, ctl);

    if (rc == CTL_YES && (entry = entry_make(ctl, &s)) == NULL)
        rc = CTL_USAGE;
    if (rc == CTL_YES)
        rc = session_open_to_write(&s, ctl);
    if (rc == CTL_YES && list_store_put(s.ask, s.list, entry, &was, &e) != 0)
        rc = report_redis(&s, &e);
    if (rc == CTL_YES) {
        const struct list_row row = {.pattern = NULL, .entry = entry};

        rc = print_edit(was.count > 0 ? "replaced in" : "added to", &s, &row, was.count > 0 ? was.row : NULL);
    }
    list_rows_clear(&was);
    free(entry);
    session_end(&s);
    return rc;
}

static int delete (const struct ctl *ctl, const struct session *s)
{
    const char *word = ctl->word[1];
    struct list_pattern pattern;
    struct list_rows was;
    struct err wrong = {""}, e = {""};
    int rc;

    if (list_pattern_parse(&pattern, word, strlen(word), &wrong) != 0)
        snprintf(pattern.text, sizeof(pattern.text), "%s", ""); /* it may be there all the same, put in by hand */
    if (list_store_del(s->ask, s->list, pattern.text, word, &was, &e) != 0)
        return report_redis(s, &e);
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
    struct session s;
    int rc = session_begin(&s, ctl);

    if (rc == CTL_YES)
        rc = session_open_to_write(&s, ctl);
    if (rc == CTL_YES)
        rc = delete (ctl, &s);
    session_end(&s);
    return rc;
}

int run_list_clear(const struct ctl *ctl)
{
    struct session s;
    struct err e = {""};
    int64_t count = 0;
    int rc = session_begin(&s, ctl);

    if (rc == CTL_YES)
        rc = session_open_to_write(&s, ctl);
    if (rc == CTL_YES && list_store_clear(s.ask, s.list, &count, &e) != 0)
        rc = report_redis(&s, &e);
    if (rc == CTL_YES) {
        printf("%s: %lld removed\n", list_name(s.list), (long long)count);
        rc = output_flush();
    }
    session_end(&s);
    return rc;
}

/* --- import --- */

/* Read and check the file. Returns CTL_YES, or the exit code with the reasons reported. */
static int import_read(struct list_import *out, const struct ctl *ctl, const struct session *s)
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

static int import_put(struct list_import *i, const struct ctl *ctl, const struct session *s)
{
    bool replace = (ctl->options & CTL_REPLACE) != 0;
    bool dry = (ctl->options & CTL_DRY_RUN) != 0;
    struct list_rows before;
    struct err e = {""};
    struct buf text;
    int rc;

    if (list_store_read(s->ask, s->list, &before, &e) != 0)
        return report_redis(s, &e);
    list_rows_sign(&i->rows, &before, author(ctl), s->now);
    buf_init(&text, LIST_TEXT_MAX);
    list_changes_print(&text, s->list, &before, &i->rows, replace, dry);
    if (dry)
        buf_str(&text, "nothing was written (--dry-run)\n");
    rc = !dry && list_store_import(s->ask, s->list, &i->rows, replace, &e) != 0 ? report_redis(s, &e)
                                                                                : output_text(&text);
    buf_clear(&text);
    list_rows_clear(&before);
    return rc;
}

int run_list_import(const struct ctl *ctl)
{
    struct session s;
    struct list_import import = {0};
    int rc = session_begin(&s, ctl);

    if (rc == CTL_YES)
        rc = import_read(&import, ctl, &s);
    if (rc == CTL_YES)
        rc = import_check(&import, ctl);
    if (rc == CTL_YES)
        rc = ctl->options & CTL_DRY_RUN ? session_connect(&s, ctl) : session_open_to_write(&s, ctl);
    if (rc == CTL_YES) {
        import_tell_left_out(&import);
        rc = import_put(&import, ctl, &s);
    }
    list_import_clear(&import);
    session_end(&s);
    return rc;
}

/* --- export --- */

static int export(const struct ctl *ctl, const struct session *s)
{
    struct list_rows rows;
    struct err e = {""};
    struct buf text;
    size_t unreadable;
    int rc;

    if (list_store_read(s->ask, s->list, &rows, &e) != 0)
        return report_redis(s, &e);
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
    struct session s;
    int rc = session_open(&s, ctl);

    if (rc == CTL_YES)
        rc = export(ctl, &s);
    session_end(&s);
    return rc;
}

/* --- restore --- */

static int restore_from(const struct session *s, const struct list_known *known)
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
        return report_redis(s, &e);
    if (lists_stamp_judge(&known->stamp, lists_count(&known->lists), &head.stamp) == LISTS_STAMP_ADOPT) {
        report_error("Redis has its lists, and they are not older than those of %s: nothing to restore", path);
        return CTL_NO;
    }
    if (list_known_restore(s->ask, known, &head, &e) != 0)
        return report_redis(s, &e);
    if (known->left_out.count > 0)
        report_error("%zu entries of %s cannot be read and are left out; the first: %s", known->left_out.count, path,
                     known->left_out.first.text);
    printf("%zu entries of %s are in Redis again\n", lists_count(&known->lists), path);
    return output_flush();
}

static int restore(const struct session *s)
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

static int discard(const struct session *s)
{
    struct err e = {""};

    if (list_store_discard(s->ask, &e) != 0)
        return report_redis(s, &e);
    puts("the lists go on from what Redis has");
    return output_flush();
}

int run_list_restore(const struct ctl *ctl)
{
    struct session s;
    int rc = session_open(&s, ctl);

    if (rc == CTL_YES)
        rc = ctl->options & CTL_DISCARD ? discard(&s) : restore(&s);
    session_end(&s);
    return rc;
}
