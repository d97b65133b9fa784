/* smtp_text.c - see smtp_text.h. */
#include "smtp_text.h"

#include "ascii.h"

#include <string.h>
#include <strings.h>

bool smtp_text_is(const struct smtp_text *text, const char *word)
{
    return text->len == strlen(word) && strncasecmp(text->at, word, text->len) == 0;
}

bool smtp_text_is_ascii(const struct smtp_text *text)
{
    for (size_t i = 0; i < text->len; i++)
        if ((unsigned char)text->at[i] > 0x7f)
            return false;
    return true;
}

static char as_shown(char c)
{
    if (ascii_is_blank(c))
        return ' ';
    return ascii_is_visible(c) ? c : '?';
}

void smtp_text_clean(struct buf *out, const char *octets, size_t len)
{
    while (len > 0 && ascii_is_blank(octets[len - 1]))
        len--;
    if (!buf_reserve(out, len))
        return;
    for (size_t i = 0; i < len; i++)
        buf_char(out, as_shown(octets[i]));
}
