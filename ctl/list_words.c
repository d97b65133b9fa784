/* list_words.c - an entry of a list out of what a person typed. */
#include "list_words.h"

#include "conf_value.h"
#include "list_line.h"

#include <stdio.h>
#include <string.h>

#define CLOCK_SLACK  60
#define SECONDS_MOST (INT64_C(86400) * 366 * 100)
#define LAST         INT64_C(253402300799) /* of the year 9999, which is as far as a time can be written */

/* "2027-01-01T00:00:00Z" or "2027-01-01". */
static int time_parse(int64_t *out, const char *text)
{
    char day[32];
    int n;

    if (list_time_parse(out, text) == 0)
        return 0;
    n = snprintf(day, sizeof(day), "%.11sT00:00:00Z", text);
    return n > 0 && strlen(text) == 10 ? list_time_parse(out, day) : -1;
}

int list_words_expires(int64_t *out, const char *text, int64_t now, struct err *e)
{
    static const struct conf_option length = {"expires", CONF_SECONDS, "0", 1, SECONDS_MOST, 0, "", NULL};
    int64_t seconds = 0;

    if (time_parse(out, text) != 0) {
        if (text[strspn(text, "0123456789")] == '\0' || conf_value_set(&seconds, &length, text, NULL) != 0)
            return err_set(e, "--expires %.60s: write a time, 2027-01-01T00:00:00Z or 2027-01-01, or 90s, 15m, 4h, 30d",
                           text);
        *out = now + seconds;
    }
    if (*out <= now)
        return err_set(e, "--expires %.60s: that is over", text);
    return *out <= LAST ? 0 : err_set(e, "--expires %.60s: that is too far off", text);
}

int list_words_past(int64_t *out, const char *text, int64_t now, struct err *e)
{
    if (time_parse(out, text) != 0)
        return err_set(e, "--at %.60s: write a time, such as 2026-11-21T10:00:00Z", text);
    return *out <= now + CLOCK_SLACK ? 0 : err_set(e, "--at %.60s: that is not over", text);
}

struct list_entry *list_words_entry(enum list_id list, char *const *word, size_t count, const struct list_entry_in *in,
                                    struct err *e)
{
    struct list_entry_in whole = *in;
    struct list_pattern pattern;
    struct list_entry *entry = NULL;
    struct buf value;

    buf_init(&value, LIST_VALUE_MAX + 1);
    for (size_t i = 1; i < count; i++) {
        buf_str(&value, i > 1 ? " " : "");
        buf_str(&value, word[i]);
    }
    whole.value = buf_text(&value);
    if (list_pattern_parse(&pattern, word[0], strlen(word[0]), e) != 0)
        err_prefix(e, "%.100s", word[0]);
    else if (!buf_ok(&value))
        err_set(e, "the value is longer than %d octets", LIST_VALUE_MAX);
    else
        entry = list_entry_new(list, &pattern, &whole, e);
    buf_clear(&value);
    return entry;
}
