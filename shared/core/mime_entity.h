/* mime_entity.h - what the header of a message or a part says about what it holds (RFC 2045, 2183). Pure. */
#ifndef POSTERN_MIME_ENTITY_H
#define POSTERN_MIME_ENTITY_H

#include "mime.h"
#include "mime_transfer.h"

/* The fields that say it; value NULL: there is none. */
struct mime_header {
    struct header_field type, transfer, disposition;
};

/* Keep the field when it is one of these, and the first. */
void mime_header_add(struct mime_header *h, const struct header_field *field);

enum mime_kind { MIME_LEAF, MIME_TEXT, MIME_MULTIPART, MIME_MESSAGE };

struct mime_entity {
    enum mime_kind kind; /* a multipart without a boundary, and a message that is encoded, are a MIME_LEAF */
    struct mime_part part;
    enum mime_transfer transfer;
    char boundary[MIME_BOUNDARY_MAX + 1]; /* MIME_MULTIPART */
    bool digest;                          /* parts of it are messages if nothing else is said */
    bool cut;                             /* something was longer than the limits */
};

/*
 * Read it. in_digest: what it is when no type is said. c: for the name, NULL for none. part.name is the caller's, to be
 * freed with free().
 */
void mime_entity_read(struct mime_entity *out, const struct mime_header *h, bool in_digest, struct mime_converter *c);

#endif
