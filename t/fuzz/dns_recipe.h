/*
 * dns_recipe.h - replies to a DNS query from a recipe: any records in any section, owners on the CNAME chain and off
 * it, compression that points back, forward, in circles and into data, and lies about counts and lengths. An empty
 * recipe is an authenticated answer with one record of the type.
 */
#ifndef POSTERN_T_DNS_RECIPE_H
#define POSTERN_T_DNS_RECIPE_H

#include "dns_msg.h"
#include "recipe.h"

#define RECIPE_ID     0x1234
#define RECIPE_HEADER 12
#define RECIPE_OPT    11    /* octets that dns_query_build adds behind the question */
#define RECIPE_MAX    70000 /* more than a message may have */
#define RECIPE_NAMES  16

enum { RECIPE_SOA = 6, RECIPE_DNAME = 39, RECIPE_OPT_TYPE = 41, RECIPE_RRSIG = 46 };

struct dns_made {
    uint8_t octets[RECIPE_MAX];
    size_t len;
    size_t records; /* where they begin */
    enum dns_type type;
    bool ours;   /* it answers our question */
    bool honest; /* counts and lengths are true: records can be found in one way only */
    bool misfit; /* they are, but octets were added at the end, or cut off */
    size_t end;  /* the name where the chain of CNAMEs has come to */
    size_t name[RECIPE_NAMES];
    size_t names;
};

static inline void put8(struct dns_made *m, unsigned v)
{
    if (m->len < sizeof(m->octets))
        m->octets[m->len++] = (uint8_t)v;
}

static inline void put16(struct dns_made *m, unsigned v)
{
    put8(m, v >> 8);
    put8(m, v & 0xff);
}

static inline void put32(struct dns_made *m, uint32_t v)
{
    put16(m, v >> 16);
    put16(m, v & 0xffff);
}

static inline size_t put_room(const struct dns_made *m, size_t len)
{
    return len < sizeof(m->octets) - m->len ? len : sizeof(m->octets) - m->len;
}

static inline void put_octets(struct dns_made *m, const void *data, size_t len)
{
    len = put_room(m, len);
    if (len > 0)
        memcpy(m->octets + m->len, data, len);
    m->len += len;
}

static inline void put_fill(struct dns_made *m, unsigned octet, size_t len)
{
    len = put_room(m, len);
    memset(m->octets + m->len, (int)octet, len);
    m->len += len;
}

static inline void put_label(struct dns_made *m, const char *text)
{
    put8(m, (unsigned)strlen(text));
    put_octets(m, text, strlen(text));
}

static inline void put_pointer(struct dns_made *m, size_t to)
{
    put16(m, 0xc000U | (to & 0x3fff));
}

/* The name of the question without compression; bits of `upper` turn its letters. */
static inline void put_question_name(struct dns_made *m, unsigned upper)
{
    size_t at = RECIPE_HEADER;

    for (unsigned len = m->octets[at]; len != 0; len = m->octets[at]) {
        put8(m, len);
        for (size_t i = 1; i <= len; i++, upper = upper >> 1 | (upper & 1) << 7) {
            uint8_t c = m->octets[at + i];

            put8(m, (upper & 1) != 0 && c >= 'a' && c <= 'z' ? c ^ 0x20U : c);
        }
        at += 1 + len;
    }
    put8(m, 0);
}

static inline void put_host(struct dns_made *m, unsigned n)
{
    char label[4] = {(char)('h' + n / 26), (char)('a' + n % 26), '\0'};

    put_label(m, label);
    put_label(m, "example");
    put8(m, 0);
}

static inline void put_long_name(struct dns_made *m, unsigned octets)
{
    for (; octets > 65; octets -= 64) {
        put8(m, 63);
        put_fill(m, 'a', 63);
    }
    put8(m, octets - 2);
    put_fill(m, 'b', octets - 2);
    put8(m, 0);
}

static inline void put_raw_label(struct dns_made *m, struct recipe *r)
{
    uint8_t raw[63];
    size_t len = take_octets(raw, take(r) % 64, r);

    if (len > 0) {
        put8(m, (unsigned)len);
        put_octets(m, raw, len);
    }
    put_pointer(m, RECIPE_HEADER);
}

