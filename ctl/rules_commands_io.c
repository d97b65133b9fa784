/*
 * rules_commands_io.c - posternctl rules: edits of the rules in Redis. Each reads the text, makes a new one of it, and
 * writes that if nobody else has edited meanwhile; else it begins again.
 */
#include "output_io.h"
#include "rules_known_io.h"
#include "rules_session_io.h"

#include <stdio.h>
#include <string.h>

#define TRIES 100 /* each time somebody else was faster, so edits get on */

/* One edit. */
struct edit {
    const struct ctl *ctl;
    struct rules_session s;
    const char *verb;
    struct rules_where where;
    struct buf loaded;
    bool whole;           /* all rules must be right afterwards; else those that were wrong may stay so */
    size_t before, after; /* how many rules there were, and are */
    int (*make)(struct buf *out, const struct edit *edit, const struct buf *text, struct err *e);
};

static int make_add(struct buf *out, const struct edit *edit, const struct buf *text, struct err *e)
{
    return rules_text_add(out, buf_text(text), text->len, edit->ctl->word[0], &edit->where, e);
}

static int make_replace(struct buf *out, const struct edit *edit, const struct buf *text, struct err *e)
{
    return rules_text_replace(out, buf_text(text), text->len, edit->ctl->word[0], e);
}

static int make_del(struct buf *out, const struct edit *edit, const struct buf *text, struct err *e)
{
    return rules_text_del(out, buf_text(text), text->len, edit->ctl->word[0], e);
}

static int make_move(struct buf *out, const struct edit *edit, const struct buf *text, struct err *e)
{
    return rules_text_move(out, buf_text(text), text->len, edit->ctl->word[0], &edit->where, e);
}

static int make_load(struct buf *out, const struct edit *edit, const struct buf *text, struct err *e)
{
    (void)text;
    buf_add(out, buf_text(&edit->loaded), edit->loaded.len);
    return buf_ok(out) ? 0 : err_set(e, "no memory");
}

/* --- one attempt --- */

/* Is the new text right? What was wrong before, and stays, is told and no reason against edits that mend. */
static int check(struct edit *edit, const struct buf *made)
{
    size_t bad = rules_session_forget(&edit->s) ? rules_session_read(&edit->s, "rules in Redis", made) : 1;

    edit->after = rule_set_count(edit->s.set) - edit->s.configured + bad;
    if (bad > 0 && !edit->whole)
        report_error("until these are mended the milter goes on with the rules that it knows");
    if (bad == 0 || !edit->whole)
        return CTL_YES;
    report_error(
        "rules %s: nothing was written; mend those with \"posternctl rules replace\", \"rules del\" or \"rules "
        "load\" first",
        edit->verb);
    return CTL_NO;
}

/* Returns CTL_YES; CTL_NO with the reason reported; -1: it was edited meanwhile. */
static int try_with(struct edit *edit, const struct rules_stored *seen, struct buf *made)
{
    bool discard = (edit->ctl->options & CTL_DISCARD) != 0;
    struct err e = {""};
    int rc;

    if (!discard && !rules_known_allows(seen, edit->s.conf->milter.rules_file))
        return CTL_NO;
    edit->before = rules_text_count(buf_text(&seen->text), seen->text.len);
    if (edit->make(made, edit, &seen->text, &e) != 0) {
        report_error("rules %s: %s", edit->verb, e.text);
        return CTL_NO;
    }
    if (check(edit, made) != CTL_YES)
        return CTL_NO;
    rc = rules_store_write(edit->s.ask, seen, discard, made, &e);
    if (rc < 0)
        report_error("%s", e.text);
    return rc > 0 ? CTL_YES : rc == 0 ? -1 : CTL_NO;
}

static int try_once(struct edit *edit)
{
    struct rules_stored seen;
    struct err e = {""};
    struct buf made;
    int rc;

    if (rules_store_read(edit->s.ask, &seen, &e) != 0) {
        report_error("%s", e.text);
        return CTL_NO;
    }
    buf_init(&made, RULES_TEXT_MAX);
    rc = try_with(edit, &seen, &made);
    buf_clear(&made);
    rules_store_clear(&seen);
    return rc;
}

static int try_often(struct edit *edit)
{
    int rc = -1;

    for (int i = 0; i < TRIES && rc < 0; i++)
        rc = try_once(edit);
    if (rc >= 0)
        return rc;
    report_error("rules %s: others edit the rules all the time; try again", edit->verb);
    return CTL_NO;
}

/* --- commands --- */

/* Where a rule is to go. Returns CTL_YES, or CTL_USAGE. */
static int where_read(struct rules_where *out, const struct ctl *ctl, const char *verb)
{
    const uint64_t places = ctl->options & (CTL_FIRST | CTL_LAST | CTL_BEFORE | CTL_AFTER);

    if ((places & (places - 1)) != 0) {
        report_error("rules %s: one of --first, --last, --before and --after, not several", verb);
        return CTL_USAGE;
    }
    *out = (struct rules_where){.place = RULES_LAST};
    if (places == CTL_FIRST)
        out->place = RULES_FIRST;
    if (places == CTL_BEFORE)
        *out = (struct rules_where){RULES_BEFORE, ctl->before};
    if (places == CTL_AFTER)
        *out = (struct rules_where){RULES_AFTER, ctl->after};
    if (places != 0 || strcmp(verb, "move") != 0)
        return CTL_YES;
    report_error("rules move: where to? --first, --last, --before NAME or --after NAME");
    return CTL_USAGE;
}

