/* call.c - the protocol between Postern's own programs. There is exactly one way to write each message, so what was
 * read and is written again is the same, octet for octet. */
#include "call.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "netstring.h"

#define VERSION   "1 "
#define ID_DIGITS 10 /* of 4294967295 */

/* What is still to be read. */
struct cursor {
    const char *at;
    size_t left;
};

const char *call_status_name(enum call_status status)
{
    switch (status) {
    case CALL_OK:
        return "OK";
    case CALL_TEMP:
        return "TEMP";
    case CALL_PERM:
        return "PERM";
    }
    return "TEMP";
}

static bool verb_ok(const char *verb, size_t len)
{
    size_t i;

    if (len == 0 || len > CALL_VERB_MAX)
        return false;
    for (i = 0; i < len; i++)
        if ((verb[i] < 'a' || verb[i] > 'z') && verb[i] != '-')
            return false;
    return true;
}

static int take_version(struct cursor *c, struct err *e)
{
    const size_t n = sizeof(VERSION) - 1;

    if (c->left < n || memcmp(c->at, VERSION, n) != 0)
        return err_set(e, "not version 1 of the call protocol");
    c->at += n;
    c->left -= n;
    return 0;
}

/* Take what stands before the next blank, and the blank; at most max octets of it are looked for. */
static int take_word(const char **word, size_t *len, struct cursor *c, size_t max)
{
    size_t seen = c->left < max + 1 ? c->left : max + 1;
    const char *blank = memchr(c->at, ' ', seen);

    if (blank == NULL)
        return -1;
    *word = c->at;
    *len = (size_t)(blank - c->at);
    c->at += *len + 1;
    c->left -= *len + 1;
    return 0;
}

static int take_id(uint32_t *id, struct cursor *c, struct err *e)
{
    const char *word;
    size_t len;
    uint64_t n = 0;
    size_t i;

    if (take_word(&word, &len, c, ID_DIGITS) != 0 || len == 0 || (word[0] == '0' && len > 1))
        return err_set(e, "the id is not a plain decimal number");
    for (i = 0; i < len; i++) {
        if (word[i] < '0' || word[i] > '9')
            return err_set(e, "the id is not a plain decimal number");
        n = n * 10 + (uint64_t)(word[i] - '0');
    }
    if (n > UINT32_MAX)
        return err_set(e, "the id is not below 2^32");
    *id = (uint32_t)n;
    return 0;
}

int call_request_parse(struct call_request *out, const char *data, size_t len, struct err *e)
{
    struct cursor c = {data, len};
    const char *verb;
    size_t verb_len;

    if (len > CALL_REQUEST_MAX)
        return err_set(e, "a request of more than %d octets", CALL_REQUEST_MAX);
    if (take_version(&c, e) != 0 || take_id(&out->id, &c, e) != 0)
        return -1;
    if (take_word(&verb, &verb_len, &c, CALL_VERB_MAX) != 0 || !verb_ok(verb, verb_len))
        return err_set(e, "the verb is not 1 to %d of a-z and '-' with a blank after it", CALL_VERB_MAX);
    memcpy(out->verb, verb, verb_len);
    out->verb[verb_len] = '\0';
    out->arg = c.at;
    out->arg_len = c.left;
    return 0;
}

static int take_status(enum call_status *status, struct cursor *c, struct err *e)
{
    static const enum call_status all[] = {CALL_OK, CALL_TEMP, CALL_PERM};
    const char *word;
    size_t len;
    size_t i;

    if (take_word(&word, &len, c, 4) == 0) {
        for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
            const char *name = call_status_name(all[i]);
            if (len == strlen(name) && memcmp(word, name, len) == 0) {
                *status = all[i];
                return 0;
            }
        }
    }
    return err_set(e, "the status is not OK, TEMP or PERM with a blank after it");
}

int call_reply_parse(struct call_reply *out, const char *data, size_t len, struct err *e)
{
    struct cursor c = {data, len};

    if (len > CALL_REPLY_MAX)
        return err_set(e, "a reply of more than %d octets", CALL_REPLY_MAX);
    if (take_version(&c, e) != 0 || take_id(&out->id, &c, e) != 0 || take_status(&out->status, &c, e) != 0)
        return -1;
    out->text = c.at;
    out->text_len = c.left;
    return 0;
}

/* Append "N:1 ID WORD TEXT,". */
static void message_write(struct buf *out, uint32_t id, const char *word, const char *text, size_t len, size_t max)
{
    char words[sizeof(VERSION) + ID_DIGITS + 1 + CALL_VERB_MAX + 1];
    char head[NETSTRING_OVERHEAD];
    int printed = snprintf(words, sizeof(words), VERSION "%" PRIu32 " %s ", id, word);
    size_t n = (size_t)printed;
    size_t head_len;

    if (printed < 0 || n >= sizeof(words) || len > max - n) {
        out->failed = true;
        return;
    }
    head_len = netstring_head(head, n + len);
    if (!buf_reserve(out, head_len + n + len + 1))
        return;
    buf_add(out, head, head_len);
    buf_add(out, words, n);
    buf_add(out, text, len);
    buf_char(out, ',');
}

void call_request_write(struct buf *out, uint32_t id, const char *verb, const char *arg, size_t arg_len)
{
    if (!verb_ok(verb, strlen(verb))) {
        out->failed = true;
        return;
    }
    message_write(out, id, verb, arg, arg_len, CALL_REQUEST_MAX);
}

void call_reply_write(struct buf *out, uint32_t id, enum call_status status, const char *text, size_t text_len)
{
    message_write(out, id, call_status_name(status), text, text_len, CALL_REPLY_MAX);
}
