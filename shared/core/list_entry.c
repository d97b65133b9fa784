/* list_entry.c - entries of the operator's lists: made, written as JSON and read back. */
#include "list.h"

#include "utf8.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#define ENTRY_VERSION 1

bool list_entry_live(const struct list_entry *entry, int64_t now)
{
    return entry->expires == 0 || now < entry->expires;
}

/* Only where something published could be weakened by the entry. */
static bool override_means_something(enum list_id list)
{
    return list == LIST_EXCLUDE || list == LIST_STS_EXCLUDE;
}

static int check_text(const char *what, const char *text, size_t max, struct err *e)
{
    size_t len = strlen(text);

    if (len > max)
        return err_set(e, "the %s is longer than %zu octets", what, max);
    for (size_t i = 0, octets; i < len; i += octets) {
        octets = utf8_measure(text + i, len - i);
        if (octets == 0)
            return err_set(e, "the %s is not UTF-8", what);
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return err_set(e, "the %s has a control character in it", what);
    }
    return 0;
}

static int check_pattern(enum list_id list, const struct list_pattern *pattern, struct err *e)
{
    if (list_is_inbound(list) && pattern->form == LIST_NEXTHOP)
        return err_set(e, "the list %s is of clients, which are no next hops: write %.*s without brackets",
                       list_name(list), (int)strlen(pattern->text) - 2, pattern->text + 1);
    if (list == LIST_REQUIRETLS && pattern->form == LIST_NEXTHOP)
        return err_set(e, "Postfix asks for the list requiretls without brackets: write %.*s",
                       (int)strlen(pattern->text) - 2, pattern->text + 1);
    if (list == LIST_LOCAL && pattern->form != LIST_NAME && pattern->form != LIST_BELOW)
        return err_set(e, "the list local is of domains: example.com, or .example.com for those below it");
    return 0;
}

static int check_in(enum list_id list, const struct list_pattern *pattern, const struct list_entry_in *in,
                    struct err *e)
{
    if (check_pattern(list, pattern, e) != 0 || check_text("value", in->value, LIST_VALUE_MAX, e) != 0 ||
        check_text("author", in->author, LIST_AUTHOR_MAX, e) != 0 ||
        check_text("comment", in->comment, LIST_COMMENT_MAX, e) != 0)
        return -1;
    if (strpbrk(in->author, " #") != NULL)
        return err_set(e, "the author \"%s\" must be one word", in->author);
    if (in->override && !override_means_something(list))
        return err_set(e, "override means nothing in the list %s", list_name(list));
    if (in->created < 0 || in->created > LIST_TIME_MAX || in->expires < 0 || in->expires > LIST_TIME_MAX)
        return err_set(e, "a time before 1970 or after 9999");
    return 0;
}

/* Copy a string to *at and step behind it. */
static const char *pack(char **at, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = memcpy(*at, text, size);

    *at += size;
    return copy;
}

struct list_entry *list_entry_new(enum list_id list, const struct list_pattern *pattern, const struct list_entry_in *in,
                                  struct err *e)
{
    const char *comment = in->comment + strspn(in->comment, " ");
    struct list_value value;
    struct list_entry *entry;
    char *at;

    if (check_in(list, pattern, in, e) != 0 || list_value_parse(&value, list, in->value, e) != 0)
        return NULL;
    entry =
        malloc(sizeof(*entry) + strlen(pattern->text) + strlen(in->value) + strlen(in->author) + strlen(comment) + 4);
    if (entry == NULL) {
        err_set(e, "no memory");
        return NULL;
    }
    at = (char *)(entry + 1);
    *entry = (struct list_entry){.value = value,
                                 .created = in->created,
                                 .expires = in->expires,
                                 .override = in->override,
                                 .form = pattern->form,
                                 .pattern = pack(&at, pattern->text),
                                 .value_text = pack(&at, in->value),
                                 .author = pack(&at, in->author),
                                 .comment = pack(&at, comment)};
    return entry;
}

