/* setup_apply.t - a plan is carried out and taken back, for a mail server that is none: what fails midway, and daemons.
 */
#include "setup_apply_io.h"
#include "setup_command_io.h"
#include "setup_plan_io.h"
#include "whole_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];

/* The server: one command, which makes the file `made`, and one setting; up: it takes a reload. */
static struct fake {
    char script[300];   /* of the command, besides */
    const char *daemon; /* of the command */
    bool works;
} fake;

static const char *in(const char *name)
{
    static char path[4][128];
    static unsigned next;
    char *out = path[next++ % 4];

    snprintf(out, sizeof(path[0]), "%s/%s", folder, name);
    return out;
}

static void spew(const char *name, const char *text)
{
    FILE *out = fopen(in(name), "w");

    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static int plan(struct setup_plan *out, const struct setup_request *r, struct err *e)
{
    char make[600], undo[200], reload[200];

    (void)r;
    (void)e;
    snprintf(make, sizeof(make), "touch %s; %s", in("made"), fake.script);
    snprintf(undo, sizeof(undo), "rm %s", in("made"));
    snprintf(reload, sizeof(reload), "test -e %s", in("up"));
    setup_command(out, access(in("made"), F_OK) == 0 ? SETUP_THERE : SETUP_NEEDED,
                  &(struct setup_command){.what = "a command",
                                          .argv = (const char *[]){"sh", "-c", make, NULL},
                                          .undo = (const char *[]){"sh", "-c", undo, NULL},
                                          .daemon = fake.daemon});
    setup_conf(out, SETUP_NEEDED, "a setting", "tlsrptd", "log_name", "\"mail\"");
    setup_reload(out, (const char *[]){"sh", "-c", reload, NULL});
    return 0;
}

static bool running(const struct setup_request *r)
{
    (void)r;
    return true;
}

static int works(struct buf *said, const struct setup_request *r, struct err *e)
{
    (void)said;
    (void)r;
    return fake.works ? 0 : err_set(e, "it does not work");
}

static const struct setup_server server = {
    .name = "fake", .command = "setup fake", .plan = plan, .running = running, .works = works};

/* A run with what is there now. */
struct run {
    struct ctl ctl;
    char conf_file[128];
    struct conf *conf;
    struct buf conf_text, said;
    struct setup_folder kept;
    struct setup_manifest before;
    struct setup_request r;
    size_t left;
    struct err e;
    int rc;
};

static void begin(struct run *run)
{
    *run = (struct run){.rc = -1};
    snprintf(run->conf_file, sizeof(run->conf_file), "%s", in("conf"));
    run->ctl.conf_file = run->conf_file;
    buf_init(&run->conf_text, 10000);
    buf_init(&run->said, 100000);
    assert_int_equal(whole_file_read(&run->conf_text, in("conf"), NULL), 1);
    assert_int_equal(conf_parse(&run->conf, "conf", buf_text(&run->conf_text), run->conf_text.len, NULL), 0);
    if (setup_folder_open(&run->kept, in("kept"), "fake", &run->e) != 0)
        fail_msg("%s", run->e.text);
    run->r = (struct setup_request){.ctl = &run->ctl, .conf = run->conf, .conf_text = &run->conf_text, .share = ""};
    if (setup_folder_manifest(&run->before, in("kept"), "fake", NULL) == 1)
        run->r.before = &run->before;
}

static void end(struct run *run)
{
    if (run->r.before != NULL)
        setup_manifest_clear(&run->before);
    setup_folder_close(&run->kept);
    buf_clear(&run->conf_text);
    buf_clear(&run->said);
    conf_free(run->conf);
}

static void apply(struct run *run)
{
    struct setup_plan p;

    begin(run);
    assert_int_equal(setup_make_plan(&p, &server, &run->r, &run->e), 0);
    run->rc = setup_apply(&run->said, &run->kept, &server, &run->r, &p, &run->e);
    setup_plan_clear(&p);
}

static void undo(struct run *run)
{
    begin(run);
    run->rc = setup_undo(&run->said, &run->kept, &server, &run->r, false, &run->left, &run->e);
}

static void fresh(void)
{
    static const char script[] = "rm -rf \"$1\" && mkdir -m 700 \"$1\"";
    char *argv[] = {(char *)"sh", (char *)"-c", (char *)script, (char *)"sh", folder, NULL};
    struct buf out;

    buf_init(&out, 1000);
    assert_int_equal(setup_run_command(&out, argv, NULL), 0);
    buf_clear(&out);
    fake = (struct fake){.script = ":", .works = true};
    spew("conf", "");
    spew("up", "");
}

static bool there(const char *name)
{
    return access(in(name), F_OK) == 0;
}

/* --- */

static void test_made_and_taken_back(void **state)
{
    struct run run;

    (void)state;
    fresh();
    apply(&run);
    assert_string_equal(run.e.text, "");
    assert_int_equal(run.rc, 0);
    assert_true(there("made"));
    end(&run);
    undo(&run);
    assert_int_equal(run.rc, 1);
    assert_int_equal(run.left, 0);
    assert_false(there("made"));
    end(&run);
}

/* A group of a user, which no configuration shows, is had by a daemon that was started since. */
static void test_daemon_of_a_command(void **state)
{
    static const char restart[] = "by hand: restart postern-tlsrptd";
    struct run run;

    (void)state;
    if (access("/run/systemd/system", F_OK) == 0)
        skip();
    fresh();
    fake.daemon = "tlsrptd";
    apply(&run);
    assert_non_null(strstr(buf_text(&run.said), restart));
    end(&run);
    undo(&run);
    assert_non_null(strstr(buf_text(&run.said), restart));
    end(&run);

    fresh();
    fake.daemon = "tlsrptd";
    fake.works = false;
    apply(&run);
    assert_int_equal(run.rc, -1);
    assert_non_null(strstr(strstr(buf_text(&run.said), restart) + 1, restart));
    end(&run);
}

/* A manifest that cannot be put away again is said: the next run takes it for one that was broken off. */
static void test_manifest_that_stays(void **state)
{
    static const char but[] = "all is as it was before, but for what was kept of it";
    struct run run;

    (void)state;
    for (int before = 0; before < 2; before++) {
        fresh();
        if (before) {
            apply(&run);
            assert_int_equal(run.rc, 0);
            end(&run);
            assert_int_equal(unlink(in("made")), 0);
        }
        fake.works = false;
        snprintf(fake.script, sizeof(fake.script), "rm %s; mkdir -p %s", in("kept/fake/manifest"),
                 in("kept/fake/manifest/x"));
        apply(&run);
        assert_int_equal(run.rc, -1);
        if (strstr(run.e.text, but) == NULL || strstr(run.e.text, "it does not work") == NULL)
            fail_msg("%s", run.e.text);
        assert_non_null(strstr(buf_text(&run.said), "kept/fake/manifest"));
        assert_false(there("made"));
        end(&run);
    }
}

/* What is taken back already is not taken back again, nor told as left. */
static void test_undo_that_goes_on(void **state)
{
    struct run run;

    (void)state;
    fresh();
    apply(&run);
    assert_int_equal(run.rc, 0);
    end(&run);
    spew("conf", "# edited\ntlsrptd {\n    log_name = \"mail\"\n}\n");
    assert_int_equal(unlink(in("up")), 0);
    undo(&run);
    assert_int_equal(run.rc, -1);
    assert_false(there("made"));
    end(&run);
    spew("up", "");
    undo(&run);
    if (run.rc != 1 || run.left != 0)
        fail_msg("%s%s", run.e.text, buf_text(&run.said));
    assert_null(strstr(buf_text(&run.conf_text), "log_name"));
    end(&run);
}

/* A step that could not be taken back is tried again. */
static void test_undo_of_a_step_that_failed(void **state)
{
    struct run run;

    (void)state;
    fresh();
    apply(&run);
    end(&run);
    assert_int_equal(unlink(in("made")), 0);
    assert_int_equal(unlink(in("up")), 0);
    undo(&run);
    assert_int_equal(run.rc, -1);
    assert_int_equal(run.left, 1);
    end(&run);
    spew("up", "");
    spew("made", "");
    undo(&run);
    assert_int_equal(run.rc, 1);
    assert_int_equal(run.left, 0);
    assert_false(there("made"));
    end(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_made_and_taken_back),        cmocka_unit_test(test_daemon_of_a_command),
        cmocka_unit_test(test_manifest_that_stays),        cmocka_unit_test(test_undo_that_goes_on),
        cmocka_unit_test(test_undo_of_a_step_that_failed),
    };
    int failed;

    snprintf(folder, sizeof(folder), "/tmp/postern-setup-apply.%ld", (long)getpid());
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    fresh();
    (void)unlink(in("conf"));
    (void)unlink(in("up"));
    (void)rmdir(folder);
    return failed;
}
