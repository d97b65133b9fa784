/*
 * report_work_io.h - one domain's reports of a day on their way, step by step. Private to report_sender_io.c (what all
 * works share), report_work_io.c (which destination is next, and may it be sent) and report_out_io.c (it is built,
 * sent, and its outcome noted).
 */
#ifndef POSTERN_REPORT_WORK_IO_H
#define POSTERN_REPORT_WORK_IO_H

#include <sys/queue.h>

#include "counts_io.h"
#include "curl_loop_io.h"
#include "log.h"
#include "mail_out_io.h"
#include "post_out_io.h"
#include "report.h"
#include "report_plan.h"
#include "report_record_io.h"
#include "report_sender_io.h"
#include "report_settings_io.h"

enum report_way { REPORT_WAY_MAIL, REPORT_WAY_POST, REPORT_WAYS };

struct report_work;
TAILQ_HEAD(report_work_list, report_work);

struct report_sender {
    struct event_base *base;
    const struct conf *conf;
    struct redis *redis;
    struct report_states *states;
    struct report_records *records;
    struct curl_loop *loop;
    struct report_identity *identity;
    struct report_work_list works;
    size_t works_count;
    struct report_work_list waiting[REPORT_WAYS]; /* for a place */
    size_t waiting_count[REPORT_WAYS];
    size_t leaving[REPORT_WAYS]; /* have a place */
    bool draining;
    struct log_limit waits_log;
    struct report_job_stats stats;
};

/* What is asked of Redis for a work, which may be gone when the answer comes. */
struct counts_request {
    struct report_work *work;
};

struct report_work {
    TAILQ_ENTRY(report_work) link, wait;
    struct report_sender *sender;
    int32_t day;
    char domain[DOMAIN_BUF];
    enum report_claim_how how;
    struct counts_request *request;
    struct report_record_wait *asked; /* for the record of now */
    struct report_plan plan;
    size_t at; /* the destination */
    bool waits, has_place;
    struct report_ticket ticket;
    struct report report;
    const char *report_record; /* of plan; NULL: none is built */
    struct mail_out *mail;
    struct post_out *post;
    struct buf message;
    int64_t again;
    struct event *ended;
    report_sent_fn *row;
    report_work_done_fn *done;
    void *ctx;
};

int report_work_start(struct report_work *w); /* -1: Redis is away; w is freed */
void report_work_free(struct report_work *w); /* drops what is under way */

/* The one that it is at. */
static inline const struct report_destination *report_work_destination(const struct report_work *w)
{
    return &w->plan.destination[w->at];
}

/* Ask for the counts of its domain and day. Returns 0, or -1 when Redis is away. fn begins with report_work_answered:
 * the work that asked, or NULL when it is gone. */
int report_work_ask(struct report_work *w, counts_fn *fn);
struct report_work *report_work_answered(struct counts_request *request);

/* It is claimed: send it. Ends in report_work_leave, now or later. */
void report_out_start(struct report_work *w);

/* The destination is finished for now, and stands like that; on to the next. */
void report_work_leave(struct report_work *w, enum report_stage stage, const char *why);

/* All of it is begun anew at that time, if at no earlier one. */
void report_work_again(struct report_work *w, int64_t at);

bool report_sender_has_place(const struct report_sender *s, enum report_way way);

/* Let those that wait have the places that are free. */
void report_sender_places(struct report_sender *s);

/* Nothing more is to begin: what waits for stsd ends. */
void report_work_stop(struct report_work *w);

/* It has its place, or (false) stops waiting, as nothing more is to begin. */
void report_work_go_on(struct report_work *w, bool place);

#endif
