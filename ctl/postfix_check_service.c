/* postfix_check_service.c - the service and the next hop of flagged mail. */
#include "postfix_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What becomes of flagged mail in services that are not lmtp. */
static const struct {
    const char *command, *fate;
} fates[] = {
    {"smtp", "goes out by SMTP, where nothing asks for REQUIRETLS"},
    {"relay", "goes out by SMTP, where nothing asks for REQUIRETLS"},
    {"pipe", "is given to a program"},
    {"spawn", "is given to a program"},
    {"error", "is refused at RCPT, and the milter does not know of it"},
    {"discard", "is thrown away"},
    {"local", "is delivered on this machine"},
    {"virtual", "is delivered on this machine"},
};

static const char *fate_in(const char *command)
{
    for (size_t i = 0; i < sizeof(fates) / sizeof(fates[0]); i++)
        if (strcmp(fates[i].command, command) == 0)
            return fates[i].fate;
    return "is not given to postern-relayd";
}

static void check_nexthop(const struct postfix_check *c, const char *where, const struct postfix_service *service,
                          const char *nexthop)
{
    bool chroot_hides = false;

    for (char **l = c->postern->relayd.listen; *l != NULL; l++) {
        if (postfix_same_address(c, service, nexthop, *l))
            return;
        chroot_hides |= postfix_same_address(c, NULL, nexthop, *l);
    }
    if (chroot_hides)
        postfix_report(c->out, FLAG_NEXTHOP_CHROOT, where, "next hop %.200s is outside of queue_directory", nexthop);
    else if (*nexthop == '\0')
        postfix_report(c->out, FLAG_NEXTHOP, where, "no next hop behind %.100s: it is then the recipient's domain",
                       service->name);
    else
        postfix_report(c->out, FLAG_NEXTHOP, where, "relayd does not listen on next hop %.200s", nexthop);
}

/* The program's own processes may all be taken by one next hop. */
static void check_size(const struct postfix_check *c, const struct postfix_service *service)
{
    char name[POSTFIX_WHERE], where[POSTFIX_WHERE];
    const char *most = strcmp(service->maxproc, "-") == 0 ? postfix_value(c->postfix, NULL, "default_process_limit")
                                                          : service->maxproc;
    const char *limit;

    snprintf(name, sizeof(name), "%.200s_destination_concurrency_limit", service->name);
    limit = postfix_value(c->postfix, NULL, name);
    if (*limit == '\0')
        limit = postfix_value(c->postfix, NULL, "default_destination_concurrency_limit");
    snprintf(where, sizeof(where), "master.cf: %.200s", service->id);
    if (postfix_number(most) > 0 && *limit != '\0' &&
        (postfix_number(limit) == 0 || postfix_number(most) <= postfix_number(limit)))
        postfix_report(c->out, FLAG_SERVICE_SMALL, where, "maxproc is %.20s, and one next hop may take %.20s", most,
                       postfix_number(limit) == 0 ? "all" : limit);
}

/* A destination that is slow takes per_domain of them; one that is away lets Postfix begin with few. */
static void check_concurrency(const struct postfix_check *c, const struct postfix_service *service)
{
    static const char *const names[][2] = {{"destination_concurrency_limit", "default_destination_concurrency_limit"},
                                           {"initial_destination_concurrency", "initial_destination_concurrency"}};
    char name[POSTFIX_WHERE], where[2 * POSTFIX_WHERE];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value;

        snprintf(name, sizeof(name), "%.200s_%s", service->name, names[i][0]);
        snprintf(where, sizeof(where), "main.cf: %s", name);
        value = postfix_value(c->postfix, NULL, name);
        if (*value == '\0')
            value = postfix_value(c->postfix, NULL, names[i][1]);
        if (*value != '\0' && !(i == 0 && postfix_number(value) == 0) &&
            postfix_number(value) <= c->postern->relayd.per_domain)
            postfix_report(c->out, FLAG_CONCURRENCY, where, "is %.20s, relayd's per_domain %" PRId64, value,
                           c->postern->relayd.per_domain);
    }
}

