/*
 * publications_back_io.c - gives back to Redis what it has lost: chunk by chunk, as long as its stamp is the one that
 * was seen, and with the last chunk a stamp behind both. So if it is broken off, or somebody else edits, all begins
 * anew; another node sees none of it before the end, and then reads it all.
 */
#include "publications_internal.h"

#include "log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define CHUNK        200 /* domains, at most, */
#define CHUNK_OCTETS 200000

/* KEYS: the hash about them, the policies. ARGV: g and n as they were seen, g and n to be ("": not yet), domains and
 * policies. Replies 1, or 0: g and n are others by now. */
static const char script[] = "local h = redis.call('HMGET', KEYS[1], 'g', 'n') "
                             "if " PUBLICATIONS_SEEN(1) " ~= ARGV[1] or " PUBLICATIONS_SEEN(
                                 2) " ~= ARGV[2] "
                                    "then return 0 end "
                                    "for i = 5, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end "
                                    "if ARGV[3] ~= '' then "
                                    "  for i = 0, 15 do redis.call('HDEL', KEYS[1], 'e' .. i) end "
                                    "  redis.call('HSET', KEYS[1], 'g', ARGV[3], 'n', ARGV[4]) "
                                    "end "
                                    "return 1";

_Static_assert(PUBLISHED_RECENT == 16, "the script forgets e0 to e15");

static struct lists_stamp stamp_to_be(const struct publications_keeper *k)
{
    struct lists_stamp to_be = k->seen.stamp.generation[0] != '\0' ? k->seen.stamp : k->stamp;

    to_be.count = (k->seen.stamp.count > k->stamp.count ? k->seen.stamp.count : k->stamp.count) + 1;
    return to_be;
}

static void on_chunk(void *ctx, redisReply *reply)
{
    struct publications_keeper *k = ctx;
    struct lists_stamp stamp = stamp_to_be(k);

    if (reply == NULL || reply->type != REDIS_REPLY_INTEGER) {
        publications_reading_failed(k,
                                    reply != NULL && reply->type == REDIS_REPLY_ERROR ? reply->str : "Redis went away");
    } else if (reply->integer == 0) {
        publications_reading_again(k);
    } else if (k->back < k->known.count) {
        publications_give_back(k);
    } else {
        for (size_t i = 0; i < k->known.count; i++)
            k->known.row[i].lacking = false;
        log_info("published-given-back", "domains=%zu", k->known.count);
        publications_current(k, &stamp);
        publications_reading_ends(k);
    }
}

/* The next ones that are lacking; k->back goes behind them. */
static size_t add_words(struct publications_keeper *k, const char **word, size_t words)
{
    size_t octets = 0;

    for (size_t taken = 0; k->back < k->known.count && taken < CHUNK && octets < CHUNK_OCTETS; k->back++) {
        const struct publication *row = &k->known.row[k->back];

        if (!row->lacking)
            continue;
        word[words++] = row->domain;
        word[words++] = row->json;
        octets += row->json_len;
        taken++;
    }
    return words;
}

void publications_give_back(struct publications_keeper *k)
{
    struct lists_stamp stamp = stamp_to_be(k);
    const char *word[9 + 2 * CHUNK] = {"EVAL", script, "2", k->head, k->policies, k->seen.g, k->seen.n, "", ""};
    size_t words;
    char n[24];

    words = add_words(k, word, 9);
    (void)snprintf(n, sizeof(n), "%" PRId64, stamp.count);
    if (k->back >= k->known.count) {
        word[7] = stamp.generation;
        word[8] = n;
    }
    if (redis_send(k->redis, on_chunk, k, words, word, NULL) != 0)
        publications_reading_failed(k, "Redis takes no more commands");
}
