/* dkim_key_io.t.c - tests of dkim_key_io.c: keys in files as operators have them, and as they should not be. */
#include "dkim_key_io.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dkim.h"

#define PATH 100

static char folder[] = "/tmp/dkim_key_io.XXXXXX";

static void path_of(char out[PATH], const char *name)
{
    snprintf(out, PATH, "%s/%s", folder, name);
}

static FILE *opened(const char *name)
{
    char path[PATH];
    FILE *f;

    path_of(path, name);
    f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fchmod(fileno(f), 0600), 0);
    return f;
}

static void write_private(const char *name, EVP_PKEY *key, const EVP_CIPHER *cipher)
{
    FILE *f = opened(name);

    assert_non_null(key);
    assert_int_equal(
        PEM_write_PKCS8PrivateKey(f, key, cipher, cipher != NULL ? "secret" : NULL, cipher != NULL ? 6 : 0, NULL, NULL),
        1);
    fclose(f);
    EVP_PKEY_free(key);
}

static void write_text(const char *name, const char *text)
{
    FILE *f = opened(name);

    fputs(text, f);
    fclose(f);
}

static void write_traditional(const char *name, EVP_PKEY *key)
{
    char path[PATH];
    BIO *bio;

    fclose(opened(name));
    path_of(path, name);
    bio = BIO_new_file(path, "w");
    assert_int_equal(PEM_write_bio_PrivateKey_traditional(bio, key, NULL, NULL, 0, NULL, NULL), 1);
    BIO_free(bio);
    EVP_PKEY_free(key);
}

static void write_public(const char *name, EVP_PKEY *key)
{
    FILE *f = opened(name);

    assert_int_equal(PEM_write_PUBKEY(f, key), 1);
    fclose(f);
    EVP_PKEY_free(key);
}

static int folder_make(void **state)
{
    (void)state;
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int folder_remove(void **state)
{
    char command[PATH];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command);
}

/* Both texts without the folder's name. */
static void demand_read(const char *name, const char *error, const char *warning)
{
    char path[PATH], want[ERR_MAX + PATH];
    struct err w = {""}, e = {""};
    EVP_PKEY *key = NULL;
    int rc;

    path_of(path, name);
    rc = dkim_key_read(&key, path, &w, &e);
    snprintf(want, sizeof(want), "%s%s%s", error != NULL ? path : "", error != NULL ? ": " : "",
             error != NULL ? error : "");
    assert_string_equal(e.text, want);
    assert_int_equal(rc, error != NULL ? -1 : 0);
    assert_true((key == NULL) == (error != NULL));
    snprintf(want, sizeof(want), "%s%s%s", warning != NULL ? path : "", warning != NULL ? ": " : "",
             warning != NULL ? warning : "");
    assert_string_equal(w.text, want);
    EVP_PKEY_free(key);
}

static void good_keys_are_read(void **state)
{
    (void)state;
    write_private("rsa", EVP_RSA_gen(2048), NULL);
    write_traditional("rsa-old", EVP_RSA_gen(2048));
    write_private("ed25519", EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), NULL);
    demand_read("rsa", NULL, NULL);
    demand_read("rsa-old", NULL, NULL);
    demand_read("ed25519", NULL, NULL);
}

static void keys_with_a_flaw_are_read_with_a_warning(void **state)
{
    char path[PATH];

    (void)state;
    write_private("rsa1024", EVP_RSA_gen(1024), NULL);
    demand_read("rsa1024", NULL, "the RSA key has 1024 bits only; 2048 are advised");
    write_private("open", EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), NULL);
    path_of(path, "open");
    assert_int_equal(chmod(path, 0640), 0);
    demand_read("open", NULL, NULL);
    assert_int_equal(chmod(path, 0644), 0);
    demand_read("open", NULL, "its mode 0644 lets others read or change the key; make it 0600, or 0640");
    assert_int_equal(chmod(path, 0660), 0);
    demand_read("open", NULL, "its mode 0660 lets others read or change the key; make it 0600, or 0640");
}

static void what_is_no_key_is_refused(void **state)
{
    (void)state;
    demand_read("none", "there is no such file; posternctl report key new makes a key", NULL);
    demand_read(".", "Is a directory", NULL);
    write_text("empty", "");
    demand_read("empty", "it is no PEM file (there is no line -----BEGIN PRIVATE KEY-----)", NULL);
    write_text("der", "0\x82\x01");
    demand_read("der", "it is no PEM file (there is no line -----BEGIN PRIVATE KEY-----)", NULL);
    write_text("broken", "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n");
    demand_read("broken", "the private key in it is broken", NULL);
    write_public("public", EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
    demand_read("public", "it has no private key, perhaps the public one", NULL);
    write_private("encrypted", EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), EVP_aes_128_cbc());
    demand_read("encrypted", "the key is encrypted with a password; it must be without (openssl pkey removes it)",
                NULL);
    write_private("rsa512", EVP_RSA_gen(512), NULL);
    demand_read("rsa512", "an RSA key of 512 bits, but DKIM wants 1024 to 16384; make a new one of 2048", NULL);
    write_private("ec", EVP_EC_gen("P-256"), NULL);
    demand_read("ec", "a key of another type (EC), but DKIM has RSA and Ed25519 only", NULL);
}

static void new_keys_are_made_and_never_overwrite(void **state)
{
    static const char *const names[] = {"new-rsa", "new-ed25519"};
    static const char *const kinds[] = {"rsa", "ed25519"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char path[PATH], want[ERR_MAX + PATH];
        struct err w = {""}, e = {""};
        EVP_PKEY *key, *again;
        struct stat st;

        path_of(path, names[i]);
        assert_int_equal(dkim_key_new(&key, i == 0 ? DKIM_RSA : DKIM_ED25519, path, &e), 0);
        assert_string_equal(dkim_key_kind(key, &e), kinds[i]);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
        assert_int_equal(dkim_key_read(&again, path, &w, &e), 0);
        assert_string_equal(w.text, "");
        assert_int_equal(EVP_PKEY_eq(key, again), 1);
        EVP_PKEY_free(key);
        assert_int_equal(dkim_key_new(&key, DKIM_RSA, path, &e), -1);
        snprintf(want, sizeof(want), "%s: there is a file of this name; a key is never overwritten", path);
        assert_string_equal(e.text, want);
        assert_int_equal(dkim_key_read(&key, path, &w, &e), 0);
        assert_int_equal(EVP_PKEY_eq(key, again), 1);
        EVP_PKEY_free(key);
        EVP_PKEY_free(again);
    }
}

static void new_key_without_a_place_leaves_nothing(void **state)
{
    struct err e = {""};
    char path[PATH], want[ERR_MAX + PATH];
    EVP_PKEY *key;

    (void)state;
    path_of(path, "no/folder");
    assert_int_equal(dkim_key_new(&key, DKIM_ED25519, path, &e), -1);
    snprintf(want, sizeof(want), "%s: No such file or directory", path);
    assert_string_equal(e.text, want);
    assert_null(key);
    path_of(path, "link");
    assert_int_equal(symlink("elsewhere", path), 0);
    assert_int_equal(dkim_key_new(&key, DKIM_ED25519, path, &e), -1); /* a link is a file of this name, too */
    path_of(path, "elsewhere");
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(dkim_key_new(&key, DKIM_ED25519, "/dev/full", &e), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_keys_are_read),
        cmocka_unit_test(keys_with_a_flaw_are_read_with_a_warning),
        cmocka_unit_test(what_is_no_key_is_refused),
        cmocka_unit_test(new_keys_are_made_and_never_overwrite),
        cmocka_unit_test(new_key_without_a_place_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
