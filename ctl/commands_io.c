/*
 * commands_io.c - the commands that ask a daemon: read the configuration for its address, ask, print what it says. With
 * --json the daemon's object goes out as it came.
 */
#include "ask_io.h"
#include "cache_text.h"
#include "ctl.h"
#include "explain.h"
#include "facts.h"
#include "output_io.h"
#include "status.h"

#include "conf.h"
#include "dest.h"
#include "domain.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define STSD    "postern-stsd"
#define POLICYD "postern-policyd"

static struct conf *read_conf(const struct ctl *ctl)
{
    struct conf *conf = NULL;
    struct err e = {""};

    if (conf_read(&conf, ctl->conf_file, &e) != 0) {
        report_error("%s (-c FILE names another configuration)", e.text);
        return NULL;
    }
    return conf;
}

/* Say why there is no answer. Some reasons begin with the address. */
static void report_away(const char *program, const char *address, const char *why)
{
    bool told = strncmp(why, address, strlen(address)) == 0;

    if (strstr(why, "Permission denied") != NULL)
        report_error("%s at %s%s%s; ask as root, or as a member of its group", program, told ? "" : address,
                     told ? "" : ": ", why);
    else
        report_error("%s at %s%s%s; is it running, and is this its configuration (-c FILE)?", program,
                     told ? "" : address, told ? "" : ": ", why);
}

static void report_refusal(const char *program, const char *about, const struct answer *a)
{
    const char *text = a->text.len > 0 ? buf_text(&a->text) : "no reason given";

    report_error("%s%s%s%s%s", about, about[0] != '\0' ? ": " : "", text,
                 a->status == CALL_TEMP ? "; try again later, the log has more: journalctl -u " : "",
                 a->status == CALL_TEMP ? program : "");
}

/* Ask; *out is the JSON object that the daemon answered with. Returns 0, or -1 with the reason reported. */
static int ask_object(json_t **out, struct answer *a, const char *program, const char *address, const char *verb,
                      const char *arg)
{
    struct err e = {""};

    *out = NULL;
    if (address[0] == '\0') {
        report_error("%s: the configuration gives it no socket to be asked on", program);
    } else if (ask_daemon(a, address, verb, arg, &e) != 0) {
        report_error("%s at %s: %s", program, address, e.text);
    } else if (!a->reached) {
        report_away(program, address, a->text.len > 0 ? buf_text(&a->text) : "no answer");
    } else if (a->status != CALL_OK) {
        report_refusal(program, arg, a);
    } else {
        *out = buf_ok(&a->text) ? json_loadb(buf_text(&a->text), a->text.len, 0, NULL) : NULL;
        if (!json_is_object(*out)) {
            report_error("%s at %s: its answer cannot be read; are its version and posternctl's the same?", program,
                         address);
            json_decref(*out);
            *out = NULL;
        }
    }
    return *out != NULL ? 0 : -1;
}

/* Print a text and empty it. */
static int print_and_clear(struct buf *text)
{
    int rc = output_text(text);

    buf_clear(text);
    return rc;
}

/* As it came, on one line; on a terminal written anew, so that nothing in it acts there. */
static int print_raw(struct answer *a, json_t *object)
{
    if (isatty(STDOUT_FILENO))
        return output_json(json_incref(object));
    a->text.max++; /* room for the line feed after an answer of full length */
    buf_char(&a->text, '\n');
    return output_text(&a->text);
}

static int print_record(const struct ctl *ctl, const struct answer *a)
{
    struct err e = {""};
    struct dest *d = dest_from_json(buf_text(&a->text), a->text.len, &e);
    struct buf text;

    if (d == NULL) {
        report_error("%s: its answer is no destination record: %s", STSD, e.text);
        return CTL_NO;
    }
    buf_init(&text, CTL_OUTPUT_MAX);
    facts_print(&text, d, (int64_t)time(NULL), ctl->colour);
    dest_free(d);
    return print_and_clear(&text);
}

int run_resolve(const struct ctl *ctl)
{
    const char *word = ctl->word[0];
    struct answer a = {.status = CALL_TEMP};
    struct err e = {""};
    char domain[DOMAIN_BUF];
    struct conf *conf;
    json_t *object;
    int rc = CTL_NO;

    if (domain_normalise(domain, word, strlen(word), &e) != 0) {
        report_error("\"%.300s\" is no domain name: %s", word, e.text);
        return CTL_USAGE;
    }
    conf = read_conf(ctl);
    if (conf == NULL)
        return CTL_USAGE;
    if (ask_object(&object, &a, STSD, conf->stsd.listen, ctl->options & CTL_FRESH ? "refresh" : "resolve", domain) == 0)
        rc = ctl->options & CTL_JSON ? print_raw(&a, object) : print_record(ctl, &a);
    json_decref(object);
    answer_clear(&a);
    conf_free(conf);
    return rc;
}

/* Ask policyd one thing and print its object with `print`, or as it came. */
static int run_policyd(const struct ctl *ctl, const char *verb,
                       void (*print)(struct buf *, const json_t *, int64_t, bool))
{
    struct answer a = {.status = CALL_TEMP};
    struct conf *conf = read_conf(ctl);
    struct buf text;
    json_t *object;
    int rc = CTL_NO;

    if (conf == NULL)
        return CTL_USAGE;
    if (ask_object(&object, &a, POLICYD, conf->policyd.control, verb, ctl->word_count > 0 ? ctl->word[0] : "") == 0) {
        if (ctl->options & CTL_JSON) {
            rc = print_raw(&a, object);
        } else {
            buf_init(&text, CTL_OUTPUT_MAX);
            print(&text, object, (int64_t)time(NULL), ctl->colour);
            rc = print_and_clear(&text);
        }
    }
    json_decref(object);
    answer_clear(&a);
    conf_free(conf);
    return rc;
}

int run_explain(const struct ctl *ctl)
{
    return run_policyd(ctl, "explain", explain_print);
}

int run_cache_show(const struct ctl *ctl)
{
    return run_policyd(ctl, "cache-show", cache_print_list);
}

int run_cache_get(const struct ctl *ctl)
{
    return run_policyd(ctl, "cache-get", cache_print_entry);
}

int run_cache_flush(const struct ctl *ctl)
{
    return run_policyd(ctl, "cache-flush", cache_print_flushed);
}

static json_t *ask_status(const char *program, const char *address)
{
    struct answer a = {.status = CALL_TEMP};
    json_t *status;

    ask_object(&status, &a, program, address, "status", "");
    answer_clear(&a);
    return status;
}

int run_status(const struct ctl *ctl)
{
    struct conf *conf = read_conf(ctl);
    json_t *policyd, *stsd;
    struct buf text;
    int rc;

    if (conf == NULL)
        return CTL_USAGE;
    policyd = ask_status(POLICYD, conf->policyd.control);
    stsd = ask_status(STSD, conf->stsd.listen);
    if (ctl->options & CTL_JSON) {
        rc = output_json(json_pack("{s:O?, s:O?}", "policyd", policyd, "stsd", stsd));
    } else {
        buf_init(&text, CTL_OUTPUT_MAX);
        status_print(&text, POLICYD, conf->policyd.control, policyd, ctl->colour);
        buf_char(&text, '\n');
        status_print(&text, STSD, conf->stsd.listen, stsd, ctl->colour);
        rc = print_and_clear(&text);
    }
    if (policyd == NULL || stsd == NULL)
        rc = CTL_NO;
    json_decref(policyd);
    json_decref(stsd);
    conf_free(conf);
    return rc;
}
