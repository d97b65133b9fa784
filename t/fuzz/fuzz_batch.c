/*
 * fuzz_batch.c - whatever is in a file of the spool: what is read as a batch has its form, and no part of it is taken
 * for the whole. The input is tried as it is, and behind a head that is right for it.
 */
#include "batch.h"
#include "siphash.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *data, size_t len)
{
    struct batch b;
    size_t at = 0, groups = 0;

    if (batch_read(&b, data, len) != 1)
        return;
    if (b.total > len || strlen(b.lane) != BATCH_LANE_BUF - 1 || batch_length(data, len) != b.total)
        abort();
    while (at < b.words) {
        char name = b.word[at].data[0];

        groups += name == 'g';
        if (groups == 0)
            abort();
        at += name == 'g' ? 3 : name == 'p' ? 5 : name == 'd' ? 4 : name == 'l' ? 2 : b.words + 1;
    }
    if (at != b.words || groups != b.groups)
        abort();
    batch_clear(&b);
    if (batch_read(&b, data, b.total - 1) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t zeros[SIPHASH_KEY] = {0};
    struct buf all;

    check((const char *)data, size);
    buf_init(&all, BATCH_READ_MAX * (size_t)2);
    buf_printf(&all, "postern-batch 1 %08zx %016" PRIx64 "\n", size, siphash(zeros, data, size));
    buf_add(&all, data, size);
    if (size <= BATCH_READ_MAX && buf_ok(&all))
        check(all.data, all.len);
    buf_clear(&all);
    return 0;
}
