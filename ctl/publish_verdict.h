/*
 * publish_verdict.h - what a check of something published found: a line a verdict, each with what to do where something
 * is to be done. Pure.
 */
#ifndef POSTERN_PUBLISH_VERDICT_H
#define POSTERN_PUBLISH_VERDICT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "ctl.h"

#define VERDICT_TEXT_MAX 600 /* octets of words */

/* From good to bad. */
enum verdict_level {
    VERDICT_OK,
    VERDICT_WARN,    /* goes well, but look at it; advice */
    VERDICT_UNKNOWN, /* cannot be known now */
    VERDICT_BAD
};

/* "ok", "warn", "unknown", "bad" */
const char *verdict_level_name(enum verdict_level level);

/* How a line says whether an answer of DNS was validated. */
const char *verdict_dnssec(bool secure);

struct verdict {
    enum verdict_level level;
    char *what;  /* what was looked at: "TXT record", "MX mx.example.com" */
    char *words; /* what was found, and what to do about it; foreign text may be in it */
};

/* Zeroed: none. */
struct verdicts {
    struct verdict *line; /* owned */
    size_t count, room;
    bool failed; /* no memory: something is missing */
};

/* The format is that of the words. Errors stick in v. */
void verdicts_add(struct verdicts *v, enum verdict_level level, const char *what, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void verdicts_clear(struct verdicts *v); /* NULL-safe, may be called twice */

/* The worst of them; OK when there is none, UNKNOWN or worse when something is missing. */
enum verdict_level verdicts_worst(const struct verdicts *v);

/* CTL_YES: OK and WARN; CTL_LATER: something is UNKNOWN, nothing is BAD; else CTL_NO. */
enum ctl_exit verdicts_exit(const struct verdicts *v);

/* A row each: level, what, words; foreign text is escaped. Errors stick in out. */
void verdicts_print(struct buf *out, const struct verdicts *v, bool colour);

/* An array of {"level","what","words"}, or NULL without memory. */
json_t *verdicts_json(const struct verdicts *v);

#endif