/* The place of the rule of that name among all, from 1; 0: it is not there. */
static size_t number_of(const struct rule_set *set, const char *name, size_t len)
{
    for (size_t i = 0; i < rule_set_count(set); i++)
        if (strlen(rule_set_at(set, i)->name) == len && memcmp(rule_set_at(set, i)->name, name, len) == 0)
            return i + 1;
    return 0;
}

/* A rule as a word: one that cannot be read needs no Redis to be told. */
static int word_check(const struct edit *edit)
{
    struct rule_set *one = rule_set_new();
    const char *word = edit->ctl->word[0];
    struct err e = {"no memory"};
    int rc = one == NULL ? -1 : rule_set_add(one, word, strlen(word), &e);
    const char *name = rc == 0 ? rule_set_at(one, 0)->name : "";

    if (rc == 0 && number_of(edit->s.set, name, strlen(name)) > 0)
        rc = err_set(&e, "the configuration has a rule %s; give this one another name", name);
    rule_set_free(one);
    if (rc == 0)
        return CTL_YES;
    report_error("rules %s: %s", edit->verb, e.text);
    return CTL_NO;
}

/* The same of a file. */
static int file_check(struct edit *edit)
{
    const char *path = edit->ctl->word[0];
    struct err e = {""};

    if (rules_known_input(&edit->loaded, path, &e) != 0) {
        report_error("%s", e.text);
        return CTL_USAGE;
    }
    if (rules_session_read(&edit->s, path, &edit->loaded) == 0)
        return CTL_YES;
    report_error("rules load: nothing was written");
    return CTL_NO;
}

static int tell(const struct edit *edit, const char *done)
{
    const char *word = edit->ctl->word[0];
    struct rules_line line = {.text = word, .len = strlen(word), .rule = true};
    size_t len = line.len, number;
    const char *name = rules_line_name(&line, &len);

    number = number_of(edit->s.set, name != NULL ? name : word, len);
    printf("%s: %.*s", done, (int)len, name != NULL ? name : word);
    if (number > 0)
        printf(", rule %zu of %zu", number, rule_set_count(edit->s.set));
    puts("");
    return output_flush();
}

static int run(struct edit *edit, const struct ctl *ctl)
{
    int rc = rules_session_begin(&edit->s, ctl);

    edit->ctl = ctl;
    if (rc == CTL_YES && (edit->make == make_add || edit->make == make_replace))
        rc = word_check(edit);
    if (rc == CTL_YES && edit->make == make_load)
        rc = file_check(edit);
    if (rc == CTL_YES)
        rc = rules_session_connect(&edit->s, ctl);
    return rc == CTL_YES ? try_often(edit) : rc;
}

static int run_and_tell(struct edit *edit, const struct ctl *ctl, const char *done)
{
    int rc = where_read(&edit->where, ctl, edit->verb);

    if (rc == CTL_YES) {
        rc = run(edit, ctl);
        if (rc == CTL_YES)
            rc = tell(edit, done);
        rules_session_end(&edit->s);
    }
    return rc;
}

int run_rules_add(const struct ctl *ctl)
{
    struct edit edit = {.verb = "add", .make = make_add, .whole = true};

    return run_and_tell(&edit, ctl, "added");
}

int run_rules_replace(const struct ctl *ctl)
{
    struct edit edit = {.verb = "replace", .make = make_replace, .whole = true};

    return run_and_tell(&edit, ctl, "replaced");
}

int run_rules_del(const struct ctl *ctl)
{
    struct edit edit = {.verb = "del", .make = make_del};

    return run_and_tell(&edit, ctl, "taken out");
}

int run_rules_move(const struct ctl *ctl)
{
    struct edit edit = {.verb = "move", .make = make_move};

    return run_and_tell(&edit, ctl, "moved");
}

int run_rules_load(const struct ctl *ctl)
{
    struct edit edit = {.verb = "load", .make = make_load, .whole = true};
    int rc;

    buf_init(&edit.loaded, RULES_TEXT_MAX);
    rc = run(&edit, ctl);
    if (rc == CTL_YES) {
        printf("%zu rules in the place of %zu\n", edit.after, edit.before);
        rc = output_flush();
    }
    buf_clear(&edit.loaded);
    rules_session_end(&edit.s);
    return rc;
}

int run_rules_save(const struct ctl *ctl)
{
    struct rules_session s;
    struct rules_stored stored;
    struct err e = {""};
    int rc = rules_session_begin(&s, ctl);

    if (rc == CTL_YES)
        rc = rules_session_connect(&s, ctl);
    if (rc == CTL_YES && rules_store_read(s.ask, &stored, &e) != 0) {
        report_error("%s", e.text);
        rc = CTL_NO;
    } else if (rc == CTL_YES) {
        rc = ctl->word_count > 0 ? output_file(ctl->word[0], &stored.text) : output_verbatim(&stored.text);
        rules_store_clear(&stored);
    }
    rules_session_end(&s);
    return rc;
}
