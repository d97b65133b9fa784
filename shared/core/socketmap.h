/*
 * socketmap.h - the Postfix socketmap protocol above the netstring: socketmap_table(5), and src/util/dict_sockmap.c,
 * which sends at most 10,000 octets and reads at most 100,000.
 */
#ifndef POSTERN_SOCKETMAP_H
#define POSTERN_SOCKETMAP_H

#include <stddef.h>

#include "buf.h"

#define SOCKETMAP_REQUEST_MAX 10000
#define SOCKETMAP_REPLY_MAX   100000

enum socketmap_status {
    SOCKETMAP_OK,       /* found; the text is the value */
    SOCKETMAP_NOTFOUND, /* the key has no value */
    SOCKETMAP_TEMP,     /* try again later; the text says why */
    SOCKETMAP_PERM      /* this request can never be answered; the text says why */
};

/* The word on the wire: "OK", "NOTFOUND", ... */
const char *socketmap_status_name(enum socketmap_status status);

struct socketmap_request {
    const char *map; /* within the caller's buffer, not terminated */
    size_t map_len;
    const char *key;
    size_t key_len;
};

/*
 * Split the contents of a request netstring, "MAPNAME KEY", at the first blank. Returns 0, or -1 when there is no
 * blank, an empty map name or an empty key. The key may hold any octets.
 */
int socketmap_request_parse(struct socketmap_request *out, const char *data, size_t len);

/* True when the map name is exactly this word (case counts, as in Postfix). */
int socketmap_is_map(const struct socketmap_request *req, const char *name);

/*
 * Append one whole reply netstring, "WORD TEXT" with the blank also when the text is empty ("NOTFOUND "), to out.
 * Control octets in text become blanks (Postfix cuts at a NUL and splits at a line feed). A text that would pass
 * SOCKETMAP_REPLY_MAX (with its word) becomes "TEMP answer too long". Errors stick in out, without half a reply.
 */
void socketmap_reply(struct buf *out, enum socketmap_status status, const char *text, size_t len);

#endif
