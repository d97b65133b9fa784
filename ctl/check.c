/*
 * check.c - posternctl check: is a policy, a record, a pattern, the configuration what the daemons take? The daemons'
 * own parsers are asked; a parser stops at the first fault, so "errors" has one.
 */
#include "ctl.h"
#include "input_io.h"
#include "output_io.h"
#include "print.h"

#include "buf.h"
#include "conf.h"
#include "domain.h"
#include "err.h"
#include "mx_match.h"
#include "sts_policy.h"
#include "sts_record.h"
#include "tlsrpt_record.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* The errors member: none, or this one. NULL without memory. */
static json_t *errors_array(const char *fault)
{
    json_t *errors = json_array();
    struct buf text;

    if (fault == NULL || errors == NULL)
        return errors;
    buf_init(&text, 4 * ERR_MAX + 1);
    print_text(&text, fault, strlen(fault)); /* json wants UTF-8; a fault may have been cut, or quote anything */
    if (!buf_ok(&text) || json_array_append_new(errors, json_string(buf_text(&text))) != 0) {
        json_decref(errors);
        errors = NULL;
    }
    buf_clear(&text);
    return errors;
}

/*
 * Say the verdict: fault NULL means valid. `what` is what was checked, `facts` the members that --json has besides
 * (taken), `text` the words for people when it is valid. Returns code, or CTL_NO when it cannot be said.
 */
static int verdict(const struct ctl *ctl, const char *what, const char *fault, json_t *facts, const char *text,
                   int code)
{
    if (ctl->options & CTL_JSON) {
        json_t *object = json_pack("{s:b}", "valid", fault == NULL);
        if (json_object_update(object, facts) != 0 || json_object_set_new(object, "errors", errors_array(fault)) != 0) {
            json_decref(object);
            object = NULL;
        }
        json_decref(facts);
        return output_json(object) == CTL_YES ? code : CTL_NO;
    }
    json_decref(facts);
    if (fault != NULL && code == CTL_USAGE) {
        report_error("%s", fault); /* nothing was checked */
        return code;
    }
    if (fault != NULL) {
        report_error("%s: not valid: %s", what, fault);
        return code;
    }
    printf("%s\n", text);
    return output_flush() == CTL_YES ? code : CTL_NO;
}

static json_t *string_array(char *const *text, size_t count)
{
    json_t *array = json_array();

    for (size_t i = 0; i < count && array != NULL; i++) {
        if (json_array_append_new(array, json_string(text[i])) != 0) {
            json_decref(array);
            array = NULL;
        }
    }
    return array;
}

static int verdict_policy(const struct ctl *ctl, const char *what, const struct sts_policy *p)
{
    struct buf text;
    json_t *facts = json_pack("{s:s, s:I, s:o}", "mode", sts_mode_name(p->mode), "max_age", (json_int_t)p->max_age,
                              "mx", string_array(p->mx, p->mx_count));
    int rc;

    buf_init(&text, CTL_OUTPUT_MAX);
    buf_printf(&text, "valid: mode %s, max_age %lu (", sts_mode_name(p->mode), (unsigned long)p->max_age);
    print_span(&text, p->max_age);
    buf_printf(&text, "), %zu mx", p->mx_count);
    for (size_t i = 0; i < p->mx_count; i++)
        buf_printf(&text, "\n  %s", p->mx[i]);
    rc = verdict(ctl, what, NULL, facts, buf_text(&text), CTL_YES);
    buf_clear(&text);
    return rc;
}

int check_sts_policy(const struct ctl *ctl)
{
    const char *path = ctl->word[0];
    const char *what = strcmp(path, "-") == 0 ? "standard input" : path;
    struct err e = {""};
    struct buf body;
    struct sts_policy policy;
    json_t *unknown = json_pack("{s:n, s:n, s:[]}", "mode", "max_age", "mx");
    int rc;

    buf_init(&body, STS_BODY_MAX);
    rc = input_read(&body, path, &e);
    if (rc < 0) {
        rc = verdict(ctl, what, e.text, unknown, "", CTL_USAGE);
    } else if (rc == 0) {
        err_set(&e, "longer than %d octets, which is all that a sender must read", STS_BODY_MAX);
        rc = verdict(ctl, what, e.text, unknown, "", CTL_NO);
    } else if (sts_policy_parse(&policy, buf_text(&body), body.len, &e) != 0) {
        rc = verdict(ctl, what, e.text, unknown, "", CTL_NO);
    } else {
        json_decref(unknown);
        rc = verdict_policy(ctl, what, &policy);
        sts_policy_clear(&policy);
    }
    buf_clear(&body);
    return rc;
}

