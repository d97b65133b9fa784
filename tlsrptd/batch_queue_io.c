/* batch_queue_io.c - see batch_queue_io.h. */
#include "batch_queue_io.h"
#include "clock.h"
#include "counts_apply_io.h"
#include "log.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define KEY_BUF   512
#define AGAIN_MS  1000     /* after an error */
#define TAKEN_MAX 33554432 /* octets in memory of batches that Redis took */

struct waiting {
    STAILQ_ENTRY(waiting) link;
    uint64_t number;
    bool follows;     /* what was added before it has the number before */
    int64_t taken_ms; /* 0: Redis has not taken it */
    struct spool_place place;
    char *octets; /* when it is not in the spool */
    size_t len;
    char lane[BATCH_LANE_BUF];
};

STAILQ_HEAD(waiting_list, waiting);

struct batch_queue {
    struct redis *redis;
    struct spool *spool;
    int64_t keep;
    void (*changed)(void *ctx);
    void *ctx;
    struct waiting_list all;
    struct waiting *next;        /* to be sent; those before it were taken */
    struct batch_request *way;   /* the one that is on its way */
    struct batch_request *asked; /* what Redis has */
    int64_t asked_ms;
    char asked_lane[BATCH_LANE_BUF];
    uint64_t last; /* number that was added last, and its lane */
    char last_lane[BATCH_LANE_BUF];
    int64_t again_ms;
    size_t count, in_memory, taken_octets;
    uint64_t taken;
};

/* What is asked of Redis for the queue, which may be gone when the answer comes. */
struct batch_request {
    struct batch_queue *queue;
};

static struct batch_request *request_new(struct batch_queue *q)
{
    struct batch_request *request = must_have(calloc(1, sizeof(*request)));

    request->queue = q;
    return request;
}

struct batch_queue *batch_queue_new(struct redis *redis, int64_t keep, void (*changed)(void *ctx), void *ctx)
{
    struct batch_queue *q = must_have(calloc(1, sizeof(*q)));

    *q = (struct batch_queue){.redis = redis, .keep = keep, .changed = changed, .ctx = ctx};
    STAILQ_INIT(&q->all);
    return q;
}

void batch_queue_spool(struct batch_queue *q, struct spool *spool)
{
    q->spool = spool;
}

static bool in_memory(const struct waiting *w)
{
    return w->place.file == NULL && w->taken_ms == 0;
}

/* Of one that is out of the queue. */
static void waiting_end(struct batch_queue *q, struct waiting *w)
{
    if (w->place.file != NULL)
        spool_forget(q->spool, &w->place);
    else
        q->taken_octets -= w->len;
    free(w->octets);
    free(w);
}

void batch_queue_free(struct batch_queue *q)
{
    struct waiting *w;

    if (q == NULL)
        return;
    if (q->way != NULL)
        q->way->queue = NULL;
    if (q->asked != NULL)
        q->asked->queue = NULL;
    while ((w = STAILQ_FIRST(&q->all)) != NULL) {
        STAILQ_REMOVE_HEAD(&q->all, link);
        free(w->octets);
        free(w);
    }
    free(q);
}

void batch_queue_add(struct batch_queue *q, const char *lane, uint64_t number, const struct spool_place *place,
                     const char *octets, size_t len)
{
    struct waiting *w = must_have(calloc(1, sizeof(*w)));

    w->number = number;
    w->len = len;
    memcpy(w->lane, lane, sizeof(w->lane));
    if (place != NULL) {
        w->place = *place;
    } else {
        w->octets = must_have(malloc(len));
        memcpy(w->octets, octets, len);
        q->in_memory += len;
    }
    w->follows = q->last + 1 == number && strcmp(q->last_lane, lane) == 0;
    q->last = number;
    memcpy(q->last_lane, lane, sizeof(q->last_lane));
    STAILQ_INSERT_TAIL(&q->all, w, link);
    q->count++;
    if (q->next == NULL)
        q->next = w;
}

