/*
 * fuzz_lists_kept.c - snapshots of the lists: the octets as they are, and again with a last line that is right, so
 * that what stands before it is looked at. What is taken is the same after it was written again.
 */
#include "lists_kept.h"
#include "recipe.h"
#include "siphash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t secret[16] = {1};

static void demand_again(const struct lists *lists, const struct lists_stamp *stamp)
{
    struct lists_left_out left_out;
    struct lists_stamp same;
    struct lists again;
    struct buf file;

    buf_init(&file, LISTS_KEPT_MAX);
    lists_kept_write(&file, lists, stamp);
    demand(buf_ok(&file));
    demand(lists_kept_read(&again, &same, &left_out, file.data, file.len, secret, NULL) == 0);
    demand(left_out.count == 0 && memcmp(&same, stamp, sizeof(same)) == 0);
    for (size_t i = 0; i < LISTS; i++)
        demand(list_count(again.list[i]) == list_count(lists->list[i]));
    lists_clear(&again);
    buf_clear(&file);
}

static void try_file(const char *data, size_t len)
{
    struct lists_left_out left_out;
    struct lists_stamp stamp;
    struct lists lists;
    struct err e = {""};
    int rc = lists_kept_read(&lists, &stamp, &left_out, data, len, secret, &e);

    demand((rc == 0) == (e.text[0] == '\0'));
    demand((left_out.count > 0) == (left_out.first.text[0] != '\0'));
    if (rc == 0)
        demand_again(&lists, &stamp);
    else
        demand(lists.list[0] == NULL && stamp.generation[0] == '\0' && stamp.count == 0);
    lists_clear(&lists);
}

static void try_sealed(const uint8_t *data, size_t size)
{
    static const uint8_t key[SIPHASH_KEY] = "postern-lists 1";
    size_t lines = 0;
    struct buf file;

    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n' ? 1 : 0;
    buf_init(&file, LISTS_KEPT_MAX);
    buf_add(&file, data, size);
    buf_printf(&file, "end\t%zu\t", lines >= 2 ? lines - 2 : 0);
    buf_printf(&file, "%016llx\n", (unsigned long long)siphash(key, file.data, file.len));
    demand(buf_ok(&file));
    try_file(file.data, file.len);
    buf_clear(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_file((const char *)data, size);
    try_sealed(data, size);
    return 0;
}