/* Names that no server sends. */
static inline void put_broken_name(struct dns_made *m, unsigned form, struct recipe *r)
{
    switch (form) {
    case 11:
        put_long_name(m, 256 + take(r) % 64);
        break;
    case 12:
        put_pointer(m, take16(r));
        break;
    case 13:
        put_pointer(m, m->len);
        break;
    case 14:
        put_pointer(m, m->len + 2 + take(r));
        break;
    default:
        put8(m, 0x40U | take(r) % 128);
    }
}

static inline void put_name(struct dns_made *m, unsigned form, unsigned n, struct recipe *r)
{
    size_t begin = m->len;

    switch (form) {
    case 0:
        put_pointer(m, RECIPE_HEADER);
        break;
    case 1:
        put_question_name(m, take(r));
        break;
    case 2:
        put_pointer(m, m->end);
        break;
    case 3:
        put_host(m, n);
        break;
    case 4:
        put_label(m, "_sub");
        put_pointer(m, n % 2 == 0 ? RECIPE_HEADER : m->end);
        break;
    case 5:
        put_host(m, take(r));
        break;
    case 6:
        put_pointer(m, RECIPE_HEADER + 1U + m->octets[RECIPE_HEADER]);
        break;
    case 7:
        put8(m, 0);
        break;
    case 8:
        put_raw_label(m, r);
        break;
    case 9:
        put_pointer(m, m->names == 0 ? RECIPE_HEADER : m->name[take(r) % m->names]);
        break;
    case 10:
        put_long_name(m, 250 + n % 6);
        break;
    default:
        put_broken_name(m, form, r);
    }
    if (m->names < RECIPE_NAMES)
        m->name[m->names++] = begin;
}

/* A name in data: a host unless the recipe says otherwise. */
static inline void put_target(struct dns_made *m, struct recipe *r)
{
    unsigned n = take(r);

    put_name(m, (n + 3) % 16, n / 16, r);
}

static inline void put_txt(struct dns_made *m, struct recipe *r)
{
    static const char *const texts[] = {
        "v=STSv1; id=1;",
        "v=STSv1; id=22;",
        "v=STSv1; id=",
        "v=TLSRPTv1; rua=mailto:a@b.example",
        "v=TLSRPTv1;\trua=https://b.example/x",
        "v=STSv1; id=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; x=y",
        "",
    };
    unsigned n = take(r);
    char raw[64];
    size_t len;

    if (n < sizeof(texts) / sizeof(texts[0])) {
        put_label(m, texts[n]);
    } else if (n == 255) { /* more than is kept of a text */
        put_label(m, texts[3]);
        for (unsigned i = take(r) % 6; i > 0; i--) {
            put8(m, 255);
            put_fill(m, 'c', 255);
        }
    } else { /* one text, in strings of one octet as a rule */
        len = take_octets(raw, n % sizeof(raw), r);
        for (size_t i = 0; i < len; i++) {
            put8(m, 1);
            put8(m, (uint8_t)raw[i]);
        }
    }
}

