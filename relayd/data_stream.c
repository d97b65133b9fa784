/* data_stream.c - where a message ends. */
#include "data_stream.h"

#include <string.h>

/* How much of CRLF.CRLF has been seen. The beginning of the data counts as that of a line. */
enum place { LINE_BEGIN, DOT, DOT_CR, TEXT, TEXT_CR };

static void break_off(struct data_stream *s, const char *why)
{
    if (s->broken.code == 0)
        (void)smtp_refuse(&s->broken, 554, "5.6.0", "%s", why);
}

/* Octets up to the next CR or LF. */
static size_t plain_measure(const char *octets, size_t len)
{
    size_t n = 0;

    while (n < len && octets[n] != '\r' && octets[n] != '\n')
        n++;
    return n;
}

static enum place after_octet(struct data_stream *s, enum place place, char c)
{
    bool cr = place == TEXT_CR || place == DOT_CR;

    if (cr && c == '\n')
        return LINE_BEGIN;
    if (cr)
        break_off(s, "CR without LF in the message");
    if (c == '\n')
        break_off(s, "LF without CR in the message");
    if (c == '\r')
        return place == DOT ? DOT_CR : TEXT_CR;
    return place == LINE_BEGIN && c == '.' ? DOT : TEXT;
}

/* A line, or a part of it, has so many octets more. */
static void line_grow(struct data_stream *s, size_t octets)
{
    s->line += octets;
    if (s->line > DATA_LINE_MAX)
        break_off(s, "a line of the message is too long");
}

int data_stream_take(size_t *took, struct data_stream *s, const char *octets, size_t len)
{
    enum place place = (enum place)s->place;
    size_t i = 0;

    while (i < len && !s->ended) {
        size_t plain = place == TEXT ? plain_measure(octets + i, len - i) : 0;
        enum place before = place;

        line_grow(s, plain);
        i += plain;
        if (i == len)
            break;
        line_grow(s, 1);
        place = after_octet(s, place, octets[i++]);
        if (place == LINE_BEGIN)
            s->line = 0;
        s->ended = before == DOT_CR && place == LINE_BEGIN;
    }
    s->place = (int)place;
    s->octets += i;
    *took = i;
    return s->ended;
}
