/*
 * conn_sni_io.c - what each request for a certificate gets (tls_server_sni_maps). Any error makes Postfix break the
 * handshake off, so whatever cannot be answered is not found: Postfix shows its default chain then.
 */
#include "conn_internal.h"

#include "counters.h"
#include "sni_store_io.h"

#include <string.h>

static const char unknown_map[] = "no such map; there is sni";

/* Postfix asks as the client wrote it, then for parents, ".example.com". */
static void answer(struct conn *c, const struct socketmap_request *req)
{
    struct buf *out = &c->conns->out;
    char host[DOMAIN_BUF];
    const char *reply = NULL;
    size_t len;

    if (c->conns->sni != NULL && req->key[0] != '.' && domain_normalise(host, req->key, req->key_len, NULL) == 0)
        reply = sni_store_get(c->conns->sni, host, &len);
    if (reply != NULL) {
        count(COUNT_SNI_FOUND);
        buf_add(out, reply, len);
        return;
    }
    if (req->key[0] != '.')
        count(COUNT_SNI_NONE);
    socketmap_reply(out, SOCKETMAP_NOTFOUND, "", 0);
}

static ssize_t answer_first(struct conn *c, const char *data, size_t len, struct err *why)
{
    struct netstring ns;
    struct socketmap_request req;
    int found = netstring_parse(&ns, data, len, SOCKETMAP_REQUEST_MAX);

    if (found < 0)
        return err_set(why, "not a netstring of at most %d octets", SOCKETMAP_REQUEST_MAX);
    if (found == 0)
        return 0;
    if (socketmap_request_parse(&req, ns.data, ns.len) == 0 && socketmap_is_map(&req, "sni")) {
        answer(c, &req);
    } else {
        conns_bad_request(c->conns, unknown_map);
        socketmap_reply(&c->conns->out, SOCKETMAP_PERM, unknown_map, sizeof(unknown_map) - 1);
    }
    return (ssize_t)ns.total;
}

const struct conn_protocol conn_sni = {.answer = answer_first, .refusal = "", .secret = true};
