/*
 * facts.c - stands in for stsd in benches and says at once: names that begin with "plain" publish nothing, all others
 * an enforced MTA-STS policy and where they want reports. facts SOCKET
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

static void on_call(void *ctx, struct call *call, const char *verb, const char *arg, size_t len)
{
    char domain[DOMAIN_BUF];
    int64_t now = (int64_t)time(NULL);
    struct dest *dest;
    struct buf json;

    (void)ctx;
    (void)verb;
    if (domain_normalise(domain, arg, len, NULL) != 0 || (dest = dest_new(domain)) == NULL)
        exit(1);
    dest->mx = DEST_MX_LIST;
    dest->resolved = now;
    dest->valid_until = now + 3600;
    dest_add_host(dest, "mx1.example.com", 10);
    if (strncmp(domain, "plain", 5) != 0)
        add_policy(dest, now);
    buf_init(&json, DEST_JSON_MAX);
    dest_to_json(&json, dest);
    call_answer(call, CALL_OK, json.data, json.len);
    buf_clear(&json);
    dest_free(dest);
}

int main(int argc, char **argv)
{
    struct event_base *base = event_base_new();
    struct err e = {""};

    log_open("facts", true, LOGLEVEL_WARNING);
    if (argc != 2 || base == NULL || call_server_open(base, argv[1], 0600, on_call, NULL, &e) == NULL) {
        fprintf(stderr, "facts: %s\n", e.text);
        return 1;
    }
    return event_base_dispatch(base) < 0;
}
