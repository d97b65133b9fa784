/* cert_store_io.t.c - tests of cert_store_io.c and cert_entry_io.c. */
#include "cert_store_io.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "make_cert.h"
#include "whole_file.h"

#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];
static struct buf pem;

static int make(void **state)
{
    static const struct made m = {"a", "DNS:a.example", 0, 9, false, false};
    EVP_PKEY *key = make_key("P-256");
    X509 *cert = make_cert(&m, key, NULL, NULL);

    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/postern-cert-store.XXXXXX");
    buf_init(&pem, CERT_PEM_MAX);
    add_key(&pem, key, NULL);
    add_cert(&pem, cert);
    EVP_PKEY_free(key);
    X509_free(cert);
    return mkdtemp(folder) == NULL || chmod(folder, 0755) != 0;
}

static int unmake(void **state)
{
    char path[128];

    (void)state;
    buf_clear(&pem);
    snprintf(path, sizeof(path), "%s/.lock", folder);
    unlink(path);
    return rmdir(folder);
}

static void takes_names(void **state)
{
    static const struct {
        const char *name;
        bool valid;
    } cases[] = {
        {"mx.example.com", true},
        {"a", true},
        {"0-_.", true},
        {"", false},
        {".", false},
        {"..", false},
        {".a", false},
        {"-a", false},
        {"a/b", false},
        {"../a", false},
        {"A", false},
        {"a b", false},
        {"a\n", false},
        {"_a", false},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", true},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", false},
    };
    struct err e = {""};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (cert_name_valid(cases[i].name, NULL) != cases[i].valid)
            fail_msg("%s", cases[i].name);
        if (!cases[i].valid) {
            assert_int_equal(cert_file_write(folder, cases[i].name, CERT_FILE_LIVE, "x", 1, NULL, &e), -1);
            assert_int_equal(cert_entry_remove(folder, cases[i].name, &e), -1);
        }
    }
}

static void write_file(const char *name, enum cert_file file, const char *text)
{
    struct err e = {""};

    if (cert_file_write(folder, name, file, text, strlen(text), NULL, &e) != 0)
        fail_msg("%s", e.text);
}

static void has(const char *name, enum cert_file file, const char *text)
{
    char path[256];
    struct buf got;
    struct stat st;
    int rc;

    cert_path(path, sizeof(path), folder, name, file);
    buf_init(&got, CERT_PEM_MAX);
    rc = whole_file_read(&got, path, NULL);
    assert_int_equal(rc, text != NULL);
    if (text != NULL) {
        assert_string_equal(buf_text(&got), text);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
    }
    buf_clear(&got);
}

static void writes_reads_and_removes(void **state)
{
    struct cert_entries all;
    struct cert_entry one;
    struct err e = {""};

    (void)state;
    assert_int_equal(cert_entry_read(&one, folder, "a", &e), 0);
    write_file("b", CERT_FILE_ABOUT, "{\"title\": \"B\"}");
    write_file("a", CERT_FILE_PENDING, buf_text(&pem));
    assert_int_equal(cert_entry_read(&one, folder, "a", &e), 1);
    assert_int_equal(one.live.count, 0);
    assert_string_equal(one.trouble, "");
    assert_string_equal(one.about.title, "");
    cert_entry_clear(&one);
    assert_int_equal(cert_pending_activate(folder, "a", &e), 0);
    has("a", CERT_FILE_PENDING, NULL);
    has("a", CERT_FILE_OLD, NULL);
    has("a", CERT_FILE_LIVE, buf_text(&pem));
    assert_int_equal(cert_pending_activate(folder, "a", &e), -1);
    has("a", CERT_FILE_LIVE, buf_text(&pem));
    assert_int_equal(cert_entries_read(&all, folder, &e), 0);
    assert_int_equal(all.count, 2);
    assert_string_equal(all.entry[0].name, "a");
    assert_int_equal(all.entry[0].live.count, 1);
    assert_string_equal(all.entry[1].about.title, "B");
    cert_entries_clear(&all);
    write_file("a", CERT_FILE_PENDING, "new");
    assert_int_equal(cert_pending_activate(folder, "a", &e), 0);
    has("a", CERT_FILE_OLD, buf_text(&pem));
    has("a", CERT_FILE_LIVE, "new");
    assert_int_equal(cert_entry_read(&one, folder, "a", &e), 1);
    assert_non_null(strstr(one.trouble, "live.pem: is not PEM"));
    assert_false(one.about_unread);
    cert_entry_clear(&one);
    write_file("a", CERT_FILE_ABOUT, "junk");
    assert_int_equal(cert_entry_read(&one, folder, "a", &e), 1);
    assert_non_null(strstr(one.trouble, "about.json: "));
    assert_non_null(strstr(one.trouble, "; live.pem: is not PEM"));
    assert_true(one.about_unread);
    assert_int_equal(one.trouble_errno, 0); /* what is in it is wrong */
    assert_string_equal(one.about.title, "");
    cert_entry_clear(&one);
    assert_int_equal(cert_file_remove(folder, "a", CERT_FILE_NEXT_KEY, &e), 0);
    assert_int_equal(cert_file_remove(folder, "a", CERT_FILE_LIVE, &e), 0);
    has("a", CERT_FILE_LIVE, NULL);
    assert_int_equal(cert_entry_remove(folder, "a", &e), 0);
    assert_int_equal(cert_entry_remove(folder, "b", &e), 0);
    assert_int_equal(cert_entry_remove(folder, "b", &e), -1);
    assert_int_equal(cert_entries_read(&all, folder, &e), 0);
    assert_int_equal(all.count, 0);
    cert_entries_clear(&all);
}

