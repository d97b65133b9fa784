/* tls_level.h - the TLS levels, by Postfix's names (TLS_README). */
#ifndef POSTERN_TLS_LEVEL_H
#define POSTERN_TLS_LEVEL_H

/* LEVEL_DEFAULT: nothing binds, the MTA's own setting goes. */
enum tls_level {
    LEVEL_DEFAULT,
    LEVEL_NONE,
    LEVEL_MAY,
    LEVEL_ENCRYPT,
    LEVEL_DANE,
    LEVEL_VERIFY,
    LEVEL_SECURE,
    LEVEL_DANE_ONLY
};

/* "default", "none", "may", "encrypt", "dane", "verify", "secure", "dane-only" */
const char *tls_level_name(enum tls_level level);

#endif
