/* smtp_reply.c - an incremental reader: octet by octet within a line, so that a piece may end anywhere. */
#include "smtp_reply.h"

#include "ascii.h"

#include <stdio.h>
#include <string.h>

#define CODE 3 /* digits */

void smtp_reply_init(struct smtp_reply *reply)
{
    memset(reply, 0, sizeof(*reply));
    buf_init(&reply->text, SMTP_REPLY_OCTETS_MAX);
}

void smtp_reply_clear(struct smtp_reply *reply)
{
    buf_clear(&reply->text);
    smtp_reply_init(reply);
}

/* A new one begins; the memory is kept. */
static void begin(struct smtp_reply *reply)
{
    struct buf text = reply->text;

    smtp_reply_init(reply);
    reply->text = text;
    buf_reset(&reply->text);
}

static int limits_check(const struct smtp_reply *reply, struct err *e)
{
    if (reply->line_octets >= SMTP_REPLY_LINE_MAX)
        return err_set(e, "a line of the reply is longer than %d octets", SMTP_REPLY_LINE_MAX);
    if (reply->octets >= SMTP_REPLY_OCTETS_MAX)
        return err_set(e, "the reply is longer than %d octets", SMTP_REPLY_OCTETS_MAX);
    if (reply->lines >= SMTP_REPLY_LINES_MAX)
        return err_set(e, "the reply has more than %d lines", SMTP_REPLY_LINES_MAX);
    return 0;
}

static unsigned place_value(size_t digit)
{
    static const unsigned of[CODE] = {100, 10, 1};

    return of[digit];
}

/* The n-th octet of a line is a digit of the code: of the first line's, or the same as there. */
static int code_take(struct smtp_reply *reply, size_t n, char c, struct err *e)
{
    unsigned place = place_value(n);

    if (!ascii_is_digit(c) || (n == 0 && (c < '2' || c > '5')))
        return err_set(e, "the reply does not begin with a code from 200 to 599");
    if (reply->lines == 0)
        reply->code += (unsigned)(c - '0') * place;
    else if (reply->code / place % 10 != (unsigned)(c - '0'))
        return err_set(e, "the code of the reply changes within it, it was %u", reply->code);
    return 0;
}

static int octet_take(struct smtp_reply *reply, char c, struct err *e)
{
    size_t n = reply->line_octets;

    if (reply->cr)
        return err_set(e, "CR without LF in the reply");
    if (c == '\n' || c == '\0')
        return err_set(e, "%s in the reply", c == '\n' ? "LF without CR" : "NUL");
    if (n < CODE)
        return code_take(reply, n, c, e);
    if (c == '\r') {
        reply->cr = true;
    } else if (n > CODE) {
        buf_char(&reply->text, c);
    } else {
        if (c != ' ' && c != '-')
            return err_set(e, "neither a blank nor '-' behind the code %u of the reply", reply->code);
        reply->separator = c;
    }
    return 0;
}

/* "5.1.1", then a blank or the end (RFC 3463 2). Returns its length, or 0. */
static size_t status_measure(const struct smtp_text *line, unsigned class)
{
    size_t n = 1;

    if (line->len < 2 || line->at[0] != (char)('0' + class) || class == 3)
        return 0;
    for (int part = 0; part < 2; part++) {
        size_t digits = 0;

        if (n == line->len || line->at[n++] != '.')
            return 0;
        while (n < line->len && digits < 3 && ascii_is_digit(line->at[n])) {
            digits++;
            n++;
        }
        if (digits == 0)
            return 0;
    }
    return n == line->len || ascii_is_blank(line->at[n]) ? n : 0;
}

static void line_end(struct smtp_reply *reply)
{
    struct smtp_text line = {buf_text(&reply->text) + reply->line_at, reply->text.len - reply->line_at};
    size_t len = status_measure(&line, reply->code / 100);

    if (len > 0 && reply->status[0] == '\0') {
        memcpy(reply->status, line.at, len);
        reply->status[len] = '\0';
    }
    buf_char(&reply->text, '\n');
    reply->lines++;
    reply->whole = reply->separator != '-';
    reply->line_at = reply->text.len;
    reply->line_octets = 0;
    reply->separator = ' ';
    reply->cr = false;
}

static int octet_read(struct smtp_reply *reply, char c, struct err *e)
{
    if (limits_check(reply, e) != 0)
        return -1;
    reply->octets++;
    if (reply->cr && c == '\n')
        line_end(reply);
    else if (octet_take(reply, c, e) != 0)
        return -1;
    else
        reply->line_octets++;
    return buf_ok(&reply->text) ? 0 : err_set(e, "no memory for the reply");
}

int smtp_reply_read(size_t *took, struct smtp_reply *reply, const char *octets, size_t len, struct err *e)
{
    *took = 0;
    if (reply->broken)
        return err_set(e, "the reply was broken");
    if (reply->whole)
        begin(reply);
    while (*took < len && !reply->whole) {
        if (octet_read(reply, octets[*took], e) != 0) {
            reply->broken = true;
            return -1;
        }
        ++*took;
    }
    return reply->whole;
}

int smtp_reply_ends_clear(size_t took, size_t len, struct err *e)
{
    if (took == len)
        return 0;
    return err_set(e, "%zu octets in clear behind the reply to STARTTLS, as an attacker in between would send them",
                   len - took);
}

/* Cut the next line off; what is left begins behind its LF. */
static struct smtp_text line_next(struct smtp_text *rest)
{
    const char *end = memchr(rest->at, '\n', rest->len);
    struct smtp_text line = {rest->at, end == NULL ? rest->len : (size_t)(end - rest->at)};
    size_t took = line.len + (end != NULL);

    rest->at += took;
    rest->len -= took;
    return line;
}

struct smtp_text smtp_reply_line(const struct smtp_reply *reply, size_t n)
{
    struct smtp_text rest = {buf_text(&reply->text), reply->text.len};

    if (n >= reply->lines)
        return (struct smtp_text){NULL, 0};
    while (n-- > 0)
        line_next(&rest);
    return line_next(&rest);
}

void smtp_reply_host(char *out, size_t size, const struct smtp_reply *reply)
{
    struct smtp_text line = smtp_reply_line(reply, 0);
    size_t len = 0;

    while (len < line.len && len + 1 < size && line.at[len] != ' ')
        len++;
    if (len > 0)
        memcpy(out, line.at, len);
    out[len] = '\0';
}

void smtp_reply_show(struct buf *out, const struct smtp_reply *reply)
{
    struct smtp_text rest = {buf_text(&reply->text), reply->text.len};
    size_t status = strlen(reply->status);

    buf_printf(out, "%u%s%s", reply->code, status > 0 ? " " : "", reply->status);
    for (size_t i = 0; i < reply->lines; i++) {
        struct smtp_text line = line_next(&rest);
        size_t from = status_measure(&line, reply->code / 100);

        if (from != status || memcmp(line.at, reply->status, status) != 0)
            from = 0;
        while (from < line.len && ascii_is_blank(line.at[from]))
            from++;
        if (from == line.len)
            continue;
        buf_char(out, ' ');
        smtp_text_clean(out, line.at + from, line.len - from);
    }
}
