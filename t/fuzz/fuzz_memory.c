/*
 * fuzz_memory.c - policyd's memory, and the cache under it, against a model that keeps its entries in an array: the
 * same names, values, order, evictions (SIEVE) and answers after each of a sequence of operations.
 *
 * The first octet is the limit; then each operation has one octet for what to do and one for the name, which for puts
 * are followed by the life of the answer.
 */
#include "memory.h"
#include "recipe.h"

#define NAMES     200
#define LIMIT_MAX 150 /* more than the table has buckets at first */
#define STEPS_MAX 400

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct entry {
    unsigned name;
    bool used;
    struct answer answer; /* as it should be */
};

/* Oldest first. */
struct model {
    struct entry entry[LIMIT_MAX];
    size_t count, limit;
    size_t hand; /* where the next eviction begins to look; `count`: at the oldest */
    uint64_t evictions;
    unsigned names;
    uint32_t epoch;
    int64_t now;
};

static size_t name_of(char out[CACHE_KEY_MAX + 1], unsigned n)
{
    int len = n == 23 ? snprintf(out, CACHE_KEY_MAX + 1, "%0*u", CACHE_KEY_MAX, n)
                      : snprintf(out, CACHE_KEY_MAX + 1, "n%u.example", n);

    demand(len > 0 && len <= CACHE_KEY_MAX);
    return (size_t)len;
}

static struct entry *model_find(struct model *m, unsigned name)
{
    for (size_t i = 0; i < m->count; i++)
        if (m->entry[i].name == name)
            return &m->entry[i];
    return NULL;
}

static void model_remove(struct model *m, size_t i)
{
    memmove(&m->entry[i], &m->entry[i + 1], (m->count - i - 1) * sizeof(m->entry[0]));
    if (m->hand == m->count) /* at the oldest */
        m->hand--;
    else if (i < m->hand)
        m->hand--;
    m->count--;
}

/* The hand goes to newer entries, and from the newest to the oldest. */
static void model_evict(struct model *m)
{
    size_t i = m->hand < m->count ? m->hand : 0;

    while (m->entry[i].used) {
        m->entry[i].used = false;
        i = i + 1 < m->count ? i + 1 : 0;
    }
    m->hand = i;
    model_remove(m, i);
    m->evictions++;
}

static void model_put(struct model *m, unsigned name, const struct answer *a)
{
    struct entry *e = model_find(m, name);
    bool at_oldest;

    if (e == NULL) {
        if (m->count == m->limit)
            model_evict(m);
        at_oldest = m->hand == m->count;
        e = &m->entry[m->count++];
        *e = (struct entry){.name = name};
        m->hand = at_oldest ? m->count : m->hand;
    }
    e->answer = *a;
    e->answer.epoch = m->epoch;
}

/* --- operations --- */

static void put(struct memory *memory, struct model *m, unsigned name, struct recipe *in)
{
    char key[CACHE_KEY_MAX + 1];
    size_t len = name_of(key, name);
    struct answer *a = calloc(1, sizeof(*a));
    unsigned n = take(in);

    demand(a != NULL);
    a->valid_until = m->now + n % 16;
    a->stale_until = (n & 16) != 0 ? INT64_MAX : m->now + n % 32;
    a->binds = (n & 32) != 0;
    a->resolved = m->now + ((n & 64) != 0 ? DEST_CLOCK_SLACK : 0) + ((n & 128) != 0 ? 2 : 0);
    a->hits = (uint32_t)n;
    demand(memory_put(memory, key, len, a) == 0);
    model_put(m, name, a);
}

static void demand_same(const struct answer *a, const struct answer *b)
{
    demand(a->valid_until == b->valid_until && a->stale_until == b->stale_until && a->refresh_at == b->refresh_at);
    demand(a->epoch == b->epoch && a->binds == b->binds && a->hits == b->hits);
}

/* It is not known to be out of date, nor from the future. */
static bool counts(const struct model *m, const struct answer *a)
{
    return a->epoch == m->epoch && a->resolved <= m->now + DEST_CLOCK_SLACK;
}

static void get(struct memory *memory, struct model *m, unsigned name)
{
    char key[CACHE_KEY_MAX + 1];
    size_t len = name_of(key, name);
    const struct answer *a = memory_get(memory, key, len, m->now);
    struct entry *e = model_find(m, name);

    if (e != NULL)
        e->used = true;
    demand((a != NULL) == (e != NULL && counts(m, &e->answer) && m->now < e->answer.valid_until));
    if (a != NULL)
        demand_same(a, &e->answer);
}

