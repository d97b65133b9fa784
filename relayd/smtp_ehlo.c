/* smtp_ehlo.c - see smtp_ehlo.h. */
#include "smtp_ehlo.h"

#include "ascii.h"

#include <string.h>

/* A keyword that only is there or not. */
static const struct {
    const char *word;
    size_t flag; /* where in struct smtp_ehlo */
} keywords[] = {
    {"STARTTLS", offsetof(struct smtp_ehlo, starttls)},
    {"PIPELINING", offsetof(struct smtp_ehlo, pipelining)},
    {"8BITMIME", offsetof(struct smtp_ehlo, eightbitmime)},
    {"SMTPUTF8", offsetof(struct smtp_ehlo, smtputf8)},
    {"DSN", offsetof(struct smtp_ehlo, dsn)},
    {"CHUNKING", offsetof(struct smtp_ehlo, chunking)},
    {"ENHANCEDSTATUSCODES", offsetof(struct smtp_ehlo, enhanced_codes)},
};

/* The next word between blanks; empty at the end. */
static struct smtp_text word_next(struct smtp_text *rest)
{
    struct smtp_text word;

    while (rest->len > 0 && ascii_is_blank(rest->at[0])) {
        rest->at++;
        rest->len--;
    }
    word = (struct smtp_text){rest->at, 0};
    while (word.len < rest->len && !ascii_is_blank(rest->at[word.len]))
        word.len++;
    rest->at += word.len;
    rest->len -= word.len;
    return word;
}

static uint64_t size_read(const struct smtp_text *number)
{
    uint64_t size = 0;

    for (size_t i = 0; i < number->len; i++)
        if (!ascii_is_digit(number->at[i]) || __builtin_mul_overflow(size, 10U, &size) ||
            __builtin_add_overflow(size, (uint64_t)(number->at[i] - '0'), &size))
            return 0;
    return size;
}

static void line_read(struct smtp_ehlo *out, struct smtp_text line)
{
    struct smtp_text word = word_next(&line), parameter = word_next(&line);

    if (smtp_text_is(&word, "REQUIRETLS"))
        out->requiretls = out->requiretls || parameter.len == 0;
    if (smtp_text_is(&word, "SIZE")) {
        out->size = true;
        out->size_max = size_read(&parameter);
    }
    for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
        if (smtp_text_is(&word, keywords[i].word))
            *(bool *)((char *)out + keywords[i].flag) = true;
}

void smtp_ehlo_read(struct smtp_ehlo *out, const struct smtp_reply *reply)
{
    memset(out, 0, sizeof(*out));
    for (size_t i = 1; i < reply->lines; i++)
        line_read(out, smtp_reply_line(reply, i));
}
