/* cert_choose.c - see cert_choose.h. */
#include "cert_choose.h"
#include "cert_internal.h"

#include <string.h>

static const enum cert_key_type kinds[CERT_CHOICES_MAX] = {CERT_KEY_EC, CERT_KEY_ED25519, CERT_KEY_RSA};

static bool usable(const struct cert_entry *entry)
{
    return entry->live.count > 0 && entry->live.key != NULL && entry->trouble[0] == '\0' &&
           cert_key_fits(entry->live.cert[0], entry->live.key);
}

/* Is every certificate of the chain good now? */
static bool good_now(const struct cert_entry *entry, int64_t now)
{
    if (now < entry->leaf.not_before || now > entry->leaf.not_after)
        return false;
    for (size_t i = 1; i < entry->live.count; i++) {
        int64_t begin, end;

        if (cert_time(&begin, X509_get0_notBefore(entry->live.cert[i])) != 0 ||
            cert_time(&end, X509_get0_notAfter(entry->live.cert[i])) != 0 || now < begin || now > end)
            return false;
    }
    return true;
}

static bool has_name(const struct cert_entry *entry, const char *host)
{
    for (size_t i = 0; i < entry->leaf.names; i++)
        if (strcmp(entry->leaf.name[i], host) == 0)
            return true;
    return false;
}

/* What is looked for. */
struct wish {
    const struct cert_entries *all;
    const char *host;
    int64_t now;
    bool by_others; /* none that is signed by itself */
};

static bool better(const struct wish *w, const struct cert_entry *a, const struct cert_entry *b)
{
    if (good_now(a, w->now) != good_now(b, w->now))
        return good_now(a, w->now);
    if (has_name(a, w->host) != has_name(b, w->host))
        return has_name(a, w->host);
    return a->leaf.not_after > b->leaf.not_after;
}

static bool is_for(const struct wish *w, const struct cert_entry *entry)
{
    return entry->leaf.key_type != CERT_KEY_OTHER && cert_facts_name(&entry->leaf, w->host) &&
           !(w->by_others && entry->leaf.self_issued);
}

/* The best that is good now, of one kind, or (OTHER) the best of all, good or not; all->count for none. */
static size_t best(const struct wish *w, enum cert_key_type kind)
{
    size_t found = w->all->count;

    for (size_t i = 0; i < w->all->count; i++) {
        const struct cert_entry *entry = &w->all->entry[i];

        if (!is_for(w, entry) || (kind != CERT_KEY_OTHER && (entry->leaf.key_type != kind || !good_now(entry, w->now))))
            continue;
        if ((found == w->all->count || better(w, entry, &w->all->entry[found])) && usable(entry))
            found = i;
    }
    return found;
}

/* All that are good now, one of each kind at most. */
static size_t good_ones(size_t out[CERT_CHOICES_MAX], const struct wish *w)
{
    size_t count = 0;

    for (size_t k = 0; k < CERT_CHOICES_MAX; k++) {
        size_t one = best(w, kinds[k]);

        if (one < w->all->count)
            out[count++] = one;
    }
    return count;
}

size_t cert_choose(size_t out[CERT_CHOICES_MAX], const struct cert_entries *all, const char *host, int64_t now)
{
    struct wish w = {all, host, now, .by_others = true};
    size_t count = good_ones(out, &w);

    w.by_others = false;
    if (count == 0)
        count = good_ones(out, &w);
    if (count > 0)
        return count;
    out[0] = best(&w, CERT_KEY_OTHER);
    return out[0] < all->count ? 1 : 0;
}
