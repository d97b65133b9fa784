/* requiretls_json.c - see requiretls.h: all of it as one object. */
#include "requiretls.h"

#include "member.h"

static json_t *json_cells(const struct requiretls *r, size_t candidate)
{
    struct requiretls_cell cells[REQUIRETLS_CONDITIONS];
    json_t *all = json_object();

    requiretls_look(cells, r, candidate);
    for (size_t i = 0; i < REQUIRETLS_CONDITIONS; i++) {
        json_t *holds = cells[i].holds == REQUIRETLS_OPEN ? json_null() : json_boolean(cells[i].holds);

        (void)json_object_set_new(all, requiretls_condition_name((enum requiretls_condition)i),
                                  json_pack("{s:o, s:s}", "holds", holds, "how", cells[i].how));
    }
    return all;
}

static json_t *json_takes(const struct requiretls *r, size_t candidate, enum relay_failed what)
{
    if (what == RELAY_FAILED_NOTHING && !r->host[candidate].asked)
        return json_null();
    return json_boolean(what == RELAY_FAILED_NOTHING);
}

static json_t *json_certificate(const struct tls_client_peer *tls)
{
    if (tls->sha256[0] == '\0')
        return json_null();
    return json_pack("{s:s, s:s, s:s, s:s}", "names", tls->names, "issuer", tls->issuer, "expires", tls->expires,
                     "sha256", tls->sha256);
}

static json_t *json_host(const struct requiretls *r, size_t candidate)
{
    const struct relay_candidate *c = &r->path.candidate[candidate];
    const struct requiretls_host *h = &r->host[candidate];
    enum relay_failed what = requiretls_failed(r, candidate, false);
    bool fails = what != RELAY_FAILED_NOTHING;

    return json_pack("{s:s, s:i, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o}", "host", c->host->name,
                     "preference", c->host->preference, "barred", c->barred != RELAY_FAILED_NOTHING, "asked", h->asked,
                     "conditions", json_cells(r, candidate), "takes", json_takes(r, candidate, what), "failed",
                     string_or_null(fails ? relay_failed_name(what) : NULL), "why",
                     string_or_null(fails ? relay_failed_words(what) : NULL), "detail", string_or_null(h->why.detail),
                     "permanent", fails ? json_boolean(relay_failed_permanent(what)) : json_null(), "hurried",
                     h->hurried, "cipher", string_or_null(h->tls.cipher), "certificate", json_certificate(&h->tls));
}

static json_t *json_hosts(const struct requiretls *r)
{
    size_t order[DEST_HOSTS_MAX];
    size_t count = requiretls_order(order, r);
    json_t *all = json_array();

    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(all, json_host(r, order[i]));
    return all;
}

static json_t *json_outcome(const struct requiretls *r, bool null_reverse_path)
{
    struct requiretls_outcome o;
    json_t *hosts = json_array();
    bool reply;

    requiretls_judge(&o, r, null_reverse_path);
    reply = o.result == REQUIRETLS_RETURNED || o.result == REQUIRETLS_DEFERRED;
    for (size_t i = 0; i < o.hosts; i++)
        (void)json_array_append_new(hosts, json_string(r->path.candidate[o.host[i]].host->name));
    return json_pack("{s:s, s:o, s:o, s:o, s:o}", "result", requiretls_result_name(o.result), "hosts", hosts, "code",
                     reply ? json_integer(o.reply.code) : json_null(), "enhanced",
                     string_or_null(reply ? o.reply.enhanced : NULL), "text",
                     string_or_null(reply ? o.reply.text : NULL));
}

json_t *requiretls_json(const struct requiretls *r)
{
    enum relay_failed failed = r->path.failed;

    return json_pack("{s:s, s:s, s:b, s:o, s:o, s:o, s:o}", "domain", r->hop.name, "kind",
                     nexthop_kind_name(r->hop.kind), "offline", r->offline, "failed",
                     string_or_null(failed != RELAY_FAILED_NOTHING ? relay_failed_name(failed) : NULL), "hosts",
                     json_hosts(r), "mail", json_outcome(r, false), "bounce", json_outcome(r, true));
}
