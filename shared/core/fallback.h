/*
 * fallback.h - what to do when TLS to a destination fails and nothing that is published forbids plain text: five modes,
 * and the state that TLS outcomes leave behind. Whoever sees outcomes (the collector, posternctl) turns them into
 * events; policyd asks whether the next delivery goes plain. Pure.
 */
#ifndef POSTERN_FALLBACK_H
#define POSTERN_FALLBACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

#define FALLBACK_JSON_MAX  256
#define FALLBACK_STATE_TTL 2592000 /* 30 days: seconds from the last event after which a state is forgotten */

enum fallback_mode {
    FALLBACK_HOLD,          /* go on with TLS: mail waits */
    FALLBACK_PLAIN,         /* plain after the first failure */
    FALLBACK_ALTERNATE,     /* TLS, plain, TLS, … on successive attempts after a handshake that failed */
    FALLBACK_ALTERNATE_ANY, /* the same after any failure once TLS began */
    FALLBACK_PLAIN_FOR      /* plain for a while after a failure, then TLS again */
};

/* "hold", "plain", "alternate", "alternate-any", "plain-for" */
const char *fallback_mode_name(enum fallback_mode mode);

/* What became of one delivery attempt, as far as TLS goes. */
enum fallback_event {
    FALLBACK_HANDSHAKE_FAILED, /* STARTTLS refused, the handshake broke, the certificate was not accepted */
    FALLBACK_LATER_FAILED,     /* the session broke after the handshake */
    FALLBACK_TLS_DONE,         /* TLS, and the session went well */
    FALLBACK_PLAIN_DONE        /* an attempt in plain text, whatever came of it */
};

/* "handshake", "later", "tls", "plain" */
const char *fallback_event_name(enum fallback_event event);

/* Returns 0, or -1 with the names that there are. */
int fallback_event_by_name(enum fallback_event *out, const char *name, struct err *e);

/* The state of one next hop and MX host. All zero: nothing is known. */
struct fallback_state {
    int64_t handshake_failed; /* the last time; 0: never */
    int64_t later_failed;
    int64_t tls_done;   /* TLS last went well: failures up to then do not count */
    int64_t plain_done; /* the last attempt in plain text */
};

/* Take an event in. An event older than what the state knows of its kind changes nothing. */
void fallback_note(struct fallback_state *s, enum fallback_event event, int64_t at);

/* The last time of any event; 0: none. */
int64_t fallback_last_event(const struct fallback_state *s);

/* Take in what another state knows, as if its events had been noted here. Failures after now do not go in. */
void fallback_add(struct fallback_state *s, const struct fallback_state *other, int64_t now);

/*
 * Does the next attempt go plain? keep: seconds after which a failure is forgotten (mode plain-for: its own seconds).
 * *until, when plain: when that ends by itself. A failure after now (another node's clock, but for a minute) does not
 * count; TLS and plain text done after now do, as they lead to TLS.
 */
bool fallback_goes_plain(const struct fallback_state *s, enum fallback_mode mode, int64_t keep, int64_t now,
                         int64_t *until);

/* {"v":1,"handshake":…,"later":…,"tls":…,"plain":…}; times that are 0 are left out. */
void fallback_to_json(struct buf *out, const struct fallback_state *s);

/* Read it back from Redis, as foreign text. Returns 0, or -1 with the member and the reason in e. */
int fallback_from_json(struct fallback_state *out, const char *json, size_t len, struct err *e);

#endif
