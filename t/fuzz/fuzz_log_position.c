/* fuzz_log_position.c - a text is a position or not; one that is, is the same after it was written and read again. */
#include "log_position.h"
#include "recipe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[LOG_POSITION_MAX + 1], *given = malloc(size + 1);
    struct log_position p, again;

    demand(given != NULL);
    memcpy(given, data, size);
    given[size] = '\0';
    if (log_position_read(&p, given, NULL) == 0) {
        log_position_write(text, &p);
        demand(log_position_read(&again, text, NULL) == 0);
        demand(p.kind == again.kind && p.device == again.device && p.inode == again.inode && p.offset == again.offset);
        demand(p.fingerprint == again.fingerprint && p.changed == again.changed && p.offset >= 0 && p.changed >= 0);
        demand(strcmp(p.cursor, again.cursor) == 0);
    }
    free(given);
    return 0;
}
