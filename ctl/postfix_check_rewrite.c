/* postfix_check_rewrite.c - what takes the flag off an address, adds recipients without it, or leads mail past the
 * maps. */
#include "postfix_internal.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Does every address of the answer have the flag, or an end here? */
static bool keeps_flag(const struct postfix_check *c, const char *list)
{
    const char *word;
    char address[POSTFIX_VALUE];
    size_t len;

    while (postfix_word(&list, &word, &len)) {
        snprintf(address, sizeof(address), "%.*s", (int)len, word);
        if (address_tag_has(&c->tag, address, strlen(address), NULL) != 1 && !postfix_is_own(c, address))
            return false;
    }
    return true;
}

static void try_address(const struct postfix_check *c, const struct postfix_maps *maps, const char *address)
{
    struct postfix_answer a;
    char where[POSTFIX_WHERE];

    if (!postfix_maps_find(maps, address, true, &a) || keeps_flag(c, a.text))
        return;
    postfix_where(where, &maps->map[a.map], a.rule);
    if (!postfix_found(c->out, FLAG_REWRITTEN, where))
        postfix_report(c->out, FLAG_REWRITTEN, where, "%.150s becomes %.200s", address, a.text);
}

static void try_lines(const struct postfix_check *c, const struct postfix_maps *maps, const struct postfix_map *map)
{
    char address[POSTFIX_VALUE], where[POSTFIX_WHERE];

    for (size_t i = 0; i < map->table.count; i++) {
        const struct postfix_rule *rule = &map->table.rule[i];
        postfix_where(where, map, rule);
        if (rule->unseen)
            postfix_report(c->out, FLAG_LINE_UNSEEN, where, "%s", rule->fault);
        for (unsigned n = 0; n < 2 && rule->kind == POSTFIX_MATCH; n++)
            if (postfix_sample(address, &c->tag, rule->pattern, n))
                try_address(c, maps, address);
    }
}

static int check_rewriting(const struct postfix_check *c, const struct postfix_service *cleanup)
{
    static const char *const names[] = {"canonical_maps", "recipient_canonical_maps", "virtual_alias_maps"};
    char address[POSTFIX_VALUE], where[POSTFIX_WHERE];
    struct postfix_maps maps;

    snprintf(address, sizeof(address), "user%c%s@example.net", c->tag.delimiter, c->tag.word);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        postfix_where_set(where, c->postfix, cleanup, names[i]);
        if (postfix_maps_open(&maps, c, where, postfix_value(c->postfix, cleanup, names[i])) != 0)
            return -1;
        try_address(c, &maps, address);
        for (size_t j = 0; j < maps.count; j++)
            try_lines(c, &maps, &maps.map[j]);
        postfix_maps_free(&maps);
    }
    return 0;
}

static bool is_action(const char *result, const char *action)
{
    size_t len = strlen(action);

    return strncasecmp(result, action, len) == 0 && (result[len] == ' ' || result[len] == '\t');
}

static void check_actions(const struct postfix_check *c, const struct postfix_map *map)
{
    char where[POSTFIX_WHERE];

    for (size_t i = 0; i < map->table.count; i++) {
        const struct postfix_rule *r = &map->table.rule[i];
        if (r->kind != POSTFIX_MATCH || r->fault[0] != '\0' ||
            (!is_action(r->result, "FILTER") && !is_action(r->result, "REDIRECT") && !is_action(r->result, "BCC")))
            continue;
        postfix_where(where, map, r);
        postfix_report(c->out, FLAG_HEADER_ACTION, where, "%.200s", r->result);
    }
}

static int check_header_checks(const struct postfix_check *c, const struct postfix_service *cleanup)
{
    static const char *const names[] = {"header_checks", "mime_header_checks", "nested_header_checks", "body_checks",
                                        "milter_header_checks"};
    char where[POSTFIX_WHERE];
    struct postfix_maps maps;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        postfix_where_set(where, c->postfix, cleanup, names[i]);
        if (postfix_maps_open(&maps, c, where, postfix_value(c->postfix, cleanup, names[i])) != 0)
            return -1;
        for (size_t j = 0; j < maps.count; j++)
            check_actions(c, &maps.map[j]);
        postfix_maps_free(&maps);
    }
    return 0;
}

/* Recipients that cleanup adds by itself */
static void check_bcc(const struct postfix_check *c, const struct postfix_service *cleanup)
{
    static const char *const names[] = {"always_bcc", "sender_bcc_maps", "recipient_bcc_maps"};
    char where[POSTFIX_WHERE];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = postfix_value(c->postfix, cleanup, names[i]);
        postfix_where_set(where, c->postfix, cleanup, names[i]);
        if (*value != '\0' && !(i == 0 && postfix_is_own(c, value)))
            postfix_report(c->out, FLAG_BCC, where, "is %.200s", value);
    }
}

bool postfix_filter_is_near(const char *filter)
{
    static const char *const near[] = {"unix:", "127.",      "[127.",      "localhost",     "[localhost",
                                       "[::1]", "inet:127.", "inet:[127.", "inet:localhost"};
    const char *nexthop = filter + strcspn(filter, ":");

    nexthop += *nexthop == ':';
    for (size_t i = 0; i < sizeof(near) / sizeof(near[0]); i++)
        if (strncasecmp(nexthop, near[i], strlen(near[i])) == 0)
            return true;
    return false;
}

/* smtpd, pickup and qmqpd say it of what they take in. */
static void check_filters(const struct postfix_check *c)
{
    static const char *const programs[] = {"smtpd", "pickup", "qmqpd"};
    char where[POSTFIX_WHERE], name[POSTFIX_WHERE];

    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
        const struct postfix_service *s = NULL;
        while ((s = postfix_program(c->postfix, s, programs[i])) != NULL) {
            const char *filter = postfix_value(c->postfix, s, "content_filter");
            const struct postfix_service *to;
            snprintf(name, sizeof(name), "%.*s", (int)strcspn(filter, ":"), filter);
            to = postfix_transport(c->postfix, name);
            if (*filter == '\0' || postfix_filter_is_near(filter) || (to != NULL && strcmp(to->command, "pipe") == 0))
                continue;
            postfix_where_set(where, c->postfix, s, "content_filter");
            postfix_report(c->out, FLAG_FILTER, where, "leads to %.200s", filter);
        }
    }
}

/* What one cleanup does; NULL: what main.cf says. */
static int check_cleanup(const struct postfix_check *c, const struct postfix_service *cleanup)
{
    check_bcc(c, cleanup);
    if (check_rewriting(c, cleanup) != 0)
        return -1;
    return check_header_checks(c, cleanup);
}

int postfix_check_rewrite(const struct postfix_check *c)
{
    const struct postfix_service *cleanup = postfix_program(c->postfix, NULL, "cleanup");
    int rc = check_cleanup(c, cleanup);

    while (rc == 0 && cleanup != NULL && (cleanup = postfix_program(c->postfix, cleanup, "cleanup")) != NULL)
        rc = check_cleanup(c, cleanup);
    check_filters(c);
    return rc;
}
