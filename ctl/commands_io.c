/*
 * commands_io.c - the commands that ask a daemon: read the configuration for its address, ask, print what it says. With
 * --json the daemon's object goes out as it came.
 */
#include "ask_io.h"
#include "cache_text.h"
#include "clock.h"
#include "ctl.h"
#include "explain.h"
#include "facts.h"
#include "output_io.h"
#include "redis_ask_io.h"
#include "workers.h"

#include "address.h"
#include "conf.h"
#include "conf_value.h"
#include "dest.h"
#include "domain.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STSD    "postern-stsd"
#define POLICYD "postern-policyd"

struct conf *read_conf(const struct ctl *ctl)
{
    struct conf *conf = NULL;
    struct err e = {""};

    if (conf_read(&conf, ctl->conf_file, &e) != 0) {
        report_error("%s (-c FILE names another configuration)", e.text);
        return NULL;
    }
    return conf;
}

int read_option(int64_t *out, const struct conf_option *option, const char *text)
{
    struct err e = {""};

    if (text == NULL || conf_value_set(out, option, text, &e) == 0)
        return 0;
    report_error("--%s: %s", option->name, e.text);
    return -1;
}

struct redis_ask *open_redis(const struct ctl *ctl, const struct conf *conf)
{
    struct conf_redis redis = conf_redis_for(conf, &conf->posternctl.redis);
    struct err e = {""};
    struct redis_ask *ask = redis_ask_open(&redis, &e);