/* What a command puts there leaves no key that could be taken for the next one, whenever it is killed. */
static void takes_a_fresh_one(void **state)
{
    struct err e = {""};

    (void)state;
    write_file("a", CERT_FILE_LIVE, "old");
    write_file("a", CERT_FILE_PENDING, "of ACME");
    assert_int_equal(cert_fresh_activate(folder, "a", &e), -1);
    assert_non_null(strstr(e.text, "/a/fresh.pem: "));
    has("a", CERT_FILE_LIVE, "old");
    write_file("a", CERT_FILE_FRESH, "new");
    has("a", CERT_FILE_PENDING, "of ACME");
    assert_int_equal(cert_fresh_activate(folder, "a", &e), 0);
    has("a", CERT_FILE_LIVE, "new");
    has("a", CERT_FILE_OLD, "old");
    has("a", CERT_FILE_FRESH, NULL);
    has("a", CERT_FILE_PENDING, NULL);
    assert_int_equal(cert_entry_remove(folder, "a", &e), 0);
}

static void follows_no_links(void **state)
{
    char path[128], target[144];
    struct cert_entry one;
    struct err e = {""};

    (void)state;
    write_file("a", CERT_FILE_ABOUT, "{}");
    cert_path(path, sizeof(path), folder, "a", CERT_FILE_LIVE);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_int_equal(cert_entry_read(&one, folder, "a", &e), 1);
    assert_non_null(strstr(one.trouble, "live.pem"));
    assert_int_equal(one.trouble_errno, ELOOP);
    cert_entry_clear(&one);
    snprintf(target, sizeof(target), "%s" WHOLE_FILE_FRESH, path);
    assert_int_equal(symlink("/nowhere/x", target), 0);
    write_file("a", CERT_FILE_LIVE, "mine"); /* replaces the link, and the one beside it */
    has("a", CERT_FILE_LIVE, "mine");
    assert_int_equal(cert_entry_remove(folder, "a", &e), 0);
    snprintf(path, sizeof(path), "%s/b", folder);
    assert_int_equal(symlink("/tmp", path), 0);
    assert_int_equal(cert_entry_read(&one, folder, "b", &e), -1);
    assert_int_equal(cert_file_write(folder, "b", CERT_FILE_LIVE, "x", 1, NULL, &e), -1);
    assert_int_equal(unlink(path), 0);
}

/* about.json says who uses it: where the rest cannot be removed it stays. A store of others is not changed at all. */
static void removes_in_order(void **state)
{
    struct cert_entry one;
    struct err e = {""};
    char path[128];

    (void)state;
    write_file("a", CERT_FILE_ABOUT, "{\"use\": [\"postfix:/etc/postfix\"]}");
    write_file("a", CERT_FILE_LIVE, buf_text(&pem));
    assert_int_equal(chmod(folder, 0777), 0);
    assert_int_equal(cert_entry_remove(folder, "a", &e), -1);
    assert_non_null(strstr(e.text, "others than root may write into it"));
    assert_int_equal(chmod(folder, 0755), 0);
    snprintf(path, sizeof(path), "%s/a/stays", folder);
    assert_int_equal(mkdir(path, 0755), 0);
    assert_int_equal(cert_entry_remove(folder, "a", &e), -1);
    assert_int_equal(cert_entry_read(&one, folder, "a", &e), 1);
    assert_int_equal(one.about.uses, 1);
    cert_entry_clear(&one);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(cert_entry_remove(folder, "a", &e), 0);
}

