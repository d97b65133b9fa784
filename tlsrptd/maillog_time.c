/* maillog_time.c - see maillog_time.h. */
#include "maillog_time.h"

#include <stdlib.h>
#include <time.h>

#include "ascii.h"

#define TRADITIONAL 15 /* octets of "Nov  2 15:04:05" */

/* Take a number of so many digits that lies between least and most. */
static bool take_number(int *out, struct span *s, size_t digits, int least, int most)
{
    int n = 0;

    if (s->len < digits)
        return false;
    for (size_t i = 0; i < digits; i++) {
        if (!ascii_is_digit(s->at[i]))
            return false;
        n = n * 10 + (s->at[i] - '0');
    }
    span_skip(s, digits);
    *out = n;
    return n >= least && n <= most;
}

/* "15:04:05"; 60 is a leap second. */
static bool take_clock(struct tm *out, struct span *s)
{
    return take_number(&out->tm_hour, s, 2, 0, 23) && span_take(s, SPAN(":")) &&
           take_number(&out->tm_min, s, 2, 0, 59) && span_take(s, SPAN(":")) && take_number(&out->tm_sec, s, 2, 0, 60);
}

static bool take_zone(int *seconds, struct span *s)
{
    int hours, minutes, sign = span_begins(*s, SPAN("-")) ? -1 : 1;

    *seconds = 0;
    if (span_take(s, SPAN("Z")))
        return true;
    if (!span_take(s, SPAN("+")) && !span_take(s, SPAN("-")))
        return false;
    if (!take_number(&hours, s, 2, 0, 23) || !span_take(s, SPAN(":")) || !take_number(&minutes, s, 2, 0, 59))
        return false;
    *seconds = sign * (hours * 3600 + minutes * 60);
    return true;
}

static bool take_rfc3339(int64_t *out, struct span *s)
{
    struct tm t = {0};
    int year, month, zone;

    if (!take_number(&year, s, 4, 1970, 9999) || !span_take(s, SPAN("-")) || !take_number(&month, s, 2, 1, 12) ||
        !span_take(s, SPAN("-")) || !take_number(&t.tm_mday, s, 2, 1, 31) || !span_take(s, SPAN("T")) ||
        !take_clock(&t, s))
        return false;
    if (span_take(s, SPAN(".")))
        while (s->len > 0 && ascii_is_digit(s->at[0]))
            span_skip(s, 1);
    if (!take_zone(&zone, s))
        return false;
    t.tm_year = year - 1900;
    t.tm_mon = month - 1;
    *out = (int64_t)timegm(&t) - zone;
    return true;
}

/* In that year; false when the year has no such day. */
static bool local_time(int64_t *out, const struct tm *without_year, int year)
{
    struct tm t = *without_year;

    t.tm_year = year;
    t.tm_isdst = -1;
    *out = (int64_t)mktime(&t);
    return t.tm_mon == without_year->tm_mon;
}

static bool nearest_year(int64_t *out, const struct tm *t, int64_t now)
{
    time_t seconds = (time_t)now;
    struct tm today;
    bool found = false;
    int64_t at;

    if (localtime_r(&seconds, &today) == NULL)
        return false;
    for (int year = today.tm_year - 1; year <= today.tm_year + 1; year++) {
        /* within half a year of today it can only be this year */
        if (year != today.tm_year && abs(t->tm_mon - today.tm_mon) < 5 && t->tm_mon != 1)
            continue;
        if (!local_time(&at, t, year) || (found && llabs(at - now) >= llabs(*out - now)))
            continue;
        *out = at;
        found = true;
    }
    return found;
}

static bool take_month(int *out, struct span *s)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    for (int i = 0; i < 12; i++)
        if (span_take(s, (struct span){names + (size_t)i * 3, 3})) {
            *out = i;
            return true;
        }
    return false;
}

static bool take_traditional(int64_t *out, struct span *s, int64_t now)
{
    struct tm t = {0};

    if (!take_month(&t.tm_mon, s) || !span_take(s, SPAN(" ")) ||
        !take_number(&t.tm_mday, s, span_take(s, SPAN(" ")) ? 1 : 2, 1, 31) || !span_take(s, SPAN(" ")) ||
        !take_clock(&t, s))
        return false;
    return nearest_year(out, &t, now);
}

bool maillog_time_take(int64_t *out, struct span *line, int64_t now)
{
    if (line->len == 0)
        return false;
    return ascii_is_digit(line->at[0]) ? take_rfc3339(out, line) : take_traditional(out, line, now);
}

bool maillog_time_skip(struct span *line)
{
    const char *blank;

    if (line->len <= TRADITIONAL)
        return false;
    if (!ascii_is_digit(line->at[0])) {
        span_skip(line, TRADITIONAL);
        return true;
    }
    blank = memchr(line->at, ' ', line->len);
    if (blank == NULL)
        return false;
    span_skip(line, (size_t)(blank - line->at));
    return true;
}
