/* report_state.c - see report_state.h. */
#include "report_state.h"

#include "hex.h"

#include <jansson.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION       1
#define RECORD_OCTETS 16 /* of the hash of a record */

static const char *const names[] = {"none", "claimed", "sending", "sent", "failed", "given-up", "unknown"};

#define NAMES (sizeof(names) / sizeof(names[0]))

const char *report_stage_name(enum report_stage stage)
{
    return names[stage];
}

void report_state_field(char out[REPORT_FIELD_BUF], const char *uri, const char *record)
{
    unsigned char sum[SHA256_DIGEST_LENGTH];
    size_t len;

    SHA256((const unsigned char *)record, strlen(record), sum);
    (void)snprintf(out, REPORT_FIELD_BUF, "%.512s ", uri);
    len = strlen(out);
    hex_write(out + len, sum, RECORD_OCTETS);
}

static int read_text(char *out, size_t cap, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    if (value == NULL) {
        out[0] = '\0';
        return 0;
    }
    if (!json_is_string(value) || json_string_length(value) >= cap)
        return -1;
    memcpy(out, json_string_value(value), json_string_length(value) + 1);
    return 0;
}

static int read_number(int64_t *out, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    *out = 0;
    if (value == NULL)
        return 0;
    if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > INT64_C(1) << 53)
        return -1;
    *out = json_integer_value(value);
    return 0;
}

static int read_stage(enum report_stage *out, const json_t *object)
{
    const char *name = json_string_value(json_object_get(object, "state"));

    for (size_t i = 1; name != NULL && i < NAMES; i++) {
        if (strcmp(name, names[i]) == 0) {
            *out = (enum report_stage)i;
            return 0;
        }
    }
    return -1;
}

static int read_object(struct report_state *s, const json_t *object, struct err *e)
{
    int64_t version, tries;

    if (read_number(&version, object, "v") != 0 || version != VERSION)
        return err_set(e, "v is not 1");
    if (read_stage(&s->stage, object) != 0)
        return err_set(e, "state is none that there is");
    if (read_text(s->node, sizeof(s->node), object, "node") != 0 || read_text(s->id, sizeof(s->id), object, "id") != 0)
        return err_set(e, "node or id is no text, or too long");
    if (read_text(s->why, sizeof(s->why), object, "why") != 0)
        return err_set(e, "why is no text, or too long");
    if (read_number(&s->first, object, "first") != 0 || read_number(&s->at, object, "at") != 0 ||
        read_number(&s->next, object, "next") != 0)
        return err_set(e, "first, at or next is no time");
    if (read_number(&tries, object, "tries") != 0 || tries > 1000000)
        return err_set(e, "tries is no number");
    s->tries = (unsigned)tries;
    return 0;
}

int report_state_read(struct report_state *out, const char *json, size_t len, struct err *e)
{
    json_t *object;
    json_error_t error;
    int rc;

    memset(out, 0, sizeof(*out));
    if (len == 0)
        return 0;
    object = len > REPORT_STATE_JSON_MAX ? NULL : json_loadb(json, len, JSON_REJECT_DUPLICATES, &error);
    rc = json_is_object(object) ? read_object(out, object, e) : err_set(e, "no JSON object");
    json_decref(object);
    if (rc != 0)
        *out = (struct report_state){.stage = REPORT_UNKNOWN, .why = "its state cannot be read"};
    return rc;
}

void report_state_write(struct buf *out, const struct report_state *s)
{
    json_t *object = json_pack("{s:i, s:s, s:s, s:s, s:I, s:I, s:I, s:i}", "v", VERSION, "state", names[s->stage],
                               "node", s->node, "id", s->id, "first", (json_int_t)s->first, "at", (json_int_t)s->at,
                               "next", (json_int_t)s->next, "tries", (int)s->tries);
    char *text;

    if (object != NULL && s->why[0] != '\0')
        (void)json_object_set_new(object, "why", json_stringn_nocheck(s->why, strlen(s->why)));
    text = object == NULL ? NULL : json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII);
    if (text == NULL)
        out->failed = true;
    else
        buf_str(out, text);
    free(text);
    json_decref(object);
}

/* Reasons are foreign: only printable ASCII is kept. */
static void set_why(struct report_state *s, const char *why)
{
    size_t n = 0;

    for (; why != NULL && why[n] != '\0' && n < sizeof(s->why) - 1; n++)
        s->why[n] = why[n] < 0x20 || why[n] > 0x7e ? '?' : why[n];
    s->why[n] = '\0';
}

static enum report_verdict take(struct report_state *s, const char *node, const char *id, int64_t now)
{
    bool fresh = s->stage != REPORT_CLAIMED && s->stage != REPORT_FAILED;

    if (fresh) {
        s->first = now;
        s->tries = 0;
    }
    s->stage = REPORT_CLAIMED;
    (void)snprintf(s->node, sizeof(s->node), "%s", node);
    (void)snprintf(s->id, sizeof(s->id), "%s", id);
    s->at = now;
    s->next = now + REPORT_LEASE;
    set_why(s, NULL);
    return REPORT_TAKEN;
}

static enum report_verdict expire(struct report_state *s, int64_t now)
{
    s->stage = REPORT_UNKNOWN;
    s->at = now;
    s->next = 0;
    set_why(s, "its node went away while it was leaving");
    return REPORT_EXPIRED;
}

enum report_verdict report_claim(struct report_state *s, const char *node, const char *id, int64_t now,
                                 enum report_claim_how how)
{
    switch (s->stage) {
    case REPORT_NONE:
        return take(s, node, id, now);
    case REPORT_CLAIMED:
        return now >= s->next ? take(s, node, id, now) : REPORT_LATER;
    case REPORT_FAILED:
        return now >= s->next || how != REPORT_BY_ITSELF ? take(s, node, id, now) : REPORT_LATER;
    case REPORT_SENDING:
        if (now < s->next)
            return REPORT_LATER;
        return how == REPORT_AGAIN ? take(s, node, id, now) : expire(s, now);
    case REPORT_GIVEN_UP:
        return how != REPORT_BY_ITSELF ? take(s, node, id, now) : REPORT_OVER;
    case REPORT_SENT:
    case REPORT_UNKNOWN:
        break;
    }
    return how == REPORT_AGAIN ? take(s, node, id, now) : REPORT_OVER;
}

bool report_begin(struct report_state *s, const char *id, int64_t now)
{
    if (s->stage != REPORT_CLAIMED || strcmp(s->id, id) != 0)
        return false;
    s->stage = REPORT_SENDING;
    s->at = now;
    s->next = now + REPORT_LEASE;
    s->tries++;
    return true;
}

bool report_end(struct report_state *s, const struct report_state *mine, enum report_stage stage, int64_t next,
                const char *why, int64_t now)
{
    bool ours = s->stage == REPORT_NONE || strcmp(s->id, mine->id) == 0;
    /* Redis had lost that it was ours: another node is about to send what was sent already. */
    bool in_time = stage == REPORT_SENT && (s->stage == REPORT_CLAIMED || s->stage == REPORT_FAILED);

    if (!ours && !in_time)
        return false;
    *s = *mine;
    s->stage = stage;
    s->at = now;
    s->next = stage == REPORT_FAILED ? next : 0;
    set_why(s, why);
    return true;
}
