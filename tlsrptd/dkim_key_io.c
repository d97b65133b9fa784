/* dkim_key_io.c - see dkim_key_io.h. */
#include "dkim_key_io.h"

#include "buf.h"
#include "dkim.h"
#include "whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Asked for the password of an encrypted key, which we do not have. */
static int no_password(char *text, int size, int writing, void *asked)
{
    (void)text;
    (void)size;
    (void)writing;
    *(bool *)asked = true;
    return -1;
}

static int no_key(const struct buf *pem, bool asked, const char *path, struct err *e)
{
    if (asked)
        return err_set(e, "%s: the key is encrypted with a password; it must be without (openssl pkey removes it)",
                       path);
    if (strstr(buf_text(pem), "-----BEGIN ") == NULL)
        return err_set(e, "%s: it is no PEM file (there is no line -----BEGIN PRIVATE KEY-----)", path);
    if (strstr(buf_text(pem), "PRIVATE KEY-----") == NULL)
        return err_set(e, "%s: it has no private key, perhaps the public one", path);
    return err_set(e, "%s: the private key in it is broken", path);
}

static EVP_PKEY *key_parse(const struct buf *pem, const char *path, struct err *e)
{
    BIO *bio = BIO_new_mem_buf(buf_text(pem), (int)pem->len);
    bool asked = false;
    EVP_PKEY *key;

    if (bio == NULL) {
        err_set(e, "%s: no memory", path);
        return NULL;
    }
    key = PEM_read_bio_PrivateKey(bio, NULL, no_password, &asked);
    BIO_free(bio);
    ERR_clear_error();
    if (key == NULL) {
        no_key(pem, asked, path, e);
        return NULL;
    }
    if (dkim_key_kind(key, e) != NULL)
        return key;
    EVP_PKEY_free(key);
    err_prefix(e, "%s", path);
    return NULL;
}

static void look_for_warnings(struct err *warning, const char *path, EVP_PKEY *key)
{
    struct stat st;

    warning->text[0] = '\0';
    if (stat(path, &st) == 0 && (st.st_mode & (S_IWGRP | S_IROTH | S_IWOTH)) != 0)
        err_set(warning, "%s: its mode %04o lets others read or change the key; make it 0600, or 0640", path,
                (unsigned)(st.st_mode & 07777));
    else if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA && EVP_PKEY_get_bits(key) < DKIM_RSA_BITS_GOOD)
        err_set(warning, "%s: the RSA key has %d bits only; %d are advised", path, EVP_PKEY_get_bits(key),
                DKIM_RSA_BITS_GOOD);
}

int dkim_key_read(EVP_PKEY **out, const char *path, struct err *warning, struct err *e)
{
    struct buf pem;
    int rc;

    *out = NULL;
    warning->text[0] = '\0';
    buf_init(&pem, DKIM_KEY_FILE_MAX);
    rc = whole_file_read(&pem, path, e);
    if (rc == 1)
        *out = key_parse(&pem, path, e);
    else if (rc == 0)
        err_set(e, "%s: there is no such file; posternctl report key new makes a key", path);
    buf_wipe(&pem);
    if (*out == NULL)
        return -1;
    look_for_warnings(warning, path, *out);
    return 0;
}

/* --- a new one --- */

/* The file, or NULL with the reason. */
static FILE *new_file(const char *path, struct err *e)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

    if (f == NULL && errno == EEXIST)
        err_set(e, "%s: there is a file of this name; a key is never overwritten", path);
    else if (f == NULL)
        err_set(e, "%s: %s", path, strerror(errno));
    if (f == NULL && fd >= 0)
        close(fd);
    return f;
}

/* Returns 0, or -1 with errno. */
static int key_write(FILE *f, EVP_PKEY *key)
{
    int rc = PEM_write_PKCS8PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1 ? 0 : -1;

    if (rc == 0 && (fflush(f) != 0 || fsync(fileno(f)) != 0))
        rc = -1;
    return rc;
}

int dkim_key_new(EVP_PKEY **out, enum dkim_key_type type, const char *path, struct err *e)
{
    FILE *f = new_file(path, e);
    int rc;

    *out = NULL;
    if (f == NULL)
        return -1;
    *out = type == DKIM_RSA ? EVP_RSA_gen(DKIM_RSA_BITS_GOOD) : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    errno = 0;
    rc = *out != NULL ? key_write(f, *out) : -1;
    if (rc != 0)
        err_set(e, "%s: the key cannot be %s%s%s", path, *out == NULL ? "made" : "written", errno != 0 ? ": " : "",
                errno != 0 ? strerror(errno) : "");
    if (fclose(f) != 0 && rc == 0)
        rc = err_set(e, "%s: %s", path, strerror(errno));
    if (rc == 0)
        return 0;
    (void)unlink(path);
    EVP_PKEY_free(*out);
    *out = NULL;
    ERR_clear_error();
    return -1;
}
