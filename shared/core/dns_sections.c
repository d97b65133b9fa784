/*
 * dns_sections.c - cut a DNS message into its records. The bounds of each record are found here, from its length; ldns
 * reads those that are of use, one at a time, and must come out at the same place: left to itself it takes octets that
 * remain in one record's rdata for the beginning of the next.
 */
#include "dns_sections.h"

#include "dns_wire.h"

#include <stdlib.h>
#include <string.h>

#define RR_FIXED_SIZE 10 /* type, class, TTL, length */
#define POINTERS_MAX \
    64 /* of one name; servers use one. ldns would follow thousands for each record of a hostile message */

/* Where one record stands. */
struct extent {
    unsigned type;
    size_t begin;
    size_t fixed; /* its type field */
    size_t rdata;
    size_t end;
};

static unsigned read_u16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

/* Over a name, compressed or not, without following it. Returns where it ends, or 0 when it does not. */
static size_t skip_name(const uint8_t *pkt, size_t len, size_t pos)
{
    while (pos < len) {
        if (pkt[pos] == 0)
            return pos + 1;
        if (pkt[pos] >= 0xc0)
            return pos + 2;
        pos += 1 + (size_t)pkt[pos];
    }
    return 0;
}

static int find_extent(struct extent *out, const uint8_t *pkt, size_t len, size_t pos, struct err *e)
{
    size_t fixed = skip_name(pkt, len, pos);

    if (fixed == 0 || fixed > len || len - fixed < RR_FIXED_SIZE)
        return err_set(e, "octet %zu: record without end", pos);
    out->type = read_u16(pkt + fixed);
    out->begin = pos;
    out->fixed = fixed;
    out->rdata = fixed + RR_FIXED_SIZE;
    out->end = out->rdata + read_u16(pkt + fixed + 8);
    return out->end > len ? err_set(e, "octet %zu: record runs over the end", pos) : 0;
}

/* The name at pos is followed in few steps. Whether it is a good one is for ldns to say. */
static bool name_short(const uint8_t *pkt, size_t len, size_t pos)
{
    unsigned pointers = 0;
    size_t octets = 0;

    while (pos < len && pkt[pos] != 0) {
        if (pkt[pos] < 0xc0) {
            octets += 1 + (size_t)pkt[pos];
            pos += 1 + (size_t)pkt[pos];
        } else if (pos + 1 < len) {
            pointers++;
            pos = read_u16(pkt + pos) & 0x3fff;
        } else {
            return false;
        }
        if (pointers > POINTERS_MAX || octets > DNS_WIRE_MAX)
            return false;
    }
    return pos < len;
}

/* The same for the owner and for the names in the data, of the types that are read. */
static bool names_short(const uint8_t *pkt, size_t len, const struct extent *x)
{
    if (!name_short(pkt, len, x->begin))
        return false;
    switch (x->type) {
    case LDNS_RR_TYPE_CNAME:
        return name_short(pkt, len, x->rdata);
    case LDNS_RR_TYPE_MX:
        return name_short(pkt, len, x->rdata + 2);
    case LDNS_RR_TYPE_SOA:
        return name_short(pkt, len, x->rdata) && name_short(pkt, len, skip_name(pkt, len, x->rdata));
    default:
        return true;
    }
}

static int read_record(ldns_rr_list *list, const uint8_t *pkt, size_t len, const struct extent *x, struct err *e)
{
    size_t pos = x->begin;
    ldns_rr *rr = NULL;
    ldns_status status;

    if (!names_short(pkt, len, x))
        return err_set(e, "octet %zu: name without end, or too long", x->begin);
    status = ldns_wire2rr(&rr, pkt, len, &pos, LDNS_SECTION_ANSWER);
    if (status != LDNS_STATUS_OK)
        return err_set(e, "octet %zu: %s", x->begin, ldns_get_errorstr_by_id(status));
    if (pos != x->end) {
        ldns_rr_free(rr);
        return err_set(e, "octet %zu: data of the wrong length", x->begin);
    }
    if (!ldns_rr_list_push_rr(list, rr)) {
        ldns_rr_free(rr);
        return err_set(e, "no memory");
    }
    return 0;
}

/* EDNS: the upper octet of the response code is the first of the TTL; options are code, length, data (RFC 6891 6.1.2).
 */
static void read_opt(struct dns_sections *out, const uint8_t *pkt, const struct extent *x)
{
    size_t pos = x->rdata;

    out->rcode_high = pkt[x->fixed + 4];
    while (x->end - pos >= 4) {
        unsigned code = read_u16(pkt + pos);
        size_t size = read_u16(pkt + pos + 2);

        pos += 4;
        if (size > x->end - pos)
            return; /* an option that we do not need either */
        if (code == LDNS_EDNS_EDE && size >= 2 && out->ede == 0)
            out->ede = read_u16(pkt + pos);
        pos += size;
    }
}

/* The list that a record of this section and type goes to, or NULL when it is of no use. */
static ldns_rr_list *list_for(const struct dns_sections *out, ldns_pkt_section section, unsigned found,
                              enum dns_type type)
{
    if (section == LDNS_SECTION_ANSWER && (found == (unsigned)type || found == DNS_CNAME))
        return out->answer;
    return section == LDNS_SECTION_AUTHORITY && found == LDNS_RR_TYPE_SOA ? out->authority : NULL;
}

/* The record at *pos, which moves to its end. */
static int read_one(struct dns_sections *out, size_t *pos, ldns_pkt_section section, const uint8_t *pkt, size_t len,
                    enum dns_type type, struct err *e)
{
    struct extent x = {0};
    ldns_rr_list *list;

    if (find_extent(&x, pkt, len, *pos, e) != 0)
        return -1;
    *pos = x.end;
    list = list_for(out, section, x.type, type);
    if (list != NULL)
        return read_record(list, pkt, len, &x, e);
    if (section == LDNS_SECTION_ADDITIONAL && x.type == LDNS_RR_TYPE_OPT)
        read_opt(out, pkt, &x);
    return 0;
}

int dns_sections_read(struct dns_sections *out, const uint8_t *pkt, size_t len, size_t pos, enum dns_type type,
                      struct err *e)
{
    static const ldns_pkt_section sections[] = {LDNS_SECTION_ANSWER, LDNS_SECTION_AUTHORITY, LDNS_SECTION_ADDITIONAL};

    memset(out, 0, sizeof(*out));
    out->answer = ldns_rr_list_new();
    out->authority = ldns_rr_list_new();
    if (out->answer == NULL || out->authority == NULL)
        return err_set(e, "no memory");
    for (size_t s = 0; s < sizeof(sections) / sizeof(sections[0]); s++) {
        for (unsigned left = read_u16(pkt + 6 + 2 * s); left > 0; left--)
            if (read_one(out, &pos, sections[s], pkt, len, type, e) != 0)
                return -1;
    }
    return pos == len ? 0 : err_set(e, "octet %zu: more octets than records", pos);
}

void dns_sections_clear(struct dns_sections *s)
{
    ldns_rr_list_deep_free(s->answer);
    ldns_rr_list_deep_free(s->authority);
    memset(s, 0, sizeof(*s));
}
