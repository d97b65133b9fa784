/*
 * address_tag.h - mail addresses as envelopes have them, and the word at the end of their local part that says how a
 * message goes on: user+requiretls@example.com. Pure; the text of an address is edited, never written anew.
 *
 * The forms (RFC 5321 4.1.2, RFC 6531): with and without <>, a source route (<@a.example,@b.example:user@example.com>),
 * quoted local parts ("a b+requiretls"@example.com), UTF-8, no domain (<postmaster>).
 */
#ifndef POSTERN_ADDRESS_TAG_H
#define POSTERN_ADDRESS_TAG_H

#include "buf.h"
#include "err.h"

#define ADDRESS_TAG_MAX 1024 /* octets of an address; RFC 5321 4.5.3.1 grants 256 */

/* Where the parts are, in octets from the beginning of the address. */
struct address_split {
    size_t local_at;
    size_t local_len; /* as it is written, quotes and all; never 0 */
    size_t domain_at;
    size_t domain_len; /* 0: there is no domain */
};

/*
 * Returns 0, or -1 with the broken rule in e: empty (so also <>), too long, < without >, a quote without its end,
 * blanks or controls where none may be, nothing before or after the @. The last @ outside of quotes is the one that
 * counts.
 */
int address_split(struct address_split *out, const char *address, size_t len, struct err *e);

/* Both must be fit for an unquoted local part; the word is compared without case (ASCII). */
struct address_tag {
    char delimiter;   /* '+' */
    const char *word; /* "requiretls" */
};

/* Do these len octets, which are no address but a local part, end in delimiter and word, with something before them? */
bool address_tag_ends(const struct address_tag *tag, const char *text, size_t len);

/*
 * Does the local part end in delimiter and word, with something before them? user+x+requiretls does, user+requiretls+x
 * and +requiretls do not. Quoted and unquoted octets are the same here. Returns 1 or 0; -1: no address (e, as above).
 */
int address_tag_has(const struct address_tag *tag, const char *address, size_t len, struct err *e);

/* Append the address with the tag; as it is when it has it. Returns 0, or -1: no address, or out is full. */
int address_tag_add(struct buf *out, const struct address_tag *tag, const char *address, size_t len, struct err *e);

/*
 * Append the address without the tag, however many times it has it. Returns 1; 0: it had none and is as it was; -1: no
 * address, or out is full.
 */
int address_tag_remove(struct buf *out, const struct address_tag *tag, const char *address, size_t len, struct err *e);

/*
 * The same for several tags, which may stand behind one another in any order: all that are at the end go. seen[i] is
 * how many times tag i was there. Returns how many in all; -1: no address, or out is full.
 */
int address_tags_remove(struct buf *out, size_t seen[], const struct address_tag tags[], size_t count,
                        const char *address, size_t len, struct err *e);

#endif
