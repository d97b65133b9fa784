/* netstring.c - the one netstring codec. It keeps no state: a caller that waits for more octets parses from the start
 * again, which costs a look at ten octets at most. */
#include "netstring.h"

#include <stdint.h>
#include <string.h>

/* Read the digits. Returns how many there are, 0 when they break a rule; the caller knows that len > 0. */
static size_t parse_length(uint64_t *out, const char *buf, size_t len, size_t max)
{
    uint64_t n = 0;
    size_t i;

    for (i = 0; i < len && buf[i] >= '0' && buf[i] <= '9'; i++) {
        if (i > 0 && n == 0)
            return 0; /* a leading zero */
        n = n * 10 + (uint64_t)(buf[i] - '0');
        if (n > max)
            return 0;
    }
    *out = n;
    return i;
}

int netstring_parse(struct netstring *out, const char *buf, size_t len, size_t max)
{
    uint64_t size;
    size_t head;

    if (max > NETSTRING_MAX)
        max = NETSTRING_MAX;
    if (len == 0)
        return 0;
    head = parse_length(&size, buf, len, max);
    if (head == 0)
        return -1;
    if (head == len)
        return 0;
    if (buf[head] != ':')
        return -1;
    head++;
    if (len - head <= size)
        return 0;
    if (buf[head + size] != ',')
        return -1;
    out->data = buf + head;
    out->len = (size_t)size;
    out->total = head + (size_t)size + 1;
    return 1;
}

size_t netstring_head(char out[NETSTRING_OVERHEAD], size_t len)
{
    size_t digits = 1;
    size_t n;
    size_t i;

    if (len > NETSTRING_MAX)
        return 0;
    for (n = len; n >= 10; n /= 10)
        digits++;
    n = len;
    for (i = digits; i > 0; i--) {
        out[i - 1] = (char)('0' + n % 10);
        n /= 10;
    }
    out[digits] = ':';
    return digits + 1;
}

size_t netstring_write(char *out, size_t cap, const char *data, size_t len)
{
    char head[NETSTRING_OVERHEAD];
    size_t n = netstring_head(head, len);

    if (n == 0 || cap < n + 1 || cap - n - 1 < len)
        return 0;
    memcpy(out, head, n);
    if (len > 0)
        memcpy(out + n, data, len);
    out[n + len] = ',';
    return n + len + 1;
}
