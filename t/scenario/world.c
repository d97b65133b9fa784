/* world.c - see world.h. */
#include "world.h"

#include "ascii.h"
#include "sts_http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PACKET_ID 4711
#define CHAIN_MAX 20
#define DIGEST    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

void world_init(struct world *w, struct trouble *t)
{
    memset(w, 0, sizeof(*w));
    w->trouble = t;
}

void world_clear(struct world *w)
{
    world_changed(w);
    for (size_t i = 0; i < w->rrs; i++)
        ldns_rr_free(w->rr[i].rr);
    w->rrs = 0;
}

/* --- zones --- */

/* In lower case, without the final dot. */
static void copy_name(char out[DOMAIN_BUF], const char *name)
{
    size_t len;

    (void)snprintf(out, DOMAIN_BUF, "%s", name);
    for (char *c = out; *c != '\0'; c++)
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
    len = strlen(out);
    if (len > 0 && out[len - 1] == '.')
        out[len - 1] = '\0';
}

/* name is zone, or below it. */
static bool below(const char *name, const char *zone)
{
    size_t len = strlen(name), end = strlen(zone);

    return len >= end && strcmp(name + len - end, zone) == 0 && (len == end || name[len - end - 1] == '.');
}

struct zone *world_find_zone(struct world *w, const char *name)
{
    for (size_t i = 0; i < w->zones; i++)
        if (strcmp(w->zone[i].name, name) == 0)
            return &w->zone[i];
    trouble(w->trouble, "there is no zone %s", name);
    return NULL;
}

struct zone *world_zone(struct world *w, const char *name)
{
    struct zone *z = &w->zone[w->zones];

    if (w->zones == ZONES_MAX) {
        trouble(w->trouble, "more than %d zones", ZONES_MAX);
        return NULL;
    }
    copy_name(z->name, name);
    w->zones++;
    return z;
}

static void rr_owner(char out[DOMAIN_BUF], const ldns_rr *rr)
{
    char *text = ldns_rdf2str(ldns_rr_owner(rr));

    copy_name(out, text);
    free(text);
}

/* The line of a zone file, "DIGEST" in it standing for one of SHA-256. */
static ldns_rr *read_rr(struct world *w, const struct zone *z, const char *text)
{
    ldns_rdf *origin = ldns_dname_new_frm_str(z->name);
    const char *digest = strstr(text, "DIGEST");
    char line[1200];
    ldns_rr *rr = NULL;
    ldns_status rc;

    if (digest != NULL)
        (void)snprintf(line, sizeof(line), "%.*s" DIGEST "%s", (int)(digest - text), text, digest + 6);
    else
        (void)snprintf(line, sizeof(line), "%s", text);
    rc = ldns_rr_new_frm_str(&rr, line, 3600, origin, NULL);
    ldns_rdf_deep_free(origin);
    if (rc != LDNS_STATUS_OK) {
        trouble(w->trouble, "no record as in a zone file (%s): %s", ldns_get_errorstr_by_id(rc), text);
        return NULL;
    }
    return rr;
}

static void put_rr(struct world *w, const struct zone *z, ldns_rr *rr)
{
    struct published *p = &w->rr[w->rrs];

    if (w->rrs == RRS_MAX) {
        ldns_rr_free(rr);
        trouble(w->trouble, "more than %d records", RRS_MAX);
        return;
    }
    memset(p, 0, sizeof(*p));
    p->rr = rr;
    p->zone = (size_t)(z - w->zone);
    p->line = w->trouble->line;
    rr_owner(p->owner, rr);
    if (!below(p->owner, z->name)) {
        ldns_rr_free(rr);
        trouble(w->trouble, "%s is not in the zone %s", p->owner, z->name);
        return;
    }
    w->rrs++;
}

void world_publish(struct world *w, struct zone *z, const char *text)
{
    ldns_rr *rr = read_rr(w, z, text);

    if (rr != NULL)
        put_rr(w, z, rr);
}

static bool same_set(const struct published *p, const char *owner, ldns_rr_type type)
{
    return strcmp(p->owner, owner) == 0 && ldns_rr_get_type(p->rr) == type;
}

