/*
 * conf_value.c - reading single values. Every value is refused that is not surely meant: no signs, no fractions, no
 * blanks, no control characters.
 */
#include "conf_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "conf_check.h"

struct unit {
    const char *name;
    int64_t ms;
};

/* The largest first, so that a limit is shown in the largest unit that divides it. */
static const struct unit units[] = {
    {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1},
};

#define UNITS (sizeof(units) / sizeof(units[0]))

static bool conf_kind_is_text(enum conf_kind kind)
{
    return kind == CONF_STRING || kind == CONF_ADDRESS || kind == CONF_FALLBACK || kind == CONF_CHOICE ||
           kind == CONF_TAG || kind == CONF_HEADER || kind == CONF_NAME || kind == CONF_MAILBOX ||
           kind == CONF_MAIL_WAY;
}

/* The struct's members, by offset. */
static char **member_text(void *section, const struct conf_option *o)
{
    return (char **)(void *)((char *)section + o->offset);
}

static char ***member_list(void *section, const struct conf_option *o)
{
    return (char ***)(void *)((char *)section + o->offset);
}

/* Digits of a base from text on. Returns how many, 0 when there are none or the number passes the largest. */
static size_t read_digits(int64_t *out, const char *text, int base)
{
    int64_t n = 0;
    size_t i;

    for (i = 0; text[i] >= '0' && text[i] < '0' + base; i++) {
        int digit = text[i] - '0';

        if (n > (INT64_MAX - digit) / base)
            return 0;
        n = n * base + digit;
    }
    *out = n;
    return i;
}

/* A time in milliseconds, -1 when it is none or too large to be told. */
static int64_t read_time(const char *text)
{
    int64_t n;
    size_t digits = read_digits(&n, text, 10);
    const char *name = text[digits] == '\0' ? "s" : text + digits;
    size_t i;

    if (digits == 0)
        return -1;
    for (i = 0; i < UNITS; i++)
        if (strcmp(name, units[i].name) == 0)
            return n <= INT64_MAX / units[i].ms ? n * units[i].ms : -1;
    return -1;
}

static void show_time(char out[32], int64_t ms)
{
    size_t i;

    for (i = 0; i < UNITS - 1 && (ms == 0 || ms % units[i].ms != 0); i++) {
    }
    snprintf(out, 32, "%" PRId64 "%s", ms / units[i].ms, ms == 0 ? "" : units[i].name);
}

static int time_set(void *section, const struct conf_option *o, const char *text, struct err *e)
{
    int64_t scale = o->kind == CONF_SECONDS ? 1000 : 1;
    int64_t ms = read_time(text);
    char min[32];
    char max[32];

    show_time(min, o->min * scale);
    show_time(max, o->max * scale);
    if (ms < 0 || ms % scale != 0) {
        return err_set(e, "\"%.*s\" is no time; write a whole number with %ss, m, h or d, from %s to %s", CONF_SHOWN,
                       text, scale == 1 ? "ms, " : "", min, max);
    }
    if (ms / scale < o->min || ms / scale > o->max)
        return err_set(e, "%.*s is out of range; write %s to %s", CONF_SHOWN, text, min, max);
    *(int64_t *)(void *)((char *)section + o->offset) = ms / scale;
    return 0;
}

static int number_set(void *section, const struct conf_option *o, const char *text, struct err *e)
{
    bool octal = o->kind == CONF_MODE;
    int64_t n = 0;
    size_t digits = read_digits(&n, text, octal ? 8 : 10);

    if (digits == 0 || text[digits] != '\0') {
        return err_set(e,
                       octal ? "\"%.*s\" is no octal file mode; write one such as 0660"
                             : "\"%.*s\" is no whole number; write digits alone",
                       CONF_SHOWN, text);
    }
    if (n < o->min || n > o->max) {
        return octal ? err_set(e, "%.*s is out of range; write %04" PRIo64 " to %04" PRIo64, CONF_SHOWN, text,
                               (uint64_t)o->min, (uint64_t)o->max)
                     : err_set(e, "%.*s is out of range; write %" PRId64 " to %" PRId64, CONF_SHOWN, text, o->min,
                               o->max);
    }
    *(int64_t *)(void *)((char *)section + o->offset) = n;
    return 0;
}

static int bool_set(void *section, const struct conf_option *o, const char *text, struct err *e)
{
    static const char *const words[][2] = {{"no", "yes"}, {"false", "true"}, {"off", "on"}};
    size_t i;

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(text, words[i][0]) == 0 || strcmp(text, words[i][1]) == 0) {
            *(bool *)(void *)((char *)section + o->offset) = strcmp(text, words[i][1]) == 0;
            return 0;
        }
    }
    return err_set(e, "\"%.*s\" is neither yes nor no; write one of them", CONF_SHOWN, text);
}