static int save_one(struct batch_queue *q, struct waiting *w, struct err *e)
{
    struct batch b;
    int rc;

    if (batch_read(&b, w->octets, w->len) != 1)
        log_oom(); /* it was made here */
    rc = spool_write(q->spool, &w->place, w->octets, w->len, 1, b.position, b.positions, e);
    batch_clear(&b);
    return rc;
}

int batch_queue_save(struct batch_queue *q, struct err *e)
{
    struct waiting *w;

    if (q->in_memory == 0)
        return 0;
    for (w = STAILQ_FIRST(&q->all); w != NULL; w = STAILQ_NEXT(w, link)) {
        if (!in_memory(w))
            continue;
        if (save_one(q, w, e) != 0) {
            w->place.file = NULL;
            return -1;
        }
        q->in_memory -= w->len;
        free(w->octets);
        w->octets = NULL;
    }
    return 0;
}

/* --- sending --- */

static void send_next(struct batch_queue *q);

/* Redis may have lost the last ones: all that are here go again, and those that it has are passed over there. */
static void begin_again(struct batch_queue *q)
{
    struct waiting *w;

    for (w = STAILQ_FIRST(&q->all); w != NULL; w = STAILQ_NEXT(w, link)) {
        if (w == q->next)
            break;
        w->taken_ms = 0;
        q->count++;
        if (w->place.file == NULL) {
            q->taken_octets -= w->len;
            q->in_memory += w->len;
        }
    }
    q->next = STAILQ_FIRST(&q->all);
}

static void taken(struct batch_queue *q)
{
    struct waiting *w = q->next;

    if (in_memory(w)) {
        q->in_memory -= w->len;
        q->taken_octets += w->len;
    }
    w->taken_ms = now_ms();
    q->next = STAILQ_NEXT(w, link);
    q->count--;
    q->taken++;
}

static void on_applied(void *ctx, enum counts_applied how)
{
    struct batch_request *request = ctx;
    struct batch_queue *q = request->queue;

    free(request);
    if (q == NULL)
        return;
    q->way = NULL;
    if (how == COUNTS_APPLIED)
        taken(q);
    else
        begin_again(q);
    if (how == COUNTS_REFUSED || how == COUNTS_AWAY)
        q->again_ms = now_ms() + AGAIN_MS;
    if (how == COUNTS_GAP)
        log_warning("counts-again", "lane=%s batches=%zu reason=%s", STAILQ_FIRST(&q->all)->lane, q->count,
                    "Redis has lost some");
    send_next(q);
    q->changed(q->ctx);
}

/* What cannot be read back is lost, and the rest goes on. */
static void lose_next(struct batch_queue *q, const char *why)
{
    struct waiting *w = q->next;

    log_error("batch-lost", "lane=%s number=%llu error=%s", w->lane, (unsigned long long)w->number, why);
    q->next = STAILQ_NEXT(w, link);
    q->count--;
    if (w->place.file == NULL)
        q->in_memory -= w->len;
    w->taken_ms = now_ms();
    q->taken_octets += w->place.file == NULL ? w->len : 0;
    if (q->next != NULL)
        q->next->follows = false;
    STAILQ_REMOVE(&q->all, w, waiting, link);
    waiting_end(q, w);
}

/* Returns 0: it is on its way; 1: not now; -1: it cannot be read. */
static int send_one(struct batch_queue *q, struct err *e)
{
    struct waiting *w = q->next;
    struct batch b;
    struct buf octets;
    int rc = -1;

    buf_init(&octets, BATCH_READ_MAX + BATCH_HEAD);
    if (w->octets == NULL && spool_read(q->spool, &octets, &w->place, e) != 0) {
        buf_clear(&octets);
        return -1;
    }
    if (batch_read(&b, w->octets != NULL ? w->octets : buf_text(&octets), w->len) == 1) {
        q->way = request_new(q);
        rc = counts_apply(q->redis, &b, w == STAILQ_FIRST(&q->all) || !w->follows, q->keep, on_applied, q->way) == 0
                 ? 0
                 : 1;
        batch_clear(&b);
    } else {
        err_set(e, "it is not what was written");
    }
    buf_clear(&octets);
    if (rc == 1) {
        free(q->way);
        q->way = NULL;
    }
    return rc;
}

