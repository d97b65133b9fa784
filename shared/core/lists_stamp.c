/* lists_stamp.c - stamps of the lists: read and compared. */
#include "lists_stamp.h"

#include <string.h>

#define DIGITS_MAX 18 /* fit into 63 bits */

/* Returns -1 for anything but digits, and for 0. */
static int64_t count_parse(const char *text, size_t len)
{
    int64_t n = 0;

    if (len == 0 || len > DIGITS_MAX)
        return -1;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        n = n * 10 + (text[i] - '0');
    }
    return n > 0 ? n : -1;
}

int lists_stamp_parse(struct lists_stamp *out, const char *generation, size_t generation_len, const char *count,
                      size_t count_len, struct err *e)
{
    int64_t n = count_parse(count, count_len);

    memset(out, 0, sizeof(*out));
    if (n < 0)
        return err_set(e, "the count of edits \"%.*s\" is no number from 1 on", (int)(count_len < 40 ? count_len : 40),
                       count);
    if (generation_len != LISTS_GENERATION_LEN)
        return err_set(e, "the generation has %zu octets, not %d", generation_len, LISTS_GENERATION_LEN);
    memcpy(out->generation, generation, generation_len);
    if (strspn(out->generation, "0123456789abcdef") != LISTS_GENERATION_LEN) {
        memset(out, 0, sizeof(*out));
        return err_set(e, "the generation \"%.*s\" is no number of hex digits in lower case", LISTS_GENERATION_LEN,
                       generation);
    }
    out->count = n;
    return 0;
}

const char *lists_stamp_verdict_name(enum lists_stamp_verdict verdict)
{
    static const char *const names[] = {"adopt", "lost", "older"};

    return (size_t)verdict < sizeof(names) / sizeof(names[0]) ? names[verdict] : "?";
}

enum lists_stamp_verdict lists_stamp_judge(const struct lists_stamp *known, size_t known_entries,
                                           const struct lists_stamp *seen)
{
    if (known->generation[0] == '\0' || known_entries == 0)
        return LISTS_STAMP_ADOPT;
    if (seen->generation[0] == '\0')
        return LISTS_STAMP_KEEP_LOST;
    if (strcmp(known->generation, seen->generation) == 0 && seen->count < known->count)
        return LISTS_STAMP_KEEP_OLDER;
    return LISTS_STAMP_ADOPT;
}
