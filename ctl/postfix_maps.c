/* postfix_maps.c - lists of maps: reading their tables, asking them; and addresses to ask them for. */
#include "postfix_internal.h"

#include "address.h"
#include "ascii.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DOMAIN_MAX 200

/* The file of a map, or the text of an inline one, is read; what is wrong with it is a finding. */
static void read_table(struct postfix_map *map, const struct postfix_check *c, const char *source, bool pcre)
{
    struct err e = {""};
    struct buf text;
    int rc = 0;

    buf_init(&text, POSTFIX_TABLE_MAX);
    if (map->is_inline) {
        rc = postfix_table_inline(&map->table, pcre, source, strlen(source), &e);
    } else {
        rc = c->reader(c->ctx, source, &text, &e);
        if (rc == 0)
            rc = postfix_table_read(&map->table, pcre, buf_text(&text), text.len, &e);
    }
    if (rc != 0)
        postfix_report(c->out, FLAG_MAP_UNREADABLE, map->where, "%s", e.text);
    buf_clear(&text);
}

static bool begins(const char **at, const char *word)
{
    size_t len = strlen(word);

    if (strncmp(*at, word, len) != 0)
        return false;
    *at += len;
    return true;
}

static int open_map(struct postfix_map *map, const struct postfix_check *c, const char *where, const char *word,
                    size_t len)
{
    char *copy = strndup(word, len);
    const char *at = copy;
    bool pcre;

    if (copy == NULL)
        return -1;
    snprintf(map->name, sizeof(map->name), "%s", copy);
    begins(&at, "proxy:");
    pcre = strncmp(at, "pcre:", 5) == 0;
    map->kind = POSTFIX_OTHER;
    if (begins(&at, "static:")) {
        map->kind = POSTFIX_STATIC;
        while (*at == '{' || ascii_is_blank(*at))
            at++;
        snprintf(map->value, sizeof(map->value), "%.*s", (int)strcspn(at, "}"), at);
    } else if (begins(&at, "regexp:") || begins(&at, "pcre:")) {
        map->kind = POSTFIX_TABLE;
        map->is_inline = *at == '{';
        snprintf(map->where, sizeof(map->where), "%s", map->is_inline ? where : at);
        read_table(map, c, at, pcre);
    }
    if (map->where[0] == '\0')
        snprintf(map->where, sizeof(map->where), "%s", where);
    free(copy);
    return 0;
}

int postfix_maps_open(struct postfix_maps *out, const struct postfix_check *c, const char *where, const char *list)
{
    const char *word;
    size_t len;

    out->count = 0;
    out->map = calloc(POSTFIX_MAPS_MAX, sizeof(*out->map));
    if (out->map == NULL)
        return -1;
    while (out->count < POSTFIX_MAPS_MAX && postfix_word(&list, &word, &len)) {
        if (open_map(&out->map[out->count], c, where, word, len) != 0) {
            postfix_maps_free(out);
            return -1;
        }
        out->count++;
    }
    return 0;
}

void postfix_maps_free(struct postfix_maps *m)
{
    for (size_t i = 0; i < m->count; i++)
        postfix_table_free(&m->map[i].table);
    free(m->map);
    *m = (struct postfix_maps){.count = 0};
}

/* One form of the address in each map. */
static bool find_form(const struct postfix_maps *m, const char *address, bool substitution, struct postfix_answer *out)
{
    struct buf text;

    for (size_t i = 0; i < m->count; i++) {
        const struct postfix_map *map = &m->map[i];
        *out = (struct postfix_answer){.map = i};
        if (map->kind == POSTFIX_STATIC) {
            snprintf(out->text, sizeof(out->text), "%s", map->value);
            return true;
        }
        if (map->kind == POSTFIX_OTHER)
            continue;
        buf_init(&text, sizeof(out->text) - 1);
        out->rule = postfix_table_find(&map->table, address, substitution, &text);
        if (buf_ok(&text))
            snprintf(out->text, sizeof(out->text), "%s", buf_text(&text));
        buf_clear(&text);
        if (out->rule != NULL)
            return true;
    }
    return false;
}

bool postfix_maps_find(const struct postfix_maps *m, const char *address, bool substitution, struct postfix_answer *out)
{
    char bare[POSTFIX_VALUE];
    const char *end = strrchr(address, '"');

    if (find_form(m, address, substitution, out))
        return true;
    if (address[0] != '"' || end == address || end == NULL)
        return false;
    snprintf(bare, sizeof(bare), "%.*s%s", (int)(end - address - 1), address + 1, end + 1);
    return find_form(m, bare, substitution, out);
}

void postfix_where(char out[POSTFIX_WHERE], const struct postfix_map *map, const struct postfix_rule *rule)
{
    if (rule == NULL)
        snprintf(out, POSTFIX_WHERE, "%s", map->where);
    else
        snprintf(out, POSTFIX_WHERE, "%.250s%s%zu", map->where, map->is_inline ? ": line " : ":", rule->line);
}

