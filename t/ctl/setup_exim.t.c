/* setup_exim.t - the plan for an Exim, without one: blocks in files, what Debian's settings and Exim's output say. */
#include "setup_exim.h"
#include "setup_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SAYS     ": \"posternctl setup exim\" writes what is between these marks, and nothing else in there stays\n"
#define B(name)  "# >>> postern " name SAYS
#define E(name)  "# <<< postern " name "\n"
#define HASHES   "########\n"
#define PRIMARY  HASHES "### router/200_exim4-config_primary\n" HASHES
#define TEMPLATE "begin routers\na:\n" PRIMARY "### router/200_exim4-config_primary\nb:\n"
#define ROUTERS  "postern_policy:\n  x\n"
#define ANCHOR   "router/200_exim4-config_primary"
#define OURS     B("routers") ROUTERS E("routers")
#define IN_PLACE "begin routers\na:\n" OURS PRIMARY "### router/200_exim4-config_primary\nb:\n"

/* --- blocks --- */

static const struct put {
    const char *name, *text, *anchor;
    enum setup_exim_put rc;
    const char *wanted;
} puts_[] = {
    {"a new file", "", NULL, SETUP_EXIM_PUT, OURS},
    {"behind what is there", "mine\n", NULL, SETUP_EXIM_PUT, "mine\n" OURS},
    {"a last line without end", "mine", NULL, SETUP_EXIM_PUT, "mine\n" OURS},
    {"an older one, where it is", "mine\n" B("routers") "old:\n" E("routers") "more\n", NULL, SETUP_EXIM_PUT,
     "mine\n" OURS "more\n"},
    {"it itself", "mine\n" OURS "more\n", NULL, SETUP_EXIM_PUT, "mine\n" OURS "more\n"},
    {"that of another part stays", B("macros") "A\n" E("macros"), NULL, SETUP_EXIM_PUT,
     B("macros") "A\n" E("macros") OURS},
    {"a mark that says something else", "# >>> postern routers (old)\nold:\n# <<< postern routers, end\n", NULL,
     SETUP_EXIM_PUT, OURS},
    {"a mark of something else", "# >>> postern routers2\n", NULL, SETUP_EXIM_PUT, "# >>> postern routers2\n" OURS},
    {"before Debian's", TEMPLATE, ANCHOR, SETUP_EXIM_PUT, IN_PLACE},
    {"again", IN_PLACE, ANCHOR, SETUP_EXIM_PUT, IN_PLACE},
    {"moved to where it is too late", TEMPLATE OURS, ANCHOR, SETUP_EXIM_PUT, IN_PLACE},
    {"a heading without the line above", "x\n### router/200_exim4-config_primary\n", ANCHOR, SETUP_EXIM_PUT,
     "x\n" OURS "### router/200_exim4-config_primary\n"},
    {"no heading", "begin routers\na:\n### router/200_exim4-config_primary_old\n", ANCHOR, SETUP_EXIM_NO_PLACE, NULL},
    {"an end alone", "a\n" E("routers"), NULL, SETUP_EXIM_BROKEN, NULL},
    {"a begin alone", B("routers") "a\n", ANCHOR, SETUP_EXIM_BROKEN, NULL},
    {"the wrong way round", E("routers") B("routers"), NULL, SETUP_EXIM_BROKEN, NULL},
    {"by hand", "postern_policy:\n  old\n" TEMPLATE, ANCHOR, SETUP_EXIM_FOREIGN, NULL},
    {"by .include", ".include /usr/share/postern/exim/routers\n" TEMPLATE, ANCHOR, SETUP_EXIM_FOREIGN, NULL},
    {"by hand and marked", OURS "postern_policy:\n" TEMPLATE, ANCHOR, SETUP_EXIM_FOREIGN, NULL},
};

static void test_put(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(puts_) / sizeof(puts_[0]); i++) {
        const struct put *p = &puts_[i];
        struct buf out;

        buf_init(&out, 10000);
        if (setup_exim_put(&out, p->text, SETUP_EXIM_ROUTERS, ROUTERS, p->anchor) != p->rc)
            fail_msg("%s: another result", p->name);
        if (p->wanted != NULL && strcmp(buf_text(&out), p->wanted) != 0)
            fail_msg("%s: %s", p->name, buf_text(&out));
        buf_clear(&out);
    }
}

