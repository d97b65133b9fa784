/* postfix_check.c - the way of flagged mail, and of mail with TLS-Required: No, through transport_maps. */
#include "postfix_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is asked of the transport maps, and what they have answered so far. */
struct routes {
    const struct postfix_check *check;
    struct postfix_maps maps;
    char where[POSTFIX_WHERE];     /* the parameter */
    size_t unrouted;               /* flagged addresses without an answer */
    char first[POSTFIX_VALUE];     /* of these */
    const struct postfix_map *map; /* of the first answer to a flagged address */
    size_t last_line;              /* the last of its lines that has answered */
};

/* "SERVICE:NEXTHOP"; the service is "" when there is none. */
static const char *split_answer(char service[POSTFIX_VALUE], const char *text)
{
    size_t len = strcspn(text, ":");

    snprintf(service, POSTFIX_VALUE, "%.*s", (int)len, text);
    return text[len] == ':' ? text + len + 1 : text + len;
}

static void note_answer(struct routes *r, const struct postfix_answer *a)
{
    const struct postfix_map *map = &r->maps.map[a->map];

    if (r->map == NULL)
        r->map = map;
    if (r->map == map && a->rule != NULL && a->rule->line > r->last_line)
        r->last_line = a->rule->line;
    for (size_t i = 0; i < a->map; i++)
        if (r->maps.map[i].kind == POSTFIX_OTHER)
            postfix_report(r->check->out, FLAG_MAP_BEFORE, r->where, "%.200s stands before %.150s", r->maps.map[i].name,
                           map->name);
}

/* One flagged address must end at relayd. */
static void route_flagged(struct routes *r, const char *address)
{
    const struct postfix_check *c = r->check;
    const struct postfix_service *service;
    struct postfix_answer a;
    char name[POSTFIX_VALUE], where[POSTFIX_WHERE];
    const char *nexthop;

    if (!postfix_maps_find(&r->maps, address, false, &a)) {
        if (r->unrouted++ == 0)
            snprintf(r->first, sizeof(r->first), "%s", address);
        return;
    }
    note_answer(r, &a);
    nexthop = split_answer(name, a.text);
    service = postfix_transport(c->postfix, name);
    postfix_where(where, &r->maps.map[a.map], a.rule);
    if (name[0] == '\0')
        postfix_report(c->out, FLAG_NO_TRANSPORT, where, "the right side \"%.100s\" names no service", a.text);
    else if (service == NULL)
        postfix_report(c->out, FLAG_SERVICE_MISSING, where, "there is no service %.100s in master.cf", name);
    else
        postfix_check_service(c, where, service, nexthop);
}

/* The address, and the same in capitals */
static void route_both(struct routes *r, char *address)
{
    route_flagged(r, address);
    for (char *p = address; *p != '\0'; p++)
        *p = *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p;
    route_flagged(r, address);
}

static void route_fixed(struct routes *r)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    /* local part and domain; the tag is in place of % */
    static const char *const forms[] = {"u%@example.net",        "user+x%@example.net",     "\"a b%\"@example.net",
                                        "\"a@b%\"@example.net",  "u%@[192.0.2.1]",          "u%@[IPv6:2001:db8::1]",
                                        "u%@xn--bcher-kva.test", "u%@\xc3\xbc.example.test"};
    const struct address_tag *tag = &r->check->tag;
    char address[POSTFIX_VALUE];

    for (const char *l = letters; *l != '\0'; l++) {
        snprintf(address, sizeof(address), "user%c%s@%c.example.net", tag->delimiter, tag->word, *l);
        route_both(r, address);
    }
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        size_t before = strcspn(forms[i], "%");
        snprintf(address, sizeof(address), "%.*s%c%s%s", (int)before, forms[i], tag->delimiter, tag->word,
                 forms[i] + before + 1);
        route_both(r, address);
    }
}

