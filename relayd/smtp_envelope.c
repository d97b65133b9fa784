/* smtp_envelope.c - see smtp_envelope.h. */
#include "smtp_envelope.h"

#include "orcpt.h"

#include <inttypes.h>

#define LINE_MAX_OUT   ((size_t)2 * LMTP_LINE_MAX) /* what is added is less than what the MTA said */
#define ORCPT_MADE_MAX ((size_t)2 * ORCPT_MAX)

void smtp_ehlo_write(struct buf *out, const char *name)
{
    buf_printf(out, "EHLO %s\r\n", name);
}

/* The address itself, without <> and source route; empty for "<>". */
static struct smtp_text bare_address(const struct lmtp_command *c)
{
    const struct address_split *at = &c->at;

    return (struct smtp_text){c->path.at + at->local_at,
                              at->local_len == 0 ? 0 : at->domain_at + at->domain_len - at->local_at};
}

static int can_be_said(const struct lmtp_command *c, const struct smtp_ehlo *next, struct smtp_refusal *r)
{
    if (next->smtputf8 || (!c->mail.smtputf8 && smtp_text_is_ascii(&c->path)))
        return 0;
    return smtp_refuse(r, 550, "5.6.7", "does not offer SMTPUTF8, which the message needs");
}

static int can_be_sent(const struct lmtp_command *c, const struct smtp_ehlo *next, struct smtp_refusal *r)
{
    const struct lmtp_mail *mail = &c->mail;

    if (!next->requiretls && bare_address(c).len > 0)
        return smtp_refuse(r, 550, "5.7.30", "does not offer REQUIRETLS, which the message needs");
    if (can_be_said(c, next, r) != 0)
        return -1;
    if (mail->body == LMTP_BODY_8BITMIME && !next->eightbitmime)
        return smtp_refuse(r, 554, "5.6.3", "does not offer 8BITMIME, which the message needs");
    if (mail->has_size && next->size && next->size_max > 0 && mail->size > next->size_max)
        return smtp_refuse(r, 552, "5.3.4", "takes messages of %" PRIu64 " octets, and this one has %" PRIu64,
                           next->size_max, mail->size);
    return 0;
}

static void text_add(struct buf *out, const char *before, const struct smtp_text *text)
{
    if (text->at == NULL)
        return;
    buf_str(out, before);
    buf_add(out, text->at, text->len);
}

/* Append the line, or say that there is no memory for it. */
static int line_add(struct buf *out, struct buf *line, struct smtp_refusal *r)
{
    buf_str(line, "\r\n");
    if (buf_ok(line))
        buf_add(out, line->data, line->len);
    else
        out->failed = true;
    buf_clear(line);
    return buf_ok(out) ? 0 : smtp_refuse(r, 451, "4.3.0", "no memory");
}

int smtp_mail_write(struct buf *out, const struct lmtp_command *mail, const struct smtp_ehlo *next,
                    struct smtp_refusal *r)
{
    struct smtp_text address = bare_address(mail);
    struct buf line;

    if (can_be_sent(mail, next, r) != 0)
        return -1;
    buf_init(&line, LINE_MAX_OUT);
    text_add(&line, "MAIL FROM:<", &address);
    buf_str(&line, next->requiretls ? "> REQUIRETLS" : ">");
    if (mail->mail.has_size && next->size)
        buf_printf(&line, " SIZE=%" PRIu64, mail->mail.size);
    if (mail->mail.body == LMTP_BODY_8BITMIME)
        buf_str(&line, " BODY=8BITMIME");
    if (mail->mail.smtputf8)
        buf_str(&line, " SMTPUTF8");
    if (next->dsn) {
        buf_str(&line, " RET=HDRS");
        text_add(&line, " ENVID=", &mail->mail.envid);
    }
    return line_add(out, &line, r);
}

/* Make the value anew, without the tag, in its 7-bit form. Returns whether there was a tag, or -1: it cannot be. */
static int orcpt_untag(struct buf *out, const struct smtp_text *value, const struct address_tag *tag)
{
    struct buf address, untagged;
    int had = -1;

    buf_init(&address, ADDRESS_TAG_MAX);
    buf_init(&untagged, ADDRESS_TAG_MAX);
    if (orcpt_read(&address, value->at, value->len, NULL) == 0)
        had = address_tag_remove(&untagged, tag, address.data, address.len, NULL);
    if (had >= 0 && orcpt_make(out, untagged.data, untagged.len, NULL) != 0)
        had = -1;
    buf_clear(&address);
    buf_clear(&untagged);
    return had;
}

static void orcpt_add(struct buf *out, const struct smtp_text *value, const struct address_tag *tag)
{
    bool ascii = smtp_text_is_ascii(value);
    struct buf made;
    int had;

    if (value->at == NULL)
        return;
    buf_init(&made, ORCPT_MADE_MAX);
    had = orcpt_untag(&made, value, tag);
    if (had == 1 || (had == 0 && !ascii))
        buf_printf(out, " ORCPT=%s", buf_text(&made));
    else if (ascii)
        text_add(out, " ORCPT=", value);
    buf_clear(&made);
}

int smtp_rcpt_write(struct buf *out, const struct lmtp_command *rcpt, const struct smtp_ehlo *next,
                    const struct address_tag *tag, struct smtp_refusal *r)
{
    struct smtp_text address = bare_address(rcpt);
    struct buf line;

    if (can_be_said(rcpt, next, r) != 0)
        return -1;
    buf_init(&line, LINE_MAX_OUT);
    buf_str(&line, "RCPT TO:<");
    if (address_tag_remove(&line, tag, address.at, address.len, NULL) < 0)
        line.failed = true;
    buf_char(&line, '>');
    if (next->dsn) {
        text_add(&line, " NOTIFY=", &rcpt->rcpt.notify);
        orcpt_add(&line, &rcpt->rcpt.orcpt, tag);
    }
    return line_add(out, &line, r);
}
