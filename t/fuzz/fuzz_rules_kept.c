/*
 * fuzz_rules_kept.c - files of rules: the octets as they are, and again with a last line that is right, so that what
 * stands before it is looked at. What is taken is the same after it was written again.
 */
#include "recipe.h"
#include "rules_kept.h"
#include "siphash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand_again(const struct buf *text, const struct lists_stamp *stamp)
{
    struct lists_stamp same;
    struct buf file, again;

    buf_init(&file, RULES_KEPT_MAX);
    buf_init(&again, RULES_TEXT_MAX);
    rules_kept_write(&file, stamp, buf_text(text), text->len);
    demand(buf_ok(&file) && rules_kept_read(&same, &again, file.data, file.len, NULL) == 0);
    demand(memcmp(&same, stamp, sizeof(same)) == 0);
    demand(again.len == text->len && memcmp(buf_text(&again), buf_text(text), text->len) == 0);
    buf_clear(&again);
    buf_clear(&file);
}

static void try_file(const char *data, size_t len)
{
    struct lists_stamp stamp;
    struct err e = {""};
    struct buf text;
    int rc;

    buf_init(&text, RULES_TEXT_MAX);
    rc = rules_kept_read(&stamp, &text, data, len, &e);
    demand((rc == 0) == (e.text[0] == '\0'));
    if (rc == 0)
        demand_again(&text, &stamp);
    else
        demand(text.len == 0 && stamp.generation[0] == '\0' && stamp.count == 0);
    buf_clear(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t key[SIPHASH_KEY] = "postern-rules 1";
    struct buf file;

    try_file((const char *)data, size);
    buf_init(&file, RULES_KEPT_MAX);
    buf_add(&file, data, size);
    buf_str(&file, "end\t");
    buf_printf(&file, "%016llx\n", (unsigned long long)siphash(key, buf_text(&file), file.len));
    demand(buf_ok(&file));
    try_file(file.data, file.len);
    buf_clear(&file);
    return 0;
}
