/* postfix_check_milter.c - does all mail pass postern-milter, and does it hold when the milter is away? */
#include "postfix_internal.h"

#include "ascii.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The word of a setting within { unix:…, name = value }; "" when there is none. */
static void inner_setting(char out[64], const char *element, size_t len, const char *name)
{
    char text[POSTFIX_VALUE];
    const char *at;

    snprintf(text, sizeof(text), "%.*s", (int)len, element);
    out[0] = '\0';
    at = strstr(text, name);
    if (at == NULL)
        return;
    at += strlen(name);
    while (ascii_is_blank(*at) || *at == '=')
        at++;
    snprintf(out, 64, "%.*s", (int)strcspn(at, " \t,}"), at);
}

/* Is this element of smtpd_milters ours? Then *action is what it says for itself, or "". */
static bool is_ours(const struct postfix_check *c, const struct postfix_service *s, const char *element, size_t len,
                    char action[64])
{
    char address[POSTFIX_VALUE];

    action[0] = '\0';
    if (len > 0 && *element == '{') {
        inner_setting(action, element, len, "default_action");
        for (element++, len--; len > 0 && ascii_is_blank(*element); len--)
            element++;
    }
    snprintf(address, sizeof(address), "%.*s", (int)len, element);
    address[strcspn(address, " \t,}")] = '\0';
    return postfix_same_address(c, s, address, c->postern->milter.listen);
}

static bool has_milter(const struct postfix_check *c, const struct postfix_service *s, const char *list,
                       char action[64])
{
    const char *element;
    size_t len;

    while (postfix_word(&list, &element, &len))
        if (is_ours(c, s, element, len, action))
            return true;
    return false;
}

static bool is_loopback(const struct postfix_service *s)
{
    return strncmp(s->name, "127.", 4) == 0 || strncmp(s->name, "localhost:", 10) == 0 ||
           strncmp(s->name, "[::1]:", 6) == 0 || strncmp(s->name, "::1:", 4) == 0;
}

/* HOST:PORT, [HOST]:PORT or PORT of an smtpd in master.cf */
static const struct postfix_service *smtpd_at(const struct postfix_conf *c, const char *nexthop)
{
    const struct postfix_service *s = NULL;
    char host[POSTFIX_VALUE], plain[POSTFIX_VALUE];
    const char *port = strrchr(nexthop, ':');

    if (port == NULL)
        return NULL;
    snprintf(host, sizeof(host), "%.*s", (int)(port - nexthop), nexthop);
    if (host[0] == '[' && host[strlen(host) - 1] == ']' && strchr(host, ':') == NULL)
        snprintf(plain, sizeof(plain), "%.*s%s", (int)strlen(host) - 2, host + 1, port);
    else
        snprintf(plain, sizeof(plain), "%s", nexthop);
    while ((s = postfix_program(c, s, "smtpd")) != NULL)
        if (strcmp(s->name, plain) == 0 || strcmp(s->name, nexthop) == 0 || strcmp(s->name, port + 1) == 0)
            return s;
    return NULL;
}

/* "SERVICE:NEXTHOP" of content_filter; "" when there is none */
static const char *filter_nexthop(const char *filter)
{
    size_t len = strcspn(filter, ":");

    return filter[len] == ':' ? filter + len + 1 : "";
}

/* Mail of programs comes in here, and no milter was asked for it before. */
static bool takes_mail_of_programs(const struct postfix_check *c, const struct postfix_service *s)
{
    const struct postfix_service *pickup = NULL;

    while ((pickup = postfix_program(c->postfix, pickup, "pickup")) != NULL)
        if (smtpd_at(c->postfix, filter_nexthop(postfix_value(c->postfix, pickup, "content_filter"))) == s)
            return true;
    return false;
}

/* A content filter hands mail back to an smtpd on loopback, which does not lead to that filter again; the milter was
 * asked before. */
static bool takes_mail_back(const struct postfix_check *c, const struct postfix_service *s)
{
    const char *own = postfix_value(c->postfix, s, "content_filter");
    const struct postfix_service *other = NULL;

    if (!is_loopback(s) || takes_mail_of_programs(c, s))
        return false;
    while ((other = postfix_program(c->postfix, other, "smtpd")) != NULL) {
        const char *filter = postfix_value(c->postfix, other, "content_filter");
        if (*filter != '\0' && strcmp(filter, own) != 0)
            return true;
    }
    return false;
}

/* Of an smtpd that asks the milter: will it hold when the milter is away? */
static void check_settings(const struct postfix_check *c, const struct postfix_service *s, const char *own_action)
{
    const char *action = *own_action != '\0' ? own_action : postfix_value(c->postfix, s, "milter_default_action");
    const char *protocol = postfix_value(c->postfix, s, "milter_protocol");
    char where[POSTFIX_WHERE];

    postfix_where_set(where, c->postfix, s, *own_action != '\0' ? "smtpd_milters" : "milter_default_action");
    if (strcmp(action, "tempfail") != 0 && strcmp(action, "quarantine") != 0 && strcmp(action, "shutdown") != 0)
        postfix_report(c->out, MILTER_ACTION, where, "default action is %.50s", action);
    else if (strcmp(action, "quarantine") == 0)
        postfix_report(c->out, MILTER_ACTION, where, "default action is quarantine: released, the mail has no flag");
    postfix_where_set(where, c->postfix, s, "milter_protocol");
    if (postfix_number(protocol) < 6)
        postfix_report(c->out, MILTER_PROTOCOL, where, "is %.50s", protocol);
    postfix_where_set(where, c->postfix, s, "smtpd_milter_maps");
    if (*postfix_value(c->postfix, s, "smtpd_milter_maps") != '\0')
        postfix_report(c->out, MILTER_MAPS, where, "is set, at the service %.100s", s->id);
}