static void never_asked(struct world *w, const struct published *p)
{
    if (w->strict && !p->asked_for)
        trouble_at(w->trouble, p->line, "nobody ever asked for this record");
}

/* Returns how many there were. */
static size_t drop_set(struct world *w, const char *owner, ldns_rr_type type)
{
    size_t kept = 0, dropped;

    for (size_t i = 0; i < w->rrs; i++) {
        if (same_set(&w->rr[i], owner, type)) {
            never_asked(w, &w->rr[i]);
            ldns_rr_free(w->rr[i].rr);
        } else {
            w->rr[kept++] = w->rr[i];
        }
    }
    dropped = w->rrs - kept;
    w->rrs = kept;
    return dropped;
}

void world_change(struct world *w, struct zone *z, const char *text, bool first)
{
    ldns_rr *rr = read_rr(w, z, text);
    char owner[DOMAIN_BUF];

    if (rr == NULL)
        return;
    rr_owner(owner, rr);
    if (first)
        (void)drop_set(w, owner, ldns_rr_get_type(rr));
    put_rr(w, z, rr);
}

static ldns_rr_type type_of(struct world *w, const char *word)
{
    ldns_rr_type type = ldns_get_rr_type_by_name(word);

    if (type == 0)
        trouble(w->trouble, "no type of records: %s", word);
    return type;
}

void world_remove(struct world *w, const char *type, const char *name)
{
    if (drop_set(w, name, type_of(w, type)) == 0)
        trouble(w->trouble, "there is no %s %s to be removed", type, name);
}

/* --- faults --- */

static struct fault *find_fault(struct world *w, enum dns_type type, const char *name)
{
    for (size_t i = 0; i < w->faults; i++)
        if (w->fault[i].type == type && strcmp(w->fault[i].name, name) == 0)
            return &w->fault[i];
    return NULL;
}

void world_fail(struct world *w, const char *type, const char *name, const char *what)
{
    static const char *const known[] = {"SERVFAIL", "REFUSED", "timeout", "silent"};
    struct fault *f = find_fault(w, (enum dns_type)type_of(w, type), name);
    bool good = false;

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        good = good || strcmp(known[i], what) == 0;
    if (!good)
        trouble(w->trouble, "a look-up fails by SERVFAIL, REFUSED, timeout or silent, not: %s", what);
    if (f == NULL && w->faults < FAULTS_MAX)
        f = &w->fault[w->faults++];
    if (f == NULL) {
        trouble(w->trouble, "more than %d faults", FAULTS_MAX);
        return;
    }
    memset(f, 0, sizeof(*f));
    f->type = (enum dns_type)type_of(w, type);
    f->line = w->trouble->line;
    copy_name(f->name, name);
    (void)snprintf(f->what, sizeof(f->what), "%s", what);
}

static void never_failed(struct world *w, const struct fault *f)
{
    if (w->strict && !f->asked_for)
        trouble_at(w->trouble, f->line, "nobody ever asked for what fails here");
}

void world_mend(struct world *w, const char *type, const char *name)
{
    struct fault *f = find_fault(w, (enum dns_type)type_of(w, type), name);

    if (f == NULL) {
        trouble(w->trouble, "%s %s does not fail", type, name);
        return;
    }
    never_failed(w, f);
    *f = w->fault[--w->faults];
}

/* --- DNS answers --- */

static size_t zone_of(const struct world *w, const char *name)
{
    size_t best = ZONES_MAX;

    for (size_t i = 0; i < w->zones; i++)
        if (below(name, w->zone[i].name) && (best == ZONES_MAX || strlen(w->zone[i].name) > strlen(w->zone[best].name)))
            best = i;
    return best;
}

static bool name_exists(const struct world *w, const char *name)
{
    for (size_t i = 0; i < w->rrs; i++)
        if (below(w->rr[i].owner, name))
            return true;
    return false;
}

/* Returns how many records went into the answer. */
static size_t push_set(struct world *w, ldns_pkt *pkt, ldns_pkt_section section, const char *owner, ldns_rr_type type)
{
    size_t count = 0;

    for (size_t i = 0; i < w->rrs; i++) {
        if (same_set(&w->rr[i], owner, type)) {
            w->rr[i].asked_for = true;
            ldns_pkt_push_rr(pkt, section, ldns_rr_clone(w->rr[i].rr));
            count++;
        }
    }
    return count;
}