/* The words as TXT records, or NULL without memory, which is reported. */
static struct sts_txt *words_as_txt(const struct ctl *ctl)
{
    struct sts_txt *txt = calloc(ctl->word_count, sizeof(*txt));

    if (txt == NULL) {
        report_error("no memory");
        return NULL;
    }
    for (size_t i = 0; i < ctl->word_count; i++) {
        txt[i].text = ctl->word[i];
        txt[i].len = strlen(ctl->word[i]);
    }
    return txt;
}

int check_sts_record(const struct ctl *ctl)
{
    struct err e = {""};
    struct sts_record record = {""};
    struct sts_txt *txt = words_as_txt(ctl);
    char text[STS_ID_MAX + 32];
    int found;

    if (txt == NULL)
        return CTL_NO;
    found = sts_record_select(&record, txt, ctl->word_count, &e);
    free(txt);
    if (found != 1) {
        if (found == 0)
            err_set(&e, "no MTA-STS record: none begins with \"v=STSv1;\"");
        return verdict(ctl, "MTA-STS record", e.text, json_pack("{s:n}", "id"), "", CTL_NO);
    }
    snprintf(text, sizeof(text), "valid: id %s", record.id);
    return verdict(ctl, "MTA-STS record", NULL, json_pack("{s:s}", "id", record.id), text, CTL_YES);
}

static int verdict_tlsrpt(const struct ctl *ctl, const struct tlsrpt_record *record)
{
    struct buf text;
    char *uri[TLSRPT_RUA_MAX];
    int rc;

    buf_init(&text, CTL_OUTPUT_MAX);
    buf_printf(&text, "valid: %zu rua%s", record->rua_count,
               record->rua_count == 0 ? ", so that no report is sent" : "");
    for (size_t i = 0; i < record->rua_count; i++) {
        uri[i] = (char *)record->rua[i];
        buf_str(&text, "\n  ");
        print_text(&text, uri[i], strlen(uri[i]));
    }
    rc = verdict(ctl, "TLSRPT record", NULL, json_pack("{s:o}", "rua", string_array(uri, record->rua_count)),
                 buf_text(&text), CTL_YES);
    buf_clear(&text);
    return rc;
}

int check_tlsrpt_record(const struct ctl *ctl)
{
    struct err e = {""};
    struct tlsrpt_record record;
    struct sts_txt *txt = words_as_txt(ctl);
    size_t which = 0;
    int found;

    if (txt == NULL)
        return CTL_NO;
    found = tlsrpt_record_select(&which, txt, ctl->word_count, &e);
    if (found == 0)
        err_set(&e, "no TLSRPT record: none begins with \"v=TLSRPTv1;\"");
    else if (found == 1)
        found = tlsrpt_record_parse(&record, txt[which].text, txt[which].len, &e);
    free(txt);
    if (found != 1)
        return verdict(ctl, "TLSRPT record", e.text, json_pack("{s:[]}", "rua"), "", CTL_NO);
    return verdict_tlsrpt(ctl, &record);
}

static int host_normalise(char out[DOMAIN_BUF], const char *word, struct err *e)
{
    return domain_normalise(out, word, strlen(word), e) == 0 ? 0 : err_prefix(e, "host \"%.100s\"", word);
}

int check_mx_match(const struct ctl *ctl)
{
    struct err e = {""};
    char pattern[DOMAIN_BUF];
    char host[DOMAIN_BUF];
    bool match;
    char text[2 * DOMAIN_BUF + 32];

    if (sts_pattern_normalise(pattern, ctl->word[0], strlen(ctl->word[0]), &e) == 0 &&
        host_normalise(host, ctl->word[1], &e) == 0) {
        match = mx_match(pattern, host);
        snprintf(text, sizeof(text), "%s: %s %s %s", match ? "match" : "no match", host,
                 match ? "fits" : "does not fit", pattern);
        return verdict(ctl, "mx-match", NULL, json_pack("{s:b}", "match", match), text, match ? CTL_YES : CTL_NO);
    }
    return verdict(ctl, "mx-match", e.text, json_pack("{s:b}", "match", 0), "", CTL_NO);
}

int check_config(const struct ctl *ctl)
{
    const char *path = ctl->word_count > 0 ? ctl->word[0] : ctl->conf_file;
    struct err e = {""};
    struct conf *conf = NULL;

    if (input_readable(path, &e) != 0)
        return verdict(ctl, path, e.text, json_object(), "", CTL_USAGE);
    if (conf_read(&conf, path, &e) != 0)
        return verdict(ctl, "configuration", e.text, json_object(), "", CTL_NO);
    conf_free(conf);
    return verdict(ctl, path, NULL, json_object(), "valid", CTL_YES);
}
