/*
 * domain.c - domain names and addresses in their one form. An A-label that is given as such is taken as it is: whether
 * its punycode decodes is not looked at, as it can only be an unknown name.
 */
#include "domain.h"

#include <arpa/inet.h>
#include <idn2.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* UTF-8 is longer than the A-labels it becomes: 4 labels of 56 characters of 4 octets are 900; beyond is no name. */
#define UTF8_MAX 1024

/* The octet in lower case, or 0 when no name has it. */
static char fold_octet(char c)
{
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_')
        return c;
    if (c >= 'A' && c <= 'Z')
        return (char)(c + ('a' - 'A'));
    return '\0';
}

/* The rule that a finished label breaks, or NULL. */
static const char *label_fault(const char *label, size_t len)
{
    if (len == 0)
        return "an empty label";
    if (len > LABEL_MAX)
        return "a label of more than 63 octets";
    if (label[0] == '-' || label[len - 1] == '-')
        return "a label begins or ends with '-'";
    return NULL;
}

static bool all_digits(const char *s, size_t len)
{
    size_t i;

    for (i = 0; i < len && s[i] >= '0' && s[i] <= '9'; i++) {
    }
    return i == len;
}

/* The one pass over an ASCII name. Returns 0, 1 at the first octet beyond ASCII, or -1. */
static int normalise_ascii(char out[DOMAIN_BUF], const char *name, size_t len, struct err *e)
{
    size_t n = 0;
    size_t start = 0; /* of the label in out */
    const char *fault;
    size_t i;

    if (len > 1 && name[len - 1] == '.')
        len--;
    for (i = 0; i < len; i++) {
        char c = name[i] == '.' ? '.' : fold_octet(name[i]);
        if (c == '\0')
            return (unsigned char)name[i] >= 0x80 ? 1 : err_set(e, "an octet that no domain name has");
        if (n == DOMAIN_MAX)
            return err_set(e, "a name of more than %d octets", DOMAIN_MAX);
        if (c == '.') {
            fault = label_fault(out + start, n - start);
            if (fault != NULL)
                return err_set(e, "%s", fault);
            start = n + 1;
        }
        out[n++] = c;
    }
    fault = label_fault(out + start, n - start);
    if (fault == NULL && all_digits(out + start, n - start))
        fault = "the last label is a number";
    if (fault != NULL)
        return err_set(e, "%s", fault);
    out[n] = '\0';
    return 0;
}

static int normalise_idn(char out[DOMAIN_BUF], const char *name, size_t len, struct err *e)
{
    uint8_t utf8[UTF8_MAX + 1];
    uint8_t *ascii = NULL;
    int rc;

    if (len > UTF8_MAX)
        return err_set(e, "a name of more than %d octets", UTF8_MAX);
    if (memchr(name, '\0', len) != NULL)
        return err_set(e, "an octet that no domain name has");
    memcpy(utf8, name, len);
    utf8[len] = '\0';
    rc = idn2_lookup_u8(utf8, &ascii, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT);
    if (rc != IDN2_OK)
        return err_set(e, "not a valid international name: %s", idn2_strerror(rc));
    /* The mapping may have made anything of it: blanks, slashes, empty labels, a second final dot. */
    rc = normalise_ascii(out, (const char *)ascii, strlen((const char *)ascii), e);
    idn2_free(ascii);
    return rc > 0 ? err_set(e, "an octet that no domain name has") : rc;
}

int domain_normalise(char out[DOMAIN_BUF], const char *name, size_t len, struct err *e)
{
    int rc;

    if (len == 0)
        return err_set(e, "an empty name");
    rc = normalise_ascii(out, name, len, e);
    return rc > 0 ? normalise_idn(out, name, len, e) : rc;
}

bool domain_equal(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* Only text that can be an address gets as far as the copy: look-ups of names come by here too. */
int address_normalise(char out[ADDRESS_BUF], const char *text, size_t len)
{
    static const char prefix[] = "IPv6:";
    const size_t prefix_len = sizeof(prefix) - 1;
    unsigned char binary[sizeof(struct in6_addr)];
    char copy[ADDRESS_BUF];
    int family = AF_INET;

    if (len > prefix_len && strncasecmp(text, prefix, prefix_len) == 0) {
        text += prefix_len;
        len -= prefix_len;
        family = AF_INET6;
    } else if (len > 0 && memchr(text, ':', len) != NULL) {
        family = AF_INET6;
    }
    if (len == 0 || len >= sizeof(copy) || (family == AF_INET && (text[0] < '0' || text[0] > '9')))
        return 0;
    if (memchr(text, '\0', len) != NULL)
        return 0;
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (inet_pton(family, copy, binary) != 1)
        return 0;
    return inet_ntop(family, binary, out, ADDRESS_BUF) != NULL;
}

void address_network(char out[ADDRESS_BUF], const char *address)
{
    unsigned char binary[sizeof(struct in6_addr)];

    if (inet_pton(AF_INET6, address, binary) == 1) {
        memset(binary + sizeof(binary) / 2, 0, sizeof(binary) / 2);
        (void)inet_ntop(AF_INET6, binary, out, ADDRESS_BUF);
    } else {
        (void)snprintf(out, ADDRESS_BUF, "%s", address);
    }
}
