/*
 * probe_session_io.h - one connection of the probe, to one address: greeting, EHLO, STARTTLS, TLS whatever the
 * certificate is, EHLO, QUIT. No mail is ever said. A server that is slow, endless or senseless is cut off: all of it
 * has one deadline, replies are bounded as smtp_reply.h says, and TLS as smtp_stream_io.h does.
 */
#ifndef POSTERN_PROBE_SESSION_IO_H
#define POSTERN_PROBE_SESSION_IO_H

#include <event2/event.h>

#include "probe.h"
#include "smtp_client_io.h"

struct probe_session_settings {
    struct event_base *base;
    SSL_CTX *tls;                    /* tls_client_context */
    char name[SMTP_CLIENT_NAME_BUF]; /* for EHLO */
    uint16_t port;
    int64_t ms; /* for all of it */
};

struct probe_session;

/* It is over, and out is filled; called once from the loop. Only probe_session_free may follow, also within. */
typedef void probe_session_fn(void *ctx);

/*
 * Begin with out->address; dest, host and out must be valid until done, settings are copied. Aborts without memory.
 */
struct probe_session *probe_session_new(const struct probe_session_settings *settings, const struct dest *dest,
                                        const struct dest_host *host, struct probe_address *out, probe_session_fn *done,
                                        void *ctx);
void probe_session_free(struct probe_session *s); /* NULL-safe */

#endif
