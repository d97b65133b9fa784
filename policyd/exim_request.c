/* exim_request.c - see exim_request.h. */
#include "exim_request.h"

#include "span.h"

#include <string.h>

ssize_t exim_request_line(const char *data, size_t len, struct err *e)
{
    const char *end = memchr(data, '\n', len <= EXIM_REQUEST_MAX ? len : EXIM_REQUEST_MAX + 1);

    if (end != NULL)
        return end - data + 1;
    return len <= EXIM_REQUEST_MAX ? 0 : err_set(e, "a request is longer than %d octets", EXIM_REQUEST_MAX);
}

/* --- each verb --- */

static int parse_policy(struct exim_request *out, struct span domain, struct err *e)
{
    if (memchr(domain.at, ' ', domain.len) != NULL)
        return err_set(e, "policy has one word behind it, the domain");
    if (nexthop_parse(&out->hop, domain.at, domain.len, e) != 0)
        return err_prefix(e, "the domain");
    if (out->hop.kind != NEXTHOP_DOMAIN || out->hop.port != 0)
        return err_set(e, "the domain has a port, or is a parent, a host in brackets or an address");
    return 0;
}

static int parse_mx(struct exim_request *out, struct span rest, struct err *e)
{
    struct span domain = span_take_word(&rest);

    if (rest.len == 0 || memchr(rest.at, ' ', rest.len) != NULL)
        return err_set(e, "mx has two words behind it, the domain and the MX host");
    if (parse_policy(out, domain, e) != 0)
        return -1;
    return domain_normalise(out->host, rest.at, rest.len, e) != 0 ? err_prefix(e, "the MX host") : 0;
}

static int parse_list(struct exim_request *out, struct span rest, struct err *e)
{
    struct span word = span_take_word(&rest);
    char name[32];

    if (rest.len == 0 || rest.at[0] == ' ' || rest.at[rest.len - 1] == ' ')
        return err_set(e, "list has two words behind it, the list and what is looked for");
    if (word.len >= sizeof(name))
        return err_set(e, "there is no list of such a long name");
    memcpy(name, word.at, word.len);
    name[word.len] = '\0';
    out->key = rest.at;
    out->key_len = rest.len;
    return list_by_name(&out->list, name, e);
}

static int parse_route(struct exim_request *out, struct span address, struct err *e)
{
    const char *at = memrchr(address.at, '@', address.len);

    if (at == NULL || at == address.at || at + 1 == address.at + address.len)
        return err_set(e, "route has an address behind it, with local part and domain");
    out->key = address.at;
    out->key_len = address.len;
    out->domain = at + 1;
    out->domain_len = address.len - (size_t)(at + 1 - address.at);
    if (out->domain_len > 1 && out->domain[out->domain_len - 1] == '>')
        out->domain_len--;
    return 0;
}

static bool has_control(struct span t)
{
    for (size_t i = 0; i < t.len; i++)
        if ((unsigned char)t.at[i] < 0x20 || t.at[i] == 0x7f)
            return true;
    return false;
}

int exim_request_parse(struct exim_request *out, const char *line, size_t len, struct err *e)
{
    static const struct {
        const char *word;
        enum exim_verb verb;
        int (*parse)(struct exim_request *out, struct span rest, struct err *e);
    } verbs[] = {{"policy", EXIM_POLICY, parse_policy},
                 {"mx", EXIM_MX, parse_mx},
                 {"list", EXIM_LIST, parse_list},
                 {"route", EXIM_ROUTE, parse_route}};
    struct span rest = {line, len};
    struct span verb;

    if (has_control(rest))
        return err_set(e, "a control octet in the request");
    verb = span_take_word(&rest);
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (!span_is(verb, verbs[i].word))
            continue;
        *out = (struct exim_request){.verb = verbs[i].verb};
        return verbs[i].parse(out, rest, e);
    }
    return err_set(e, "a request begins with policy, mx, list or route and a blank");
}

/* --- the tag --- */

/* Cut the tag off the end of a local part that has no quotes. */
static bool cut_tag(struct span *local, const struct address_tag *tag)
{
    if (!address_tag_ends(tag, local->at, local->len))
        return false;
    local->len -= strlen(tag->word) + 1;
    return true;
}

static enum exim_route route_of_local(struct span local, const struct address_tag *requiretls,
                                      const struct address_tag *optional)
{
    enum exim_route route = EXIM_ROUTE_NONE;

    while (route != EXIM_ROUTE_REQUIRETLS) {
        if (cut_tag(&local, requiretls))
            route = EXIM_ROUTE_REQUIRETLS;
        else if (cut_tag(&local, optional))
            route = EXIM_ROUTE_RELAXED;
        else
            break;
    }
    return route;
}

static enum exim_route route_of_address(struct span address, const struct address_tag *requiretls,
                                        const struct address_tag *optional)
{
    const struct address_tag tags[] = {*requiretls, *optional};
    enum exim_route route = EXIM_ROUTE_NONE;
    size_t seen[] = {0, 0};
    struct buf out;

    buf_init(&out, EXIM_REQUEST_MAX);
    if (address_tags_remove(&out, seen, tags, 2, address.at, address.len, NULL) > 0)
        route = seen[0] > 0 ? EXIM_ROUTE_REQUIRETLS : EXIM_ROUTE_RELAXED;
    else if (!buf_ok(&out))
        route = EXIM_ROUTE_REQUIRETLS;
    buf_clear(&out);
    return route;
}

enum exim_route exim_request_route(const struct exim_request *req, const struct address_tag *requiretls,
                                   const struct address_tag *optional)
{
    struct span address = {req->key, req->key_len};
    struct span local = {req->key, (size_t)(req->domain - 1 - req->key)};
    enum exim_route plain = route_of_local(local, requiretls, optional);
    enum exim_route written = EXIM_ROUTE_NONE;

    if (address.at[0] == '<' || address.at[0] == '@' || memchr(local.at, '"', local.len) != NULL ||
        memchr(local.at, '\\', local.len) != NULL)
        written = route_of_address(address, requiretls, optional);
    return plain > written ? plain : written;
}
