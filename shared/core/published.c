/*
 * published.c - a domain of ours and its MTA-STS policy. What is read from Redis goes through the reader of policy
 * files, as it would at a sender, so that nothing is served that a sender would refuse.
 */
#include "published.h"

#include "ascii.h"
#include "dest.h"
#include "json_text.h"
#include "utf8.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PUBLISHED_VERSION 1
#define STAMP_LEN         16           /* 20261122T101500Z */
#define YEAR_9999_END     253402300799 /* the last second that has four digits of a year */

void published_clear(struct published *p)
{
    if (p == NULL)
        return;
    sts_policy_clear(&p->policy);
    *p = (struct published){.policy = {.mx = NULL}};
}

void published_body(struct buf *out, const struct sts_policy *policy)
{
    buf_printf(out, "version: STSv1\r\nmode: %s\r\n", sts_mode_name(policy->mode));
    for (size_t i = 0; i < policy->mx_count; i++)
        buf_printf(out, "mx: %s\r\n", policy->mx[i]);
    buf_printf(out, "max_age: %" PRIu32 "\r\n", policy->max_age);
}

/* --- reading --- */

static int get_domain(char out[DOMAIN_BUF], const char *domain, struct err *e)
{
    if (domain_normalise(out, domain, strlen(domain), e) != 0)
        return -1;
    return strcmp(out, domain) == 0 ? 0 : err_set(e, "the domain must be written %s", out);
}

/* A string without NUL. */
static const char *get_text(const json_t *object, const char *name, struct err *e)
{
    const json_t *value = json_object_get(object, name);

    if (json_is_string(value) && strlen(json_string_value(value)) == json_string_length(value))
        return json_string_value(value);
    err_set(e, value == NULL ? "%s: missing" : "%s: not a string", name);
    return NULL;
}

static int get_number(int64_t *out, const json_t *object, const char *name, int64_t max, struct err *e)
{
    const json_t *value = json_object_get(object, name);

    *out = json_integer_value(value);
    if (!json_is_integer(value) || *out < 0 || *out > max)
        return err_set(e, "%s: not a number from 0 to %" PRId64, name, max);
    return 0;
}

static int get_id(char out[STS_ID_MAX + 1], const json_t *object, struct err *e)
{
    const char *id = get_text(object, "id", e);
    size_t len = 0;

    if (id == NULL)
        return -1;
    while (len <= STS_ID_MAX && ascii_is_alnum(id[len]))
        len++;
    if (len == 0 || len > STS_ID_MAX || id[len] != '\0')
        return err_set(e, "id: not 1 to %d letters and digits", STS_ID_MAX);
    memcpy(out, id, len + 1);
    return 0;
}

static int get_by(char out[64], const json_t *object, struct err *e)
{
    const char *by = get_text(object, "by", e);
    size_t len = by == NULL ? 0 : strlen(by);

    if (by == NULL)
        return -1;
    if (len >= 64)
        return err_set(e, "by: longer than 63 octets");
    for (size_t i = 0, octets; i < len; i += octets) {
        octets = utf8_measure(by + i, len - i);
        if (octets == 0 || (unsigned char)by[i] < 0x20 || by[i] == 0x7f)
            return err_set(e, "by: not printable");
    }
    memcpy(out, by, len + 1);
    return 0;
}

/* Each pattern in its one form, so that it is one line of the policy file and no more. */
static int add_patterns(struct buf *body, const json_t *mx, struct err *e)
{
    char pattern[DOMAIN_BUF];

    if (!json_is_array(mx))
        return err_set(e, "mx: not an array");
    for (size_t i = 0; i < json_array_size(mx); i++) {
        const json_t *text = json_array_get(mx, i);

        if (!json_is_string(text))
            return err_set(e, "mx: not an array of strings");
        if (sts_pattern_normalise(pattern, json_string_value(text), json_string_length(text), e) != 0)
            return -1;
        if (strcmp(pattern, json_string_value(text)) != 0)
            return err_set(e, "mx: the pattern must be written %s", pattern);
        buf_printf(body, "mx: %s\r\n", pattern);
    }
    return 0;
}

