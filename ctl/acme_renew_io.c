/* acme_renew_io.c - see acme_renew_io.h. */
#include "acme_renew_io.h"
#include "acme_entry_io.h"
#include "acme_mail_io.h"
#include "acme_plan.h"
#include "acme_tlsa_io.h"
#include "cert_install_io.h"
#include "clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TEXT_MAX 65536
#define SOON_MAX 5 /* seconds that a run waits itself for a record to be known */
#define DAY      86400

struct renewing {
    const struct acme_client *client;
    struct acme_entry a;
    struct acme_renewal *out;
    bool force;
    bool installed; /* mail servers have the certificate in use */
};

/* What went wrong is said, kept, and told to the operator; the rest is gone on with. */
static void trouble(struct renewing *r, const char *what, const char *why)
{
    struct buf *b = &r->out->trouble;

    r->out->failed = true;
    if (strstr(buf_text(b), why) != NULL)
        return;
    buf_printf(b, "%s%s%s%s", b->len > 0 ? "; " : "", what, what[0] != '\0' ? ": " : "", why);
}

static bool too_old(const struct acme_entry *a, int64_t now)
{
    const struct cert_facts *f = &a->pending_leaf;

    return now >= acme_due(f->not_before, f->not_after, a->conf->certs.renew_before);
}

/* --- steps; each returns 0, or -1 with the reason when the store cannot be read or written --- */

static int install_held(struct renewing *r, struct err *e)
{
    int lock = cert_store_lock(r->a.conf->certs.folder, e);
    int rc = lock >= 0 ? cert_install(r->a.conf, r->a.entry.name, &r->out->did, e) : -1;

    if (lock >= 0)
        close(lock);
    return rc;
}

/* The mail servers that were told to use it get what is in use now, after the switch. */
static int install(struct renewing *r, struct err *e)
{
    struct cert_about *about = &r->a.entry.about;
    struct err why = {""};

    r->installed = true;
    if (about->pending_since == 0 || r->a.waits || !r->a.has_live)
        return 0;
    r->installed = install_held(r, &why) == 0;
    if (!r->installed) {
        trouble(r, "the new certificate is in the store, but a mail server does not have it", why.text);
        return 0;
    }
    about->pending_since = 0;
    return acme_entry_save(&r->a, e);
}

/* There is always a key for the certificate after this one, so that its TLSA record can be there before. */
static int next_key(struct renewing *r, struct err *e)
{
    const struct acme_entry *a = &r->a;
    bool used = a->has_live && a->has_next && memcmp(a->live_key, a->next_key, CERT_DIGEST_LEN) == 0;

    if (a->waits || (a->has_next && !used))
        return 0;
    return acme_entry_new_key(&r->a, e);
}

static int issue(struct renewing *r, struct err *e)
{
    struct acme_entry *a = &r->a;
    struct cert_about *about = &a->entry.about;
    struct err why = {""};
    struct buf chain;
    int rc = 0;

    buf_init(&chain, CERT_PEM_MAX + 65536);
    if (acme_client_account(r->client, &why) != 0 ||
        acme_client_issue(r->client, &chain, a->entry.name, about, a->next, &a->next_pem, &why) != 0) {
        trouble(r, "", why.text);
        about->tried = now_seconds();
        rc = cert_about_set(&about->refused, why.text) == 0 ? acme_entry_save(a, e) : err_set(e, "no memory");
    } else {
        about->tried = now_seconds();
        about->refused[0] = '\0';
        rc = acme_entry_pending(a, &chain, e);
        if (rc == 0) {
            acme_client_taken(r->client, a->entry.name);
            buf_str(&r->out->did, "the authority has issued a certificate\n");
        }
    }
    buf_wipe(&chain);
    return rc;
}

/* Is another one needed, and may the authority be asked? */
static int issue_if_due(struct renewing *r, struct err *e)
{
    struct acme_entry *a = &r->a;
    int64_t now = now_seconds();
    int64_t after = acme_try_after(&a->entry.about, now);

    if (a->waits && too_old(a, now) && acme_entry_drop(a, e) != 0)
        return -1;
    if (a->waits || (!r->force && now < acme_entry_due(a)))
        return 0;
    if (after == 0 || r->force)
        return issue(r, e);
    trouble(r, "", a->entry.about.refused);
    r->out->until = after;
    return 0;
}

