/* lmtp_reply.c - see lmtp_reply.h. */
#include "lmtp_reply.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* One line; separator is ' ' or '-'. */
static void line_write(struct buf *out, unsigned code, char separator, const char *status, const char *text)
{
    char head[32];
    size_t room, len = strlen(text);
    int head_len;

    head_len = snprintf(head, sizeof(head), "%u%c%.*s%s", code, separator, SMTP_STATUS_BUF - 1, status,
                        status[0] != '\0' && len > 0 ? " " : "");
    room = LMTP_REPLY_MAX - strlen("\r\n") - (size_t)head_len;
    if (!buf_reserve(out, LMTP_REPLY_MAX))
        return;
    buf_add(out, head, (size_t)head_len);
    smtp_text_clean(out, text, len < room ? len : room);
    buf_str(out, "\r\n");
}

void lmtp_reply_write(struct buf *out, unsigned code, const char *status, const char *text)
{
    line_write(out, code, ' ', status, text);
}

void lmtp_reply_refuse(struct buf *out, const struct smtp_refusal *r)
{
    line_write(out, r->code, ' ', r->status, r->why.text);
}

void lmtp_reply_lhlo(struct buf *out, const char *name, uint64_t size_max)
{
    static const char *const keywords[] = {"PIPELINING", "8BITMIME", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES"};
    const size_t lines = 2 + sizeof(keywords) / sizeof(keywords[0]);
    char size[32];

    if (!buf_reserve(out, lines * LMTP_REPLY_MAX))
        return;
    line_write(out, 250, '-', "", name);
    for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
        line_write(out, 250, '-', "", keywords[i]);
    (void)snprintf(size, sizeof(size), "SIZE %" PRIu64, size_max);
    line_write(out, 250, ' ', "", size);
}

/* The code for the MTA, and the status of a reply that has none. */
static unsigned code_for_mta(const char **status, unsigned code)
{
    static const char *const statuses[] = {"2.0.0", "4.5.0", "4.0.0", "5.0.0"};

    *status = statuses[code / 100 - 2];
    if (code < 300)
        return 250;
    return code < 400 || code == 421 ? 451 : code;
}

void lmtp_reply_pass(struct buf *out, const char *host, const struct smtp_reply *reply, bool rcpt)
{
    const char *usual;
    unsigned code = code_for_mta(&usual, rcpt && reply->code == 552 ? 452 : reply->code);
    char status[sizeof(reply->status)];
    struct buf text;

    (void)snprintf(status, sizeof(status), "%s", reply->status[0] != '\0' ? reply->status : usual);
    if (code == 452)
        status[0] = '4';

    buf_init(&text, SMTP_REPLY_OCTETS_MAX + LMTP_REPLY_MAX);
    buf_printf(&text, "host %s said: ", host);
    smtp_reply_show(&text, reply);
    line_write(out, code, ' ', status, buf_text(&text));
    buf_clear(&text);
}
