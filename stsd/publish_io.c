/* publish_io.c - see publish_io.h. */
#include "publish_io.h"

#include "ascii.h"
#include "counters.h"
#include "http_server.h"
#include "log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POLICY_PATH    "/.well-known/mta-sts.txt"
#define CHALLENGE_PATH "/.well-known/acme-challenge/"
#define HOST_BEGIN     "mta-sts."
#define KEY_BUF        512
#define NUMBER_(n)     #n
#define NUMBER(n)      NUMBER_(n)

struct publish {
    struct http_server *http;
    struct redis *redis;
    const struct publications_keeper *keeper;
};

static void answer_text(struct http_call *call, enum publish_outcome outcome, int status, const char *text)
{
    count(COUNT_PUBLISH + (unsigned)outcome);
    http_answer_text(call, status, text);
}

/* --- policies --- */

static void answer_policy(struct http_call *call, const struct published *policy)
{
    char fields[300], changed[HTTP_DATE_BUF];
    struct http_answer answer = {.status = 200, .type = "text/plain; charset=utf-8", .fields = fields};
    struct buf body;

    buf_init(&body, STS_BODY_MAX);
    published_body(&body, &policy->policy);
    if (!buf_ok(&body))
        log_oom();
    http_date(changed, policy->changed);
    (void)snprintf(fields, sizeof(fields),
                   "Cache-Control: max-age=" NUMBER(PUBLISH_CACHE_SECONDS) "\r\nETag: \"%s\"\r\nLast-Modified: %s\r\n",
                   policy->id, changed);
    answer.body = (struct span){body.data, body.len};
    count(COUNT_PUBLISH + PUBLISH_POLICY);
    http_answer(call, &answer);
    buf_clear(&body);
}

static void serve_policy(struct publish *p, struct http_call *call, struct span host)
{
    const struct publications *all = p->keeper == NULL ? NULL : publications_keeper_get(p->keeper);
    const struct publication *found = NULL;
    struct published policy;
    char name[DOMAIN_BUF];

    if (all == NULL) {
        answer_text(call, PUBLISH_NOT_KNOWN, 503, "The policies are not known yet: Redis has not been reached.\n");
        return;
    }
    if (http_host_name(name, host) == 0 && strncmp(name, HOST_BEGIN, strlen(HOST_BEGIN)) == 0)
        found = publications_find(all, name + strlen(HOST_BEGIN));
    if (found == NULL || published_read(&policy, found->domain, found->json, found->json_len, NULL) != 0) {
        answer_text(call, PUBLISH_NO_POLICY, 404, "No policy is published for this host.\n");
        return;
    }
    answer_policy(call, &policy);
    published_clear(&policy);
}

/* --- challenges --- */

static void on_challenge(void *ctx, redisReply *reply)
{
    struct http_call *call = ctx;
    struct http_answer answer = {
        .status = 200, .type = "application/octet-stream", .fields = "Cache-Control: no-store\r\n"};

    if (reply == NULL || reply->type != REDIS_REPLY_STRING) {
        answer_text(call, PUBLISH_NO_REDIS, 503, "Answers to challenges cannot be had: Redis is away.\n");
    } else if (reply->len == 0 || reply->len > PUBLISH_CHALLENGE_MAX) {
        answer_text(call, PUBLISH_NO_CHALLENGE, 404, "There is no such challenge.\n");
    } else {
        answer.body = (struct span){reply->str, reply->len};
        count(COUNT_PUBLISH + PUBLISH_CHALLENGE);
        http_answer(call, &answer);
    }
}

static bool is_token(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!ascii_is_alnum(s.at[i]) && s.at[i] != '-' && s.at[i] != '_')
            return false;
    return s.len > 0 && s.len <= PUBLISH_TOKEN_MAX;
}

static void serve_challenge(struct publish *p, struct http_call *call, struct span token)
{
    char key[KEY_BUF], name[PUBLISH_TOKEN_MAX + 1];
    const char *const words[] = {"GETRANGE", key, "0", NUMBER(PUBLISH_CHALLENGE_MAX)};

    if (!is_token(token) || !span_copy(name, sizeof(name), token))
        answer_text(call, PUBLISH_NO_CHALLENGE, 404, "There is no such challenge.\n");
    else if (p->redis == NULL || redis_key(p->redis, key, sizeof(key), "acme", name) == 0 ||
             redis_send(p->redis, on_challenge, call, sizeof(words) / sizeof(words[0]), words, NULL) != 0)
        on_challenge(call, NULL);
}

static void on_request(void *ctx, struct http_call *call, const struct http_request *request)
{
    struct publish *p = ctx;
    struct span token = request->path;

    if (span_is(request->path, POLICY_PATH))
        serve_policy(p, call, request->host);
    else if (span_take(&token, SPAN(CHALLENGE_PATH)))
        serve_challenge(p, call, token);
    else
        answer_text(call, PUBLISH_OTHER, 404, "There is nothing here.\n");
}

struct publish *publish_new(struct event_base *base, const char *address, struct err *e)
{
    struct publish *p = must_have(calloc(1, sizeof(*p)));
    const struct http_server_options options = {
        .address = address, .connections_max = PUBLISH_CONNECTIONS_MAX, .fn = on_request, .ctx = p};

    p->http = http_server_new(base, &options, e);
    if (p->http != NULL)
        return p;
    free(p);
    return NULL;
}

void publish_run(struct publish *p, struct redis *redis, const struct publications_keeper *keeper)
{
    if (p == NULL)
        return;
    p->redis = redis;
    p->keeper = keeper;
}

void publish_free(struct publish *p)
{
    if (p == NULL)
        return;
    http_server_free(p->http);
    free(p);
}
