/* publish_key_io.c - see publish_key_io.h. */
#include "publish_key_io.h"

#include "input_io.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATH_BUF 4096

/* A key that is encrypted is not asked for its password: its public half can come from its certificate. */
static int no_password(char *out, int size, int writing, void *ctx)
{
    (void)out, (void)size, (void)writing, (void)ctx;
    return -1;
}

static EVP_PKEY *key_of_request(BIO *pem)
{
    X509_REQ *request = PEM_read_bio_X509_REQ(pem, NULL, no_password, NULL);
    EVP_PKEY *key = request != NULL ? X509_REQ_get_pubkey(request) : NULL;

    X509_REQ_free(request);
    return key;
}

/* A private key, a public one, or a request. */
static EVP_PKEY *read_key(const struct buf *pem)
{
    EVP_PKEY *key = NULL;

    ERR_set_mark();
    for (int form = 0; form < 3 && key == NULL; form++) {
        BIO *bio = BIO_new_mem_buf(pem->data, (int)pem->len);

        if (bio != NULL)
            key = form == 0   ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL)
                  : form == 1 ? PEM_read_bio_PUBKEY(bio, NULL, no_password, NULL)
                              : key_of_request(bio);
        BIO_free(bio);
    }
    ERR_pop_to_mark();
    return key;
}

static int digest_of(struct tlsa_key *out, EVP_PKEY *key, struct err *e)
{
    if (cert_key_digest(out->digest, key) != 0)
        return err_set(e, "its public key cannot be written as DER");
    out->there = true;
    return 0;
}

static int parse_pem(struct tlsa_key *out, const struct buf *pem, struct err *e)
{
    EVP_PKEY *key;
    int rc;

    if (strstr(buf_text(pem), "-----BEGIN CERTIFICATE-----") != NULL ||
        strstr(buf_text(pem), "-----BEGIN TRUSTED CERTIFICATE-----") != NULL)
        return cert_chain_read(&out->chain, buf_text(pem), pem->len, e) == 0
                   ? digest_of(out, X509_get0_pubkey(out->chain.cert[0]), e)
                   : -1;
    key = read_key(pem);
    if (key == NULL)
        return err_set(e, "there is no certificate, no unencrypted key and no request in it (PEM)");
    rc = digest_of(out, key, e);
    EVP_PKEY_free(key);
    return rc;
}

static int read_file(struct tlsa_key *out, const char *path, struct err *e)
{
    struct buf pem;
    int rc;

    (void)snprintf(out->label, sizeof(out->label), "%s", path);
    buf_init(&pem, CERT_PEM_MAX);
    rc = input_read(&pem, path, e);
    if (rc == 0)
        rc = err_set(e, "longer than %zu octets", CERT_PEM_MAX);
    if (rc > 0)
        rc = parse_pem(out, &pem, e);
    buf_wipe(&pem);
    return rc == 0 || strncmp(e->text, path, strlen(path)) == 0 ? rc : err_prefix(e, "%.200s", path);
}

static int of_entry(struct tlsa_key *out, struct cert_entry *entry, struct err *e)
{
    (void)snprintf(out->label, sizeof(out->label), "%s (in the store)", entry->name);
    if (entry->live.count == 0)
        return err_set(e, "%s: %s", entry->name,
                       entry->trouble[0] != '\0' ? entry->trouble : "it is in the store, but has no certificate yet");
    if (digest_of(out, X509_get0_pubkey(entry->live.cert[0]), e) != 0)
        return err_prefix(e, "%s", entry->name);
    out->chain = entry->live; /* from now on out's */
    memset(&entry->live, 0, sizeof(entry->live));
    return 0;
}

int publish_key_read(struct tlsa_key *out, struct cert_entry *entry, const struct conf *conf, const char *word,
                     struct err *e)
{
    int rc = 0;

    memset(out, 0, sizeof(*out));
    memset(entry, 0, sizeof(*entry));
    if (cert_name_valid(word, NULL))
        rc = cert_entry_read(entry, conf->certs.folder, word, e);
    if (rc > 0)
        rc = of_entry(out, entry, e);
    else if (rc == 0 && access(word, F_OK) != 0 && strchr(word, '/') == NULL)
        rc = err_set(e, "%.200s: no file, and no certificate of the store in %.200s", word, conf->certs.folder);
    else if (rc == 0)
        rc = read_file(out, word, e);
    return rc;
}

int publish_key_next(struct tlsa_key *out, const struct conf *conf, const struct cert_entry *entry, struct err *e)
{
    static const enum cert_file files[] = {CERT_FILE_PENDING, CERT_FILE_NEXT_KEY};
    char path[PATH_BUF];

    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        cert_path(path, sizeof(path), conf->certs.folder, entry->name, files[i]);
        if (path[0] != '\0' && access(path, F_OK) == 0)
            return read_file(out, path, e) == 0 ? 1 : -1;
    }
    return 0;
}
