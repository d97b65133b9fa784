/* dkim_key_io.h - private keys for DKIM (dkim.h) in files: PEM (PKCS #8, or RSA's older form), without a password. */
#ifndef POSTERN_DKIM_KEY_IO_H
#define POSTERN_DKIM_KEY_IO_H

#include <openssl/evp.h>

#include "err.h"

#define DKIM_KEY_FILE_MAX 65536 /* octets */

enum dkim_key_type { DKIM_RSA, DKIM_ED25519 };

/*
 * Read a key. Returns 0 with *out (EVP_PKEY_free), and in warning a sentence when the key can be used but is not as it
 * should be: the file's mode lets others read it or more than its owner write it, RSA of less than 2048 bits; else "".
 * Or -1 with "PATH: reason": not there or not to be read, no PEM, a public key, encrypted, RSA of less than 1024 bits,
 * another type of key.
 */
int dkim_key_read(EVP_PKEY **out, const char *path, struct err *warning, struct err *e);

/*
 * Make a new key, RSA of 2048 bits or Ed25519, in a new file of mode 0600, which is safe on disk. Returns 0 with *out
 * (EVP_PKEY_free), or -1 with the reason; a file that is there stays as it is.
 */
int dkim_key_new(EVP_PKEY **out, enum dkim_key_type type, const char *path, struct err *e);

#endif
