/* tls_required.c - reads TLS-Required. */
#include "tls_required.h"

#include "header_field.h"

#include <string.h>

const char *tls_required_name(enum tls_required r)
{
    static const char *const names[] = {"none", "no", "invalid"};

    return names[r];
}

enum tls_required tls_required_read(const char *value, size_t len)
{
    struct buf text;
    bool no;

    buf_init(&text, len);
    no = header_uncomment(&text, value, len) == 0 && buf_ok(&text) && text.len == 2 &&
         strncasecmp(buf_text(&text), "no", 2) == 0;
    buf_clear(&text);
    return no ? TLS_REQUIRED_NO : TLS_REQUIRED_INVALID;
}

enum tls_required tls_required_join(enum tls_required before, enum tls_required next)
{
    if (before == TLS_REQUIRED_NONE)
        return next;
    return next == TLS_REQUIRED_NONE || next == before ? before : TLS_REQUIRED_INVALID;
}
