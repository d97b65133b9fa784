/*
 * log_watch_io.h - tells when a file was written to, renamed or removed. Where the system cannot tell it stays silent:
 * look at the file now and then, too.
 */
#ifndef POSTERN_LOG_WATCH_IO_H
#define POSTERN_LOG_WATCH_IO_H

#include <event2/event.h>

struct log_watch;

struct log_watch *log_watch_new(struct event_base *base, void (*fn)(void *ctx), void *ctx);
void log_watch_free(struct log_watch *w);

/* This open file from now on, instead of the one before. */
void log_watch_file(struct log_watch *w, int fd);

/* Call fn once when something happens, or has happened since it was called last. */
void log_watch_on(struct log_watch *w);

#endif