static const struct take {
    const char *text, *wanted; /* NULL: it has none, or cannot be told */
} takes[] = {
    {"", NULL},
    {"mine\n", NULL},
    {OURS, ""},
    {"a\n" OURS "b", "a\nb"},
    {IN_PLACE, TEMPLATE},
    {B("macros") "A\n" E("macros") "mine\n" B("retry") E("retry"), "mine\n"},
    {OURS B("macros") "A\n", NULL},
    {"a\n" E("transports") "b\n", NULL},
};

static void test_take(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(takes) / sizeof(takes[0]); i++) {
        struct buf out;

        buf_init(&out, 10000);
        assert_int_equal(setup_exim_take(&out, takes[i].text), takes[i].wanted != NULL);
        if (takes[i].wanted != NULL)
            assert_string_equal(buf_text(&out), takes[i].wanted);
        buf_clear(&out);
    }
}

static void test_same(void **state)
{
    (void)state;
    assert_true(setup_exim_same("", "# a\n\n  # b\n"));
    assert_true(setup_exim_same("a\n\n#x\n  b\n", "# y\na\n  b"));
    assert_false(setup_exim_same("a\n", "a\nb\n"));
    assert_false(setup_exim_same("a\nb\n", "a\n"));
    assert_false(setup_exim_same("a\n", "ab\n"));
    assert_false(setup_exim_same("a #x\n", "a\n"));
}

/* --- what is read --- */

static const struct debian {
    const char *text, *type, *names; /* type NULL: refused */
    bool split;
} debians[] = {
    {"", "", "", false},
    {"dc_eximconfig_configtype='internet'\ndc_other_hostnames='A.example;b.example'\ndc_use_split_config='true'\n",
     "internet", "a.example;b.example", true},
    {"dc_eximconfig_configtype=\"Internet\"\ndc_use_split_config='false'\n", "internet", "", false},
    {"dc_eximconfig_configtype=local # x\n", "local", "", false},
    {"#dc_eximconfig_configtype='local'\n  dc_eximconfig_configtype='a'; x\ndc_other_hostnames_x='b'\n", "a", "",
     false},
    {"dc_eximconfig_configtype='a'\ndc_eximconfig_configtype='b'\ndc_use_split_config='TRUE'", "b", "", true},
    {"dc_other_hostnames=\"$(hostname)\"\n", NULL, NULL, false},
    {"dc_other_hostnames=`hostname`\n", NULL, NULL, false},
    {"dc_other_hostnames='$a'\n", "", "$a", false},
    {"dc_other_hostnames='a\nb'\n", NULL, NULL, false},
    {"dc_use_split_config=0123456789012345\n", NULL, NULL, false},
};

static void test_debian(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(debians) / sizeof(debians[0]); i++) {
        const struct debian *d = &debians[i];
        static struct setup_exim_debian got;
        struct err e = {""};

        assert_int_equal(setup_exim_read_debian(&got, d->text, &e), d->type == NULL ? -1 : 0);
        assert_int_equal(e.text[0] != '\0', d->type == NULL);
        if (d->type == NULL)
            continue;
        assert_string_equal(got.type, d->type);
        assert_string_equal(got.other_hostnames, d->names);
        assert_int_equal(got.split, d->split);
    }
}

static const struct build {
    const char *text;
    int rc;
    struct setup_exim_build wanted;
} builds[] = {
    {"Exim version 4.96 #2 built\nCopyright\nSupport for: crypteq GnuTLS TLS_resume DANE DKIM Event\nx\n",
     0,
     {4, 96, true, true, true}},
    {"Exim version 4.100 #2\nSupport for: OpenSSL Events NoDANE\n", 0, {4, 100, false, false, false}},
    {"Exim version 5\n", 0, {5, 0, false, false, false}},
    {"exim: cannot\n", -1, {0, 0, false, false, false}},
    {"", -1, {0, 0, false, false, false}},
};

static void test_build(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(builds) / sizeof(builds[0]); i++) {
        const struct setup_exim_build *w = &builds[i].wanted;
        struct setup_exim_build got;
        struct err e = {""};

        assert_int_equal(setup_exim_read_build(&got, builds[i].text, &e), builds[i].rc);
        if (builds[i].rc == 0 && (got.major != w->major || got.minor != w->minor || got.gnutls != w->gnutls ||
                                  got.dane != w->dane || got.events != w->events))
            fail_msg("%s", builds[i].text);
    }
}

#define ID "1xV8HW-0000T4-13"

