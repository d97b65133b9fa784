/* report_hand_io.c - see report_hand_io.h. */
#include "report_hand_io.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "counts_io.h"
#include "log.h"

struct hand;

/* May outlive the hand. */
struct hand_request {
    struct hand *hand;
};

struct hand {
    LIST_ENTRY(hand) link;
    struct report_hands *hands;
    int32_t day;
    enum report_claim_how how;
    char **domain; /* owned */
    size_t count, begun, running;
    struct hand_request *request; /* for the domains */
    report_sent_fn *fn;
    void *ctx;
};

LIST_HEAD(hand_list, hand);

struct report_hands {
    struct redis *redis;
    struct report_sender *sender;
    struct hand_list all;
    size_t count;
    void (*ended)(void *ctx);
    void *ctx;
};

struct report_hands *report_hands_new(struct redis *redis, struct report_sender *sender, void (*ended)(void *ctx),
                                      void *ctx)
{
    struct report_hands *h = must_have(calloc(1, sizeof(*h)));

    h->redis = redis;
    h->sender = sender;
    h->ended = ended;
    h->ctx = ctx;
    LIST_INIT(&h->all);
    return h;
}

static void hand_free(struct hand *hand)
{
    LIST_REMOVE(hand, link);
    hand->hands->count--;
    if (hand->request != NULL)
        hand->request->hand = NULL;
    for (size_t i = 0; i < hand->count; i++)
        free(hand->domain[i]);
    free(hand->domain);
    free(hand);
}

/* Who asked is told that it is over. */
void report_hands_free(struct report_hands *h)
{
    static const struct report_sent end = {.domain = NULL};
    struct hand *hand;

    while ((hand = LIST_FIRST(&h->all)) != NULL) {
        report_sent_fn *fn = hand->fn;
        void *ctx = hand->ctx;

        hand_free(hand);
        fn(ctx, &end);
    }
    free(h);
}

static void tell_trouble(const struct hand *hand, const char *domain, const char *why)
{
    const struct report_sent row = {.domain = domain, .destination = "", .state = "none", .why = why};

    hand->fn(hand->ctx, &row);
}

static void hand_end(struct hand *hand)
{
    static const struct report_sent end = {.domain = NULL};
    struct report_hands *h = hand->hands;
    report_sent_fn *fn = hand->fn;
    void *ctx = hand->ctx;

    hand_free(hand);
    fn(ctx, &end);
    h->ended(h->ctx);
}

static void on_row(void *ctx, const struct report_sent *row)
{
    const struct hand *hand = ctx;

    hand->fn(hand->ctx, row);
}

static void hand_go_on(struct hand *hand);

static void on_done(void *ctx, int64_t again)
{
    struct hand *hand = ctx;

    (void)again;
    hand->running--;
    hand_go_on(hand);
}

static void hand_go_on(struct hand *hand)
{
    while (hand->running < REPORT_HANDS_MAX && hand->begun < hand->count) {
        const char *domain = hand->domain[hand->begun++];

        if (report_sender_start(hand->hands->sender, hand->day, domain, hand->how, on_row, on_done, hand) == 0)
            hand->running++;
        else
            tell_trouble(hand, domain, "Redis is away");
    }
    if (hand->running == 0 && hand->begun == hand->count && hand->request == NULL)
        hand_end(hand);
}

static void add_domain(struct hand *hand, const char *domain)
{
    hand->domain[hand->count++] = must_have(strdup(domain));
}

static void on_domains(void *ctx, const char *const *domain, size_t count, const char *why)
{
    struct hand_request *request = ctx;
    struct hand *hand = request->hand;

    free(request);
    if (hand == NULL)
        return;
    hand->request = NULL;
    if (why != NULL)
        tell_trouble(hand, "", why);
    if (why == NULL && count > 0) {
        hand->domain = must_have(calloc(count, sizeof(*hand->domain)));
        for (size_t i = 0; i < count; i++)
            add_domain(hand, domain[i]);
    }
    hand_go_on(hand);
}

static int ask_domains(struct hand *hand)
{
    hand->request = must_have(calloc(1, sizeof(*hand->request)));
    hand->request->hand = hand;
    if (counts_domains(hand->hands->redis, hand->day, on_domains, hand->request) == 0)
        return 0;
    free(hand->request);
    hand->request = NULL;
    return -1;
}

static int begin(struct hand *hand, const char *domain)
{
    if (domain[0] == '\0')
        return ask_domains(hand);
    hand->domain = must_have(calloc(1, sizeof(*hand->domain)));
    add_domain(hand, domain);
    hand->begun = 1;
    hand->running = 1;
    return report_sender_start(hand->hands->sender, hand->day, domain, hand->how, on_row, on_done, hand);
}

int report_hands_start(struct report_hands *h, int32_t day, const char *domain, enum report_claim_how how,
                       report_sent_fn *fn, void *ctx, struct err *e)
{
    struct hand *hand;

    if (h->count == REPORT_HANDS_MAX)
        return err_set(e, "%d of these are under way already; try again when they have ended", REPORT_HANDS_MAX);
    hand = must_have(calloc(1, sizeof(*hand)));
    *hand = (struct hand){.hands = h, .day = day, .how = how, .fn = fn, .ctx = ctx};
    LIST_INSERT_HEAD(&h->all, hand, link);
    h->count++;
    if (begin(hand, domain) == 0)
        return 0;
    hand_free(hand);
    return err_set(e, "Redis is away");
}

size_t report_hands_running(const struct report_hands *h)
{
    return h->count;
}

void report_hands_drain(struct report_hands *h)
{
    struct hand *hand;

    for (hand = LIST_FIRST(&h->all); hand != NULL; hand = LIST_NEXT(hand, link))
        hand->begun = hand->count;
}