/* An address that this line is made for. That it goes nowhere by this map is found by the fixed ones. */
static void route_made(struct routes *r, const struct postfix_rule *rule)
{
    const struct postfix_service *service;
    struct postfix_answer a;
    char address[POSTFIX_VALUE], name[POSTFIX_VALUE];

    for (unsigned n = 0; n < 2; n++) {
        if (!postfix_sample(address, &r->check->tag, rule->pattern, n) || postfix_is_own(r->check, address) ||
            !postfix_maps_find(&r->maps, address, false, &a))
            continue;
        split_answer(name, a.text);
        service = postfix_transport(r->check->postfix, name);
        if (service == NULL || (strcmp(service->command, "local") != 0 && strcmp(service->command, "virtual") != 0))
            route_flagged(r, address);
    }
}

/* Each line of the tables: what is wrong with it, and addresses that it is made for. */
static void look_at_lines(struct routes *r)
{
    char where[POSTFIX_WHERE];

    for (size_t i = 0; i < r->maps.count; i++) {
        const struct postfix_map *map = &r->maps.map[i];
        for (size_t j = 0; j < map->table.count; j++) {
            const struct postfix_rule *rule = &map->table.rule[j];
            postfix_where(where, map, rule);
            if (rule->fault[0] != '\0')
                postfix_report(r->check->out, rule->unseen ? FLAG_LINE_UNSEEN : FLAG_LINE_SKIPPED, where, "%s",
                               rule->fault);
            else if (rule->substitutes)
                postfix_report(r->check->out, FLAG_SUBSTITUTION, where, "a $ on the right side: \"%.200s\"",
                               rule->result);
            else if (rule->kind == POSTFIX_MATCH)
                route_made(r, rule);
        }
    }
}

static void say_unrouted(const struct routes *r)
{
    const char *sealed = "";

    for (size_t i = 0; i < r->maps.count && r->map == NULL; i++)
        if (r->maps.map[i].kind == POSTFIX_OTHER)
            sealed = " (no map but regexp:, pcre: and static: can be read here)";
    if (r->unrouted > 0)
        postfix_report(r->check->out, FLAG_UNROUTED, r->where, "no line for %.200s%s%s", r->first,
                       r->unrouted > 1 ? " and others" : "", sealed);
}

static bool demands_tls(const char *level)
{
    return *level != '\0' && strcmp(level, "none") != 0 && strcmp(level, "may") != 0;
}

/* With a relay host the operator's TLS goes for it, whatever the sender asks for. */
static void check_relaxed_to_relayhost(const struct postfix_check *c, const struct postfix_service *service)
{
    const char *wanted = postfix_value(c->postfix, NULL, "smtp_tls_security_level");
    const char *level = postfix_value(c->postfix, service, "smtp_tls_security_level");
    char where[POSTFIX_WHERE];

    postfix_where_set(where, c->postfix, service, "smtp_tls_security_level");
    if (demands_tls(wanted) && !demands_tls(level))
        postfix_report(c->out, RELAXED_WEAK, where, "is %.50s for the service %.100s, and %.50s for all others",
                       *level != '\0' ? level : "empty", service->name, wanted);
}

/* What stands behind the line of such mail: the service smtp-relaxed. */
static void check_relaxed_service(const struct postfix_check *c, const struct postfix_service *service)
{
    const char *level = postfix_value(c->postfix, service, "smtp_tls_security_level");
    char where[POSTFIX_WHERE];

    postfix_where_set(where, c->postfix, service, "smtp_tls_policy_maps");
    if (*postfix_value(c->postfix, service, "smtp_tls_policy_maps") != '\0')
        postfix_report(c->out, RELAXED_SERVICE, where, "policies are asked for, by the service %.100s", service->name);
    postfix_where_set(where, c->postfix, service, "smtp_tls_security_level");
    if (strcmp(level, "may") != 0)
        postfix_report(c->out, RELAXED_SERVICE, where, "is %.50s for the service %.100s, not may", level,
                       service->name);
}

