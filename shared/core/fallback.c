/* fallback.c - the state that TLS outcomes leave behind, and what each mode makes of it. */
#include "fallback.h"

#include "dest.h"

#include <inttypes.h>
#include <string.h>

#include <jansson.h>

#define STATE_VERSION 1
#define CLOCK_SLACK   60 /* seconds that the clocks of two nodes may differ */

static const char *const modes[] = {"hold", "plain", "alternate", "alternate-any", "plain-for"};
static const char *const events[] = {"handshake", "later", "tls", "plain"};
#define EVENTS (sizeof(events) / sizeof(events[0]))

const char *fallback_mode_name(enum fallback_mode mode)
{
    return (size_t)mode < sizeof(modes) / sizeof(modes[0]) ? modes[mode] : "?";
}

const char *fallback_event_name(enum fallback_event event)
{
    return (size_t)event < EVENTS ? events[event] : "?";
}

int fallback_event_by_name(enum fallback_event *out, const char *name, struct err *e)
{
    for (size_t i = 0; i < EVENTS; i++) {
        if (strcmp(events[i], name) == 0) {
            *out = (enum fallback_event)i;
            return 0;
        }
    }
    return err_set(e,
                   "\"%.40s\" is no TLS outcome: handshake (it failed), later (the session broke after it), tls "
                   "(it went well) or plain (an attempt without TLS)",
                   name);
}

static void later(int64_t *time, int64_t at)
{
    if (at > *time)
        *time = at;
}

void fallback_note(struct fallback_state *s, enum fallback_event event, int64_t at)
{
    switch (event) {
    case FALLBACK_HANDSHAKE_FAILED:
        later(&s->handshake_failed, at);
        return;
    case FALLBACK_LATER_FAILED:
        later(&s->later_failed, at);
        return;
    case FALLBACK_PLAIN_DONE:
        later(&s->plain_done, at);
        return;
    case FALLBACK_TLS_DONE:
        later(&s->tls_done, at);
        return;
    }
}

int64_t fallback_last_event(const struct fallback_state *s)
{
    int64_t last = s->handshake_failed;

    later(&last, s->later_failed);
    later(&last, s->tls_done);
    later(&last, s->plain_done);
    return last;
}

static bool believable(int64_t failed, int64_t now)
{
    return failed <= now + CLOCK_SLACK;
}

void fallback_add(struct fallback_state *s, const struct fallback_state *other, int64_t now)
{
    if (believable(other->handshake_failed, now))
        later(&s->handshake_failed, other->handshake_failed);
    if (believable(other->later_failed, now))
        later(&s->later_failed, other->later_failed);
    later(&s->tls_done, other->tls_done);
    later(&s->plain_done, other->plain_done);
}

/* The failure that counts for a mode; 0: none. */
static int64_t failure(const struct fallback_state *s, enum fallback_mode mode, int64_t now)
{
    int64_t failed = 0;

    if (mode == FALLBACK_HOLD)
        return 0;
    if (believable(s->handshake_failed, now))
        failed = s->handshake_failed;
    if (mode != FALLBACK_ALTERNATE && believable(s->later_failed, now))
        later(&failed, s->later_failed);
    return failed > s->tls_done ? failed : 0;
}

bool fallback_goes_plain(const struct fallback_state *s, enum fallback_mode mode, int64_t keep, int64_t now,
                         int64_t *until)
{
    bool alternates = mode == FALLBACK_ALTERNATE || mode == FALLBACK_ALTERNATE_ANY;
    int64_t failed = failure(s, mode, now);

    if (failed == 0 || now - failed >= keep)
        return false;
    if (alternates && s->plain_done >= failed) /* it is TLS's turn again */
        return false;
    *until = failed + keep;
    return true;
}

/* --- JSON --- */

static void put(struct buf *out, const char *name, int64_t number)
{
    if (number != 0)
        buf_printf(out, ",\"%s\":%" PRId64, name, number);
}

void fallback_to_json(struct buf *out, const struct fallback_state *s)
{
    buf_printf(out, "{\"v\":%d", STATE_VERSION);
    put(out, "handshake", s->handshake_failed);
    put(out, "later", s->later_failed);
    put(out, "tls", s->tls_done);
    put(out, "plain", s->plain_done);
    buf_char(out, '}');
}

static int get(int64_t *out, const json_t *object, const char *name, struct err *e)
{
    const json_t *value = json_object_get(object, name);

    *out = 0;
    if (value == NULL)
        return 0;
    *out = json_integer_value(value);
    if (!json_is_integer(value) || *out < 0 || *out > DEST_TIME_MAX)
        return err_set(e, "%s: not a time", name);
    return 0;
}

int fallback_from_json(struct fallback_state *out, const char *json, size_t len, struct err *e)
{
    json_error_t at;
    json_t *object;
    int64_t version;
    int rc;

    memset(out, 0, sizeof(*out));
    if (len > FALLBACK_JSON_MAX)
        return err_set(e, "longer than %d octets", FALLBACK_JSON_MAX);
    object = json_loadb(json, len, JSON_REJECT_DUPLICATES, &at);
    if (!json_is_object(object)) {
        json_decref(object);
        return err_set(e, "no JSON object");
    }
    rc = get(&version, object, "v", e);
    if (rc == 0 && version != STATE_VERSION)
        rc = err_set(e, "v: version %lld, not %d", (long long)version, STATE_VERSION);
    if (rc == 0 &&
        (get(&out->handshake_failed, object, "handshake", e) != 0 || get(&out->later_failed, object, "later", e) != 0 ||
         get(&out->tls_done, object, "tls", e) != 0 || get(&out->plain_done, object, "plain", e) != 0))
        rc = -1;
    if (rc != 0)
        memset(out, 0, sizeof(*out));
    json_decref(object);
    return rc;
}
