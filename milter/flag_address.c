/* flag_address.c - see flag_address.h. */
#include "flag_address.h"

#include <stdio.h>
#include <string.h>

enum { REQUIRETLS, OPTIONAL, TAGS };

/* An address with <>, without source route. */
struct plain {
    char text[ADDRESS_TAG_MAX + 1];
    size_t len;
    struct address_split at;
    bool routed; /* it had one */
};

/* Returns 0, or -1 when that is no address. */
static int plain_read(struct plain *out, const char *address)
{
    struct address_split s;

    if (address_split(&s, address, strlen(address), NULL) != 0 || address[s.local_at] == '@')
        return -1;
    out->len = s.domain_at + s.domain_len - s.local_at + 2;
    if (out->len > ADDRESS_TAG_MAX)
        return -1;
    snprintf(out->text, sizeof(out->text), "<%.*s>", (int)out->len - 2, address + s.local_at);
    out->routed = s.local_at > (address[0] == '<');
    return address_split(&out->at, out->text, out->len, NULL);
}

static int base_of(struct buf *out, size_t seen[TAGS], const struct flag_options *o, const struct plain *p)
{
    const struct address_tag tags[TAGS] = {o->requiretls, o->optional};

    return address_tags_remove(out, seen, tags, TAGS, p->text, p->len, NULL);
}

/* Do the octets begin with the tag, when quotes and backslashes are passed over? */
static bool begins_with(const char *at, const struct address_tag *tag)
{
    const char *word = tag->word;

    if (*at++ != tag->delimiter)
        return false;
    for (; *word != '\0'; at++) {
        if (*at == '"' || *at == '\\')
            continue;
        if (strncasecmp(at, word, 1) != 0)
            return false;
        word++;
    }
    return true;
}

static bool mentions(const char *address, const struct flag_options *o)
{
    for (; *address != '\0'; address++)
        if (begins_with(address, &o->requiretls) || begins_with(address, &o->optional))
            return true;
    return false;
}

/*
 * Does the local part name a host of its own: user%example.com, example.com!user, "user@example.com"? Behind a domain
 * of ours an MTA may follow it, so that the message leaves though its domain is local.
 */
static bool leads_on(const struct plain *p)
{
    const char *local = p->text + p->at.local_at;

    return strcspn(local, "@%!") < p->at.local_len;
}

/*
 * What MTAs take out of an address, so that they know it by another name, and a tag before it is at the end after all:
 * comments, and a comma or semicolon around it. user+tlsoptional(x)@example.com, user@example.com;
 */
static bool has_dropped(const struct plain *p)
{
    bool quoted = false;

    for (size_t i = 0; i < p->len; i++) {
        if (p->text[i] == '\\')
            i++;
        else if (p->text[i] == '"')
            quoted = !quoted;
        else if (!quoted && strchr("(),;", p->text[i]) != NULL)
            return true;
    }
    return false;
}

static enum flag_tags tags_of(const size_t seen[TAGS])
{
    if (seen[REQUIRETLS] + seen[OPTIONAL] > 1)
        return FLAG_TAGS_OTHER;
    if (seen[REQUIRETLS] == 1)
        return FLAG_TAGS_REQUIRETLS;
    return seen[OPTIONAL] == 1 ? FLAG_TAGS_OPTIONAL : FLAG_TAGS_NONE;
}

int flag_address_read(struct flag_address *out, struct buf *base, const struct flag_options *options,
                      const char *address, flag_is_local *is_local, void *context)
{
    size_t seen[TAGS];
    struct plain p;

    *out = (struct flag_address){.mentions = mentions(address, options)};
    if (plain_read(&p, address) != 0 || has_dropped(&p))
        return 0;
    out->bare = p.at.domain_len == 0;
    out->local = !out->bare && is_local(context, p.text + p.at.domain_at, p.at.domain_len);
    if ((out->local || out->bare) && leads_on(&p))
        return 0;
    buf_reset(base);
    if (base_of(base, seen, options, &p) < 0)
        return -1;
    out->fit = true;
    out->routed = p.routed;
    out->requires = seen[REQUIRETLS] > 0;
    out->tags = tags_of(seen);
    return 0;
}

static int tagged(struct buf *out, const struct flag_options *o, const struct buf *base, enum flag_tags wanted)
{
    const struct address_tag *tag = wanted == FLAG_TAGS_REQUIRETLS ? &o->requiretls : &o->optional;

    if (wanted != FLAG_TAGS_NONE)
        return address_tag_add(out, tag, base->data, base->len, NULL);
    buf_add(out, base->data, base->len);
    return 0;
}

int flag_address_make(struct buf *out, const struct flag_options *options, const char *address, enum flag_tags wanted)
{
    size_t seen[TAGS];
    struct buf base;
    struct plain p;
    int rc;

    buf_init(&base, ADDRESS_TAG_MAX);
    rc = plain_read(&p, address) != 0 ? -1 : base_of(&base, seen, options, &p);
    if (rc >= 0)
        rc = tagged(out, options, &base, wanted);
    buf_clear(&base);
    return rc >= 0 && buf_ok(out) ? 0 : -1;
}

int flag_address_unroute(struct buf *out, const char *address)
{
    struct plain p;

    if (plain_read(&p, address) != 0)
        return -1;
    buf_add(out, p.text, p.len);
    return buf_ok(out) ? 0 : -1;
}
