/*
 * fuzz_smtp_reply.c - what a server sends. In pieces it is the same as in one; what is kept is bounded; a broken reply
 * has a reason; a whole one is shown on one clean line, to the MTA too; what EHLO offers is what a
 * slow search for each keyword finds in its lines.
 *
 * The input: octets of a piece, then what the server sends.
 */
#include "lmtp_reply.h"
#include "recipe.h"
#include "smtp_ehlo.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand_clean(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        demand(text[i] >= 0x20 && text[i] < 0x7f);
}

/* What stands behind this keyword in the line, from the blank on; NULL: it is not the line's first word. */
static const char *behind(const char *line, const char *keyword)
{
    const char *at = line + strspn(line, " \t");

    if (strncasecmp(at, keyword, strlen(keyword)) != 0)
        return NULL;
    at += strlen(keyword);
    return *at == '\0' || *at == ' ' || *at == '\t' ? at : NULL;
}

/* The number behind SIZE; 0 if there is none, or it is too large. */
static uint64_t size_of(const char *behind_size)
{
    const char *at = behind_size + strspn(behind_size, " \t");
    size_t digits = strspn(at, "0123456789");
    unsigned long long number;

    if (digits == 0 || digits != strcspn(at, " \t"))
        return 0;
    errno = 0;
    number = strtoull(at, NULL, 10);
    return errno == 0 ? number : 0;
}

/* A slow search through the lines but the first: for one keyword, how often it is there, and alone on its line. */
static void search(const char *keyword, const struct smtp_reply *reply, size_t *there, size_t *alone, uint64_t *size)
{
    *there = *alone = 0;
    *size = 0;
    for (size_t i = 1; i < reply->lines; i++) {
        struct smtp_text text = smtp_reply_line(reply, i);
        char *line = strndup(text.at, text.len);
        const char *rest;

        demand(line != NULL && strlen(line) == text.len);
        rest = behind(line, keyword);
        if (rest != NULL) {
            ++*there;
            *alone += rest[strspn(rest, " \t")] == '\0';
            *size = size_of(rest);
        }
        free(line);
    }
}

static void demand_offers(const struct smtp_ehlo *offers, const struct smtp_reply *reply)
{
    const struct {
        const char *keyword;
        bool said;
    } plain[] = {{"STARTTLS", offers->starttls},
                 {"PIPELINING", offers->pipelining},
                 {"8BITMIME", offers->eightbitmime},
                 {"SMTPUTF8", offers->smtputf8},
                 {"DSN", offers->dsn},
                 {"CHUNKING", offers->chunking},
                 {"ENHANCEDSTATUSCODES", offers->enhanced_codes}};
    size_t there, alone;
    uint64_t size;

    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        search(plain[i].keyword, reply, &there, &alone, &size);
        demand(plain[i].said == (there > 0));
    }
    search("REQUIRETLS", reply, &there, &alone, &size);
    demand(offers->requiretls == (alone > 0)); /* R1 */
    search("SIZE", reply, &there, &alone, &size);
    demand(offers->size == (there > 0) && offers->size_max == size);
}

static void demand_whole(const struct smtp_reply *reply)
{
    struct smtp_ehlo offers;
    struct buf out;

    demand(reply->code >= 200 && reply->code <= 599);
    demand(reply->lines > 0 && reply->lines <= SMTP_REPLY_LINES_MAX);
    demand(strlen(reply->status) < SMTP_STATUS_BUF);
    demand(reply->status[0] == '\0' || reply->status[0] == (char)('0' + reply->code / 100));
    for (size_t i = 0; i <= reply->lines; i++)
        demand((smtp_reply_line(reply, i).at != NULL) == (i < reply->lines));
    smtp_ehlo_read(&offers, reply);
    demand_offers(&offers, reply);
    buf_init(&out, SMTP_REPLY_OCTETS_MAX);
    smtp_reply_show(&out, reply);
    demand(buf_ok(&out));
    demand_clean(out.data, out.len);
    buf_reset(&out);
    lmtp_reply_pass(&out, "mx.example", reply, reply->lines % 2 == 1);
    demand(out.len <= LMTP_REPLY_MAX && memcmp(out.data + out.len - 2, "\r\n", 2) == 0);
    demand_clean(out.data, out.len - 2);
    buf_clear(&out);
}

/* Read in pieces of so many octets. */
static int read_pieces(size_t *took, struct smtp_reply *reply, const char *octets, size_t len, size_t piece,
                       struct err *e)
{
    int rc = 0;

    for (*took = 0; rc == 0 && *took < len;) {
        size_t n, given = len - *took < piece ? len - *took : piece;

        rc = smtp_reply_read(&n, reply, octets + *took, given, e);
        demand(n <= given && (rc != 0 || n == given));
        *took += n;
    }
    return rc;
}

static void demand_same(const struct smtp_reply *a, const struct smtp_reply *b)
{
    demand(a->code == b->code && a->lines == b->lines && strcmp(a->status, b->status) == 0);
    demand(a->text.len == b->text.len && strcmp(buf_text(&a->text), buf_text(&b->text)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct recipe recipe = {data, size};
    size_t piece = take(&recipe) + 1, took = 0, took_pieces = 0;
    struct smtp_reply reply, pieces;
    struct err e = {""}, e_pieces = {""};
    int rc = 1;

    smtp_reply_init(&reply);
    smtp_reply_init(&pieces);
    while (rc == 1 && recipe.left > 0) {
        rc = smtp_reply_read(&took, &reply, (const char *)recipe.at, recipe.left, &e);
        demand(rc == read_pieces(&took_pieces, &pieces, (const char *)recipe.at, recipe.left, piece, &e_pieces));
        demand(took == took_pieces && strcmp(e.text, e_pieces.text) == 0 && (rc < 0) == (e.text[0] != '\0'));
        demand(took <= SMTP_REPLY_OCTETS_MAX && reply.text.cap <= SMTP_REPLY_OCTETS_MAX + 1);
        demand_same(&reply, &pieces);
        if (rc == 1)
            demand_whole(&reply);
        recipe.at += took;
        recipe.left -= took;
    }
    smtp_reply_clear(&reply);
    smtp_reply_clear(&pieces);
    return 0;
}
