/* datagram_memory.c - see datagram_memory.h. The key in the cache is a hash of the octets; they are compared, too. */
#include "datagram_memory.h"

#include "cache.h"

#include <stdlib.h>
#include <string.h>

struct datagram_memory {
    struct cache *cache;
    size_t max, octets;
    uint8_t secret[SIPHASH_KEY];
    struct tlsrpt_event_read last; /* of one that is not in the cache */
};

struct known {
    struct tlsrpt_event_read read;
    struct datagram_memory *memory;
    size_t len;
    char octets[];
};

static size_t known_octets(const struct known *k)
{
    return sizeof(*k) + k->len + k->read.octets;
}

static void known_free(void *value)
{
    struct known *k = value;

    k->memory->octets -= known_octets(k);
    tlsrpt_event_read_clear(&k->read);
    free(k);
}

struct datagram_memory *datagram_memory_new(size_t entries, size_t octets, const uint8_t secret[SIPHASH_KEY])
{
    struct datagram_memory *m = calloc(1, sizeof(*m));

    if (m == NULL)
        return NULL;
    m->cache = cache_new(entries, known_free, secret);
    m->max = octets;
    memcpy(m->secret, secret, SIPHASH_KEY);
    if (m->cache == NULL) {
        free(m);
        return NULL;
    }
    return m;
}

void datagram_memory_free(struct datagram_memory *m)
{
    if (m == NULL)
        return;
    cache_free(m->cache);
    tlsrpt_event_read_clear(&m->last);
    free(m);
}

/* What was read goes from m->last into the cache. Returns NULL, and it is still in m->last, when it is too large. */
static const struct tlsrpt_event_read *remember(struct datagram_memory *m, uint64_t hash, const char *octets,
                                                size_t len)
{
    size_t size = sizeof(struct known) + len + m->last.octets;
    struct known *k;

    if (size > m->max || (k = malloc(sizeof(*k) + len)) == NULL)
        return NULL;
    if (m->octets + size > m->max)
        cache_flush(m->cache);
    *k = (struct known){.read = m->last, .memory = m, .len = len};
    memcpy(k->octets, octets, len);
    if (cache_put(m->cache, (const char *)&hash, sizeof(hash), k) != 0) {
        free(k);
        return NULL;
    }
    m->octets += size;
    memset(&m->last, 0, sizeof(m->last));
    return &k->read;
}

const struct tlsrpt_event_read *datagram_memory_read(struct datagram_memory *m, const char *octets, size_t len,
                                                     struct err *e)
{
    uint64_t hash = siphash(m->secret, octets, len);
    const struct known *k = cache_get(m->cache, (const char *)&hash, sizeof(hash));
    const struct tlsrpt_event_read *read;

    if (k != NULL && k->len == len && memcmp(k->octets, octets, len) == 0)
        return &k->read;
    tlsrpt_event_read_clear(&m->last);
    if (tlsrpt_event_read(&m->last, octets, len, e) != 0)
        return NULL;
    read = remember(m, hash, octets, len);
    return read != NULL ? read : &m->last;
}

size_t datagram_memory_count(const struct datagram_memory *m)
{
    return cache_count(m->cache);
}

size_t datagram_memory_octets(const struct datagram_memory *m)
{
    return m->octets;
}