    if (ask == NULL && redis.url[0] == '\0')
        report_error("%s; %s is what was read (-c FILE)", e.text, ctl->conf_file);
    else if (ask == NULL)
        report_error("%s; is it running, and is it the one of the section redis in %s (-c FILE)?", e.text,
                     ctl->conf_file);
    return ask;
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

void report_refusal(const char *program, const char *about, const struct answer *a)
{
    const char *text = a->text.len > 0 ? buf_text(&a->text) : "no reason given";

    report_error("%s%s%s%s%s", about, about[0] != '\0' ? ": " : "", text,
                 a->status == CALL_TEMP ? "; try again later, the log has more: journalctl -u " : "",
                 a->status == CALL_TEMP ? program : "");
}

int ask_program(struct answer *a, const char *program, const char *address, const char *verb, const char *arg,
                int timeout_ms)
{
    struct err e = {""};

    if (address[0] == '\0')
        report_error("%s: the configuration gives it no socket to be asked on", program);
    else if (ask_daemon(a, address, verb, arg, timeout_ms, &e) != 0)
        report_error("%s at %s: %s", program, address, e.text);
    else if (!a->reached)
        report_away(program, address, a->text.len > 0 ? buf_text(&a->text) : "no answer");
    else
        return 0;
    return -1;
}

json_t *answer_object(const struct answer *a, const char *program, const char *address, const char *about)
{
    json_t *object = NULL;

    if (a->status != CALL_OK) {
        report_refusal(program, about, a);
        return NULL;
    }
    if (buf_ok(&a->text))
        object = json_loadb(a->text.data, a->text.len, 0, NULL);
    if (json_is_object(object))
        return object;
    report_error("%s at %s: its answer cannot be read; are its version and posternctl's the same?", program, address);
    json_decref(object);
    return NULL;
}

/* Both. The text of *a is the object as it came. */
static json_t *ask_object(struct answer *a, const char *program, const char *address, const char *verb, const char *arg)
{
    return ask_program(a, program, address, verb, arg, ASK_TIMEOUT_MS) == 0 ? answer_object(a, program, address, arg)
                                                                            : NULL;
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
    facts_print(&text, d, now_seconds(), ctl->colour);
    dest_free(d);
    return output_and_clear(&text);
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
    object = ask_object(&a, STSD, conf->stsd.listen, ctl->options & CTL_FRESH ? "refresh" : "resolve", domain);
    if (object != NULL)
        rc = ctl->options & CTL_JSON ? print_raw(&a, object) : print_record(ctl, &a);
    json_decref(object);
    answer_clear(&a);
    conf_free(conf);
    return rc;
}

typedef void print_fn(struct buf *out, const json_t *object, int64_t now, bool colour);

static int print_object(const struct ctl *ctl, const json_t *object, print_fn *print)
{
    struct buf text;

    buf_init(&text, CTL_OUTPUT_MAX);
    print(&text, object, now_seconds(), ctl->colour);
    return output_and_clear(&text);
}

static const char *first_word(const struct ctl *ctl)
{
    return ctl->word_count > 0 ? ctl->word[0] : "";
}

/* Ask policyd one thing and print its object with `print`, or as it came. */
static int ask_policyd(const struct ctl *ctl, const char *address, const char *verb, print_fn *print)
{
    struct answer a = {.status = CALL_TEMP};
    json_t *object = ask_object(&a, POLICYD, address, verb, first_word(ctl));
    int rc = CTL_NO;

    if (object != NULL)
        rc = ctl->options & CTL_JSON ? print_raw(&a, object) : print_object(ctl, object, print);
    json_decref(object);
    answer_clear(&a);
    return rc;
}

json_t *ask_status(const char *program, const char *address)
{
    struct answer a = {.status = CALL_TEMP};
    json_t *status = ask_object(&a, program, address, "status", "");

    answer_clear(&a);
    return status;
}

/* --- what any worker of policyd knows of all --- */

/* The address of the first that answers; false: there is none, the reason is reported. One that hangs is not waited for
 * long. */
static bool find_worker(struct address *address, const struct conf *conf)
{
    struct answer a = {.status = CALL_TEMP};
    char why[ERR_MAX] = "";
    struct err e = {""};
    bool reached = false;
    unsigned worker = 0;

    while (!reached && worker < (unsigned)conf->policyd.workers) {
        answer_clear(&a);
        if (address_nth(address, conf->policyd.control, ++worker, &e) != 0 ||
            ask_daemon(&a, address->text, "status", "", ASK_PROBE_MS, &e) != 0) {
            report_error("%s: %s", POLICYD, e.text);
            return false;
        }
        reached = a.reached;
        if (!reached && worker == 1)
            (void)snprintf(why, sizeof(why), "%s", buf_text(&a.text));
    }
    answer_clear(&a);
    if (!reached)
        report_away(POLICYD, conf->policyd.control, why);
    else if (worker > 1)
        report_error("%s at %s; worker %u answers in its place", POLICYD, why, worker);
    return reached;
}

/* Where to ask what any of them can tell; NULL with the reason reported. */
static const char *any_worker(struct address *address, const struct conf *conf)
{
    if (conf->policyd.workers == 1)
        return conf->policyd.control;
    return find_worker(address, conf) ? address->text : NULL;
}

json_t *policyd_status(const struct conf *conf)
{
    struct address address;
    const char *at = any_worker(&address, conf);

    return at == NULL ? NULL : ask_status(POLICYD, at);
}

static int explain_policy(const struct ctl *ctl)
{
    struct conf *conf = read_conf(ctl);
    struct address address;
    const char *at = conf == NULL ? NULL : any_worker(&address, conf);
    int rc = conf == NULL ? CTL_USAGE : CTL_NO;

    if (at != NULL)
        rc = ask_policyd(ctl, at, "explain", explain_print);
    conf_free(conf);
    return rc;
}

int run_explain(const struct ctl *ctl)
{
    if (ctl->options & CTL_REQUIRETLS)
        return run_explain_requiretls(ctl);
    if ((ctl->options & (CTL_OFFLINE | CTL_TIMEOUT)) == 0)
        return explain_policy(ctl);
    report_error("explain: --offline and --timeout go with --requiretls");
    return CTL_USAGE;
}

/* --- the memory of policyd, of which each worker has its own --- */

/* How many workers there are, 0 with the reason reported. */
static size_t count_workers(const struct conf *conf)
{
    json_t *status = policyd_status(conf);
    json_int_t n = json_integer_value(json_object_get(status, "workers"));
    bool away = status == NULL;

    json_decref(status);
    if (away)
        return 0;
    return n > 1 ? (size_t)n : 1;
}

/* Ask one worker and add what it says to all. That it does not know the domain is no error. Returns 0 or -1. */
static int ask_worker(json_t *all, struct answer *a, const struct conf *conf, size_t worker, const char *verb,
                      const char *arg)
{
    struct address address;
    struct err e = {""};
    json_t *object = NULL;
    int rc = 0;

    if (address_nth(&address, conf->policyd.control, (unsigned)worker, &e) != 0) {
        report_error("%s: %s", POLICYD, e.text);
        return -1;
    }
    rc = ask_program(a, POLICYD, address.text, verb, arg, ASK_TIMEOUT_MS);
    if (rc == 0 && a->status != CALL_PERM) {
        object = answer_object(a, POLICYD, address.text, arg);
        rc = object == NULL ? -1 : 0;
    }
    if (object != NULL)
        workers_add(all, object, worker);
    json_decref(object);
    return rc;
}

/* All of them are asked, also when one is away. */
static int ask_workers(const struct ctl *ctl, const struct conf *conf, size_t count, const char *verb, print_fn *print)
{
    struct answer a = {.status = CALL_TEMP};
    json_t *all = json_object();
    int rc = CTL_YES;
    int printed = CTL_NO;

    for (size_t worker = 1; worker <= count; worker++) {
        answer_clear(&a);
        if (ask_worker(all, &a, conf, worker, verb, first_word(ctl)) != 0)
            rc = CTL_NO;
    }
    if (json_object_size(all) > 0 && (ctl->options & CTL_JSON) != 0)
        printed = output_json(json_incref(all));
    else if (json_object_size(all) > 0)
        printed = print_object(ctl, all, print);
    else if (rc == CTL_YES)
        report_refusal(POLICYD, first_word(ctl), &a); /* of the last one; the others said the same */
    answer_clear(&a);
    json_decref(all);
    return rc == CTL_YES ? printed : rc;
}

static int run_cache(const struct ctl *ctl, const char *verb, print_fn *print, print_fn *print_all)
{
    struct conf *conf = read_conf(ctl);
    int rc = CTL_NO;
    size_t count;

    if (conf == NULL)
        return CTL_USAGE;
    count = count_workers(conf);
    if (count == 1)
        rc = ask_policyd(ctl, conf->policyd.control, verb, print);
    else if (count > 1)
        rc = ask_workers(ctl, conf, count, verb, print_all);
    conf_free(conf);
    return rc;
}

int run_cache_show(const struct ctl *ctl)
{
    return run_cache(ctl, "cache-show", cache_print_list, cache_print_list);
}

int run_cache_get(const struct ctl *ctl)
{
    return run_cache(ctl, "cache-get", cache_print_entry, cache_print_list);
}

int run_cache_flush(const struct ctl *ctl)
{
    return run_cache(ctl, "cache-flush", cache_print_flushed, cache_print_flushed);
}