static const struct queue {
    const char *text, *wanted; /* of each message: ID, f(lagged), h(eld), the recipient; "!": refused there */
} queues[] = {
    {"", ""},
    {"\n", ""},
    {" 0m   372 " ID " <a@b>\n          u+requiretls@x\n          v@x\n\n", ID " f u+requiretls@x;"},
    {"25m  2.9K " ID " <>\n          v@x\n        D u+requiretls@x\n\n", ID ";"},
    {" 3d  2.9K " ID " <a b@c> *** frozen ***\n          \"q q+REQUIRETLS\"@x\n\n", ID " f h \"q q+REQUIRETLS\"@x;"},
    {" 0m   372 " ID " <\"a *** frozen ***\"@b>\n          v@x\n\n", ID ";"},
    {" 0m   372 1xV8HW-0000000T4XX-13F2 <a@b> (joe)\n          u+requiretls@x\n\n 0m   372 " ID
     " <a@b>\n          v+requiretls@x\n          w+requiretls@x\n",
     "1xV8HW-0000000T4XX-13F2 f u+requiretls@x;" ID " f v+requiretls@x;"},
    {"exim: permission denied\n", "!"},
    {" 0m   372 " ID " a@b\n", "!"},
    {"          u+requiretls@x\n", "!"},
};

static void test_queue(void **state)
{
    static const struct address_tag tag = {'+', "requiretls"};

    (void)state;
    for (size_t i = 0; i < sizeof(queues) / sizeof(queues[0]); i++) {
        const char *at = queues[i].text;
        struct setup_exim_queued m;
        struct err e = {""};
        struct buf got;
        int rc;

        buf_init(&got, 1000);
        while ((rc = setup_exim_read_queued(&m, &at, &tag, &e)) == 1)
            buf_printf(&got, "%s%s%s%s%s;", m.id, m.flagged ? " f" : "", m.held ? " h" : "", m.flagged ? " " : "",
                       m.first);
        if (rc < 0)
            buf_char(&got, '!');
        assert_string_equal(buf_text(&got), queues[i].wanted);
        buf_clear(&got);
    }
}

/* --- plans --- */

static struct setup_exim_debian debian;

static const char parts[SETUP_EXIM_PARTS][60] = {"POSTERN_ASK_POLICY = x\n", "postern_policy:\n", "postern_smtp:\n",
                                                 "POSTERN_RELAYD_ADDRESS    *  F,4d,1m\n"};

#define STOCK                                                                                                 \
    PRIMARY HASHES "### transport/30_exim4-config_address_file\n" HASHES HASHES "### retry/30_exim4-config\n" \
                   "*  * F,2h,15m\n"

static void split(struct setup_exim_facts *f)
{
    (void)f;
    debian.split = true;
}

static void split_there(struct setup_exim_facts *f)
{
    debian.split = true;
    for (size_t i = 0; i < SETUP_EXIM_PARTS; i++)
        f->split[i] = parts[i];
    f->generated = true;
}

static void split_stale(struct setup_exim_facts *f)
{
    split_there(f);
    f->generated = false;
}

static void split_old(struct setup_exim_facts *f)
{
    split_there(f);
    f->split[SETUP_EXIM_ROUTERS] = B("routers") "old:\n" E("routers");
}

static void split_by_hand(struct setup_exim_facts *f)
{
    split_there(f);
    f->split[SETUP_EXIM_ROUTERS] = "postern_policy: # old\n";
}

static void no_heading(struct setup_exim_facts *f)
{
    f->template = "begin routers\n";
}

static void no_template(struct setup_exim_facts *f)
{
    f->template = NULL;
}

static void other_place(struct setup_exim_facts *f)
{
    f->config_dir = "/etc/exim-out";
    f->named = true;
    f->localmacros_counts = false;
}

static void own(struct setup_exim_facts *f)
{
    f->debian = NULL;
    f->own = ".include /s/exim/macros\npostern_policy:\n";
}

static void smarthost(struct setup_exim_facts *f)
{
    (void)f;
    strcpy(debian.type, "satellite");
    strcpy(debian.smarthost, "mail.example");
}

static void local_only(struct setup_exim_facts *f)
{
    (void)f;
    strcpy(debian.type, "local");
}

static void unmanaged(struct setup_exim_facts *f)
{
    (void)f;
    strcpy(debian.type, "none");
}

static void old_exim(struct setup_exim_facts *f)
{
    f->build.minor = 94;
}

static void openssl(struct setup_exim_facts *f)
{
    f->build.gnutls = false;
    f->build.dane = false;
}

