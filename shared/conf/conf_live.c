/* conf_live.c - which settings a running daemon takes up when it reads the configuration again, and which not. */
#include "conf.h"

#include <stdio.h>
#include <string.h>

/* All others take a restart. */
static const char *const live[] = {
    "stsd.lookup_timeout",
    "stsd.lookup_concurrency",
    "stsd.lookup_queue",
    "stsd.dane",
    "stsd.sts",
    "stsd.ttl_min",
    "stsd.refetch_after",
    "stsd.retry_after",
    "stsd.refresh_used_within",
    "policyd.connections",
    "policyd.lookup_timeout",
    "policyd.idle_timeout",
    "policyd.dane",
    "policyd.sts",
    "policyd.sts_unknown_hold",
    "policyd.stale_max",
    "policyd.fallback",
    "policyd.fallback_keep",
    "policyd.default_level",
    "milter.tag",
    "milter.optional_tag",
    "milter.delimiter",
    "milter.scope",
    "milter.record_header",
    "milter.tls_required",
    "milter.rules",
    "milter.body_octets",
    "relayd.name",
    "relayd.ca_file",
    "relayd.port",
    "relayd.connect_timeout",
    "relayd.command_timeout",
    "relayd.data_timeout",
    "relayd.transaction_timeout",
    "relayd.connections",
    "relayd.per_domain",
    "relayd.busy_wait",
    "relayd.upstreams",
    "relayd.idle_timeout",
    "relayd.size_max",
    "relayd.sts_unknown_hold",
    "tlsrptd.organization",
    "tlsrptd.contact",
    "tlsrptd.from",
    "tlsrptd.rsa_key",
    "tlsrptd.rsa_selector",
    "tlsrptd.ed25519_key",
    "tlsrptd.ed25519_selector",
    "tlsrptd.mail",
    "tlsrptd.ca_file",
    "tlsrptd.post_anywhere",
    "tlsrptd.report_delay",
    "tlsrptd.report_retry",
    "tlsrptd.report_success",
};

static bool is_live(const char *section, const char *key)
{
    char name[128];

    snprintf(name, sizeof(name), "%s.%s", section, key);
    for (size_t i = 0; i < sizeof(live) / sizeof(live[0]); i++)
        if (strcmp(live[i], name) == 0)
            return true;
    return false;
}

static bool same_list(char *const *a, char *const *b)
{
    while (*a != NULL && *b != NULL && strcmp(*a, *b) == 0) {
        a++;
        b++;
    }
    return *a == NULL && *b == NULL;
}

/* a and b point to the setting's place in two structs of its section. */
static bool same_value(enum conf_kind kind, const void *a, const void *b)
{
    switch (kind) {
    case CONF_STRING:
    case CONF_ADDRESS:
    case CONF_FALLBACK:
    case CONF_CHOICE:
    case CONF_TAG:
    case CONF_HEADER:
    case CONF_NAME:
    case CONF_MAILBOX:
    case CONF_MAIL_WAY:
        return strcmp(*(char *const *)a, *(char *const *)b) == 0;
    case CONF_LIST:
    case CONF_ADDRESSES:
    case CONF_RESOLVERS:
    case CONF_RULES:
        return same_list(*(char **const *)a, *(char **const *)b);
    case CONF_BOOL:
        return *(const bool *)a == *(const bool *)b;
    case CONF_NUMBER:
    case CONF_SECONDS:
    case CONF_MILLIS:
    case CONF_MODE:
        return *(const int64_t *)a == *(const int64_t *)b;
    }
    return true;
}

void conf_needs_restart(const struct conf *before, const struct conf *now, const char *section,
                        void (*fn)(void *ctx, const char *section, const char *key), void *ctx)
{
    for (const struct conf_section *s = conf_sections; s->name != NULL; s++) {
        if (strcmp(s->name, section) != 0)
            continue;
        for (const struct conf_option *o = s->option; o->name != NULL; o++) {
            size_t at = s->offset + o->offset;

            if (!is_live(s->name, o->name) && !same_value(o->kind, (const char *)before + at, (const char *)now + at))
                fn(ctx, s->name, o->name);
        }
    }
}
