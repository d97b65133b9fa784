/* report_normal.c - see report_normal.h. */
#include "report_normal.h"

#include "report_time.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_DIGITS 15 /* below 2^53 */
#define COUNT_MAX    9007199254740992.0

static void drop_null(json_t *object, const char *name)
{
    if (json_is_null(json_object_get(object, name)))
        json_object_del(object, name);
}

/* A text, when it is there; a number becomes one. */
static int text_member(json_t *object, const char *name, struct err *e)
{
    json_t *value;
    char *text;

    drop_null(object, name);
    value = json_object_get(object, name);
    if (value == NULL || json_is_string(value))
        return 0;
    if (!json_is_number(value))
        return err_set(e, "\"%s\" is no text", name);
    text = json_dumps(value, JSON_ENCODE_ANY);
    value = text != NULL ? json_string(text) : NULL;
    free(text);
    return json_object_set_new(object, name, value) == 0 ? 0 : err_set(e, "no memory");
}

static int text_members(json_t *object, const char *const *name, size_t count, struct err *e)
{
    for (size_t i = 0; i < count; i++)
        if (text_member(object, name[i], e) != 0)
            return -1;
    return 0;
}

/* An array, made of one value alone, or of none. Returns it (the object's), or NULL. */
static json_t *array_member(json_t *object, const char *name, struct err *e)
{
    json_t *value, *array;

    drop_null(object, name);
    value = json_object_get(object, name);
    if (json_is_array(value))
        return value;
    array = json_array();
    if (array == NULL || (value != NULL && json_array_append(array, value) != 0) ||
        json_object_set(object, name, array) != 0)
        err_set(e, "no memory");
    json_decref(array);
    return json_object_get(object, name) == array ? array : NULL;
}

static int texts_member(json_t *object, const char *name, struct err *e)
{
    const json_t *array = array_member(object, name, e);

    for (size_t i = 0; i < json_array_size(array); i++)
        if (!json_is_string(json_array_get(array, i)))
            return err_set(e, "\"%s\" has something that is no text", name);
    return array != NULL ? 0 : -1;
}

/* --- counts --- */

/* A count written as something else than an integer; -1: it is none. */
static json_int_t count_of(const json_t *value)
{
    const char *text = json_string_value(value);
    double real = json_is_real(value) ? json_real_value(value) : -1;

    if (json_is_integer(value))
        return json_integer_value(value);
    if (text != NULL && text[0] != '\0' && strlen(text) <= COUNT_DIGITS && strspn(text, "0123456789") == strlen(text))
        return strtoll(text, NULL, 10);
    return real >= 0 && real <= COUNT_MAX && floor(real) == real ? (json_int_t)real : -1;
}

static int count_member(json_t *object, const char *name, struct err *e)
{
    json_int_t count;
    json_t *value;

    drop_null(object, name);
    value = json_object_get(object, name);
    if (value == NULL)
        return 0;
    count = count_of(value);
    if (count < 0)
        return err_set(e, "\"%s\" is no count", name);
    return json_object_set_new(object, name, json_integer(count)) == 0 ? 0 : err_set(e, "no memory");
}

/* --- the report --- */

static int normalise_failure(json_t *failure, struct err *e)
{
    static const char *const texts[] = {
        "result-type",  "sending-mta-ip",         "receiving-mx-hostname", "receiving-mx-helo",  "receiving-mx-ip",
        "receiving-ip", "additional-information", "additional-info-uri",   "failure-reason-code"};

    if (!json_is_object(failure))
        return err_set(e, "a failure detail is no object");
    if (text_members(failure, texts, sizeof(texts) / sizeof(texts[0]), e) != 0)
        return -1;
    for (size_t i = 1; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (json_string_length(json_object_get(failure, texts[i])) == 0)
            json_object_del(failure, texts[i]);
    return count_member(failure, "failed-session-count", e);
}

static int normalise_failures(json_t *entry, struct err *e)
{
    json_t *failures = array_member(entry, "failure-details", e);

    for (size_t i = 0; i < json_array_size(failures); i++)
        if (normalise_failure(json_array_get(failures, i), e) != 0)
            return -1;
    return failures != NULL ? 0 : -1;
}

static int normalise_summary(json_t *entry, struct err *e)
{
    json_t *summary;

    drop_null(entry, "summary");
    summary = json_object_get(entry, "summary");
    if (summary == NULL)
        return 0;
    if (!json_is_object(summary))
        return err_set(e, "\"summary\" is no object");
    return count_member(summary, "total-successful-session-count", e) == 0 &&
                   count_member(summary, "total-failure-session-count", e) == 0
               ? 0
               : -1;
}

static int normalise_policy(json_t *entry, struct err *e)
{
    static const char *const texts[] = {"policy-type", "policy-domain"};
    json_t *policy = json_object_get(entry, "policy");

    if (!json_is_object(policy))
        return err_set(e, "it has no object \"policy\"");
    if (text_members(policy, texts, 2, e) != 0 || texts_member(policy, "policy-string", e) != 0 ||
        texts_member(policy, "mx-host", e) != 0)
        return -1;
    return normalise_summary(entry, e) == 0 ? normalise_failures(entry, e) : -1;
}

static int normalise_time(json_t *range, const char *name, struct err *e)
{
    char text[REPORT_TIME_BUF];
    bool zone = false;
    int64_t at = 0;

    if (text_member(range, name, e) != 0)
        return -1;
    if (json_object_get(range, name) == NULL ||
        report_time(&at, &zone, json_string_value(json_object_get(range, name))) != 0)
        return 0;
    report_time_text(text, at);
    if (text[0] != '\0' && json_object_set_new(range, name, json_string(text)) != 0)
        return err_set(e, "no memory");
    return 0;
}

static int normalise_range(json_t *report, struct err *e)
{
    json_t *range;

    drop_null(report, "date-range");
    range = json_object_get(report, "date-range");
    if (range == NULL)
        return 0;
    if (!json_is_object(range))
        return err_set(e, "\"date-range\" is no object");
    return normalise_time(range, "start-datetime", e) == 0 ? normalise_time(range, "end-datetime", e) : -1;
}

int report_normalise(json_t *report, struct err *e)
{
    static const char *const texts[] = {"organization-name", "contact-info", "report-id"};
    json_t *policies = json_object_get(report, "policies");

    if (!json_is_array(policies))
        return err_set(e, "no TLS report: its JSON is no object with an array \"policies\"");
    if (text_members(report, texts, 3, e) != 0 || normalise_range(report, e) != 0)
        return -1;
    for (size_t i = 0; i < json_array_size(policies); i++)
        if (normalise_policy(json_array_get(policies, i), e) != 0)
            return err_prefix(e, "entry %zu of \"policies\"", i + 1);
    return 0;
}
