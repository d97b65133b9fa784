/*
 * message.h - a message as the MTA hands it over, piece by piece, and as much of it as is to be looked at. Pure; the
 * memory is kept from one message of a session to the next.
 */
#ifndef POSTERN_MESSAGE_H
#define POSTERN_MESSAGE_H

#include "flag.h"
#include "header_field.h"

#define MESSAGE_ENVELOPE_MAX (64 << 20) /* octets of sender, recipients and their parameters */
#define MESSAGE_HEADER_MAX   (1 << 20)  /* octets of header fields that rules see */
#define MESSAGE_FIELDS_MAX   10000
#define MESSAGE_PART_MAX     16384     /* octets of the header of a part there */
#define MESSAGE_SHAPE_MAX    (1 << 20) /* octets of the body's structure, beyond its first octets */
#define MESSAGE_ENVID_MAX    (100 + 6) /* octets of ENVID=... (RFC 3461 4.4) */

/* Which of it is kept. */
struct message_wants {
    bool fields;        /* all header fields, not only what the milter itself goes by */
    size_t body_octets; /* first octets of the body; 0: none */
    bool shape;         /* and behind them what tells of its parts: lines that may be boundaries, headers of parts */
    const char *record_header; /* fields of this name are counted; "" for none */
};

struct message;

struct message *message_new(void);    /* NULL without memory */
void message_free(struct message *m); /* NULL-safe */

/* A new message begins. wants must outlive it. */
void message_begin(struct message *m, const struct message_wants *wants);

/* MAIL FROM and RCPT TO: the address and its parameters, NULL-terminated, as libmilter gives them. */
void message_sender(struct message *m, char *const *words);
void message_recipient(struct message *m, char *const *words);

void message_field(struct message *m, const char *name, const char *value);

/* Returns whether more of it is wanted. */
bool message_body(struct message *m, const void *octets, size_t len);

/* No piece was lost for want of memory, nor did the envelope pass its limit. */
bool message_ok(const struct message *m);

/* What is known of it; all belongs to the message, and is valid until its next piece. */
struct message_view {
    const char *sender; /* "<user@example.com>" */
    const char *envid;  /* ENVID=... of MAIL FROM (RFC 3461 4.4), or NULL */
    bool requiretls;    /* MAIL FROM had REQUIRETLS (RFC 8689 2) */
    const struct flag_recipient *recipient;
    size_t recipients;
    enum tls_required no;
    size_t no_fields;     /* how many fields TLS-Required there are, */
    size_t record_fields; /* and how many of record_header */
    const struct header_field *field;
    size_t fields;
    bool fields_left_out;
    const char *body;
    size_t body_len;
    bool body_more;      /* something was left out of it, or behind it, */
    bool shape_left_out; /* even of its structure */
    int64_t size;        /* of all pieces that came */
};

void message_see(struct message_view *out, struct message *m);

#endif
