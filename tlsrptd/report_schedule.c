/* report_schedule.c - see report_schedule.h. */
#include "report_schedule.h"

#include <stdio.h>

#include "domain.h"
#include "siphash.h"
#include "utc_day.h"

/* No secret: all nodes are to come to the same, and other senders of reports to another. */
static uint64_t hash(int32_t day, const char *domain, const char *contact, unsigned tries)
{
    static const uint8_t key[SIPHASH_KEY] = "report schedule";
    char text[2 * DOMAIN_BUF + 100];
    int len = snprintf(text, sizeof(text), "%d %u %s %s", (int)day, tries, domain, contact);

    return siphash(key, text, len < (int)sizeof(text) ? (size_t)len : sizeof(text) - 1);
}

static int64_t spread(int32_t day, const char *domain, const char *contact, unsigned tries, int64_t most)
{
    return most <= 0 ? 0 : (int64_t)(hash(day, domain, contact, tries) % ((uint64_t)most + 1));
}

int64_t report_due(int32_t day, const char *domain, const char *contact, int64_t delay)
{
    return utc_day_begins(day + 1) + REPORT_AFTER_DAY + spread(day, domain, contact, 0, delay);
}

int64_t report_day_closes(int32_t day, int64_t delay, int64_t retry)
{
    return utc_day_begins(day + 1) + REPORT_AFTER_DAY + delay + REPORT_LATE_MAX + retry;
}

bool report_day_is_open(int32_t day, int64_t now, int64_t delay, int64_t retry)
{
    return now >= utc_day_begins(day + 1) + REPORT_AFTER_DAY && now < report_day_closes(day, delay, retry);
}

static int64_t wait_after(unsigned tries)
{
    int64_t wait = REPORT_RETRY_FIRST;

    while (--tries > 0 && wait < REPORT_RETRY_MOST)
        wait *= 2;
    return wait < REPORT_RETRY_MOST ? wait : REPORT_RETRY_MOST;
}

int64_t report_next_try(int32_t day, const char *domain, const char *contact, unsigned tries, int64_t first,
                        int64_t now, int64_t retry, int64_t closes)
{
    /* An hour before it closes, so that somebody still looks. */
    int64_t end = first + retry < closes - 3600 ? first + retry : closes - 3600;
    int64_t wait = wait_after(tries > 0 ? tries : 1);
    int64_t next = now + wait + spread(day, domain, contact, tries, wait / 4);

    if (now >= end)
        return 0;
    return next < end ? next : end;
}
