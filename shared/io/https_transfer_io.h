/*
 * https_transfer_io.h - one HTTPS GET as a libcurl easy handle: what is asked, what is trusted, what is taken, and what
 * became of it. Knows no event loop; while it is on a lane, only the lane's thread touches it. Private to https_*.c.
 */
#ifndef POSTERN_HTTPS_TRANSFER_IO_H
#define POSTERN_HTTPS_TRANSFER_IO_H

#include <curl/curl.h>
#include <stdbool.h>

#include "buf.h"
#include "https_io.h"
#include "https_lane_io.h"

#define HTTPS_WHY_MAX (CURL_ERROR_SIZE + 64)

struct https_transfer {
    CURL *easy;
    void *owner; /* for https_io.c */
    struct https_place place;
    char *host;
    struct curl_slist *resolve;
    CURLSH *names; /* what libcurl knows of hosts */
    struct buf body;
    bool connected; /* TLS has begun; libcurl's own CONNECT_TIME is set when it is over */
    size_t octets;  /* received, all in all */
    size_t header_octets;
    bool headers_ended, chunked;
    bool tls_ended; /* the host has said that it sends no more */
    bool too_large, too_many_headers;
    int no_socket;               /* errno: one could not be had, which is our own fault; or 0 */
    char error[CURL_ERROR_SIZE]; /* libcurl's words */
};

/* count must not be 0, or libcurl would ask the system's resolver. t must stay where it is. Options are used during the
 * call only. Aborts without memory. */
void https_transfer_init(struct https_transfer *t, const struct https_options *options, const char *host,
                         const char *path, const char *const *addresses, size_t count);

/* Closes what is open. It must be on no lane. */
void https_transfer_clear(struct https_transfer *t);

/* What libcurl's result code means; why is "" for HTTPS_ANSWERED. */
enum https_outcome https_transfer_outcome(char why[HTTPS_WHY_MAX], const struct https_transfer *t, CURLcode code);

/* There was no connection, and one reason is that no socket could be had. */
bool https_transfer_lacks_socket(const struct https_transfer *t);

/* "TLS handshake": how far it has got, for the reason of a time-out. */
const char *https_transfer_stage(const struct https_transfer *t);

#endif
