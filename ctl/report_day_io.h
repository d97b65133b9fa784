/*
 * report_day_io.h - what Redis has of the TLS reports of a day: the counts of each domain (counts.h), and how far its
 * reports have come (report_state.h). The Redis user needs SMEMBERS, HGETALL, EVAL, and in scripts TYPE and HSCAN, for
 * keys PREFIXtlsrpt*.
 */
#ifndef POSTERN_REPORT_DAY_IO_H
#define POSTERN_REPORT_DAY_IO_H

#include "counts.h"
#include "ctl.h"
#include "redis_ask_io.h"
#include "report_rows.h"

struct report_day {
    struct conf *conf;
    struct redis_ask *ask;
    int64_t now;             /* with the offset that tlsrptd has */
    int32_t day;             /* --day, else yesterday */
    char domain[DOMAIN_BUF]; /* --domain, else "" */
};

/* Returns CTL_YES, or the exit code with the reason reported. report_day_end in any case. */
int report_day_begin(struct report_day *d, const struct ctl *ctl); /* options and configuration */
int report_day_open(struct report_day *d, const struct ctl *ctl);  /* Redis, too */
void report_day_end(struct report_day *d);

/*
 * Call fn for the domain, or for each of the day; what it is given is valid during the call, and it must not wait for
 * Redis. Returns CTL_YES; CTL_NO with the reason reported.
 */
typedef void report_domain_fn(void *ctx, const struct report_domain *d);
int report_day_each(struct report_day *d, report_domain_fn *fn, void *ctx);

#endif
