/* whole_file.t.c - tests of whole_file.c: what stands in a file's place afterwards, and what does not. */
#include "whole_file.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define OURS                                             \
    {                                                    \
        .mode = 0644, .uid = (uid_t)-1, .gid = (gid_t)-1 \
    }

static char folder[] = "/tmp/whole_file.XXXXXX";
static char paths[4][128];

/* The path of a name; four are valid at a time. */
static const char *in(const char *name)
{
    static unsigned n;
    char *path = paths[n++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

static void has(const char *name, const char *text)
{
    struct buf got;

    buf_init(&got, 1000);
    assert_int_equal(whole_file_read(&got, in(name), NULL), 1);
    assert_string_equal(buf_text(&got), text);
    buf_clear(&got);
}

static void is_file(const char *name, mode_t mode)
{
    struct stat st;

    assert_int_equal(lstat(in(name), &st), 0);
    assert_true(S_ISREG(st.st_mode));
    assert_int_equal(st.st_mode & 07777, mode);
}

static void has_none(const char *name)
{
    assert_int_equal(access(in(name), F_OK), -1);
    assert_int_equal(errno, ENOENT);
}

static void replaces(void **state)
{
    (void)state;
    assert_int_equal(whole_file_replace(in("a"), "one", 3), 0);
    assert_int_equal(whole_file_replace(in("a"), "longer", 6), 0);
    assert_int_equal(whole_file_replace(in("a"), "two", 3), 0);
    has("a", "two");
    is_file("a", 0640);
    has_none("a.new");
}

static void puts_as_told(void **state)
{
    const struct whole_file_owner secret = {.mode = 0600, .uid = geteuid(), .gid = getegid()}, ours = OURS;

    (void)state;
    assert_int_equal(whole_file_put(in("b"), "one", 3, &secret), 0);
    is_file("b", 0600);
    assert_int_equal(whole_file_put(in("b"), "", 0, &ours), 0);
    is_file("b", 0644);
    has("b", "");
    has_none("b" WHOLE_FILE_FRESH);
}

/* Somebody who may write to the folder leads nobody to a file elsewhere. */
static void follows_no_link(void **state)
{
    const struct whole_file_owner ours = OURS;

    (void)state;
    assert_int_equal(whole_file_replace(in("precious"), "gold", 4), 0);
    assert_int_equal(symlink(in("precious"), in("c" WHOLE_FILE_FRESH)), 0);
    assert_int_equal(symlink(in("precious"), in("c")), 0);
    assert_int_equal(whole_file_put(in("c"), "mine", 4, &ours), 0);
    has("c", "mine");
    is_file("c", 0644);
    has("precious", "gold");
    is_file("precious", 0640);
    assert_int_equal(symlink(in("precious"), in("d.new")), 0);
    assert_int_equal(whole_file_replace(in("d"), "mine", 4), -1);
    assert_int_equal(errno, ELOOP);
    has("precious", "gold");
}

static void fails_and_leaves_nothing(void **state)
{
    const struct whole_file_owner ours = OURS;
    char longest[257];

    (void)state;
    assert_int_equal(whole_file_put(in("no/such"), "x", 1, &ours), -1);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(whole_file_replace(in("no/such"), "x", 1), -1);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(mkdir(in("e"), 0700), 0);
    assert_int_equal(whole_file_put(in("e"), "x", 1, &ours), -1);
    assert_int_equal(errno, EISDIR);
    has_none("e" WHOLE_FILE_FRESH);
    assert_int_equal(whole_file_replace(in("e"), "x", 1), -1);
    assert_int_equal(errno, EISDIR);
    has_none("e.new");
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_int_equal(whole_file_put(longest, "x", 1, &ours), -1);
    assert_int_equal(errno, ENAMETOOLONG);
    assert_int_equal(whole_file_replace(longest, "x", 1), -1);
    assert_int_equal(errno, ENAMETOOLONG);
}

static int begin(void **state)
{
    (void)state;
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int end(void **state)
{
    static const char *const left[] = {"a", "b", "c", "precious", "d.new"};

    (void)state;
    for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++)
        (void)unlink(in(left[i]));
    (void)rmdir(in("e"));
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replaces),
        cmocka_unit_test(puts_as_told),
        cmocka_unit_test(follows_no_link),
        cmocka_unit_test(fails_and_leaves_nothing),
    };

    return cmocka_run_group_tests_name("whole_file", tests, begin, end);
}