/* smtp_generic_maps takes the tag off. Returns 0, or -1: no memory. */
static int check_relaxed_tag(const struct postfix_check *c, const struct postfix_service *service)
{
    static const char *const names[] = {"user", "\"a b"};
    char address[POSTFIX_VALUE], bare[POSTFIX_VALUE], where[POSTFIX_WHERE];
    struct postfix_maps maps;
    struct postfix_answer a;

    postfix_where_set(where, c->postfix, service, "smtp_generic_maps");
    if (postfix_maps_open(&maps, c, where, postfix_value(c->postfix, service, "smtp_generic_maps")) != 0)
        return -1;
    for (size_t i = 0; i < 2 && !postfix_found(c->out, RELAXED_TAG, where); i++) {
        const char *quote = i == 1 ? "\"" : "";
        snprintf(address, sizeof(address), "%s%c%s%s@example.net", names[i], c->optional.delimiter, c->optional.word,
                 quote);
        snprintf(bare, sizeof(bare), "%s%s@example.net", names[i], quote);
        if (!postfix_maps_find(&maps, address, true, &a))
            postfix_report(c->out, RELAXED_TAG, where, "no line takes the tag off %.100s", address);
        else if (strcmp(a.text, bare) != 0)
            postfix_report(c->out, RELAXED_TAG, where, "%.100s becomes %.100s", address, a.text);
    }
    postfix_maps_free(&maps);
    return 0;
}

/* Does mail go there that no map and no filter leads elsewhere? */
static bool is_default(const struct postfix_check *c, const struct postfix_service *service)
{
    static const char *const names[] = {"default_transport", "relay_transport"};
    char name[POSTFIX_VALUE];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        split_answer(name, postfix_value(c->postfix, NULL, names[i]));
        if (strcmp(name, service->name) == 0)
            return true;
    }
    return strcmp(service->name, "smtp") == 0 || strcmp(service->name, "relay") == 0;
}

static int route_relaxed(const struct routes *r)
{
    const struct postfix_check *c = r->check;
    const struct postfix_service *service;
    struct postfix_answer a;
    char address[POSTFIX_VALUE], name[POSTFIX_VALUE], where[POSTFIX_WHERE];
    const char *nexthop;

    snprintf(address, sizeof(address), "user%c%s@example.net", c->optional.delimiter, c->optional.word);
    if (!postfix_maps_find(&r->maps, address, false, &a)) {
        postfix_report(c->out, RELAXED_UNROUTED, r->where, "no line for %.200s", address);
        return 0;
    }
    postfix_where(where, &r->maps.map[a.map], a.rule);
    if (r->map == &r->maps.map[a.map] && a.rule != NULL && a.rule->line < r->last_line)
        postfix_report(c->out, RELAXED_ORDER, where, "the line for %.200s stands before one for flagged mail", address);
    nexthop = split_answer(name, a.text);
    service = postfix_transport(c->postfix, name);
    if (service == NULL) {
        postfix_report(c->out, RELAXED_SERVICE, where, "there is no service %.100s in master.cf", name);
        return 0;
    }
    if (*nexthop == '\0' && *postfix_value(c->postfix, NULL, "relayhost") != '\0')
        postfix_report(c->out, RELAXED_RELAYHOST, where, "no next hop behind %.100s, and relayhost is set", name);
    if (strcmp(service->command, "smtp") != 0) {
        postfix_report(c->out, RELAXED_SERVICE, where, "leads to the service %.100s, which is %.50s, not smtp", name,
                       service->command);
        return 0;
    }
    c->relaxed[service - c->postfix->service] = !is_default(c, service);
    if (*postfix_value(c->postfix, NULL, "relayhost") != '\0')
        check_relaxed_to_relayhost(c, service);
    else
        check_relaxed_service(c, service);
    return check_relaxed_tag(c, service);
}

