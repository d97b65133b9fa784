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

void cert_guard(struct err *lost, const struct cert_entry *before, const struct cert_chain *fresh,
                const struct cert_facts *leaf, int64_t now)
{
    struct err why = {""};

    lost->text[0] = '\0';
    if (cert_chain_judge(fresh, NULL, NULL, now, &why) != CERT_GOOD)
        err_set(lost, "%s", why.text);
    else if (before->about.host_count > 0)
        err_set(lost, "\"posternctl cert acme\" renews %s, and would replace this one", before->name);
    else if (before->live.count > 0 && leaf->self_issued && !before->leaf.self_issued)
        err_set(lost, "the one in its place is issued by %.80s, this one is self-signed", before->leaf.issuer);
    for (size_t i = 0; lost->text[0] == '\0' && i < before->leaf.names; i++)
        if (!covers(leaf, before->leaf.name[i]))
            err_set(lost, "it is not for %.100s, which the one in its place is for", before->leaf.name[i]);
}
