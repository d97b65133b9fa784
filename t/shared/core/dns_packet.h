/* dns_packet.h - for the tests of dns_*.c: DNS messages put together octet by octet, good and bad ones. */
#ifndef POSTERN_T_DNS_PACKET_H
#define POSTERN_T_DNS_PACKET_H

#include <stdint.h>
#include <string.h>

#define PACKET_ID   0x1234
#define FLAG_QR     0x8000U
#define FLAG_TC     0x0200U
#define FLAG_AD     0x0020U
#define REPLY       0x8180U /* QR, RD, RA */
#define SERVFAIL    2U
#define NXDOMAIN    3U
#define TYPE_SOA    6U
#define TYPE_OPT    41U
#define PACKET_ROOM 70000

/* The counts stand at 4 + 2 * section. */
enum section { QUESTION, ANSWER, AUTHORITY, ADDITIONAL };

struct packet {
    uint8_t data[PACKET_ROOM];
    size_t len;
};

static inline void put_u16(struct packet *p, unsigned n)
{
    p->data[p->len++] = (uint8_t)(n >> 8);
    p->data[p->len++] = (uint8_t)n;
}

static inline void put_octets(struct packet *p, const void *data, size_t len)
{
    memcpy(p->data + p->len, data, len);
    p->len += len;
}

/* The labels of a name in text, without compression; "" is the root. Returns the octets written to out. */
static inline size_t labels(uint8_t *out, const char *name)
{
    size_t used = 0;

    while (*name != '\0') {
        size_t len = strcspn(name, ".");

        out[used] = (uint8_t)len;
        memcpy(out + used + 1, name, len);
        used += 1 + len;
        name += len + (name[len] == '.' ? 1 : 0);
    }
    out[used] = 0;
    return used + 1;
}

static inline void put_name(struct packet *p, const char *name)
{
    p->len += labels(p->data + p->len, name);
}

static inline void count_up(struct packet *p, enum section s)
{
    uint8_t *at = p->data + 4 + 2 * (size_t)s;

    if (++at[1] == 0)
        at[0]++;
}

/* Header and question. */
static inline void packet_begin(struct packet *p, unsigned flags, const char *name, unsigned type)
{
    p->len = 0;
    put_u16(p, PACKET_ID);
    put_u16(p, flags);
    put_octets(p, "\0\0\0\0\0\0\0\0", 8);
    put_name(p, name);
    put_u16(p, type);
    put_u16(p, 1);
    count_up(p, QUESTION);
}

static inline void put_rr(struct packet *p, enum section s, const char *owner, unsigned type, uint32_t ttl,
                          const void *rdata, size_t len)
{
    put_name(p, owner);
    put_u16(p, type);
    put_u16(p, 1);
    put_u16(p, ttl >> 16);
    put_u16(p, ttl & 0xffff);
    put_u16(p, (unsigned)len);
    put_octets(p, rdata, len);
    count_up(p, s);
}

static inline void put_a(struct packet *p, const char *owner, uint32_t ttl, const char *four)
{
    put_rr(p, ANSWER, owner, 1, ttl, four, 4);
}

static inline void put_cname(struct packet *p, const char *owner, uint32_t ttl, const char *target)
{
    uint8_t wire[300];

    put_rr(p, ANSWER, owner, 5, ttl, wire, labels(wire, target));
}

static inline void put_mx(struct packet *p, const char *owner, uint32_t ttl, unsigned preference, const char *exchange)
{
    uint8_t wire[300] = {(uint8_t)(preference >> 8), (uint8_t)preference};

    put_rr(p, ANSWER, owner, 15, ttl, wire, 2 + labels(wire + 2, exchange));
}

static inline void put_soa(struct packet *p, const char *zone, uint32_t ttl, uint32_t minimum)
{
    uint8_t wire[64] = {0};
    size_t len = labels(wire, "ns.test") + 17; /* the RNAME is the root, then five numbers */

    wire[len++] = (uint8_t)(minimum >> 24);
    wire[len++] = (uint8_t)(minimum >> 16);
    wire[len++] = (uint8_t)(minimum >> 8);
    wire[len++] = (uint8_t)minimum;
    put_rr(p, AUTHORITY, zone, TYPE_SOA, ttl, wire, len);
}

/* An OPT record: upper octet of the response code, and options. */
static inline void put_opt(struct packet *p, unsigned rcode_high, const void *options, size_t len)
{
    p->data[p->len++] = 0;
    put_u16(p, TYPE_OPT);
    put_u16(p, 1232);
    put_u16(p, rcode_high << 8);
    put_u16(p, 0x8000);
    put_u16(p, (unsigned)len);
    put_octets(p, options, len);
    count_up(p, ADDITIONAL);
}

#endif
