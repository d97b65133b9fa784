/* cert_about.c - what is known beside a certificate, as JSON; see cert_store_io.h. Pure. */
#include "cert_store_io.h"
#include "json_text.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX  1000                   /* octets of one text, escaped; what is written is cut to it */
#define TIME_LAST INT64_C(1000000000000) /* nothing happens later */

struct text_member {
    const char *name;
    size_t at;
};

static const struct text_member texts[] = {
    {"title", offsetof(struct cert_about, title)},         {"source", offsetof(struct cert_about, source)},
    {"challenge", offsetof(struct cert_about, challenge)}, {"key_type", offsetof(struct cert_about, key_type)},
    {"trouble", offsetof(struct cert_about, trouble)},     {"refused", offsetof(struct cert_about, refused)},
};

static const struct text_member times[] = {
    {"created", offsetof(struct cert_about, created)},
    {"tried", offsetof(struct cert_about, tried)},
    {"told", offsetof(struct cert_about, told)},
    {"spare_told", offsetof(struct cert_about, spare_told)},
    {"pending_since", offsetof(struct cert_about, pending_since)},
    {"tlsa_seen", offsetof(struct cert_about, tlsa_seen)},
};

#define COUNT(array)     (sizeof(array) / sizeof((array)[0]))
#define TEXT_OF(a, i)    ((char **)(void *)((char *)(a) + texts[i].at))
#define TIME_OF(a, i)    ((int64_t *)(void *)((char *)(a) + times[i].at))
#define TEXT_IN(a, i)    (*(char *const *)(const void *)((const char *)(a) + texts[i].at))
#define TIME_IN(a, i)    (*(const int64_t *)(const void *)((const char *)(a) + times[i].at))
#define OUT_OF_MEMORY(e) err_set(e, "out of memory")

int cert_about_set(char **text, const char *value)
{
    char *copy = strdup(value);

    if (copy == NULL)
        return -1;
    free(*text);
    *text = copy;
    return 0;
}

static int read_texts(struct cert_about *a, const json_t *root, struct err *e)
{
    for (size_t i = 0; i < COUNT(texts); i++) {
        const json_t *value = json_object_get(root, texts[i].name);

        if (value != NULL && !json_is_string(value))
            return err_set(e, "%s: is not a string", texts[i].name);
        if (cert_about_set(TEXT_OF(a, i), value == NULL ? "" : json_string_value(value)) != 0)
            return OUT_OF_MEMORY(e);
    }
    return 0;
}

static int read_times(struct cert_about *a, const json_t *root, struct err *e)
{
    for (size_t i = 0; i < COUNT(times); i++) {
        const json_t *value = json_object_get(root, times[i].name);

        if (value == NULL)
            continue;
        if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > TIME_LAST)
            return err_set(e, "%s: is no time", times[i].name);
        *TIME_OF(a, i) = json_integer_value(value);
    }
    return 0;
}

/* An array of at most max texts. */
static int read_array(char **out, size_t *count, size_t max, const json_t *root, const char *name, struct err *e)
{
    const json_t *array = json_object_get(root, name);

    if (array == NULL)
        return 0;
    if (!json_is_array(array) || json_array_size(array) > max)
        return err_set(e, "%s: is not an array of %zu at most", name, max);
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *value = json_array_get(array, i);

        if (!json_is_string(value) || json_string_length(value) == 0)
            return err_set(e, "%s[%zu]: is not a text", name, i);
        if (cert_about_set(&out[i], json_string_value(value)) != 0)
            return OUT_OF_MEMORY(e);
        *count = i + 1;
    }
    return 0;
}

static int check_hosts(const struct cert_about *a, struct err *e)
{
    for (size_t i = 0; i < a->host_count; i++) {
        const char *host = a->host[i] + (strncmp(a->host[i], "*.", 2) == 0 ? 2 : 0);
        char normal[DOMAIN_BUF];

        if (domain_normalise(normal, host, strlen(host), e) != 0)
            return err_prefix(e, "host[%zu]", i);
        if (strcmp(normal, host) != 0)
            return err_set(e, "host[%zu]: is not in its one form", i);
    }
    return 0;
}

static int read_root(struct cert_about *a, const json_t *root, struct err *e)
{
    if (read_texts(a, root, e) != 0 || read_times(a, root, e) != 0 ||
        read_array(a->use, &a->uses, CERT_USES_MAX, root, "use", e) != 0 ||
        read_array(a->host, &a->host_count, CERT_HOSTS_MAX, root, "host", e) != 0)
        return -1;
    return check_hosts(a, e);
}

int cert_about_read(struct cert_about *out, const char *text, size_t len, struct err *e)
{
    json_error_t where;
    json_t *root;
    int rc;

    memset(out, 0, sizeof(*out));
    if (len > CERT_ABOUT_MAX)
        return err_set(e, "has %zu octets, at most %d are taken", len, CERT_ABOUT_MAX);
    root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &where);
    if (!json_is_object(root)) {
        json_decref(root);
        return err_set(e, "is not an object of JSON");
    }
    rc = read_root(out, root, e);
    json_decref(root);
    if (rc != 0)
        cert_about_clear(out);
    return rc;
}

static void write_array(struct buf *out, const char *name, char *const *text, size_t count)
{
    buf_printf(out, ",\n  \"%s\": [", name);
    for (size_t i = 0; i < count; i++) {
        buf_str(out, i == 0 ? "\"" : ", \"");
        (void)json_text_add(out, text[i], TEXT_MAX);
        buf_char(out, '"');
    }
    buf_char(out, ']');
}

void cert_about_write(struct buf *out, const struct cert_about *a)
{
    for (size_t i = 0; i < COUNT(texts); i++) {
        const char *text = TEXT_IN(a, i);

        buf_printf(out, "%s\n  \"%s\": \"", i == 0 ? "{" : ",", texts[i].name);
        (void)json_text_add(out, text != NULL ? text : "", TEXT_MAX);
        buf_char(out, '"');
    }
    for (size_t i = 0; i < COUNT(times); i++)
        buf_printf(out, ",\n  \"%s\": %" PRId64, times[i].name, TIME_IN(a, i));
    write_array(out, "use", a->use, a->uses);
    write_array(out, "host", a->host, a->host_count);
    buf_str(out, "\n}\n");
}

void cert_about_clear(struct cert_about *a)
{
    if (a == NULL)
        return;
    for (size_t i = 0; i < COUNT(texts); i++)
        free(*TEXT_OF(a, i));
    for (size_t i = 0; i < CERT_USES_MAX; i++)
        free(a->use[i]);
    for (size_t i = 0; i < CERT_HOSTS_MAX; i++)
        free(a->host[i]);
    memset(a, 0, sizeof(*a));
}
