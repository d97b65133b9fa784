/*
 * fuzz_policy_request.c - what somebody writes to the listener of the policy delegation protocol. What is read of it
 * does not hang on how it comes in: octets that are added change nothing of a verdict, and a whole request is the same
 * by itself. A recipient that has the tag as address_tag.h sees it is never answered DUNNO at RCPT.
 */
#include "policy_request.h"
#include "recipe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct address_tag tag = {'+', "requiretls"};

/* The same request, alone in its memory. */
static void demand_alone(const char *text, const struct policy_request *req)
{
    char *copy = malloc(req->total);
    struct policy_request again;

    demand(copy != NULL);
    memcpy(copy, text, req->total);
    demand(policy_request_parse(&again, copy, req->total, NULL) == 1 && again.total == req->total);
    demand(again.state == req->state && again.recipient_len == req->recipient_len);
    demand(memcmp(again.recipient, req->recipient, req->recipient_len) == 0);
    demand(policy_request_parse(&again, copy, req->total - 1, NULL) == 0);
    free(copy);
}

static void demand_action(const struct policy_request *req)
{
    enum policy_action action = policy_request_action(req, &tag);
    bool tagged = address_tag_has(&tag, req->recipient, req->recipient_len, NULL) == 1;

    demand(memchr(req->recipient, '\n', req->recipient_len) == NULL);
    if (req->state == POLICY_RCPT)
        demand(req->recipient_len > 0 && action != POLICY_MISPLACED && (!tagged || action == POLICY_REQUIRETLS));
    if (action == POLICY_REQUIRETLS)
        demand(req->state == POLICY_RCPT || req->state == POLICY_DATA);
    if (req->state == POLICY_END)
        demand(action == POLICY_MISPLACED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    size_t at = 0;
    int found = 1;

    while (found == 1 && at < size) {
        struct policy_request req = {.total = 0};
        struct err e = {""};
        size_t half = (size - at) / 2;
        int early = policy_request_parse(&req, text + at, half, NULL);

        found = policy_request_parse(&req, text + at, size - at, &e);
        demand(early == 0 || early == found);
        demand((found < 0) == (e.text[0] != '\0'));
        demand(found != 0 || size - at < POLICY_REQUEST_MAX);
        if (found != 1)
            continue;
        demand(req.total > 1 && req.total <= size - at && req.total <= POLICY_REQUEST_MAX);
        demand(text[at + req.total - 1] == '\n' && text[at + req.total - 2] == '\n');
        demand_alone(text + at, &req);
        demand_action(&req);
        at += req.total;
    }
    return 0;
}
