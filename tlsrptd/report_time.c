/* report_time.c - see report_time.h. */
#include "report_time.h"

#include "ascii.h"
#include "utc_day.h"

#include <stdio.h>
#include <string.h>

/* Two digits up to max, and whatever is behind them. */
static bool two_digits(int *out, const char **at, int max)
{
    const char *s = *at;

    if (!ascii_is_digit(s[0]) || !ascii_is_digit(s[1]))
        return false;
    *out = (s[0] - '0') * 10 + (s[1] - '0');
    *at += 2;
    return *out <= max;
}

static bool take(const char **at, const char *any_of)
{
    if (**at == '\0' || strchr(any_of, **at) == NULL)
        return false;
    ++*at;
    return true;
}

/* Seconds of the day. A leap second counts as the one before it. */
static bool clock_read(int64_t *out, const char **at)
{
    int h = 0, m = 0, s = 0;

    if (!two_digits(&h, at, 23) || !take(at, ":") || !two_digits(&m, at, 59) || !take(at, ":") ||
        !two_digits(&s, at, 60))
        return false;
    if (take(at, ".")) {
        if (!ascii_is_digit(**at))
            return false;
        while (ascii_is_digit(**at))
            ++*at;
    }
    *out = h * 3600 + m * 60 + (s < 60 ? s : 59);
    return true;
}

/* Seconds that local time is ahead. */
static bool zone_read(int64_t *ahead, bool *zone, const char *at)
{
    bool west = *at == '-';
    int h = 0, m = 0;

    *ahead = 0;
    *zone = *at != '\0';
    if (!*zone || take(&at, "Zz"))
        return *at == '\0';
    if (!take(&at, "+-") || !two_digits(&h, &at, 23) || !take(&at, ":") || !two_digits(&m, &at, 59))
        return false;
    *ahead = west ? -(h * INT64_C(3600) + m * INT64_C(60)) : h * INT64_C(3600) + m * INT64_C(60);
    return *at == '\0';
}

int report_time(int64_t *out, bool *zone, const char *text)
{
    char date[UTC_DAY_BUF] = "";
    const char *at = text + UTC_DAY_BUF - 1;
    int64_t clock = 0, ahead = 0;
    int32_t day = 0;

    if (strlen(text) < UTC_DAY_BUF)
        return -1;
    memcpy(date, text, UTC_DAY_BUF - 1);
    if (!utc_day_parse(&day, date) || !take(&at, "Tt ") || !clock_read(&clock, &at) || !zone_read(&ahead, zone, at))
        return -1;
    *out = utc_day_begins(day) + clock - ahead;
    return 0;
}

void report_time_text(char out[REPORT_TIME_BUF], int64_t at)
{
    char date[UTC_DAY_BUF];
    int s = at < 0 ? 0 : (int)(at % UTC_DAY_SECONDS);

    out[0] = '\0';
    if (at < 0 || at / UTC_DAY_SECONDS > UTC_DAY_MAX)
        return;
    utc_day_text(date, utc_day(at));
    (void)snprintf(out, REPORT_TIME_BUF, "%s%c%02d:%02d:%02dZ", date, 'T', s / 3600, s / 60 % 60, s % 60);
}