/* The key of RFC 8410 10.1: what can be read whole as a public key. */
static inline void put_key(struct dns_made *m)
{
    static const uint8_t head[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
    static const uint8_t key[] = {0x19, 0xbf, 0x44, 0x09, 0x69, 0x84, 0xcd, 0xfe, 0x85, 0x41, 0xba,
                                  0xc1, 0x67, 0xdc, 0x3b, 0x96, 0xc8, 0x50, 0x86, 0xaa, 0x30, 0xb6,
                                  0xb6, 0xcb, 0x0c, 0x5c, 0x38, 0xad, 0x70, 0x31, 0x66, 0xe1};

    put_octets(m, head, sizeof(head));
    put_octets(m, key, sizeof(key));
}

/* 3 1 1 unless the recipe says otherwise. */
static inline void put_tlsa(struct dns_made *m, struct recipe *r)
{
    unsigned n = take(r);
    unsigned matching = ((n >> 3 & 3) + 1) % 4;

    put8(m, 3 - (n & 3));
    put8(m, (n >> 2 & 1) ^ 1);
    put8(m, matching);
    if (n >= 0xf8)
        put_fill(m, n, (size_t)TLSA_DATA_MAX - 1 + take(r) % 3);
    else if ((n & 0x20) != 0)
        put_fill(m, n, take(r) % 70);
    else if (matching == 0)
        put_key(m);
    else
        put_fill(m, n, matching == 2 ? 64 : 32);
}

static inline void put_soa(struct dns_made *m, struct recipe *r)
{
    unsigned n = take(r);

    put_name(m, n % 2 == 0 ? 7 : n / 2 % 16, 0, r);
    put_name(m, 7, 0, r);
    for (unsigned i = 0; i < 4; i++)
        put32(m, 7200);
    put32(m, n < 128 ? n * 8U : n << 24);
}

static inline void put_opt(struct dns_made *m, struct recipe *r)
{
    static const uint8_t cookie[] = {0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8};
    unsigned n = take(r);

    if ((n & 0x40) != 0)
        put_octets(m, cookie, sizeof(cookie));
    if ((n & 0x80) != 0) {
        put16(m, 15); /* Extended DNS Error */
        put16(m, take(r) % 4);
        put16(m, n & 0x1f);
    }
}

static inline void put_rrsig(struct dns_made *m, struct recipe *r)
{
    put16(m, m->type);
    put8(m, 13);
    put8(m, 2);
    for (unsigned i = 0; i < 3; i++)
        put32(m, 1000);
    put16(m, 7);
    put_target(m, r);
    put_fill(m, 0x55, 64);
}

static inline void put_address(struct dns_made *m, unsigned type, unsigned n)
{
    static const uint8_t prefix[] = {0x20, 0x01, 0x0d, 0xb8}, mapped[] = {0xff, 0xff, 192, 0, 2};

    if (type == DNS_A) {
        put_octets(m, mapped + 2, 3);
    } else if (n < 240) {
        put_octets(m, prefix, sizeof(prefix));
        put_fill(m, 0, 11);
    } else {
        put_fill(m, 0, 10);
        put_octets(m, mapped, sizeof(mapped));
    }
    put8(m, n);
}

static inline void put_rdata(struct dns_made *m, unsigned type, struct recipe *r)
{
    size_t begin = m->len;
    uint8_t raw[64];

    switch (type) {
    case DNS_A:
    case DNS_AAAA:
        put_address(m, type, take(r));
        break;
    case DNS_CNAME:
        put_target(m, r);
        m->end = begin;
        break;
    case RECIPE_DNAME:
        put_target(m, r);
        break;
    case DNS_MX:
        put16(m, take(r));
        put_target(m, r);
        break;
    case DNS_TXT:
        put_txt(m, r);
        break;
    case DNS_TLSA:
        put_tlsa(m, r);
        break;
    case RECIPE_SOA:
        put_soa(m, r);
        break;
    case RECIPE_OPT_TYPE:
        put_opt(m, r);
        break;
    case RECIPE_RRSIG:
        put_rrsig(m, r);
        break;
    default:
        put_octets(m, raw, take_octets(raw, take(r) % sizeof(raw), r));
    }
}

static inline unsigned pick_type(struct dns_made *m, unsigned n, struct recipe *r)
{
    static const unsigned types[16] = {
        0,       0,        0,          DNS_CNAME,    DNS_A,           DNS_AAAA,     DNS_MX,
        DNS_TXT, DNS_TLSA, RECIPE_SOA, RECIPE_RRSIG, RECIPE_OPT_TYPE, RECIPE_DNAME, 0,
        0,       0};

    if (n == 15) { /* ldns may know it and step over the end of data that are none */
        unsigned type = take16(r);

        m->honest = m->honest && type >= 0xff00;
        return type;
    }
    return types[n] == 0 ? m->type : types[n];
}

static inline uint32_t pick_ttl(struct recipe *r)
{
    static const uint32_t ttls[] = {0, 1, 59, 3600, 86400, 86401, 0x7fffffff, 0x80000000, 0xffffffff};
    unsigned n = take(r);

    return n < sizeof(ttls) / sizeof(ttls[0]) ? ttls[n] : n * 40U;
}

/* One record. `plain` is its first octet in a recipe: the type in bits 0 to 3, the owner in 4 and 5, a TTL, a lie. */
static inline void put_record(struct dns_made *m, unsigned plain, struct recipe *r)
{
    unsigned type = pick_type(m, plain & 15, r);
    unsigned owner = plain >> 4 & 3, form = owner == 3 ? take(r) : 0;
    size_t at, size;

    if (type == RECIPE_OPT_TYPE)
        put8(m, 0);
    else if (owner == 3)
        put_name(m, form % 16, form / 16, r);
    else
        put_pointer(m, owner == 0     ? m->end
                       : owner == 1   ? RECIPE_HEADER
                       : m->names > 0 ? m->name[m->names - 1]
                                      : m->end);
    put16(m, type);
    put16(m, (plain & 15) == 14 ? 3 : 1); /* CHAOS, IN */
    put32(m, (plain & 0x40) != 0 ? pick_ttl(r) : type == RECIPE_OPT_TYPE ? 0 : 300);
    at = m->len;
    put16(m, 0);
    put_rdata(m, type, r);
    size = m->len - at - 2;
    if ((plain & 0x80) != 0) {
        size += take(r) - 128U;
        m->honest = false;
    }
    if (at + 1 < sizeof(m->octets)) {
        m->octets[at] = (uint8_t)(size >> 8);
        m->octets[at + 1] = (uint8_t)size;
    }
}

static inline void put_section(struct dns_made *m, size_t section, unsigned count, struct recipe *r)
{
    for (unsigned i = 0; i < count; i++)
        put_record(m, take(r), r);
    m->octets[7 + 2 * section] = (uint8_t)count;
}

/* Header and question as in the query, made a response. */
static inline void put_head(struct dns_made *m, const char *name)
{
    int size = dns_query_build(m->octets, sizeof(m->octets), name, m->type, RECIPE_ID, NULL);

    demand(size > RECIPE_HEADER + RECIPE_OPT);
    m->len = m->records = (size_t)size - RECIPE_OPT;
    m->octets[2] = 0x81;
    m->octets[11] = 0;
}

/* What is wrong with the message as a whole. */
static inline void make_hostile(struct dns_made *m, struct recipe *r)
{
    unsigned n = take(r), how = take(r);
    size_t letter = RECIPE_HEADER + 1;

    if ((n & 1) != 0)
        m->octets[how & 1] ^= (uint8_t)(1 + take(r) % 255);
    if ((n & 2) != 0)
        m->octets[RECIPE_HEADER + 1] ^= 1; /* a letter that is another one in either case */
    if ((n & 4) != 0)
        m->octets[2] = (uint8_t)take(r);
    if ((n & 8) != 0)
        m->octets[6 + how % 6] ^= (uint8_t)(1 + take(r) % 255);
    if ((n & 16) != 0)
        put_fill(m, how, 1 + how % 16);
    if ((n & 32) != 0)
        m->len -= how < m->len ? how : m->len;
    if ((n & 64) != 0) { /* the case of a letter: still our question */
        while (m->octets[letter] < 'a' || m->octets[letter] > 'z')
            letter++;
        m->octets[letter] ^= 0x20;
    }
    if ((n & 128) != 0)
        m->octets[5] = (uint8_t)take(r);
    m->ours = m->len >= m->records && (n & 3) == 0 && (m->octets[2] & 0xf8) == 0x80 && m->octets[5] == 1;
    m->misfit = m->honest && ((n & 0x38) == 16 || ((n & 0x38) == 32 && how > 0));
    m->honest = m->honest && (n & 0x38) == 0;
}

/*
 * A reply to (name, type, RECIPE_ID). Its first octet: the response code in bits 0 and 1, AD missing, something wrong
 * with the whole (RA missing and AA are in the octet that a response code of 3 has), how many records there are in each
 * section (one, an SOA beside none), and (bit 7) none.
 */
static inline void dns_make(struct dns_made *m, struct recipe *r, const char *name, enum dns_type type)
{
    static const unsigned rcodes[] = {0, 3, 2};
    unsigned n = take(r);
    unsigned other = (n & 3) == 3 ? take(r) : 0, rcode = (n & 3) == 3 ? other % 16 : rcodes[n & 3];
    bool none = (n & 128) != 0 || rcode != 0;

    m->type = type;
    m->ours = m->honest = true;
    m->misfit = false;
    m->end = RECIPE_HEADER;
    m->names = 0;
    put_head(m, name);
    m->octets[2] |= (other & 32) != 0 ? 0x04 : 0;
    m->octets[3] = (uint8_t)(((other & 16) != 0 ? 0 : 0x80) | ((n & 4) != 0 ? 0 : 0x20) | rcode);
    put_section(m, 0, (n & 16) != 0 ? take_count(r) : none ? 0 : 1, r);
    if ((n & 32) != 0) {
        put_section(m, 1, take_count(r), r);
    } else if (none) {
        put_record(m, 9, r);
        m->octets[9] = 1;
    }
    put_section(m, 2, (n & 64) != 0 ? take_count(r) : 0, r);
    if (m->len == sizeof(m->octets)) /* no room for all */
        m->honest = false;
    if ((n & 8) != 0)
        make_hostile(m, r);
    if (m->len > DNS_REPLY_MAX)
        m->ours = false;
}

#endif
