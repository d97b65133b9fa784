/* cert_trust_io.h - the authorities that this system trusts. */
#ifndef POSTERN_CERT_TRUST_IO_H
#define POSTERN_CERT_TRUST_IO_H

#include <openssl/x509_vfy.h>

/* To be freed with X509_STORE_free. NULL: no memory, or OpenSSL cannot read them. */
X509_STORE *cert_system_trust(void);

#endif