static void domains(struct setup_exim_facts *f)
{
    (void)f;
    strcpy(debian.other_hostnames, " a.example;*.b.example : @ :!c.example:lsearch*@;/etc/x");
    strcpy(debian.relay_domains, "<; a.example ; d.example");
}

static void far(struct setup_exim_facts *f)
{
    f->resolver_is_near = false;
    f->authorities = false;
    f->mail_domain = "host";
    f->systemd = true;
}

static void doors(struct setup_exim_facts *f)
{
    f->doors = true;
}

static void untrusted(struct setup_exim_facts *f)
{
    f->resolver_is_trusted = false;
}

static const struct plan {
    const char *name;
    void (*change)(struct setup_exim_facts *f);
    const char *postern;
    const char *wanted[8]; /* lines of it; "!TEXT": not there */
} plans[] = {
    {"as Debian has it",
     NULL,
     "",
     {"  file /etc/exim4/exim4.conf.localmacros:\n", "  file /etc/exim4/exim4.conf.template:\n",
      "  update-exim4.conf\n", "  postern.conf: policyd { exim_listen = {\"inet:127.0.0.1:8464\"} }\n",
      "  postern.conf: tlsrptd { exim = \"inet:127.0.0.1:8465\" }\n", "    | mine = 1\n    | # >>> postern macros",
      "  invoke-rc.d exim4 reload\n", " needed; --apply makes them\n"}},
    {"settings",
     NULL,
     "",
     {"  postern.conf: stsd { tlsrpt = \"unix:/run/postern/tlsrptd.sock\" }\n",
      "  postern.conf: relayd { tlsrpt = \"unix:/run/postern/tlsrptd.sock\" }\n",
      "  postern.conf: tlsrptd { contact = \"postmaster@a.example\" }\n",
      "  posternctl -c postern.conf list add local host.a.example\n", "!list add local a.example",
      "report key new --type ed25519 /etc/postern/keys/ed25519.pem\n", "!.ifndef",
      "what comes back to its sender has no text"}},
    {"split",
     split,
     "",
     {"  file /etc/exim4/conf.d/main/000_postern:\n", "  file /etc/exim4/conf.d/router/190_postern:\n",
      "  file /etc/exim4/conf.d/transport/20_postern:\n", "  file /etc/exim4/conf.d/retry/20_postern:\n",
      "!exim4.conf.", "  update-exim4.conf\n"}},
    {"split, all there",
     split_there,
     "",
     {"!  file /etc", "!  update-exim4.conf\n", "  /etc/exim4/conf.d/main/000_postern  #"}},
    {"split, and Exim has not read it", split_stale, "", {"!  file /etc", "  update-exim4.conf\n"}},
    {"split, an older one",
     split_old,
     "",
     {"  file /etc/exim4/conf.d/router/190_postern:\n", "    | postern_policy:\n", "!| old:", "  update-exim4.conf\n"}},
    {"split, another one by hand",
     split_by_hand,
     "",
     {"router/190_postern has Postern's routers already, put in by hand and not as /s/exim/routers"}},
    {"a template without headings",
     no_heading,
     "",
     {"has no heading \"### router/200_exim4-config_primary\" any more", "has no heading \"### retry/30_exim4-config\"",
      "!  file /etc/exim4/exim4.conf.template", "--apply does nothing until these are gone"}},
    {"no template", no_template, "", {"/etc/exim4/exim4.conf.template is not there"}},
    {"another folder",
     other_place,
     "",
     {"  update-exim4.conf -d /etc/exim-out\n", "does not look at /etc/exim-out/exim4.conf.localmacros"}},
    {"a configuration of one's own",
     own,
     "",
     {"has Postern's macros", "has Postern's routers",
      "needs Postern's transports: \".include /s/exim/transports\" behind \"begin transports\"",
      "needs Postern's retry", "!update-exim4.conf", "which domains are local is not known"}},
    {"a smarthost", smarthost, "", {"gives all mail to a smarthost (mail.example)", "exim: 0 needed, 1 in the way"}},
    {"no mail leaves", local_only, "", {"no mail leaves this machine", "exim: nothing is needed\n"}},
    {"configtype none", unmanaged, "", {"dc_eximconfig_configtype is none", "exim: 0 needed, 1 in the way"}},
    {"an old Exim", old_exim, "", {"this is Exim 4.94, and needed is 4.96", "exim: 0 needed, 1 in the way"}},
    {"OpenSSL", openssl, "", {"not built with GnuTLS", "is built without DANE", "exim: 0 needed, 2 in the way"}},
    {"domains",
     domains,
     "",
     {"list add local a.example\n", "list add local .b.example\n", "!c.example", "list add local d.example\n",
      "dc_other_hostnames has lsearch*@, whose", "dc_other_hostnames has /etc/x, whose"}},
    {"a machine without",
     far,
     "",
     {"names none: apt-get install unbound", "apt-get install ca-certificates", "set contact",
      "  systemctl reload exim4\n"}},
    {"units of sockets",
     doors,
     "",
     {"systemctl stop postern.target && systemctl enable postern-policyd-exim.socket postern-tlsrptd-exim.socket && "
      "systemctl start postern.target"}},
    {"no units of sockets", NULL, "", {"!-exim.socket"}},
    {"units of sockets, and another address", doors, "tlsrptd { exim = \"inet:127.0.0.1:2\" }", {"!-exim.socket"}},
    {"trust-ad", untrusted, "", {"DANE needs the line \"options trust-ad\""}},
    {"addresses of the operator's",
     NULL,
     "policyd { exim_listen = {\"unix:/run/x.sock\", \"inet:127.0.0.1:1\"} } tlsrptd { exim = \"inet:127.0.0.1:2\" }"
     " relayd { listen = {\"inet:127.0.0.9:3\"} }",
     {"    | POSTERN_POLICY_SOCKET = inet:127.0.0.1:1\n", "    | POSTERN_TLSRPT_SOCKET = inet:127.0.0.1:2\n",
      "    | POSTERN_RELAYD_ADDRESS = 127.0.0.9\n", "    | POSTERN_RELAYD_PORT = 3\n", "!postern.conf: policyd",
      "!postern.conf: tlsrptd { exim"}},
    {"UNIX sockets",
     NULL,
     "policyd { exim_listen = {\"unix:/run/x.sock\"} } tlsrptd { exim = \"unix:/run/y\" }",
     {"policyd.exim_listen has no address that begins with inet:", "tlsrptd.exim is no address that begins with inet:",
      "exim: 0 needed, 2 in the way"}},
    {"keys of the operator's",
     NULL,
     "tlsrptd { rsa_key = \"/k\" contact = \"x@y.example\" }",
     {"!report key new", "!postmaster@"}},
};