static int text_set(void *section, const struct conf_option *o, const char *text, struct err *e)
{
    char **member = member_text(section, o);
    char *copy;

    if (conf_text_check(o, text, e) != 0)
        return -1;
    copy = strdup(text);
    if (copy == NULL)
        return err_set(e, "out of memory");
    free(*member);
    *member = copy;
    return 0;
}

static size_t element_count(char *const *list)
{
    size_t n = 0;

    while (list != NULL && list[n] != NULL)
        n++;
    return n;
}

static int element_add(void *section, const struct conf_option *o, const char *text, struct err *e)
{
    char ***member = member_list(section, o);
    size_t n = element_count(*member);
    char **list;

    if (conf_text_check(o, text, e) != 0)
        return -1;
    if (n >= (size_t)o->max)
        return err_set(e, "too many; write at most %" PRId64, o->max);
    list = realloc(*member, (n + 2) * sizeof(*list));
    if (list == NULL)
        return err_set(e, "out of memory");
    *member = list;
    list[n] = strdup(text);
    list[n + 1] = NULL;
    return list[n] != NULL ? 0 : err_set(e, "out of memory");
}

/* A range of addresses is each of them. */
static int list_add(void *section, const struct conf_option *o, const char *text, struct err *e)
{
    char one[ADDRESS_TEXT];
    size_t count;

    if (o->kind != CONF_ADDRESSES)
        return element_add(section, o, text, e);
    count = address_range(one, text, 0, e);
    for (size_t i = 0; i < count; i++) {
        (void)address_range(one, text, i, e);
        if (element_add(section, o, one, e) != 0)
            return -1;
    }
    return count > 0 ? 0 : -1;
}

int conf_value_set(void *section, const struct conf_option *option, const char *text, struct err *e)
{
    switch (option->kind) {
    case CONF_STRING:
    case CONF_ADDRESS:
    case CONF_FALLBACK:
    case CONF_CHOICE:
    case CONF_TAG:
    case CONF_HEADER:
    case CONF_NAME:
    case CONF_MAILBOX:
    case CONF_MAIL_WAY:
        return text_set(section, option, text, e);
    case CONF_LIST:
    case CONF_ADDRESSES:
    case CONF_RESOLVERS:
    case CONF_RULES:
        return list_add(section, option, text, e);
    case CONF_BOOL:
        return bool_set(section, option, text, e);
    case CONF_NUMBER:
    case CONF_MODE:
        return number_set(section, option, text, e);
    case CONF_SECONDS:
    case CONF_MILLIS:
        return time_set(section, option, text, e);
    }
    return err_set(e, "unknown kind of value");
}

int conf_value_empty(void *section, const struct conf_option *option)
{
    if (!conf_kind_is_list(option->kind))
        return 0;
    conf_value_clear(section, option);
    *member_list(section, option) = calloc(1, sizeof(char *));
    return *member_list(section, option) != NULL ? 0 : -1;
}

int conf_value_complete(const void *section, const struct conf_option *option, struct err *e)
{
    char *const *list;

    if (!conf_kind_is_list(option->kind))
        return 0;
    list = *(char **const *)(const void *)((const char *)section + option->offset);
    if (element_count(list) < (size_t)option->min) {
        return err_set(e, "the list is too short; write %" PRId64 " or more, such as %s", option->min,
                       option->fallback);
    }
    return option->kind == CONF_RULES ? conf_rules_check(list, e) : 0;
}

/* The next word of a default at *at: quoted or bare. Returns 1, or 0 at the end. */
static int next_word(char out[CONF_WORD_MAX], const char **at)
{
    const char *start = *at + strspn(*at, "{}, ");
    size_t len;

    if (*start == '\0')
        return 0;
    if (*start == '"') {
        start++;
        len = strcspn(start, "\"");
        *at = start + len + (start[len] == '"');
    } else {
        len = strcspn(start, "{}, ");
        *at = start + len;
    }
    if (len >= CONF_WORD_MAX)
        return 0;
    memcpy(out, start, len);
    out[len] = '\0';
    return 1;
}

int conf_value_default(void *section, const struct conf_option *option, struct err *e)
{
    const char *at = option->fallback;
    char word[CONF_WORD_MAX];

    if (conf_value_empty(section, option) != 0)
        return err_set(e, "out of memory");
    while (next_word(word, &at))
        if (conf_value_set(section, option, word, e) != 0)
            return -1;
    return 0;
}

void conf_value_clear(void *section, const struct conf_option *option)
{
    if (conf_kind_is_text(option->kind)) {
        free(*member_text(section, option));
        *member_text(section, option) = NULL;
    } else if (conf_kind_is_list(option->kind)) {
        char **list = *member_list(section, option);
        size_t i;

        for (i = 0; list != NULL && list[i] != NULL; i++)
            free(list[i]);
        free(list);
        *member_list(section, option) = NULL;
    }
}