/* The zone's own SOA record, or one of an hour. */
static void push_soa(struct world *w, ldns_pkt *pkt, const struct zone *z)
{
    ldns_rr *rr;

    if (push_set(w, pkt, LDNS_SECTION_AUTHORITY, z->name, LDNS_RR_TYPE_SOA) > 0)
        return;
    rr = read_rr(w, z, "@ 1h SOA ns hostmaster 1 1h 15m 7d 1h");
    if (rr != NULL)
        ldns_pkt_push_rr(pkt, LDNS_SECTION_AUTHORITY, rr);
}

static const char *cname_target(struct world *w, const char *owner, char out[DOMAIN_BUF])
{
    for (size_t i = 0; i < w->rrs; i++) {
        if (same_set(&w->rr[i], owner, LDNS_RR_TYPE_CNAME)) {
            char *text = ldns_rdf2str(ldns_rr_rdf(w->rr[i].rr, 0));

            copy_name(out, text);
            free(text);
            return out;
        }
    }
    return NULL;
}

/* What a resolver finds at the name and at the end of its aliases. */
static void fill(struct world *w, ldns_pkt *pkt, const char *qname, ldns_rr_type type)
{
    char name[DOMAIN_BUF], target[DOMAIN_BUF];
    bool secure = true;

    copy_name(name, qname);
    for (unsigned links = 0; links < CHAIN_MAX; links++) {
        size_t zone = zone_of(w, name);

        if (zone == ZONES_MAX) {
            trouble(w->trouble, "no zone answers for %s", name);
            return;
        }
        secure = secure && w->zone[zone].is_signed;
        if (w->zone[zone].bogus)
            break;
        ldns_pkt_set_ad(pkt, secure);
        if (push_set(w, pkt, LDNS_SECTION_ANSWER, name, type) > 0)
            return;
        if (cname_target(w, name, target) == NULL) {
            push_soa(w, pkt, &w->zone[zone]);
            ldns_pkt_set_rcode(pkt, name_exists(w, name) ? LDNS_RCODE_NOERROR : LDNS_RCODE_NXDOMAIN);
            return;
        }
        (void)push_set(w, pkt, LDNS_SECTION_ANSWER, name, LDNS_RR_TYPE_CNAME);
        copy_name(name, target);
    }
    ldns_pkt_set_ad(pkt, false);
    ldns_pkt_set_rcode(pkt, LDNS_RCODE_SERVFAIL);
}

static ldns_pkt *reply_new(const char *name, ldns_rr_type type)
{
    ldns_pkt *pkt = ldns_pkt_new();
    ldns_rr *question = ldns_rr_new();

    if (pkt == NULL || question == NULL)
        abort();
    ldns_rr_set_owner(question, ldns_dname_new_frm_str(name));
    ldns_rr_set_type(question, type);
    ldns_rr_set_class(question, LDNS_RR_CLASS_IN);
    ldns_rr_set_question(question, true);
    ldns_pkt_push_rr(pkt, LDNS_SECTION_QUESTION, question);
    ldns_pkt_set_id(pkt, PACKET_ID);
    ldns_pkt_set_qr(pkt, true);
    ldns_pkt_set_rd(pkt, true);
    ldns_pkt_set_ra(pkt, true);
    return pkt;
}

/* Take the packet apart as the programs do. */
static void read_reply(struct world *w, struct dns_answer *a, const ldns_pkt *pkt, const char *name, enum dns_type type)
{
    struct err e = {""};
    uint8_t *wire = NULL;
    size_t len = 0;

    if (ldns_pkt2wire(&wire, pkt, &len) != LDNS_STATUS_OK)
        trouble(w->trouble, "no packet can be made of the answer to %s", name);
    else if (dns_reply_parse(a, wire, len, name, type, PACKET_ID, true, &e) != DNS_REPLY_TAKEN)
        dns_answer_fail(a, e.text);
    free(wire);
}

static void make_answer(struct world *w, struct dns_answer *a, const struct fault *f, const char *name,
                        enum dns_type type)
{
    ldns_pkt *pkt;