/* --- JSON --- */

static void put_text(json_t *object, const char *name, const char *text, bool *failed)
{
    if (text[0] != '\0' && json_object_set_new(object, name, json_string(text)) != 0)
        *failed = true;
}

static void put_number(json_t *object, const char *name, int64_t number, bool *failed)
{
    if (number != 0 && json_object_set_new(object, name, json_integer(number)) != 0)
        *failed = true;
}

void list_entry_to_json(struct buf *out, const struct list_entry *entry)
{
    json_t *object = json_object();
    bool failed = object == NULL;
    char *text;

    put_number(object, "v", ENTRY_VERSION, &failed);
    put_text(object, "value", entry->value_text, &failed);
    put_text(object, "by", entry->author, &failed);
    put_text(object, "comment", entry->comment, &failed);
    put_number(object, "created", entry->created, &failed);
    put_number(object, "expires", entry->expires, &failed);
    if (entry->override && json_object_set_new(object, "override", json_true()) != 0)
        failed = true;
    text = failed ? NULL : json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII);
    if (text != NULL)
        buf_str(out, text);
    else
        out->failed = true;
    free(text);
    json_decref(object);
}

static int get_text(const char **out, const json_t *object, const char *name, struct err *e)
{
    const json_t *value = json_object_get(object, name);

    *out = "";
    if (value == NULL)
        return 0;
    if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value))
        return err_set(e, "%s: not a string", name);
    *out = json_string_value(value);
    return 0;
}

static int get_number(int64_t *out, const json_t *object, const char *name, struct err *e)
{
    const json_t *value = json_object_get(object, name);

    *out = 0;
    if (value == NULL)
        return 0;
    if (!json_is_integer(value))
        return err_set(e, "%s: not a whole number", name);
    *out = json_integer_value(value);
    return 0;
}

static int get_members(struct list_entry_in *in, const json_t *object, struct err *e)
{
    const json_t *override = json_object_get(object, "override");
    int64_t version;

    if (!json_is_object(object))
        return err_set(e, "not a JSON object");
    if (get_number(&version, object, "v", e) != 0)
        return -1;
    if (version != ENTRY_VERSION)
        return err_set(e, "v: version %lld, not %d", (long long)version, ENTRY_VERSION);
    if (override != NULL && !json_is_boolean(override))
        return err_set(e, "override: not true or false");
    in->override = json_is_true(override);
    if (get_text(&in->value, object, "value", e) != 0 || get_text(&in->author, object, "by", e) != 0 ||
        get_text(&in->comment, object, "comment", e) != 0 || get_number(&in->created, object, "created", e) != 0)
        return -1;
    return get_number(&in->expires, object, "expires", e);
}

/* The field must be the pattern's one form, or two fields could be one pattern. */
static int get_pattern(struct list_pattern *out, const char *text, size_t len, struct err *e)
{
    if (list_pattern_parse(out, text, len, e) != 0)
        return -1;
    if (strlen(out->text) != len || memcmp(out->text, text, len) != 0)
        return err_set(e, "the pattern must be written %s", out->text);
    return 0;
}

struct list_entry *list_entry_from_json(enum list_id list, const char *pattern, size_t pattern_len, const char *json,
                                        size_t json_len, struct err *e)
{
    struct list_pattern p;
    struct list_entry_in in = {.value = "", .author = "", .comment = ""};
    struct list_entry *entry = NULL;
    json_error_t at;
    json_t *object;

    if (get_pattern(&p, pattern, pattern_len, e) != 0)
        return NULL;
    if (json_len > LIST_JSON_MAX) {
        err_set(e, "longer than %d octets", LIST_JSON_MAX);
        return NULL;
    }
    object = json_loadb(json, json_len, JSON_REJECT_DUPLICATES, &at);
    if (object == NULL)
        err_set(e, "no JSON: %s", at.text);
    else if (get_members(&in, object, e) == 0)
        entry = list_entry_new(list, &p, &in, e);
    json_decref(object);
    return entry;
}
