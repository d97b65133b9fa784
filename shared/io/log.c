/*
 * log.c - where log lines go. Before log_open they go to standard error, so that nothing said early is lost. Standard
 * error gets no time of its own: whoever collects it (systemd, a terminal in front of a developer) adds it.
 */
#include "log.h"

#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>
#include <unistd.h>

#include "log_line.h"

static struct {
    const char *name;
    bool to_stderr;
    enum log_level least;
} logger = {"postern", true, LOGLEVEL_INFO};

static const struct {
    const char *word;
    int priority;
} levels[] = {
    {"error", LOG_ERR},
    {"warning", LOG_WARNING},
    {"info", LOG_INFO},
    {"debug", LOG_DEBUG},
};

void log_open(const char *name, bool to_stderr, enum log_level least)
{
    logger.name = name;
    logger.to_stderr = to_stderr;
    logger.least = least;
    closelog();
    if (!to_stderr)
        openlog(name, LOG_PID | LOG_NDELAY, LOG_MAIL);
}

/* One write a line, so that lines of several processes do not mix. */
static void write_stderr(const char *level, const char *text)
{
    char line[LOG_LINE_MAX + 100];
    int n = snprintf(line, sizeof(line), "%.60s: %s %s\n", logger.name, level, text);

    if (n > 0 && write(STDERR_FILENO, line, (size_t)n) < 0)
        return; /* there is nobody to tell */
}

static void log_event(enum log_level level, const char *event, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

static void log_event(enum log_level level, const char *event, const char *fmt, va_list ap)
{
    char text[LOG_LINE_MAX + 1];

    if (level > logger.least)
        return;
    log_line(text, event, fmt, ap);
    if (logger.to_stderr)
        write_stderr(levels[level].word, text);
    else
        syslog(levels[level].priority, "%s", text);
}

void log_error(const char *event, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    log_event(LOGLEVEL_ERROR, event, fmt, ap);
    va_end(ap);
}

void log_warning(const char *event, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    log_event(LOGLEVEL_WARNING, event, fmt, ap);
    va_end(ap);
}

void log_info(const char *event, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    log_event(LOGLEVEL_INFO, event, fmt, ap);
    va_end(ap);
}

void log_debug(const char *event, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    log_event(LOGLEVEL_DEBUG, event, fmt, ap);
    va_end(ap);
}

void log_oom(void)
{
    log_error("out-of-memory", "action=%s", "abort");
    abort();
}

bool log_allowed(struct log_limit *limit, int64_t now, unsigned *left_out)
{
    if (now != limit->second) {
        limit->second = now;
        limit->count = 0;
    }
    if (limit->count == LOG_LIMIT) {
        limit->left_out++;
        return false;
    }
    limit->count++;
    *left_out = limit->left_out;
    limit->left_out = 0;
    return true;
}