static char *make_plan(const struct plan *p)
{
    struct setup_exim_facts f = {
        .config_dir = "/etc/exim4",
        .share = "/s",
        .part = {parts[0], parts[1], parts[2], parts[3]},
        .debian = &debian,
        .build = {4, 96, true, true, true},
        .template = STOCK,
        .localmacros = "mine = 1\n",
        .localmacros_counts = true,
        .hostname = "host.a.example",
        .mail_domain = "a.example",
        .authorities = true,
        .resolver_is_near = true,
        .resolver_is_trusted = true,
        .keys = {"/etc/postern/postern.conf", "/etc/postern/keys", false, {false, false}, "postern"}};
    struct setup_plan plan = {.server = "exim"};
    struct conf *conf;
    struct err e = {""};
    struct buf out;

    memset(&debian, 0, sizeof(debian));
    strcpy(debian.type, "internet");
    if (p->change != NULL)
        p->change(&f);
    if (conf_parse(&conf, "x", p->postern, strlen(p->postern), &e) != 0)
        fail_msg("%s", e.text);
    setup_exim(&plan, conf, &f);
    assert_int_equal(setup_plan_finish(&plan, &e), 0);
    buf_init(&out, 1000000);
    setup_print(&out, &plan, "postern.conf", false);
    assert_true(buf_ok(&out));
    setup_plan_clear(&plan);
    conf_free(conf);
    return out.data;
}

static void test_plans(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
        char *text = make_plan(&plans[i]);

        for (size_t w = 0; w < 8 && plans[i].wanted[w] != NULL; w++) {
            const char *wanted = plans[i].wanted[w];
            if ((strstr(text, wanted + (*wanted == '!')) != NULL) == (*wanted == '!'))
                fail_msg("%s: \"%s\" in\n%s", plans[i].name, wanted, text);
        }
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_put),    cmocka_unit_test(test_take),  cmocka_unit_test(test_same),
        cmocka_unit_test(test_debian), cmocka_unit_test(test_build), cmocka_unit_test(test_queue),
        cmocka_unit_test(test_plans),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
