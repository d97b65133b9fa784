/*
 * check_postfix_io.c - posternctl check postfix: postconf(1) is run, the tables that it names are read, and what is
 * found is printed.
 */
#include "ctl.h"
#include "input_io.h"
#include "output_io.h"
#include "postfix_check.h"
#include "program_output_io.h"

#include "print.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOT_LOOKED_AT                                                                                         \
    "maps other than regexp:, pcre: and static:; access maps (FILTER, REDIRECT, BCC); aliases and .forward; " \
    "other milters; what the running Postfix has not reloaded"

/* A table; a pipe or a device is none, and is not waited for. */
static int read_table(void *ctx, const char *path, struct buf *out, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat st;
    char name[64];
    int rc = -1;

    (void)ctx;
    if (fd < 0)
        return err_set(e, "cannot read it: %s", strerror(errno));
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        err_set(e, "is no regular file");
    } else {
        snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
        rc = input_read(out, name, e);
        if (rc == 0)
            err_set(e, "longer than %zu octets, and not read", out->max);
        rc = rc == 1 ? 0 : -1;
    }
    close(fd);
    return rc;
}

static int run_postconf(struct buf *out, const char *dir, const char *what, struct err *e)
{
    char *argv[] = {(char *)"postconf", (char *)what, NULL, NULL, NULL};

    buf_init(out, POSTFIX_TEXT_MAX);
    if (dir != NULL) {
        argv[1] = (char *)"-c";
        argv[2] = (char *)dir;
        argv[3] = (char *)what;
    }
    if (program_output(out, argv, e) == 0)
        return 0;
    return err_prefix(e, "Postfix's configuration cannot be read");
}

static int read_postfix(struct postfix_conf *out, const char *dir, struct err *e)
{
    static const char *const what[] = {"-x", "-M", "-Px"};
    struct buf text[3];
    int rc = 0;

    for (size_t i = 0; i < 3; i++)
        buf_init(&text[i], 0);
    for (size_t i = 0; i < 3 && rc == 0; i++)
        rc = run_postconf(&text[i], dir, what[i], e);
    if (rc == 0)
        rc = postfix_conf_read(out, (struct postfix_printed){buf_text(&text[0]), text[0].len},
                               (struct postfix_printed){buf_text(&text[1]), text[1].len},
                               (struct postfix_printed){buf_text(&text[2]), text[2].len}, e);
    for (size_t i = 0; i < 3; i++)
        buf_clear(&text[i]);
    return rc;
}

/* Foreign text as JSON takes it. NULL without memory. */
static json_t *harmless(const char *foreign)
{
    struct buf text;
    json_t *value;

    buf_init(&text, 4 * strlen(foreign) + 1);
    print_text(&text, foreign, strlen(foreign));
    value = buf_ok(&text) ? json_string(buf_text(&text)) : NULL;
    buf_clear(&text);
    return value;
}

/* `fault`: nothing was checked; NULL: f is what was found. */
static int print_json(const struct postfix_findings *f, const char *fault)
{
    json_t *findings = json_array(), *errors = json_array();
    int rc = fault != NULL ? json_array_append_new(errors, harmless(fault)) : 0;

    for (size_t i = 0; i < f->count && rc == 0; i++) {
        const struct postfix_finding *g = &f->item[i];
        rc = json_array_append_new(findings,
                                   json_pack("{s:s, s:o, s:o, s:s, s:s}", "name", postfix_finding_name(g->kind),
                                             "where", harmless(g->where), "what", harmless(g->what), "why",
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

    if (found.item == NULL || postfix_check(&found, postfix, postern, read_table, NULL, &e) != 0)
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
    if (read_postfix(&postfix, ctl->config_dir, &e) == 0) {
        rc = check_with(ctl, postern, &postfix);
        postfix_conf_free(&postfix);
    } else {
        cannot_check(ctl, &e);
    }
    conf_free(postern);
    return rc;
}
