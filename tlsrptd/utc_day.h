/* utc_day.h - days as reports have them: UTC, numbered from 1970-01-01 (RFC 8460 4.1; check W1). Pure. */
#ifndef POSTERN_UTC_DAY_H
#define POSTERN_UTC_DAY_H

#include <stdbool.h>
#include <stdint.h>

#define UTC_DAY_BUF     11      /* "2026-11-22" */
#define UTC_DAY_MAX     2932896 /* 9999-12-31 */
#define UTC_DAY_SECONDS INT64_C(86400)

static inline int32_t utc_day(int64_t at)
{
    return at < 0 ? 0 : (int32_t)(at / UTC_DAY_SECONDS);
}

static inline int64_t utc_day_begins(int32_t day)
{
    return day * UTC_DAY_SECONDS;
}

/* "2026-11-22"; day 0 to UTC_DAY_MAX. */
void utc_day_text(char out[UTC_DAY_BUF], int32_t day);

/* Exactly that form, and a day that there is. */
bool utc_day_parse(int32_t *out, const char *text);

#endif
