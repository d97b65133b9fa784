/*
 * facts.c - stands in for stsd in benches and says at once: names that begin with "plain" publish nothing, all others
 * an enforced MTA-STS policy and where they want reports. facts SOCKET [PARENT=ADDRESS …]: a domain below that parent
 * has the one MX host mx.PARENT, which its policy names, at this address.
 */
#include "call_server.h"
#include "dest.h"
#include "log.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char policy[] = "version: STSv1\nmode: enforce\nmx: mx1.example.com\nmx: *.example.net\nmax_age: 604800\n";

static void add_policy(struct dest *dest, int64_t now)
{
    dest->sts.record = DEST_STS_FOUND;
    strcpy(dest->sts.id, "1");
    if (dest_sts_set_policy(&dest->sts, "1", policy, strlen(policy), now, NULL) != 0)
        exit(1);
    dest->sts.attempted = now;
    strcpy(dest->tlsrpt, "v=TLSRPTv1; rua=mailto:tls-reports@example.com");
}

static const struct parent {
    const char *name, *address;
} * parents;

static const struct parent *parent_of(const char *domain)
{
    const char *dot = strchr(domain, '.');

    for (const struct parent *p = parents; dot != NULL && p->name != NULL; p++)
        if (strcmp(p->name, dot + 1) == 0)
            return p;
    return NULL;
}

static void add_reachable(struct dest *dest, const struct parent *parent, int64_t now)
{
    struct dest_host *host;
    char name[DOMAIN_BUF], text[2 * DOMAIN_BUF];

    (void)snprintf(name, sizeof(name), "mx.%s", parent->name);
    (void)snprintf(text, sizeof(text), "version: STSv1\nmode: enforce\nmx: %s\nmax_age: 604800\n", name);
    dest->sts.record = DEST_STS_FOUND;
    strcpy(dest->sts.id, "1");
    host = dest_add_host(dest, name, 10);
    if (host == NULL || dest_sts_set_policy(&dest->sts, "1", text, strlen(text), now, NULL) != 0)
        exit(1);
    dest->sts.attempted = now;
    (void)snprintf(host->address[host->address_count++], ADDRESS_BUF, "%s", parent->address);
}

static void on_call(void *ctx, struct call *call, const char *verb, const char *arg, size_t len)
{
    char domain[DOMAIN_BUF];
    int64_t now = (int64_t)time(NULL);
    const struct parent *parent;
    struct dest *dest;
    struct buf json;

    (void)ctx;
    (void)verb;
    if (domain_normalise(domain, arg, len, NULL) != 0 || (dest = dest_new(domain)) == NULL)
        exit(1);
    dest->mx = DEST_MX_LIST;
    dest->resolved = now;
    dest->valid_until = now + 3600;
    parent = parent_of(domain);
    if (parent != NULL)
        add_reachable(dest, parent, now);
    else
        dest_add_host(dest, "mx1.example.com", 10);
    if (parent == NULL && strncmp(domain, "plain", 5) != 0)
        add_policy(dest, now);
    buf_init(&json, DEST_JSON_MAX);
    dest_to_json(&json, dest);
    call_answer(call, CALL_OK, json.data, json.len);
    buf_clear(&json);
    dest_free(dest);
}

/* The words NAME=ADDRESS, which are cut in two. */
static void parents_read(char **words, size_t count)
{
    struct parent *list = calloc(count + 1, sizeof(*list));

    for (size_t i = 0; i < count; i++) {
        char *equal = strchr(words[i], '=');

        if (list == NULL || equal == NULL)
            exit(2);
        *equal = '\0';
        list[i] = (struct parent){words[i], equal + 1};
    }
    parents = list;
}

int main(int argc, char **argv)
{
    struct event_base *base = event_base_new();
    struct err e = {""};

    log_open("facts", true, LOGLEVEL_WARNING);
    if (argc < 2)
        return 2;
    parents_read(argv + 2, (size_t)argc - 2);
    if (base == NULL || call_server_open(base, argv[1], 0600, on_call, NULL, &e) == NULL) {
        fprintf(stderr, "facts: %s\n", e.text);
        return 1;
    }
    return event_base_dispatch(base) < 0;
}