static void pause_until(int64_t until)
{
    const struct timespec step = {.tv_nsec = 100000000};

    while (now_seconds() < until)
        (void)nanosleep(&step, NULL);
}

/* What the records of all hosts say now. */
static int look_at_tlsa(struct renewing *r, bool *activate, int64_t *until, bool *again, struct err *e)
{
    struct acme_renewal *out = r->out;
    struct acme_tlsa t;
    int rc = 0;

    acme_tlsa_step(&t, &r->a, r->installed);
    buf_add(&out->did, buf_text(&t.did), t.did.len);
    buf_reset(&out->wanted);
    buf_reset(&out->spare);
    buf_add(&out->wanted, buf_text(&t.wanted), t.wanted.len);
    buf_add(&out->spare, buf_text(&t.spare), t.spare.len);
    /* a look-up that fails now is no trouble before it has kept a certificate waiting for a day */
    if (t.why.text[0] != '\0' && (!t.stopped || (r->a.waits && now_seconds() - r->a.entry.about.pending_since > DAY)))
        trouble(r, "", t.why.text);
    *activate = t.activate;
    *until = t.until;
    *again = t.published && t.why.text[0] == '\0';
    if (t.seen != r->a.entry.about.tlsa_seen) {
        r->a.entry.about.tlsa_seen = t.seen;
        rc = acme_entry_save(&r->a, e);
    }
    acme_tlsa_clear(&t);
    return rc;
}

/* A record that has just been put there is looked for once more, and one that is soon known everywhere waited for. */
static int rollover(struct renewing *r, bool *activate, struct err *e)
{
    int64_t until;
    bool again;

    if (look_at_tlsa(r, activate, &until, &again, e) != 0)
        return -1;
    if (again && look_at_tlsa(r, activate, &until, &again, e) != 0)
        return -1;
    r->out->until = r->a.waits ? until : r->out->until;
    if (!r->a.waits || *activate || until == 0 || until > now_seconds() + SOON_MAX)
        return 0;
    pause_until(until);
    return look_at_tlsa(r, activate, &r->out->until, &again, e);
}

static int activate(struct renewing *r, struct err *e)
{
    r->a.entry.about.spare_told = 0;
    if (acme_entry_activate(&r->a, e) != 0)
        return -1;
    buf_str(&r->out->did, "the new certificate is in use\n");
    r->out->state = "activated";
    r->out->until = 0;
    return 0;
}

static int steps(struct renewing *r, struct err *e)
{
    bool ready = false, again_ready;

    if (install(r, e) != 0 || next_key(r, e) != 0 || issue_if_due(r, e) != 0 || rollover(r, &ready, e) != 0)
        return -1;
    if (!ready)
        return 0;
    /* a key for the certificate after this one, its record beside that of the one in use */
    if (activate(r, e) != 0 || install(r, e) != 0 || next_key(r, e) != 0)
        return -1;
    return rollover(r, &again_ready, e);
}

/* --- what is said of it --- */

/* Returns whether the mail is on its way. */
static bool tell(struct renewing *r, const char *state)
{
    struct acme_renewal *out = r->out;
    struct err why = {""};
    struct buf text;

    buf_init(&text, TEXT_MAX);
    if (out->trouble.len > 0)
        buf_printf(&text, "%s\n\n", buf_text(&out->trouble));
    if (out->wanted.len > 0)
        buf_printf(&text, "These records are to be published beside those that are there:\n\n%s\n",
                   buf_text(&out->wanted));
    if (out->spare.len > 0)
        buf_printf(&text, "These are of no more use:\n\n%s\n", buf_text(&out->spare));
    if (out->did.len > 0)
        buf_printf(&text, "What was done:\n\n%s\n", buf_text(&out->did));
    buf_printf(&text, "What was in use stays in use. posternctl cert acme list shows how it stands; this goes on by "
                      "itself.\n");
    if (acme_mail_send(r->a.conf, r->a.entry.name, state, buf_text(&text), &why) != 0)
        trouble(r, "", why.text);
    buf_clear(&text);
    return why.text[0] == '\0';
}

