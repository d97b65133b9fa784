/* cert_trust_io.c - see cert_trust_io.h. */
#include "cert_trust_io.h"

X509_STORE *cert_system_trust(void)
{
    X509_STORE *store = X509_STORE_new();

    if (store != NULL && X509_STORE_set_default_paths(store) == 1)
        return store;
    X509_STORE_free(store);
    return NULL;
}
