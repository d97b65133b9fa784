/*
 * report_queue.h - the domains whose reports are still to go, of all days that are open, in the order of their time. A
 * domain that is finished is remembered, so that it is not looked at again. Pure.
 */
#ifndef POSTERN_REPORT_QUEUE_H
#define POSTERN_REPORT_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct report_queue;

struct report_entry {
    int64_t at; /* when its time has come */
    int32_t day;
    bool tried;   /* it was given back */
    size_t place; /* for report_queue.c */
    char domain[];
};

/* NULL without memory. */
struct report_queue *report_queue_new(void);
void report_queue_free(struct report_queue *q); /* NULL-safe */

/*
 * The domains of a day, sorted by strcmp. Those that are new are queued for their time (report_due with that contact
 * and delay); those that are known stay as they are; names that are too long are passed over. Returns 0, or -1 without
 * memory.
 */
int report_queue_add(struct report_queue *q, int32_t day, const char *const *domain, size_t count, const char *contact,
                     int64_t delay);

/* It is another contact, or delay: those that wait for their first time get a new one. */
void report_queue_spread(struct report_queue *q, const char *contact, int64_t delay);

/* Forget the days before that one. Entries that are taken must not be of them. */
void report_queue_forget(struct report_queue *q, int32_t before);

/*
 * Take the first whose time has come, NULL when there is none; it is the queue's, and stays until it is forgotten.
 * Whoever took it gives it back with a time, or is finished with it and does nothing.
 */
struct report_entry *report_queue_take(struct report_queue *q, int64_t now);
void report_queue_give_back(struct report_queue *q, struct report_entry *entry, int64_t at);

/* When the first one's time has come; -1: there is none. */
int64_t report_queue_when(const struct report_queue *q);

size_t report_queue_waiting(const struct report_queue *q);

#endif