/* One that is not for us does not take the others away. */
static void reads_beside_a_closed_folder(void **state)
{
    bool root = geteuid() == 0;
    struct cert_entries all;
    struct err e = {""};
    char path[128];

    (void)state;
    write_file("a", CERT_FILE_ABOUT, "{}");
    write_file("b", CERT_FILE_LIVE, buf_text(&pem));
    snprintf(path, sizeof(path), "%s/b", folder);
    assert_int_equal(chmod(path, 0), 0);
    assert_int_equal(root ? seteuid(65534) : 0, 0);
    assert_int_equal(cert_entries_read(&all, folder, &e), 0);
    assert_int_equal(root ? seteuid(0) : 0, 0);
    assert_int_equal(all.count, 2);
    assert_string_equal(all.entry[1].name, "b");
    assert_non_null(strstr(all.entry[1].trouble, "Permission denied"));
    assert_true(all.entry[1].about_unread);
    assert_int_equal(all.entry[1].trouble_errno, EACCES);
    cert_entries_clear(&all);
    assert_int_equal(chmod(path, 0755), 0);
    assert_int_equal(cert_entry_remove(folder, "a", &e), 0);
    assert_int_equal(cert_entry_remove(folder, "b", &e), 0);
}

/* A process that is short of descriptors must not take certificates for broken. */
static void knows_a_shortage(void **state)
{
    struct rlimit before, few;
    struct cert_entries all;
    struct cert_entry one;
    struct err e = {""};
    int next = dup(0), some, alone;

    (void)state;
    close(next);
    write_file("a", CERT_FILE_LIVE, buf_text(&pem));
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (rlim_t left = 0; left < 4; left++) { /* the third is for the file */
        few = before;
        few.rlim_cur = (rlim_t)next + left;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
        some = cert_entries_read(&all, folder, &e);
        alone = cert_entry_read(&one, folder, "a", &e);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_int_equal(some, left < 3 ? -1 : 0);
        assert_int_equal(alone, left < 3 ? -1 : 1);
        cert_entries_clear(&all);
        cert_entry_clear(&one);
    }
    assert_int_equal(cert_entry_remove(folder, "a", &e), 0);
}

static void refuses_folders_of_others(void **state)
{
    struct err e = {""};

    (void)state;
    assert_int_equal(chmod(folder, 0777), 0);
    assert_int_equal(cert_file_write(folder, "a", CERT_FILE_LIVE, "x", 1, NULL, &e), -1);
    assert_non_null(strstr(e.text, "no private key is kept there"));
    assert_int_equal(cert_store_lock(folder, &e), -1);
    assert_int_equal(chmod(folder, 0755), 0);
}

static void saves_about(void **state)
{
    struct cert_about a;
    struct cert_entry one;
    struct err e = {""};

    (void)state;
    assert_int_equal(cert_about_read(&a, "{\"title\": \"S\"}", 14, &e), 0);
    assert_int_equal(cert_about_save(folder, "saved", &a, NULL, &e), 0);
    assert_int_equal(cert_entry_read(&one, folder, "saved", &e), 1);
    assert_string_equal(one.about.title, "S");
    assert_int_equal(cert_about_save(folder, "../saved", &a, NULL, &e), -1);
    cert_entry_clear(&one);
    cert_about_clear(&a);
    assert_int_equal(cert_entry_remove(folder, "saved", &e), 0);
}

static void locks(void **state)
{
    struct err e = {""};
    int fd = cert_store_lock(folder, &e);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    fd = cert_store_lock(folder, &e);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(cert_store_lock("/nowhere/at/all", &e), -1);
}

/* That is no trouble: nobody has made a certificate yet. */
static void no_folder(void **state)
{
    struct cert_entry entry;
    struct cert_entries all;
    struct err e = {""};

    (void)state;
    assert_int_equal(cert_entries_read(&all, "/nowhere/at/all", &e), 0);
    assert_int_equal(all.count, 0);
    assert_string_equal(e.text, "");
    assert_int_equal(cert_entry_read(&entry, "/nowhere/at/all", "mx", &e), 0);
    assert_string_equal(e.text, "");
    assert_int_equal(cert_entries_read(&all, "/dev/null", &e), -1);
    assert_string_equal(e.text, "/dev/null: Not a directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_names),       cmocka_unit_test(writes_reads_and_removes),
        cmocka_unit_test(takes_a_fresh_one), cmocka_unit_test(follows_no_links),
        cmocka_unit_test(removes_in_order),  cmocka_unit_test(reads_beside_a_closed_folder),
        cmocka_unit_test(knows_a_shortage),  cmocka_unit_test(refuses_folders_of_others),
        cmocka_unit_test(saves_about),       cmocka_unit_test(locks),
        cmocka_unit_test(no_folder),
    };
    return cmocka_run_group_tests_name("cert_store_io", tests, make, unmake);
}
