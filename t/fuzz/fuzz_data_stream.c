/*
 * fuzz_data_stream.c - a message in pieces: it ends where a plain look at the whole of it says, and is broken when a CR
 * or LF stands alone before that.
 *
 * The input: octets of a piece, then the message.
 */
#include "data_stream.h"
#include "recipe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Octets up to the end of the message; 0: there is none. */
static size_t end_find(const char *octets, size_t len)
{
    for (size_t i = 0; i + 3 <= len; i++)
        if (memcmp(octets + i, ".\r\n", 3) == 0 && (i == 0 || (i >= 2 && memcmp(octets + i - 2, "\r\n", 2) == 0)))
            return i + 3;
    return 0;
}

/* A CR at the end may still get its LF. */
static bool is_broken(const char *octets, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (octets[i] == '\n' && (i == 0 || octets[i - 1] != '\r'))
            return true;
        if (octets[i] == '\r' && i + 1 < len && octets[i + 1] != '\n')
            return true;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct recipe recipe = {data, size};
    size_t piece = take(&recipe) + 1, all = 0, took, end;
    const char *octets = (const char *)recipe.at;
    struct data_stream s = {0};
    int rc = 0;

    while (rc == 0 && all < recipe.left) {
        size_t given = recipe.left - all < piece ? recipe.left - all : piece;

        rc = data_stream_take(&took, &s, octets + all, given);
        demand(took <= given && (rc == 1 || took == given));
        all += took;
    }
    end = end_find(octets, recipe.left);
    demand((rc == 1) == (end > 0) && s.ended == (rc == 1));
    demand(all == (end > 0 ? end : recipe.left) && s.octets == all);
    demand((s.broken.code != 0) == is_broken(octets, all));
    return 0;
}
