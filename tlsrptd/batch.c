/* batch.c - see batch.h: making a batch. */
#include "batch.h"
#include "netstring.h"
#include "siphash.h"
#include "utc_day.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void word_len(struct buf *out, const char *data, size_t len)
{
    char head[NETSTRING_OVERHEAD];

    buf_add(out, head, netstring_head(head, len));
    buf_add(out, data, len);
    buf_char(out, ',');
}

static void word(struct buf *out, const char *text)
{
    word_len(out, text, strlen(text));
}

static void word_number(struct buf *out, uint64_t n)
{
    char digits[24];

    (void)snprintf(digits, sizeof(digits), "%" PRIu64, n);
    word(out, digits);
}

static void forget_place(struct batch_writer *w)
{
    w->day = -1;
    w->domain[0] = '\0';
    w->id[0] = '\0';
}

void batch_begin(struct batch_writer *w)
{
    memset(w, 0, sizeof(*w));
    buf_init(&w->body, (size_t)BATCH_READ_MAX);
    forget_place(w);
}

void batch_writer_clear(struct batch_writer *w)
{
    buf_clear(&w->body);
}

/* The most octets that an entry takes with its domain and policy before it. */
static size_t entry_octets(const struct batch_entry *e)
{
    static const size_t numbers = 256; /* and lengths, and letters */

    return numbers + strlen(e->domain) + (e->policy != NULL ? strlen(e->policy) : 0) +
           (e->detail != NULL ? strlen(e->detail) + strlen(e->other) : 0);
}

static void domain_add(struct batch_writer *w, const struct batch_entry *e)
{
    char day[UTC_DAY_BUF];

    if (w->day == e->day && strcmp(w->domain, e->domain) == 0)
        return;
    forget_place(w);
    w->day = e->day;
    (void)snprintf(w->domain, sizeof(w->domain), "%s", e->domain);
    utc_day_text(day, e->day);
    word(&w->body, "g");
    word(&w->body, day);
    word(&w->body, e->domain);
}

/* A policy that is there already is only named again when it has more sessions. */
static void policy_add(struct batch_writer *w, const struct batch_entry *e)
{
    if (strcmp(w->id, e->id) == 0 && e->successful == 0 && e->failed == 0)
        return;
    (void)snprintf(w->id, sizeof(w->id), "%s", e->id);
    word(&w->body, "p");
    word(&w->body, e->id);
    word(&w->body, e->policy);
    word_number(&w->body, e->successful);
    word_number(&w->body, e->failed);
}

bool batch_add(struct batch_writer *w, const struct batch_entry *entry)
{
    if (w->entries > 0 && (w->entries == BATCH_ENTRIES_MAX || w->body.len + entry_octets(entry) > BATCH_OCTETS_MAX))
        return false;
    w->entries++;
    domain_add(w, entry);
    if (entry->id == NULL) {
        word(&w->body, "l");
        word_number(&w->body, entry->successful);
        return true;
    }
    policy_add(w, entry);
    if (entry->detail != NULL) {
        word(&w->body, "d");
        word(&w->body, entry->detail);
        word_number(&w->body, entry->sessions);
        word(&w->body, entry->other);
    }
    return true;
}

void batch_end(struct buf *out, struct batch_writer *w, const char *lane, uint64_t number,
               const struct batch_position *position, size_t positions)
{
    static const uint8_t key[SIPHASH_KEY] = {0};
    struct buf payload;

    buf_init(&payload, (size_t)BATCH_READ_MAX);
    word(&payload, lane);
    word_number(&payload, number);
    word_number(&payload, positions);
    for (size_t i = 0; i < positions; i++) {
        word(&payload, position[i].source);
        word(&payload, position[i].position);
    }
    buf_add(&payload, w->body.data, w->body.len);
    if (!buf_ok(&payload) || !buf_ok(&w->body))
        out->failed = true;
    buf_printf(out, "postern-batch 1 %08zx %016" PRIx64 "\n", payload.len, siphash(key, payload.data, payload.len));
    buf_add(out, payload.data, payload.len);
    buf_clear(&payload);
    buf_reset(&w->body);
    w->entries = 0;
    forget_place(w);
}