static void check_smtpd(const struct postfix_check *c, const struct postfix_service *s)
{
    char action[64], where[POSTFIX_WHERE];
    bool asked = has_milter(c, s, postfix_value(c->postfix, s, "smtpd_milters"), action);
    bool skipped = postfix_list_has(postfix_value(c->postfix, s, "receive_override_options"), "no_milters");

    if (*postfix_value(c->postfix, s, "smtpd_proxy_filter") != '\0') {
        postfix_where_set(where, c->postfix, s, "smtpd_proxy_filter");
        if (asked && !skipped)
            postfix_report(c->out, MILTER_PROXY, where, "the milter is asked at the service %.100s, before the proxy",
                           s->id);
        return;
    }
    if (asked && !skipped) {
        check_settings(c, s, action);
        return;
    }
    if (takes_mail_back(c, s))
        return;
    postfix_where_set(where, c->postfix, s, asked ? "receive_override_options" : "smtpd_milters");
    postfix_report(c->out, MILTER_MISSING, where,
                   asked ? "no_milters, at the service %.100s" : "the milter is not asked at the service %.100s",
                   s->id);
}

/* Mail of programs goes to an smtpd of this Postfix once more, as they wrote it. */
static void check_pickup_filter(const struct postfix_check *c, const char *where, const char *filter)
{
    const struct postfix_service *transport;
    char name[POSTFIX_VALUE], generic[POSTFIX_WHERE];
    size_t len = strcspn(filter, ":");

    snprintf(name, sizeof(name), "%.*s", (int)len, filter);
    transport = postfix_transport(c->postfix, name);
    if (transport == NULL || strcmp(transport->command, "smtp") != 0) {
        postfix_report(c->out, MILTER_PICKUP_FILTER, where, "%.100s is no service of type smtp in master.cf", name);
        return;
    }
    if (smtpd_at(c->postfix, filter_nexthop(filter)) == NULL)
        postfix_report(c->out, MILTER_PICKUP_FILTER, where, "%.200s is no smtpd of this Postfix", filter);
    postfix_where_set(generic, c->postfix, transport, "smtp_generic_maps");
    if (*postfix_value(c->postfix, transport, "smtp_generic_maps") != '\0')
        postfix_report(c->out, MILTER_PICKUP_FILTER, generic,
                       "rewrites addresses on the way to the milter, in the service %.100s", name);
}

static void check_pickup(const struct postfix_check *c)
{
    const struct postfix_service *s = NULL;
    char where[POSTFIX_WHERE], action[64];

    while ((s = postfix_program(c->postfix, s, "pickup")) != NULL) {
        const char *filter = postfix_value(c->postfix, s, "content_filter");
        postfix_where_set(where, c->postfix, s, "content_filter");
        if (*filter == '\0')
            postfix_report(c->out, MILTER_PICKUP, where, "is not set for the service %.100s", s->id);
        else
            check_pickup_filter(c, where, filter);
    }
    for (s = NULL; (s = postfix_program(c->postfix, s, "cleanup")) != NULL;) {
        postfix_where_set(where, c->postfix, s, "non_smtpd_milters");
        if (has_milter(c, s, postfix_value(c->postfix, s, "non_smtpd_milters"), action))
            postfix_report(c->out, MILTER_NON_SMTPD, where, "the milter is in it");
    }
    for (s = NULL; (s = postfix_program(c->postfix, s, "qmqpd")) != NULL;) {
        snprintf(where, sizeof(where), "master.cf: %.200s", s->id);
        postfix_report(c->out, MILTER_QMQP, where, "takes mail in by QMQP");
    }
}

/* "\0", "\000" within the C escapes of message_strip_characters */
static bool strips_nul(const char *value)
{
    for (const char *p = strchr(value, '\\'); p != NULL; p = strchr(p, '\\')) {
        size_t digits = strspn(p + 1, "01234567");
        if (digits > 3)
            digits = 3;
        if (digits > 0 && strspn(p + 1, "0") >= digits)
            return true;
        p += digits > 0 ? 1 + digits : p[1] != '\0' ? 2 : 1;
    }
    return false;
}

static void check_cleanup(const struct postfix_check *c)
{
    const struct postfix_service *s = NULL;
    char where[POSTFIX_WHERE];

    while ((s = postfix_program(c->postfix, s, "cleanup")) != NULL) {
        const char *value = postfix_value(c->postfix, s, "message_strip_characters");
        postfix_where_set(where, c->postfix, s, "message_strip_characters");
        if (!strips_nul(value))
            postfix_report(c->out, MILTER_STRIP, where, "has no \\0 (it is \"%.50s\")", value);
    }
}

static void check_addresses(const struct postfix_check *c)
{
    static const char *const wanted[] = {"canonical", "virtual", "alias", "forward", "include"};
    const char *delimiter = postfix_value(c->postfix, NULL, "recipient_delimiter");
    const char *propagate = postfix_value(c->postfix, NULL, "propagate_unmatched_extensions");

    if (strchr(delimiter, c->tag.delimiter) == NULL)
        postfix_report(c->out, MILTER_DELIMITER, "main.cf: recipient_delimiter", "is \"%.20s\", and has no %c",
                       delimiter, c->tag.delimiter);
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
        if (!postfix_list_has(propagate, wanted[i]))
            postfix_report(c->out, MILTER_PROPAGATE, "main.cf: propagate_unmatched_extensions", "lacks %s", wanted[i]);
}

void postfix_check_milter(const struct postfix_check *c)
{
    const struct postfix_service *s = NULL;

    while ((s = postfix_program(c->postfix, s, "smtpd")) != NULL)
        check_smtpd(c, s);
    check_pickup(c);
    check_cleanup(c);
    check_addresses(c);
}