/* The operator does what no hook does; of records that may go they hear once. Returns whether that is to be kept. */
static bool ask_operator(struct renewing *r)
{
    struct acme_renewal *out = r->out;
    struct cert_about *about = &r->a.entry.about;
    bool spare = out->spare.len > 0 && about->spare_told == 0;

    if (out->wanted.len > 0 && r->a.waits)
        trouble(r, "", "the certificate waits for TLSA records that are to be published (certs.dns_hook is not set)");
    else if (spare || (out->wanted.len > 0 && strcmp(out->state, "activated") == 0))
        spare = tell(r, "is in use: TLSA records") && spare;
    else
        spare = false;
    if (spare)
        about->spare_told = now_seconds();
    return spare;
}

static int keep(struct renewing *r, struct err *e)
{
    struct acme_renewal *out = r->out;
    struct cert_about *about = &r->a.entry.about;
    bool told = ask_operator(r);

    if (!told && out->trouble.len == 0 && about->trouble[0] == '\0')
        return 0;
    if (cert_about_set(&about->trouble, buf_text(&out->trouble)) != 0)
        return err_set(e, "no memory");
    if (out->trouble.len == 0)
        about->told = 0;
    else if (acme_tell(about, r->a.has_live ? r->a.entry.leaf.not_after : 0, now_seconds()) &&
             tell(r, r->a.waits ? "waits" : "is not renewed"))
        about->told = now_seconds();
    return acme_entry_save(&r->a, e);
}

/* The store could not be read or written (why): as any trouble, kept where that can be, told in any case. */
static void keep_fault(struct renewing *r, const struct err *why)
{
    struct err e = {""};

    trouble(r, "", why->text);
    (void)keep(r, &e);
}

/* Of an entry that cannot be read as a whole at least who is to be told and what was told. */
static void keep_unread(struct renewing *r, const struct conf *conf, const char *name, const struct err *why)
{
    struct err e = {""};

    r->a.conf = conf;
    if (cert_entry_read(&r->a.entry, conf->certs.folder, name, &e) != 1)
        return;
    r->a.has_live = r->a.entry.live.count > 0;
    if (r->a.entry.about.host_count > 0)
        keep_fault(r, why);
    acme_entry_clear(&r->a);
}

static void state_of(struct renewing *r)
{
    struct acme_renewal *out = r->out;

    out->due = acme_entry_due(&r->a);
    if (out->failed)
        out->state = "failed";
    else if (r->a.waits)
        out->state = "waits";
}

int acme_renew(struct acme_renewal *out, const struct acme_client *c, const char *name, bool force, struct err *e)
{
    struct renewing r = {.client = c, .out = out, .force = force};
    int rc;

    *out = (struct acme_renewal){.state = "good"};
    buf_init(&out->did, TEXT_MAX);
    buf_init(&out->wanted, TEXT_MAX);
    buf_init(&out->spare, TEXT_MAX);
    buf_init(&out->trouble, 4096);
    rc = acme_entry_read(&r.a, c->conf, name, e);
    if (rc < 0)
        keep_unread(&r, c->conf, name, e);
    if (rc != 1)
        return rc;
    if (r.a.entry.about.host_count == 0) {
        rc = 0;
    } else {
        rc = steps(&r, e);
        if (rc == 0)
            rc = keep(&r, e);
        else if (r.a.entry.name[0] != '\0')
            keep_fault(&r, e);
        else /* after a change it could not be read again */
            keep_unread(&r, c->conf, name, e);
        state_of(&r);
        rc = rc == 0 ? 1 : -1;
    }
    acme_entry_clear(&r.a);
    return rc;
}

void acme_renewal_clear(struct acme_renewal *r)
{
    buf_clear(&r->did);
    buf_clear(&r->wanted);
    buf_clear(&r->spare);
    buf_clear(&r->trouble);
}
