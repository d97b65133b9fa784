/* dns_wire.c - names between text and the labels of a DNS message (RFC 1035 3.1). No compression: the codec has undone
 * it. */
#include "dns_wire.h"

#include <string.h>

int dns_wire_from_name(uint8_t out[DNS_WIRE_MAX], const char *name, struct err *e)
{
    size_t used = 0;

    while (*name != '\0') {
        size_t len = strcspn(name, ".");

        if (len == 0 || len > LABEL_MAX)
            return err_set(e, "name with an empty label or one over %d octets", LABEL_MAX);
        if (used + 1 + len + 1 > DNS_WIRE_MAX)
            return err_set(e, "name over %d octets", DOMAIN_MAX);
        out[used] = (uint8_t)len;
        memcpy(out + used + 1, name, len);
        used += 1 + len;
        name += len;
        if (*name == '.')
            name++;
    }
    if (used == 0)
        return err_set(e, "empty name");
    out[used] = 0;
    return (int)(used + 1);
}

/* Copy one label and its dot. Returns 0, or -1 for octets that no name has. */
static int label_to_text(char *out, const uint8_t *label, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (label[i] <= ' ' || label[i] >= 0x7f || label[i] == '.')
            return -1;
        out[i] = (char)label[i];
    }
    out[len] = '.';
    return 0;
}

int dns_wire_to_name(char out[DOMAIN_BUF], const uint8_t *wire, size_t len, struct err *e)
{
    char text[DNS_WIRE_MAX];
    size_t used = 0;

    out[0] = '\0';
    if (len == 0 || len > DNS_WIRE_MAX)
        return err_set(e, "name of %zu octets", len);
    for (size_t pos = 0; wire[pos] != 0; pos += 1 + (size_t)wire[pos]) {
        size_t size = wire[pos];

        if (size > LABEL_MAX || pos + 1 + size >= len)
            return err_set(e, "label of %zu octets runs over the end of its name", size);
        if (label_to_text(text + used, wire + pos + 1, size) != 0)
            return err_set(e, "label with octets that no name has");
        used += size + 1;
    }
    return used == 0 ? 0 : domain_normalise(out, text, used - 1, e);
}
