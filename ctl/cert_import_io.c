/* cert_import_io.c - posternctl cert import: a certificate that others have issued, from PEM or PKCS#12. */
#include "cert_live_io.h"
#include "cert_make.h"
#include "cert_pkcs12.h"
#include "input_io.h"
#include "output_io.h"
#include "whole_file.h"

#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#define PASSWORD_MAX 1024

static int read_input(struct buf *out, const char *path)
{
    struct err e = {""};
    int rc = input_read(out, path, &e);

    if (rc == 1)
        return 0;
    if (rc == 0)
        report_error("%s: longer than %zu octets", path, out->max);
    else
        report_error("%s", e.text);
    return -1;
}

/* On a terminal it is asked for, and not shown. */
static int ask_password(struct buf *out)
{
    char *typed = getpass("Password of the file: ");

    if (typed == NULL) {
        report_error("the terminal cannot be read");
        return -1;
    }
    buf_str(out, typed);
    OPENSSL_cleanse(typed, strlen(typed));
    return 0;
}

/* The first line of --password. */
static int read_password(struct buf *out, const struct ctl *ctl)
{
    if (ctl->password == NULL)
        return 0;
    if (strcmp(ctl->password, "-") == 0 && isatty(STDIN_FILENO))
        return ask_password(out);
    if (read_input(out, ctl->password) != 0)
        return -1;
    if (out->len > 0)
        out->data[strcspn(out->data, "\r\n")] = '\0';
    return 0;
}

static int take_pkcs12(struct buf *pem, const struct ctl *ctl, const struct buf *file)
{
    struct err e = {""};
    struct buf password;
    int rc;

    buf_init(&password, PASSWORD_MAX);
    rc = read_password(&password, ctl);
    if (rc == 0 && (rc = cert_pkcs12_read(pem, buf_text(file), file->len,
                                          ctl->password != NULL ? buf_text(&password) : NULL, &e)) != 0)
        report_error("%s: %s", ctl->word[1], e.text);
    buf_wipe(&password);
    return rc;
}

/* The file, as PEM, and --key behind it. */
static int read_files(struct buf *pem, const struct ctl *ctl)
{
    struct buf file;
    int rc;

    buf_init(&file, CERT_PEM_MAX);
    rc = read_input(&file, ctl->word[1]);
    if (rc == 0 && memmem(buf_text(&file), file.len, "-----BEGIN ", 11) != NULL)
        buf_add(pem, buf_text(&file), file.len);
    else if (rc == 0)
        rc = take_pkcs12(pem, ctl, &file);
    buf_wipe(&file);
    buf_char(pem, '\n');
    return rc == 0 && ctl->key != NULL ? read_input(pem, ctl->key) : rc;
}

static bool reads_with_key(const struct buf *pem)
{
    struct cert_chain c;
    bool has = cert_chain_read(&c, buf_text(pem), pem->len, NULL) == 0 && c.key != NULL;

    cert_chain_clear(&c);
    return has;
}

/* No key in the files: one that the store keeps, when it fits. */
static bool add_kept_key(struct buf *pem, const struct cert_held *h, bool *next)
{
    size_t before = pem->len;
    char path[512];

    cert_path(path, sizeof(path), h->folder, h->name, CERT_FILE_NEXT_KEY);
    *next = whole_file_read(pem, path, NULL) == 1 && reads_with_key(pem);
    if (*next)
        return true;
    pem->len = before;
    pem->data[before] = '\0';
    if (h->entry.live.key != NULL)
        cert_pem_key(pem, h->entry.live.key);
    return h->entry.live.key != NULL && reads_with_key(pem);
}

static int import(struct cert_held *h, struct buf *pem)
{
    bool next = false, csr = false;
    struct err e = {""};
    struct cert_chain c;
    int rc = cert_chain_read(&c, buf_text(pem), pem->len, &e);
    bool has_key = c.key != NULL;

    cert_chain_clear(&c);
    if (rc != 0 && memmem(buf_text(pem), pem->len, "PRIVATE KEY-----", 16) != NULL) {
        report_error("%s: %s", h->ctl->word[1], e.text);
        return CTL_USAGE;
    }
    if (!has_key && !add_kept_key(pem, h, &next)) {
        if (rc != 0)
            report_error("%s: %s", h->ctl->word[1], e.text);
        else
            report_error(
                "%s: there is no private key in it, and none that fits is kept for %s; --key FILE says where it is",
                h->ctl->word[1], h->name);
        return CTL_USAGE;
    }
    csr = !has_key && next;
    rc = cert_live_put(h, pem, csr ? "csr" : "import");
    if (rc == CTL_YES && csr && cert_file_remove(h->folder, h->name, CERT_FILE_NEXT_KEY, &e) != 0) {
        report_error("%s; the certificate is in use, and its key is kept as the next one, too: remove that file",
                     e.text);
        rc = CTL_NO;
    }
    return rc;
}

int run_cert_import(const struct ctl *ctl)
{
    struct cert_held h;
    struct buf pem;
    int rc;

    buf_init(&pem, 3 * CERT_PEM_MAX); /* file, key, a key of the store; the reader has its own bound */
    if (read_files(&pem, ctl) != 0) {
        buf_wipe(&pem);
        return CTL_USAGE;
    }
    rc = cert_hold(&h, ctl, ctl->word[0]);
    if (rc == CTL_YES)
        rc = import(&h, &pem);
    cert_release(&h);
    buf_wipe(&pem);
    return rc;
}
