/*
 * redis_replies.c - hiredis makes replies through a table of functions. Two of them are wrapped here: what they refuse
 * the reader takes for lack of memory, and gives up.
 */
#include "redis_replies.h"
#include "log.h"

#include <stdlib.h>

struct redis_replies {
    redisReader *reader;
    redisReplyObjectFunctions ours, hiredis;
    size_t octets;   /* that came since the end of the last reply */
    size_t elements; /* of the reply that is being read */
    const char *why; /* what was refused; NULL: nothing */
};

static void *make_array(const redisReadTask *task, int elements)
{
    struct redis_replies *s = task->privdata;

    if ((size_t)elements > REDIS_REPLY_ELEMENTS_MAX - s->elements) {
        s->why = "a reply with too many elements";
        return NULL;
    }
    s->elements += (size_t)elements;
    return s->hiredis.createArray(task, elements);
}

/* The reader looks at the length only; the octets behind a string must be its end all the same. */
static void *make_string(const redisReadTask *task, char *text, size_t len)
{
    struct redis_replies *s = task->privdata;

    if (task->type == REDIS_REPLY_STRING && (text[len] != '\r' || text[len + 1] != '\n')) {
        s->why = "a string that is longer than announced";
        return NULL;
    }
    return s->hiredis.createString(task, text, len);
}

struct redis_replies *redis_replies_new(void)
{
    struct redis_replies *s = must_have(calloc(1, sizeof(*s)));

    s->reader = must_have(redisReaderCreate());
    s->hiredis = *s->reader->fn;
    s->ours = s->hiredis;
    s->ours.createArray = make_array;
    s->ours.createString = make_string;
    s->reader->fn = &s->ours;
    s->reader->privdata = s;
    return s;
}

void redis_replies_free(struct redis_replies *s)
{
    if (s != NULL) {
        redisReaderFree(s->reader);
        free(s);
    }
}

void redis_replies_feed(struct redis_replies *s, const char *data, size_t len)
{
    if (redisReaderFeed(s->reader, data, len) != REDIS_OK && s->reader->err == REDIS_ERR_OOM && s->why == NULL)
        log_oom();
    s->octets += len;
}

static int refuse(struct redis_replies *s, struct err *e)
{
    if (s->why == NULL && s->reader->err == REDIS_ERR_OOM)
        log_oom();
    return err_set(e, "not Redis' protocol: %s", s->why != NULL ? s->why : s->reader->errstr);
}

int redis_replies_next(struct redis_replies *s, redisReply **out, struct err *e)
{
    void *reply = NULL;
    size_t left = 0;

    if (s->why != NULL || redisReaderGetReply(s->reader, &reply) != REDIS_OK)
        return refuse(s, e);
    if (reply != NULL)
        left = s->reader->len - s->reader->pos;
    if (s->octets - left > REDIS_REPLY_OCTETS_MAX) {
        freeReplyObject(reply);
        s->why = "a reply that is too long";
        return refuse(s, e);
    }
    if (reply == NULL)
        return 0;
    s->octets = left;
    s->elements = 0;
    *out = reply;
    return 1;
}

const char *redis_reply_type_name(int type)
{
    static const char *const names[] = {"?", "string", "array", "integer", "nil", "status", "error"};
    size_t i = (size_t)type;

    return i < sizeof(names) / sizeof(names[0]) ? names[i] : names[0];
}