static void get_stale(struct memory *memory, struct model *m, unsigned name, unsigned seconds)
{
    char key[CACHE_KEY_MAX + 1];
    size_t len = name_of(key, name);
    struct answer *a = memory_get_stale(memory, key, len, m->now);
    struct entry *e = model_find(m, name);

    if (e != NULL)
        e->used = true;
    demand((a != NULL) == (e != NULL && m->now < e->answer.stale_until && (e->answer.binds || counts(m, &e->answer))));
    if (a == NULL || seconds == 0)
        return;
    memory_revive(memory, a, m->now, seconds);
    e->answer.valid_until = m->now + seconds;
    if (e->answer.valid_until > e->answer.stale_until)
        e->answer.valid_until = e->answer.stale_until;
    e->answer.refresh_at = e->answer.valid_until;
    e->answer.epoch = m->epoch;
    demand(memory_get(memory, key, len, m->now) == (counts(m, &e->answer) ? a : NULL));
}

static void expire(struct memory *memory, struct model *m, unsigned name)
{
    char key[CACHE_KEY_MAX + 1];
    size_t len = name_of(key, name);
    struct entry *e = model_find(m, name);

    memory_expire(memory, key, len);
    if (e == NULL)
        return;
    e->answer.valid_until = 0;
    if (!e->answer.binds)
        e->answer.stale_until = 0;
}

static void remove_one(struct memory *memory, struct model *m, unsigned name)
{
    char key[CACHE_KEY_MAX + 1];
    size_t len = name_of(key, name);
    struct entry *e = model_find(m, name);

    demand(cache_remove(memory->cache, key, len) == (e != NULL));
    if (e != NULL)
        model_remove(m, (size_t)(e - m->entry));
}

static void flush(struct memory *memory, struct model *m)
{
    demand(cache_flush(memory->cache) == m->count);
    m->count = 0;
    m->hand = 0;
}

static void refuse_long(struct memory *memory)
{
    char key[CACHE_KEY_MAX + 2];
    struct answer a;

    memset(key, 'a', sizeof(key));
    demand(cache_put(memory->cache, key, sizeof(key) - 1, &a) == -1);
    demand(cache_peek(memory->cache, key, sizeof(key) - 1) == NULL);
}

static void operate(struct memory *memory, struct model *m, struct recipe *in)
{
    unsigned what = take(in), name = take(in) % m->names;

    switch (what % 12) {
    case 0:
    case 1:
    case 2:
        put(memory, m, name, in);
        break;
    case 3:
    case 4:
        get(memory, m, name);
        break;
    case 5:
        get_stale(memory, m, name, what / 12);
        break;
    case 6:
        expire(memory, m, name);
        break;
    case 7:
        memory_expire_all(memory);
        m->epoch++;
        break;
    case 8:
        m->now += what / 12;
        break;
    case 9:
        remove_one(memory, m, name);
        break;
    case 10:
        if (what == 250)
            flush(memory, m);
        break;
    default:
        refuse_long(memory);
    }
}

/* All of it, newest first. */
static void demand_model(const struct memory *memory, const struct model *m)
{
    const void *cursor = NULL;
    const char *key;
    size_t left = m->count;
    const struct answer *a;

    demand(cache_count(memory->cache) == m->count && cache_evictions(memory->cache) == m->evictions);
    while ((a = cache_next(memory->cache, &cursor, &key)) != NULL) {
        char wanted[CACHE_KEY_MAX + 1];

        demand(left > 0);
        left--;
        (void)name_of(wanted, m->entry[left].name);
        demand(strcmp(key, wanted) == 0);
        demand(cache_peek(memory->cache, key, strlen(key)) == a);
        demand_same(a, &m->entry[left].answer);
    }
    demand(left == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t secret[16] = {7};
    static struct model m;
    struct recipe in = {data, size};
    struct memory memory;

    memset(&m, 0, sizeof(m));
    m.limit = take(&in);
    m.limit = m.limit < 240 ? m.limit % 16 + 1 : LIMIT_MAX;
    m.names = m.limit < LIMIT_MAX ? 24 : NAMES;
    m.epoch = 1;
    m.now = 1000;
    demand(memory_init(&memory, m.limit, secret) == 0);
    for (unsigned step = 0; in.left > 0 && step < STEPS_MAX; step++) {
        operate(&memory, &m, &in);
        demand_model(&memory, &m);
    }
    memory_clear(&memory);
    return 0;
}