void postfix_where_set(char out[POSTFIX_WHERE], const struct postfix_conf *c, const struct postfix_service *service,
                       const char *name)
{
    for (size_t i = 0; service != NULL && i < c->parameter_count; i++) {
        const struct postfix_parameter *p = &c->parameter[i];
        if (p->service != NULL && strcmp(p->service, service->id) == 0 && strcmp(p->name, name) == 0) {
            snprintf(out, POSTFIX_WHERE, "master.cf: %.100s: -o %s", service->id, name);
            return;
        }
    }
    snprintf(out, POSTFIX_WHERE, "main.cf: %s", name);
}

/* The plain letters at the end of an expression, back to an @ or to what is no letter. */
static bool domain_of(char out[DOMAIN_MAX], const char *expression)
{
    size_t len = 0;

    for (const char *p = expression; *p != '\0' && !(*p == '$' && p[1] == '\0'); p++) {
        if (*p == '\\' && (p[1] == '.' || p[1] == '-'))
            p++;
        else if (!ascii_is_alnum(*p) && *p != '-' && !(*p == '.' && len > 0)) {
            len = 0;
            continue;
        }
        if (len + 1 < DOMAIN_MAX && (len > 0 || *p != '.'))
            out[len++] = *p;
    }
    out[len] = '\0';
    return len > 0 && out[len - 1] != '.';
}

bool postfix_sample(char out[POSTFIX_VALUE], const struct address_tag *tag, const char *expression, unsigned n)
{
    char domain[DOMAIN_MAX];
    size_t len = 0;

    if (!domain_of(domain, expression))
        return false;
    if (*expression == '^')
        while (len < 60 && ascii_is_alnum(expression[1 + len]))
            len++;
    snprintf(out, POSTFIX_VALUE, "%.*s%c%s@%s%s", len > 0 ? (int)len : 4, len > 0 ? expression + 1 : "user",
             tag->delimiter, tag->word, n == 0 ? "" : "x.", domain);
    return true;
}

/* "inet:localhost:25", "inet:[::1]:25", "[127.0.0.1]:25", "127.0.0.1:25" as address_parse takes it */
static int parse_inet(struct address *out, const char *text)
{
    char host[128], form[160];
    const char *port;
    size_t len;

    begins(&text, "inet:");
    port = strrchr(text, ':');
    if (port == NULL || port == text || (size_t)(port - text) >= sizeof(host))
        return -1;
    snprintf(host, sizeof(host), "%.*s", (int)(port - text), text);
    len = strlen(host);
    if (host[0] == '[' && host[len - 1] == ']') {
        host[len - 1] = '\0';
        memmove(host, host + 1, len - 1);
    }
    if (strcasecmp(host, "localhost") == 0)
        snprintf(host, sizeof(host), "127.0.0.1");
    snprintf(form, sizeof(form), strchr(host, ':') != NULL ? "inet:[%.100s]%.20s" : "inet:%.100s%.20s", host, port);
    return address_parse(out, form, NULL);
}

static bool same_path(const struct postfix_check *c, const struct postfix_service *service, const char *text,
                      const char *listen)
{
    char path[2 * POSTFIX_WHERE] = "";

    if (*text != '/' || (service != NULL && postfix_in_chroot(c->postfix, service)))
        snprintf(path, sizeof(path), "%.290s%s", postfix_value(c->postfix, NULL, "queue_directory"),
                 *text == '/' ? "" : "/");
    snprintf(path + strlen(path), sizeof(path) - strlen(path), "%.290s", text);
    return strcmp(path, listen) == 0;
}

bool postfix_same_address(const struct postfix_check *c, const struct postfix_service *service, const char *text,
                          const char *listen)
{
    struct address ours, theirs;
    bool is_unix = begins(&text, "unix:") || begins(&text, "local:");

    if (begins(&listen, "unix:"))
        return is_unix && same_path(c, service, text, listen);
    if (is_unix || parse_inet(&theirs, text) != 0 || address_parse(&ours, listen, NULL) != 0)
        return false;
    if (strncmp(listen, "inet:*:", 7) == 0 && theirs.sa.ss_family == AF_INET)
        return strcmp(strrchr(text, ':'), strrchr(listen, ':')) == 0;
    return ours.len == theirs.len && memcmp(&ours.sa, &theirs.sa, ours.len) == 0;
}

bool postfix_is_own(const struct postfix_check *c, const char *address)
{
    static const char *const lists[] = {"mydestination", "virtual_mailbox_domains", "virtual_alias_domains"};
    const char *at = strrchr(address, '@');

    for (size_t i = 0; at != NULL && i < sizeof(lists) / sizeof(lists[0]); i++)
        if (postfix_list_has(postfix_value(c->postfix, NULL, lists[i]), at + 1))
            return true;
    return false;
}
