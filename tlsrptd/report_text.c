/* report_text.c - see report_text.h. */
#include "report_text.h"

#include "utf8.h"

#include <string.h>

static bool is_fit(uint32_t code)
{
    bool control = code >= 0x7f && code <= 0x9f;
    bool none = (code >= 0xfdd0 && code <= 0xfdef) || (code & 0xfffe) == 0xfffe;

    return !control && !none;
}

void report_text(struct buf *out, const char *text, size_t max)
{
    size_t left = strlen(text), written = 0;

    while (left > 0) {
        size_t octets = utf8_measure(text, left), took = octets > 0 ? octets : 1;
        bool fit = octets > 0 && is_fit(utf8_code(text, octets));
        size_t len = fit ? octets : 1;

        if (written + len > max)
            return;
        buf_add(out, fit ? text : "?", len);
        written += len;
        text += took;
        left -= took;
    }
}
