/* utc_day.c - see utc_day.h. The calendar is counted from 1 March of the year 0, so that leap days come last. */
#include "utc_day.h"
#include "ascii.h"

#include <stdio.h>
#include <string.h>

#define ERA_DAYS  146097 /* of 400 years */
#define ERA_YEARS 400
#define EPOCH     719468 /* days from 0000-03-01 to 1970-01-01 */

static int32_t day_of(int32_t year, int32_t month, int32_t day)
{
    int32_t of_march = month > 2 ? month - 3 : month + 9;
    int32_t y = month > 2 ? year : year - 1;
    int32_t in_era = y % ERA_YEARS;

    return y / ERA_YEARS * ERA_DAYS + in_era * 365 + in_era / 4 - in_era / 100 + (153 * of_march + 2) / 5 + day - 1 -
           EPOCH;
}

void utc_day_text(char out[UTC_DAY_BUF], int32_t day)
{
    int32_t days = (day < 0 ? 0 : day > UTC_DAY_MAX ? UTC_DAY_MAX : day) + EPOCH;
    int32_t era = days / ERA_DAYS, in_era = days % ERA_DAYS;
    int32_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    int32_t in_year = in_era - (365 * year + year / 4 - year / 100);
    int32_t of_march = (5 * in_year + 2) / 153;
    int32_t month = of_march < 10 ? of_march + 3 : of_march - 9;
    int32_t full = year + era * ERA_YEARS + (month <= 2 ? 1 : 0);
    int32_t of_month = in_year - (153 * of_march + 2) / 5 + 1;
    char text[40]; /* as wide as any numbers */

    (void)snprintf(text, sizeof(text), "%04d-%02d-%02d", (int)full, (int)month, (int)of_month);
    memcpy(out, text, UTC_DAY_BUF - 1);
    out[UTC_DAY_BUF - 1] = '\0';
}

static int32_t number(const char *digits, size_t count)
{
    int32_t n = 0;

    for (size_t i = 0; i < count; i++)
        n = n * 10 + (digits[i] - '0');
    return n;
}

bool utc_day_parse(int32_t *out, const char *text)
{
    static const char form[] = "dddd-dd-dd";
    char again[UTC_DAY_BUF];
    int32_t month;

    for (size_t i = 0; i < sizeof(form); i++)
        if (form[i] == 'd' ? !ascii_is_digit(text[i]) : text[i] != form[i])
            return false;
    month = number(text + 5, 2);
    if (number(text, 4) < 1970 || month < 1 || month > 12)
        return false;
    *out = day_of(number(text, 4), month, number(text + 8, 2));
    if (*out < 0)
        return false;
    utc_day_text(again, *out);
    return strcmp(again, text) == 0;
}
