/*
 * check_postfix_io.c - posternctl check postfix: postconf(1) is run, the tables that it names are read, and what is
 * found is printed.
 */
#include "ctl.h"
#include "member.h"
#include "output_io.h"
#include "postfix_check.h"
#include "postfix_read_io.h"

#include "print.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define NOT_LOOKED_AT                                                                                         \
    "maps other than regexp:, pcre: and static:; access maps (FILTER, REDIRECT, BCC); aliases and .forward; " \
    "other milters; what the running Postfix has not reloaded"

/* `fault`: nothing was checked; NULL: f is what was found. */
static int print_json(const struct postfix_findings *f, const char *fault)
{
    json_t *findings = json_array(), *errors = json_array();
    int rc = fault != NULL ? json_array_append_new(errors, harmless_string(fault)) : 0;

    for (size_t i = 0; i < f->count && rc == 0; i++) {
        const struct postfix_finding *g = &f->item[i];
        rc = json_array_append_new(
            findings, json_pack("{s:s, s:o, s:o, s:s, s:s}", "name", postfix_finding_name(g->kind), "where",
                                harmless_string(g->where), "what", harmless_string(g->what), "why",
                                postfix_finding_why(g->kind), "do", postfix_finding_remedy(g->kind)));
    }
    if (rc == 0)
        return output_json(json_pack("{s:b, s:o, s:o, s:b, s:s}", "valid", fault == NULL && f->count == 0, "errors",
                                     errors, "findings", findings, "more", f->cut, "not_looked_at", NOT_LOOKED_AT));
    json_decref(findings);
    json_decref(errors);
    return output_json(NULL);
}

static int print_findings(const struct ctl *ctl, const struct postfix_findings *f)
{
    struct buf out;

    buf_init(&out, CTL_OUTPUT_MAX);
    for (size_t i = 0; i < f->count; i++) {
        const struct postfix_finding *g = &f->item[i];
        print_text(&out, g->where, strlen(g->where));
        buf_str(&out, ": ");
        print_text(&out, g->what, strlen(g->what));
        buf_printf(&out, ": %s; %s\n", postfix_finding_why(g->kind), postfix_finding_remedy(g->kind));
    }
    if (f->cut)
        buf_printf(&out, "and more, which are not shown\n");
    if (f->count > 0)
        print_tinted(&out, "not valid", TINT_BAD, ctl->colour);
    else
        print_tinted(&out, "valid", TINT_GOOD, ctl->colour);
    buf_printf(&out, ": %zu finding%s. Not looked at: " NOT_LOOKED_AT "\n", f->count, f->count == 1 ? "" : "s");
    return output_and_clear(&out);
}

static int cannot_check(const struct ctl *ctl, const struct err *e)
{
    const struct postfix_findings none = {.count = 0};

    if (ctl->options & CTL_JSON)
        print_json(&none, e->text);
    else
        report_error("%s", e->text);
    return CTL_USAGE;
}

static int check_with(const struct ctl *ctl, const struct conf *postern, const struct postfix_conf *postfix)
{
    struct postfix_findings found = {.item = calloc(POSTFIX_FINDINGS_MAX, sizeof(*found.item))};
    struct err e = {"no memory"};
    int rc = CTL_USAGE;

    if (found.item == NULL || postfix_check(&found, postfix, postern, postfix_read_table, NULL, &e) != 0)
        cannot_check(ctl, &e);
    else
        rc = ctl->options & CTL_JSON ? print_json(&found, NULL) : print_findings(ctl, &found);
    if (rc == CTL_YES && found.count > 0)
        rc = CTL_NO;
    free(found.item);
    return rc;
}

int check_postfix(const struct ctl *ctl)
{
    struct err e = {""};
    struct postfix_conf postfix;
    struct conf *postern = NULL;
    int rc = CTL_USAGE;

    if (conf_read(&postern, ctl->conf_file, &e) != 0)
        return cannot_check(ctl, &e);
    if (postfix_read(&postfix, ctl->config_dir, &e) == 0) {
        rc = check_with(ctl, postern, &postfix);
        postfix_conf_free(&postfix);
    } else {
        cannot_check(ctl, &e);
    }
    conf_free(postern);
    return rc;
}
