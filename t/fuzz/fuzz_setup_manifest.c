/* fuzz_setup_manifest.c - what --apply has kept: what is read, is the same after it was written. */
#include "recipe.h"
#include "setup_manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct setup_manifest m, again;
    struct buf first, second;
    struct err e = {""};

    if (setup_manifest_read(&m, (const char *)data, size, &e) != 0) {
        demand(e.text[0] != '\0' && m.file_count == 0 && m.done_count == 0);
        return 0;
    }
    buf_init(&first, 4 * SETUP_MANIFEST_MAX);
    buf_init(&second, 4 * SETUP_MANIFEST_MAX);
    demand(setup_manifest_write(&first, &m) == 0);
    demand(setup_manifest_read(&again, buf_text(&first), first.len, &e) == 0);
    demand(setup_manifest_write(&second, &again) == 0);
    demand(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
    for (size_t i = 0; i < m.file_count; i++)
        demand(m.file[i].path[0] == '/' && setup_manifest_file(&m, m.file[i].path) == &m.file[i]);
    setup_manifest_clear(&m);
    setup_manifest_clear(&again);
    buf_clear(&first);
    buf_clear(&second);
    return 0;
}
