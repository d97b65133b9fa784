/*
 * http_message.h - HTTP/1.1 messages of a small server (RFC 9110, RFC 9112): requests without a body are read, heads of
 * answers written. Pure.
 */
#ifndef POSTERN_HTTP_MESSAGE_H
#define POSTERN_HTTP_MESSAGE_H

#include <stdint.h>

#include "buf.h"
#include "domain.h"
#include "span.h"

#define HTTP_REQUEST_MAX 8192 /* octets of a request line and its fields */
#define HTTP_DATE_BUF    30

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_OTHER };

/* Parts of the text that was read. */
struct http_request {
    enum http_method method;
    struct span path; /* as it was sent, without a query; "*" may be one */
    struct span host; /* of the request's target or its field Host, with the port; "" in HTTP/1.0 without one */
};

enum http_read {
    HTTP_MORE,    /* it is not there whole yet */
    HTTP_REQUEST, /* *out is filled in; what stands behind the empty line is not looked at */
    HTTP_BAD      /* no request of HTTP/1, or a longer one than HTTP_REQUEST_MAX, or one without its one Host */
};
enum http_read http_request_read(struct http_request *out, const char *text, size_t len);

/*
 * The name of the host that was asked for, in its one form: the port and a final dot go. Returns 0, or -1 and "" when
 * it is no name in ASCII.
 */
int http_host_name(char out[DOMAIN_BUF], struct span host);

struct http_answer {
    int status;         /* 200, 400, 404, 405, 503; 405 says what is allowed: GET and HEAD */
    const char *type;   /* of the body */
    const char *fields; /* more fields, each with its line end; NULL for none */
    struct span body;
};

/* Append the head, with the empty line. The connection closes behind the answer. now: seconds since the epoch. */
void http_answer_head(struct buf *out, const struct http_answer *answer, int64_t now);

/* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 5.6.7); a time that has none: that of the epoch. */
void http_date(char out[HTTP_DATE_BUF], int64_t when);

#endif
