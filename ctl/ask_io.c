/* ask_io.c - one question to a daemon, waited for on an event base of its own. */
#include "ask_io.h"

#include "call_client.h"

#include <event2/event.h>
#include <string.h>

struct waiting {
    struct answer *answer;
    bool done;
};

static void take_reply(void *ctx, enum call_status status, const char *text, size_t len, int reached)
{
    struct waiting *w = ctx;

    w->answer->status = status;
    w->answer->reached = reached != 0;
    buf_add(&w->answer->text, text, len);
    w->done = true;
}

static int ask(struct answer *out, struct event_base *base, const char *address, const char *verb, const char *arg,
               int timeout_ms, struct err *e)
{
    struct call_client *client = call_client_new(base, address, e);
    struct waiting w = {.answer = out};

    if (client == NULL)
        return -1;
    if (call_send(client, verb, arg, strlen(arg), timeout_ms, take_reply, &w) == NULL) {
        call_client_free(client);
        return err_set(e, "no memory, or a name that is too long to be sent");
    }
    while (!w.done && event_base_loop(base, EVLOOP_ONCE) == 0) {
    }
    call_client_free(client);
    return w.done ? 0 : err_set(e, "the event loop failed");
}

int ask_daemon(struct answer *out, const char *address, const char *verb, const char *arg, int timeout_ms,
               struct err *e)
{
    struct event_base *base = event_base_new();
    int rc;

    memset(out, 0, sizeof(*out));
    out->status = CALL_TEMP;
    buf_init(&out->text, CALL_REPLY_MAX);
    if (base == NULL)
        return err_set(e, "no event loop to wait with");
    rc = ask(out, base, address, verb, arg, timeout_ms, e);
    event_base_free(base);
    return rc;
}

void answer_clear(struct answer *a)
{
    buf_clear(&a->text);
}