static void check_cohort(const struct postfix_check *c, const struct postfix_service *service)
{
    char name[POSTFIX_WHERE], where[2 * POSTFIX_WHERE];
    const char *value;

    snprintf(name, sizeof(name), "%.200s_destination_concurrency_failed_cohort_limit", service->name);
    snprintf(where, sizeof(where), "main.cf: %s", name);
    value = postfix_value(c->postfix, NULL, name);
    if (*value == '\0')
        value = postfix_value(c->postfix, NULL, "default_destination_concurrency_failed_cohort_limit");
    if (strcmp(value, "0") != 0)
        postfix_report(c->out, FLAG_COHORT_LIMIT, where, "is %.100s", *value != '\0' ? value : "not set");
}

static void check_rate_delay(const struct postfix_check *c, const struct postfix_service *service)
{
    static const char *const names[][2] = {{"destination_rate_delay", "default_destination_rate_delay"},
                                           {"transport_rate_delay", "default_transport_rate_delay"}};
    char name[POSTFIX_WHERE], where[2 * POSTFIX_WHERE];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value;

        snprintf(name, sizeof(name), "%.200s_%s", service->name, names[i][0]);
        snprintf(where, sizeof(where), "main.cf: %s", name);
        value = postfix_value(c->postfix, NULL, name);
        if (*value == '\0')
            value = postfix_value(c->postfix, NULL, names[i][1]);
        if (postfix_seconds(value) > 0)
            postfix_report(c->out, FLAG_RATE_DELAY, where, "is %.50s", value);
    }
}

/* The wait for the last reply begins when transaction_timeout is over with, or before. */
static void check_timeouts(const struct postfix_check *c, const struct postfix_service *service)
{
    static const char *const names[] = {"lmtp_rcpt_timeout", "lmtp_data_init_timeout", "lmtp_data_xfer_timeout",
                                        "lmtp_data_done_timeout"};
    int64_t whole_ms = c->postern->relayd.transaction_timeout_ms, last_ms = c->postern->relayd.data_timeout_ms;
    char where[POSTFIX_WHERE];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = postfix_value(c->postfix, service, names[i]);
        bool is_last = i + 1 == sizeof(names) / sizeof(names[0]) && last_ms > whole_ms;
        int64_t relayd_ms = is_last ? last_ms : whole_ms;
        postfix_where_set(where, c->postfix, service, names[i]);
        if (postfix_seconds(value) * 1000 <= relayd_ms)
            postfix_report(c->out, FLAG_TIMEOUT, where,
                           "%.50s for the service %.100s, relayd has up to %" PRId64 "s (%s)", value, service->name,
                           (relayd_ms + 999) / 1000, is_last ? "data_timeout" : "transaction_timeout");
    }
}

static void check_parameters(const struct postfix_check *c, const struct postfix_service *service)
{
    static const char *const weak[] = {"", "none", "may"};
    const char *tls = postfix_value(c->postfix, service, "lmtp_tls_security_level");
    const char *fallback = postfix_value(c->postfix, service, "lmtp_fallback_relay");
    char where[POSTFIX_WHERE];

    postfix_where_set(where, c->postfix, service, "lmtp_fallback_relay");
    if (*fallback != '\0')
        postfix_report(c->out, FLAG_FALLBACK, where, "is %.200s for the service %.100s", fallback, service->name);
    postfix_where_set(where, c->postfix, service, "lmtp_tls_security_level");
    if (strcmp(tls, weak[0]) != 0 && strcmp(tls, weak[1]) != 0 && strcmp(tls, weak[2]) != 0)
        postfix_report(c->out, FLAG_LMTP_TLS, where, "is %.50s for the service %.100s", tls, service->name);
    if (postfix_list_has(postfix_value(c->postfix, NULL, "defer_transports"), service->name))
        postfix_report(c->out, FLAG_DEFERRED, "main.cf: defer_transports", "has the service %.100s", service->name);
}

void postfix_check_service(const struct postfix_check *c, const char *where, const struct postfix_service *service,
                           const char *nexthop)
{
    if (strcmp(service->command, "lmtp") != 0) {
        if (!postfix_found(c->out, FLAG_SERVICE_NOT_LMTP, where))
            postfix_report(c->out, FLAG_SERVICE_NOT_LMTP, where,
                           "leads flagged mail to the service %.100s, which is %.50s in master.cf: it %s",
                           service->name, service->command, fate_in(service->command));
        return;
    }
    check_nexthop(c, where, service, nexthop);
    check_size(c, service);
    check_concurrency(c, service);
    check_cohort(c, service);
    check_rate_delay(c, service);
    check_timeouts(c, service);
    check_parameters(c, service);
}