    if (f != NULL && strcmp(f->what, "timeout") == 0) {
        dns_answer_fail(a, "time-out");
        return;
    }
    pkt = reply_new(name, (ldns_rr_type)type);
    if (f != NULL)
        ldns_pkt_set_rcode(pkt, strcmp(f->what, "REFUSED") == 0 ? LDNS_RCODE_REFUSED : LDNS_RCODE_SERVFAIL);
    else
        fill(w, pkt, name, (ldns_rr_type)type);
    read_reply(w, a, pkt, name, type);
    ldns_pkt_free(pkt);
}

const struct dns_answer *world_ask(struct world *w, const char *name, enum dns_type type)
{
    struct fault *f = find_fault(w, type, name);
    struct heard *h = w->heard;

    if (f != NULL)
        f->asked_for = true;
    if (f != NULL && strcmp(f->what, "silent") == 0)
        return NULL;
    for (; h < w->heard + w->heards; h++)
        if (h->type == type && strcmp(h->name, name) == 0)
            return &h->answer;
    if (w->heards == HEARD_MAX) {
        trouble(w->trouble, "more than %d questions in one world", HEARD_MAX);
        return NULL;
    }
    w->heards++;
    memset(h, 0, sizeof(*h));
    h->type = type;
    copy_name(h->name, name);
    dns_answer_fail(&h->answer, "");
    make_answer(w, &h->answer, f, name, type);
    return &h->answer;
}

void world_changed(struct world *w)
{
    while (w->heards > 0)
        dns_answer_clear(&w->heard[--w->heards].answer);
}

/* --- policies --- */

static struct policy *find_policy(struct world *w, const char *domain)
{
    for (size_t i = 0; i < w->policies; i++)
        if (strcmp(w->policy[i].domain, domain) == 0)
            return &w->policy[i];
    return NULL;
}

static void never_fetched(struct world *w, const struct policy *p)
{
    if (w->strict && !p->fetched)
        trouble_at(w->trouble, p->line, "nobody ever fetched this policy");
}

struct policy *world_policy(struct world *w, const char *domain)
{
    struct policy *p = find_policy(w, domain);

    if (p != NULL)
        never_fetched(w, p);
    else if (w->policies < POLICIES_MAX)
        p = &w->policy[w->policies++];
    else
        trouble(w->trouble, "more than %d policies", POLICIES_MAX);
    if (p == NULL)
        return NULL;
    memset(p, 0, sizeof(*p));
    copy_name(p->domain, domain);
    p->line = w->trouble->line;
    p->status = 200;
    (void)snprintf(p->content_type, sizeof(p->content_type), "text/plain");
    return p;
}

bool world_fetch(struct world *w, const char *host, struct resolve_fetch *f, struct err *e)
{
    struct policy *p = find_policy(w, host + sizeof(STS_HTTP_LABEL) - 1);

    *f = (struct resolve_fetch){.failure = DEST_STS_FETCH_ERROR, .why = e->text};
    if (p == NULL) {
        trouble(w->trouble, "nobody serves the policy that is fetched from %s", host);
        return true;
    }
    p->fetched = true;
    switch (p->kind) {
    case POLICY_SERVED:
        if (sts_http_check(p->status, p->content_type, e) == 0)
            *f = (struct resolve_fetch){.failure = DEST_STS_OK, .body = p->body, .len = strlen(p->body)};
        return true;
    case POLICY_UNTRUSTED:
        f->failure = DEST_STS_WEBPKI_INVALID;
        break;
    case POLICY_UNTRIED:
        f->untried = true;
        break;
    case POLICY_UNREACHABLE:
    case POLICY_SILENT:
        break;
    }
    (void)err_set(e, "%s", p->body);
    return p->kind != POLICY_SILENT;
}

void world_check_used(struct world *w)
{
    for (size_t i = 0; i < w->rrs; i++)
        never_asked(w, &w->rr[i]);
    for (size_t i = 0; i < w->faults; i++)
        never_failed(w, &w->fault[i]);
    for (size_t i = 0; i < w->policies; i++)
        never_fetched(w, &w->policy[i]);
}
