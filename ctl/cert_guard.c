/* cert_guard.c - see cert_guard.h. */
#include "cert_guard.h"

#include <string.h>

/* A host name, or all names under a wildcard. */
static bool covers(const struct cert_facts *f, const char *name)
{
    for (size_t i = 0; i < f->names; i++)
        if (strcmp(f->name[i], name) == 0)
            return true;
    return name[0] != '*' && cert_facts_name(f, name);
}

/* Certificates stand between the server's and that of its authority, which nobody needs to be sent. */
static bool has_between(const struct cert_chain *c)
{
    return c->count > 1 && X509_NAME_cmp(X509_get_subject_name(c->cert[1]), X509_get_issuer_name(c->cert[1])) != 0;
}

/* The one in place is judged at the same time: one that has expired vouches for nothing. */
static void guard_trust(struct err *lost, const struct cert_entry *before, const struct cert_chain *fresh,
                        const struct cert_facts *leaf, X509_STORE *trust, int64_t now)
{
    struct err why = {""};

    if (leaf->self_issued && !before->leaf.self_issued)
        err_set(lost, "the one in its place is issued by %.80s, this one is self-signed", before->leaf.issuer);
    else if (trust == NULL || cert_chain_judge(fresh, NULL, trust, now, &why) == CERT_GOOD)
        return;
    else if (fresh->count == 1 && !leaf->self_issued && has_between(&before->live))
        err_set(lost,
                "the chain is not complete: the one in its place has the certificates between the server's and its "
                "authority, this one (issued by %.80s) has none; import it with them",
                leaf->issuer);
    else if (cert_chain_judge(&before->live, NULL, trust, now, NULL) == CERT_GOOD)
        err_set(lost, "senders under MTA-STS take the one in its place, and would not take this one: %s", why.text);
}

void cert_guard(struct err *lost, const struct cert_entry *before, const struct cert_chain *fresh,
                const struct cert_facts *leaf, X509_STORE *trust, int64_t now)
{
    struct err why = {""};

    lost->text[0] = '\0';
    if (cert_chain_judge(fresh, NULL, NULL, now, &why) != CERT_GOOD)
        err_set(lost, "%s", why.text);
    else if (before->about.host_count > 0)
        err_set(lost, "\"posternctl cert acme\" renews %s, and would replace this one", before->name);
    else if (before->live.count > 0)
        guard_trust(lost, before, fresh, leaf, trust, now);
    for (size_t i = 0; lost->text[0] == '\0' && i < before->leaf.names; i++)
        if (!covers(leaf, before->leaf.name[i]))
            err_set(lost, "it is not for %.100s, which the one in its place is for", before->leaf.name[i]);
}
