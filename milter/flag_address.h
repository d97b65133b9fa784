/* flag_address.h - one recipient: the tags it has, and its address with the tag that it should have. Pure. */
#ifndef POSTERN_FLAG_ADDRESS_H
#define POSTERN_FLAG_ADDRESS_H

#include "flag.h"

/* The tags of ours at the end of a local part. */
enum flag_tags {
    FLAG_TAGS_NONE,
    FLAG_TAGS_REQUIRETLS, /* that one, once, in any case */
    FLAG_TAGS_OPTIONAL,
    FLAG_TAGS_OTHER /* several */
};

struct flag_address {
    bool fit;      /* for a tag; else only mentions means something */
    bool local;    /* of one of our domains */
    bool bare;     /* has no domain: the MTA adds its own, and aliases may lead elsewhere from there */
    bool routed;   /* has a source route */
    bool requires; /* requiretls is among its tags */
    bool mentions; /* a tag stands somewhere in it */
    enum flag_tags tags;
};

/* base: cleared, and then has the address without tags, when it is fit. Returns 0, or -1 without memory. */
int flag_address_read(struct flag_address *out, struct buf *base, const struct flag_options *options,
                      const char *address, flag_is_local *is_local, void *context);

/*
 * Append the address, which is fit, with <>, without source route and the tags that it has, and with the one that is
 * wanted (not FLAG_TAGS_OTHER). It may come out longer than ADDRESS_TAG_MAX. Returns 0, or -1 without memory.
 */
int flag_address_make(struct buf *out, const struct flag_options *options, const char *address, enum flag_tags wanted);

/* Append the address, which is fit, as it is but for the source route, with <>. Returns 0, or -1 without memory. */
int flag_address_unroute(struct buf *out, const char *address);

#endif