/* The transport maps of one trivial-rewrite; NULL: of main.cf */
static int check_routes_of(const struct postfix_check *c, const struct postfix_service *rewrite)
{
    struct routes r = {.check = c};
    int rc;

    postfix_where_set(r.where, c->postfix, rewrite, "transport_maps");
    if (postfix_maps_open(&r.maps, c, r.where, postfix_value(c->postfix, rewrite, "transport_maps")) != 0)
        return -1;
    route_fixed(&r);
    look_at_lines(&r);
    say_unrouted(&r);
    rc = route_relaxed(&r);
    postfix_maps_free(&r.maps);
    return rc;
}

static int check_routes(const struct postfix_check *c)
{
    const struct postfix_service *rewrite = postfix_program(c->postfix, NULL, "trivial-rewrite");
    int rc = check_routes_of(c, rewrite);

    while (rc == 0 && rewrite != NULL && (rewrite = postfix_program(c->postfix, rewrite, "trivial-rewrite")) != NULL)
        rc = check_routes_of(c, rewrite);
    return rc;
}

/* Is the service for a filter on this machine, or for mail that comes in here again? */
static bool leads_to_filter(const struct postfix_check *c, const struct postfix_service *service)
{
    char name[POSTFIX_VALUE];

    for (size_t i = 0; i < c->postfix->service_count; i++) {
        const char *filter = postfix_value(c->postfix, &c->postfix->service[i], "content_filter");
        split_answer(name, filter);
        if (strcmp(name, service->name) == 0 && postfix_filter_is_near(filter))
            return true;
    }
    return false;
}

/* Is policyd one of these maps? */
static bool asks_policyd(const struct postfix_check *c, const char *list)
{
    char address[POSTFIX_VALUE];
    const char *word;
    size_t len;

    while (postfix_word(&list, &word, &len)) {
        if (len <= 10 || len >= sizeof(address) || strncmp(word, "socketmap:", 10) != 0)
            continue;
        snprintf(address, sizeof(address), "%.*s", (int)len - 10, word + 10);
        if (strrchr(address, ':') != NULL)
            *strrchr(address, ':') = '\0';
        for (char **l = c->postern->policyd.listen; *l != NULL; l++)
            if (postfix_same_address(c, NULL, address, *l))
                return true;
    }
    return false;
}

/* Does mail that is not flagged ask policyd? While it is not known which service is the relaxed one, that is a finding
 * already, and only those are asked that are surely not. */
static void check_policy_maps(const struct postfix_check *c)
{
    bool known = memchr(c->relaxed, 1, c->postfix->service_count) != NULL;
    const struct postfix_service *s = NULL;
    char where[POSTFIX_WHERE];

    while ((s = postfix_program(c->postfix, s, "smtp")) != NULL) {
        const char *list = postfix_value(c->postfix, s, "smtp_tls_policy_maps");
        bool excused = !known || c->relaxed[s - c->postfix->service] || leads_to_filter(c, s);
        if ((excused && !is_default(c, s)) || asks_policyd(c, list))
            continue;
        postfix_where_set(where, c->postfix, s, "smtp_tls_policy_maps");
        postfix_report(c->out, POLICY_MAPS, where, "policyd is not in \"%.200s\"", list);
    }
}

int postfix_check(struct postfix_findings *out, const struct postfix_conf *postfix, const struct conf *postern,
                  postfix_reader reader, void *ctx, struct err *e)
{
    struct postfix_check c = {postfix, postern, reader, ctx, out, {0, NULL}, {0, NULL}, NULL};
    bool whole;

    c.tag = (struct address_tag){postern->milter.delimiter[0], postern->milter.tag};
    c.optional = (struct address_tag){postern->milter.delimiter[0], postern->milter.optional_tag};
    c.relaxed = calloc(postfix->service_count + 1, sizeof(*c.relaxed));
    whole = c.relaxed != NULL && check_routes(&c) == 0 && postfix_check_rewrite(&c) == 0;
    if (whole) {
        postfix_check_milter(&c);
        check_policy_maps(&c);
    }
    free(c.relaxed);
    return whole ? 0 : err_set(e, "no memory");
}
