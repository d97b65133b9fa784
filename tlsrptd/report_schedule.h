/*
 * report_schedule.h - when the report of a domain is due, and when it is tried again (RFC 8460 4.1, 5.5; checks W1, W2,
 * W9). Times come from a hash of day, domain and contact, so they are the same on all nodes of one sender, and those of
 * many senders do not come together at one receiver. Pure.
 */
#ifndef POSTERN_REPORT_SCHEDULE_H
#define POSTERN_REPORT_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#define REPORT_AFTER_DAY   300   /* seconds after the day's end that nothing is sent: the last counts come in */
#define REPORT_RETRY_FIRST 300   /* seconds to the second try, doubling */
#define REPORT_RETRY_MOST  14400 /* up to so many, and then up to a quarter more */
#define REPORT_LATE_MAX    86400 /* a first try, if no node could make one in time, may be so late */

/* Seconds since the epoch, from day's end + REPORT_AFTER_DAY to that + delay. */
int64_t report_due(int32_t day, const char *domain, const char *contact, int64_t delay);

/* From when on nothing of the day is tried any more by itself: the last that was due, late, has had its retries. */
int64_t report_day_closes(int32_t day, int64_t delay, int64_t retry);

/* The day is over, so long that its reports may go; and it has not closed. */
bool report_day_is_open(int32_t day, int64_t now, int64_t delay, int64_t retry);

/*
 * When a report is tried again that was tried so often (1 and more), first at that time, last now. The last try is at
 * the end of retry, or when the day closes. Returns 0 when that was the last one: it is given up.
 */
int64_t report_next_try(int32_t day, const char *domain, const char *contact, unsigned tries, int64_t first,
                        int64_t now, int64_t retry, int64_t closes);

#endif
