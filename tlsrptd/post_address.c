/* post_address.c - see post_address.h. */
#include "post_address.h"

#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

static const struct {
    uint32_t network;
    unsigned bits;
} closed4[] = {
    {0x00000000, 8},  /* this network */
    {0x0a000000, 8},  /* private */
    {0x64400000, 10}, /* of providers, for many customers at one address */
    {0x7f000000, 8},  /* loopback */
    {0xa9fe0000, 16}, /* link-local */
    {0xac100000, 12}, /* private */
    {0xc0000000, 24}, /* for protocols */
    {0xc0000200, 24}, /* for documents */
    {0xc0586300, 24}, /* relays of 6to4, no more */
    {0xc0a80000, 16}, /* private */
    {0xc6120000, 15}, /* for measurements */
    {0xc6336400, 24}, /* for documents */
    {0xcb007100, 24}, /* for documents */
    {0xe0000000, 3},  /* multicast, and reserved */
};

static bool is_public4(const unsigned char octet[4])
{
    uint32_t a = (uint32_t)octet[0] << 24 | (uint32_t)octet[1] << 16 | (uint32_t)octet[2] << 8 | octet[3];

    for (size_t i = 0; i < sizeof(closed4) / sizeof(closed4[0]); i++)
        if ((a ^ closed4[i].network) >> (32 - closed4[i].bits) == 0)
            return false;
    return true;
}

static bool begins(const unsigned char octet[16], const char *prefix, size_t len)
{
    return memcmp(octet, prefix, len) == 0;
}

static bool is_public6(const unsigned char octet[16])
{
    if (begins(octet, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) || begins(octet, "\0\x64\xff\x9b\0\0\0\0\0\0\0\0", 12))
        return is_public4(octet + 12); /* mapped; NAT64 */
    if (begins(octet, "\x20\x02", 2))
        return is_public4(octet + 2); /* 6to4 */
    if (begins(octet, "\x20\x01\x0d\xb8", 4) || (begins(octet, "\x20\x01", 2) && octet[2] < 2))
        return false; /* for documents; for protocols, with Teredo */
    if (begins(octet, "\x3f\xff", 2) && octet[2] < 0x10)
        return false; /* for documents */
    return octet[0] >> 5 == 1;
}

bool post_address_is_public(const struct sockaddr *sa, socklen_t len)
{
    struct sockaddr_in in4;
    struct sockaddr_in6 in6;

    if (sa->sa_family == AF_INET && len >= sizeof(in4)) {
        memcpy(&in4, sa, sizeof(in4));
        return is_public4((const unsigned char *)&in4.sin_addr);
    }
    if (sa->sa_family == AF_INET6 && len >= sizeof(in6)) {
        memcpy(&in6, sa, sizeof(in6));
        return is_public6(in6.sin6_addr.s6_addr);
    }
    return false;
}