static void send_next(struct batch_queue *q)
{
    struct err e = {""};

    while (q->next != NULL && q->way == NULL && redis_up(q->redis) && now_ms() >= q->again_ms) {
        int rc = send_one(q, &e);

        if (rc == 0)
            return;
        if (rc > 0) {
            q->again_ms = now_ms() + AGAIN_MS;
            return;
        }
        lose_next(q, e.text);
    }
}

/* --- letting go --- */

/* It has been there so long that it is on the disk of Redis, if it is still there. */
static bool may_go(const struct batch_queue *q, const struct waiting *w, int64_t at_ms)
{
    return w != NULL && w != q->next && w->taken_ms > 0 && at_ms - w->taken_ms >= BATCH_STAYS_MS;
}

static void on_has(void *ctx, redisReply *reply)
{
    struct batch_request *request = ctx;
    struct batch_queue *q = request->queue;
    uint64_t has = 0;
    struct waiting *w;

    free(request);
    if (q == NULL)
        return;
    q->asked = NULL;
    w = STAILQ_FIRST(&q->all);
    if (reply == NULL || !may_go(q, w, q->asked_ms) ||
        (reply->type != REDIS_REPLY_STRING && reply->type != REDIS_REPLY_NIL))
        return;
    if (reply->type == REDIS_REPLY_STRING)
        has = strtoull(reply->str, NULL, 10);
    if (has < w->number) {
        log_warning("counts-again", "lane=%s number=%llu reason=%s", w->lane, (unsigned long long)w->number,
                    "Redis has lost it");
        if (q->way == NULL)
            begin_again(q);
        return;
    }
    while (may_go(q, w, q->asked_ms) && w->number <= has && strcmp(w->lane, q->asked_lane) == 0) {
        STAILQ_REMOVE_HEAD(&q->all, link);
        waiting_end(q, w);
        w = STAILQ_FIRST(&q->all);
    }
}

static void ask(struct batch_queue *q)
{
    struct waiting *w = STAILQ_FIRST(&q->all);
    char key[KEY_BUF];

    if (q->asked != NULL || !may_go(q, w, now_ms()) ||
        redis_key(q->redis, key, sizeof(key), "tlsrpt-applied", w->lane) == 0)
        return;
    q->asked_ms = now_ms();
    memcpy(q->asked_lane, w->lane, sizeof(q->asked_lane));
    q->asked = request_new(q);
    if (redis_send(q->redis, on_has, q->asked, 2, (const char *[]){"GET", key}, NULL) != 0) {
        free(q->asked);
        q->asked = NULL;
    }
}

/* What is kept only for a Redis that may lose it has its bound. */
static void taken_bound(struct batch_queue *q)
{
    struct waiting *w;

    while (q->taken_octets > TAKEN_MAX && (w = STAILQ_FIRST(&q->all)) != NULL && w != q->next) {
        STAILQ_REMOVE_HEAD(&q->all, link);
        waiting_end(q, w);
    }
}

void batch_queue_work(struct batch_queue *q)
{
    if (redis_up(q->redis)) {
        send_next(q);
        ask(q);
        taken_bound(q);
    } else if (q->way == NULL) {
        begin_again(q);
    }
}

/* --- what is where --- */

uint64_t batch_queue_safe(const struct batch_queue *q, uint64_t last)
{
    const struct waiting *w;

    if (q->in_memory > 0)
        for (w = STAILQ_FIRST(&q->all); w != NULL; w = STAILQ_NEXT(w, link))
            if (in_memory(w))
                return w->number - 1;
    return last;
}

size_t batch_queue_waiting(const struct batch_queue *q)
{
    return q->count;
}

size_t batch_queue_in_memory(const struct batch_queue *q)
{
    return q->in_memory;
}

uint64_t batch_queue_taken(const struct batch_queue *q)
{
    return q->taken;
}