static int get_policy(struct sts_policy *out, const json_t *object, struct err *e)
{
    const char *mode = get_text(object, "mode", e);
    const json_t *mx = json_object_get(object, "mx");
    struct sts_policy plain = {.mx = NULL};
    int64_t max_age;
    struct buf body;
    int rc = -1;

    if (mode == NULL || get_number(&max_age, object, "max_age", STS_MAX_AGE_MAX, e) != 0)
        return -1;
    if (sts_mode_from_name(&plain.mode, mode, strlen(mode)) == 0)
        return err_set(e, "mode: not enforce, testing or none");
    plain.max_age = (uint32_t)max_age;
    buf_init(&body, STS_BODY_MAX);
    published_body(&body, &plain);
    if (add_patterns(&body, mx, e) == 0)
        rc = buf_ok(&body) ? sts_policy_parse(out, body.data, body.len, e)
                           : err_set(e, "the policy would be longer than %d octets", STS_BODY_MAX);
    if (rc == 0 && out->mx_count != json_array_size(mx))
        rc = err_set(e, "mx: a pattern is there twice");
    buf_clear(&body);
    return rc;
}

static int get_members(struct published *out, const json_t *object, struct err *e)
{
    int64_t version;

    if (!json_is_object(object))
        return err_set(e, "not a JSON object");
    if (get_number(&version, object, "v", INT32_MAX, e) != 0)
        return -1;
    if (version != PUBLISHED_VERSION)
        return err_set(e, "v: version %" PRId64 ", not %d", version, PUBLISHED_VERSION);
    if (get_id(out->id, object, e) != 0 || get_by(out->by, object, e) != 0 ||
        get_number(&out->changed, object, "changed", DEST_TIME_MAX, e) != 0 ||
        get_number(&out->since, object, "since", DEST_TIME_MAX, e) != 0)
        return -1;
    if (json_object_get(object, "held") != NULL && get_number(&out->held, object, "held", DEST_TIME_MAX, e) != 0)
        return -1;
    return get_policy(&out->policy, object, e);
}

int published_read(struct published *out, const char *domain, const char *json, size_t len, struct err *e)
{
    json_error_t at;
    json_t *object;
    int rc;

    *out = (struct published){.policy = {.mx = NULL}};
    if (len > PUBLISHED_JSON_MAX)
        return err_set(e, "longer than %d octets", PUBLISHED_JSON_MAX);
    object = json_loadb(json, len, JSON_REJECT_DUPLICATES, &at);
    if (object == NULL)
        return err_set(e, "no JSON: %s", at.text);
    rc = get_domain(out->domain, domain, e) == 0 ? get_members(out, object, e) : -1;
    json_decref(object);
    if (rc != 0)
        published_clear(out);
    return rc;
}

/* --- writing --- */

void published_write(struct buf *out, const struct published *p)
{
    buf_printf(out, "{\"v\":%d,\"mode\":\"%s\",\"max_age\":%" PRIu32 ",\"mx\":[", PUBLISHED_VERSION,
               sts_mode_name(p->policy.mode), p->policy.max_age);
    for (size_t i = 0; i < p->policy.mx_count; i++)
        buf_printf(out, "%s\"%s\"", i == 0 ? "" : ",", p->policy.mx[i]);
    buf_printf(out, "],\"id\":\"%s\",\"changed\":%" PRId64 ",\"since\":%" PRId64, p->id, p->changed, p->since);
    if (p->held > 0)
        buf_printf(out, ",\"held\":%" PRId64, p->held);
    buf_str(out, ",\"by\":\"");
    json_text_add(out, p->by, PUBLISHED_JSON_MAX);
    buf_str(out, "\"}");
}

/* --- the id --- */

void published_id(char out[STS_ID_MAX + 1], int64_t now, const char *before)
{
    time_t t = (time_t)(now < 0 ? 0 : now > YEAR_9999_END ? YEAR_9999_END : now);
    unsigned long n = 1;
    struct tm tm;

    if (gmtime_r(&t, &tm) == NULL || strftime(out, STS_ID_MAX + 1, "%Y%m%dT%H%M%SZ", &tm) != STAMP_LEN)
        (void)snprintf(out, STS_ID_MAX + 1, "19700101T000000Z");
    if (before == NULL || strncmp(before, out, STAMP_LEN) != 0)
        return;
    if (ascii_is_digit(before[STAMP_LEN]))
        n = strtoul(before + STAMP_LEN, NULL, 10);
    (void)snprintf(out + STAMP_LEN, STS_ID_MAX + 1 - STAMP_LEN, "%lu", n % 1000000000 + 1);
}
