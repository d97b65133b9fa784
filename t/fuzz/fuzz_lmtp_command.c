/*
 * fuzz_lmtp_command.c - a line from the MTA, and what the next server gets of it. What a command holds is within its
 * line; what is written is one line that says REQUIRETLS, has no tag and is a command itself, of which the same is
 * written; a refusal is one clean line of reply.
 *
 * The input: what the next server offers, then the line.
 */
#include "lmtp_reply.h"
#include "recipe.h"
#include "smtp_envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct address_tag tag = {'+', "requiretls"};

static void demand_line(const struct buf *line, bool ascii)
{
    demand(buf_ok(line) && line->len > 2 && memcmp(line->data + line->len - 2, "\r\n", 2) == 0);
    for (size_t i = 0; i < line->len - 2; i++) {
        unsigned char c = (unsigned char)line->data[i];

        demand(c >= 0x20 && c != 0x7f && (!ascii || c < 0x7f));
    }
}

static void demand_refusal(const struct smtp_refusal *r)
{
    struct buf out;

    demand(r->code >= 400 && r->code <= 599 && r->why.text[0] != '\0');
    demand(r->status[0] == (char)('0' + r->code / 100));
    buf_init(&out, LMTP_REPLY_MAX);
    lmtp_reply_refuse(&out, r);
    demand_line(&out, true);
    demand(out.len <= LMTP_REPLY_MAX);
    buf_clear(&out);
}

static void demand_within(const struct smtp_text *text, const char *line, size_t len)
{
    demand(text->at == NULL || (text->at >= line && text->at + text->len <= line + len));
}

static int write_it(struct buf *out, const struct lmtp_command *c, const struct smtp_ehlo *next, struct smtp_refusal *r)
{
    return c->verb == LMTP_MAIL ? smtp_mail_write(out, c, next, r) : smtp_rcpt_write(out, c, next, &tag, r);
}

static void try_write(const struct lmtp_command *c, const struct smtp_ehlo *next)
{
    struct smtp_refusal r = {0};
    struct lmtp_command again;
    struct buf said, twice;

    buf_init(&said, 2 * LMTP_LINE_MAX);
    buf_init(&twice, 2 * LMTP_LINE_MAX);
    if (write_it(&said, c, next, &r) != 0) {
        demand_refusal(&r);
        demand(said.len == 0);
        return;
    }
    demand_line(&said, false);
    demand(lmtp_command_parse(&again, said.data, said.len - 2, NULL) == 0);
    if (c->verb == LMTP_MAIL) {
        demand(again.mail.requiretls || (again.path.len == 2 && !next->requiretls));
    } else {
        demand(address_tag_has(&tag, again.path.at, again.path.len, NULL) == 0);
        demand(again.at.domain_len == c->at.domain_len);
        demand(memcmp(again.path.at + again.at.domain_at, c->path.at + c->at.domain_at, c->at.domain_len) == 0);
    }
    demand(write_it(&twice, &again, next, NULL) == 0);
    demand(twice.len == said.len && memcmp(twice.data, said.data, said.len) == 0);
    buf_clear(&said);
    buf_clear(&twice);
}

static void try_find(const char *octets, size_t size)
{
    size_t len, took;
    int rc = lmtp_line_find(&len, &took, octets, size);

    demand(rc != 1 || (len <= LMTP_LINE_MAX && took == len + 2 && took <= size));
    demand(rc != -1 || size > LMTP_LINE_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct recipe recipe = {data, size};
    unsigned o = take(&recipe);
    struct smtp_ehlo next = {.requiretls = (o & 1) == 0, .eightbitmime = (o & 2) == 0, .smtputf8 = (o & 4) == 0};
    const char *line = (const char *)recipe.at;
    struct lmtp_progress progress = {(o & 32) == 0, (o & 64) == 0, (o & 128) == 0, o & 1};
    struct smtp_refusal r = {0};
    struct lmtp_command c;

    next.dsn = (o & 8) == 0;
    next.size = (o & 16) == 0;
    next.size_max = 1000;
    try_find(line, recipe.left);
    if (lmtp_command_parse(&c, line, recipe.left, &r) != 0) {
        demand_refusal(&r);
        return 0;
    }
    demand_within(&c.argument, line, recipe.left);
    demand_within(&c.path, line, recipe.left);
    demand_within(&c.mail.envid, line, recipe.left);
    demand_within(&c.mail.auth, line, recipe.left);
    demand_within(&c.rcpt.notify, line, recipe.left);
    demand_within(&c.rcpt.orcpt, line, recipe.left);
    if (lmtp_command_in_order(&progress, &c, &r) != 0)
        demand_refusal(&r);
    if (c.verb == LMTP_MAIL || c.verb == LMTP_RCPT)
        try_write(&c, &next);
    return 0;
}
