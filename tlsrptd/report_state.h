/*
 * report_state.h - how far a report to one destination has come, and who may take the next step. Pure.
 *
 * In Redis it is a field of the hash PREFIXtlsrpt-sent:DAY:DOMAIN ("tlsrpt-sent:2026-11-22:example.com"). The field is
 *
 *   URI HASH    "mailto:reports@example.com 0123…": the destination as the record has it, a blank, and the first 32 hex
 *               digits of the SHA-256 of the text of the TLSRPT record
 *
 * as a record that was changed during the day makes two reports (W7). The value is
 *
 *   {"v":1,"state":…,"node":…,"id":…,"first":…,"at":…,"next":…,"tries":…,"why":…}
 *
 * Times are seconds since the epoch; next is 0 or left out when there is none, why is left out when there is none.
 *
 *   claimed   a node is about to send it; its lease ends at next, then it is anybody's
 *   sending   it is leaving now. When the lease ends and nothing was heard, the state is unknown
 *   sent      it was taken
 *   failed    it was not; it is tried again at next
 *   given-up  it was not, and is not tried again by itself
 *   unknown   it may have been taken: it is not sent again by itself (W6)
 *
 * Whoever claims writes an id of its own. Only who has that id may say "sending", and the outcome.
 */
#ifndef POSTERN_REPORT_STATE_H
#define POSTERN_REPORT_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

#define REPORT_LEASE          600  /* seconds; sending takes no longer than 60 */
#define REPORT_STATE_JSON_MAX 2048 /* octets */
#define REPORT_FIELD_BUF      640
#define REPORT_STATE_ID_BUF   33
#define REPORT_STATE_NODE_BUF 128
#define REPORT_STATE_WHY_BUF  256

enum report_stage {
    REPORT_NONE, /* nobody has begun */
    REPORT_CLAIMED,
    REPORT_SENDING,
    REPORT_SENT,
    REPORT_FAILED,
    REPORT_GIVEN_UP,
    REPORT_UNKNOWN
};

struct report_state {
    enum report_stage stage;
    char node[REPORT_STATE_NODE_BUF]; /* who made the last step */
    char id[REPORT_STATE_ID_BUF];
    int64_t first; /* when it was claimed for the first time */
    int64_t at;    /* the last step */
    int64_t next;  /* the next one may be taken; 0: none by itself */
    unsigned tries;
    char why[REPORT_STATE_WHY_BUF];
};

/* "none", "claimed", "sending", "sent", "failed", "given-up", "unknown" */
const char *report_stage_name(enum report_stage stage);

/* The field of a destination; the text is cut nowhere, as a URI that long is none (rua_uri.h). */
void report_state_field(char out[REPORT_FIELD_BUF], const char *uri, const char *record);

/* Read foreign text. "" is REPORT_NONE. Returns 0, or -1 with the reason; then *out is REPORT_UNKNOWN, as it may have
 * been sent. */
int report_state_read(struct report_state *out, const char *json, size_t len, struct err *e);
void report_state_write(struct buf *out, const struct report_state *s);

/* Who asks for it. */
enum report_claim_how {
    REPORT_BY_ITSELF,
    REPORT_BY_HAND, /* also what has failed, at any time, or was given up */
    REPORT_AGAIN    /* also what was sent, or may have been */
};

enum report_verdict {
    REPORT_TAKEN,   /* *s says that it is ours: write it, then send */
    REPORT_EXPIRED, /* *s is unknown from now on: write it, do not send */
    REPORT_LATER,   /* not before s->next */
    REPORT_OVER     /* not at all */
};
enum report_verdict report_claim(struct report_state *s, const char *node, const char *id, int64_t now,
                                 enum report_claim_how how);

/* It leaves now. False: it is not ours any more. */
bool report_begin(struct report_state *s, const char *id, int64_t now);

/*
 * Note an outcome: SENT, FAILED (next: when it is tried again), GIVEN_UP. mine: the state as we knew it last, which is
 * written also when Redis has lost it meanwhile. False: another has it now, and the outcome does not count.
 */
bool report_end(struct report_state *s, const struct report_state *mine, enum report_stage stage, int64_t next,
                const char *why, int64_t now);

#endif
