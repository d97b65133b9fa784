/*
 * tlsrpt_event_read.h - reads what tlsrpt_event_write and libtlsrpt write: an event as one JSON object (protocol
 * version "1"; checks D1 to D5, J16, J17, J20). The octets are foreign. What can be counted is, and what is odd about
 * it is noted; only what does not say whose sessions came off how is refused. Pure.
 */
#ifndef POSTERN_TLSRPT_EVENT_READ_H
#define POSTERN_TLSRPT_EVENT_READ_H

#include <stddef.h>

#include "err.h"
#include "tlsrpt_event.h"

#define TLSRPT_READ_MAX      262144 /* octets; a Linux sender gets no longer datagram out by default */
#define TLSRPT_READ_POLICIES 16     /* of an event */
#define TLSRPT_READ_FAILURES 64     /* of all its policies */

/* Oddities; counted all the same. */
enum tlsrpt_note {
    TLSRPT_NOTE_VERSION = 1,     /* dpv is there and not "1" (D1) */
    TLSRPT_NOTE_COUNT = 2,       /* t is not the number of failures (D3) */
    TLSRPT_NOTE_UTF8 = 4,        /* octets that are no UTF-8: each became '?', as tlsrpt_event_write has it (J17) */
    TLSRPT_NOTE_POLICY_TYPE = 8, /* unknown, taken for no-policy-found (J20) */
    TLSRPT_NOTE_RESULT = 16,     /* unknown, taken for validation-failure, reason "unknown-result-901:GIVEN" (J20) */
    TLSRPT_NOTE_ADDRESS = 32,    /* s or r is no address, left out (J16) */
    TLSRPT_NOTE_NAME = 64,       /* n is no domain name, left out */
    TLSRPT_NOTE_CUT = 128        /* longer than its limit in tlsrpt_event.h, cut as there */
};
#define TLSRPT_NOTES 8

/* "version", "count", … */
const char *tlsrpt_note_name(enum tlsrpt_note note);

struct tlsrpt_event_read {
    struct tlsrpt_event event; /* borrows from memory, not from the octets */
    unsigned notes;            /* of enum tlsrpt_note */
    size_t octets;             /* of memory */
    void *memory;
};

/*
 * Both domains are brought into their one form (D4), and so are n and the addresses; TLSA strings into lower case, as
 * ours are. A policy-domain that is not there is the event's. Of h, which libtlsrpt gives as the whole reply to EHLO,
 * the name that the server calls itself stays: the first word behind "250-"; text of another form stays as it is. The
 * record may be any text. Strings and patterns of no-policy-found are left out (J8). Returns 0, *out to be given to
 * tlsrpt_event_read_clear; or -1 with the reason: no JSON, a member that must be there and is not (d, policies and one
 * policy, policy-type, f, c) or is of another type, a domain that cannot be one, too much of something, no memory.
 */
int tlsrpt_event_read(struct tlsrpt_event_read *out, const char *octets, size_t len, struct err *e);

/* May be called twice. */
void tlsrpt_event_read_clear(struct tlsrpt_event_read *r);

#endif
