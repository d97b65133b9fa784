/* setup_sendmail.t - the plan for a Sendmail, without one: lines of sendmail.mc, what is in the way, the queue. */
#include "setup_sendmail.h"
#include "setup_sendmail_queue.h"
#include "setup_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define INCLUDE "include(`/usr/share/postern/sendmail/postern.m4')dnl\n"
#define BEGIN   "dnl >>> postern: \"posternctl setup sendmail\" writes what is between these marks\n"
#define END     "dnl <<< postern\n"
#define MC      "include(`/usr/share/sendmail/cf/m4/cf.m4')dnl\nMAILER(`smtp')dnl\n"
#define CF      "# built on Monday\n\nDj client\nO QueueDirectory=/var/spool/mqueue\n"
#define MADE    "# built on Sunday\nDj client\nO QueueDirectory=/var/spool/mqueue\n\nScheck_compat\nMrelaxed,\tP=x\n"
#define BUILT                                                          \
    "Version 8.17.1.9\n Compiled with: LOG MAP_REGEX MILTER NETINET\n" \
    "\t\tSOCKETMAP STARTTLS\n FFR Defines: _FFR_MTA_STS _FFR_TLS_ALTNAMES\n"

static struct conf *parse(const char *postern)
{
    struct conf *conf;
    struct err e = {""};

    if (conf_parse(&conf, "x", postern, strlen(postern), &e) != 0)
        fail_msg("%s", e.text);
    return conf;
}

/* --- lines --- */

static const struct lines {
    const char *postern, *include;
    const char *wanted; /* NULL: none can be made */
} lines[] = {
    {"", "/usr/share/postern/sendmail/postern.m4", BEGIN INCLUDE END},
    {"policyd { listen = {\"unix:/run/p\", \"inet:127.0.0.1:99\"} }", "/p.m4",
     BEGIN "define(`POSTERN_POLICYD', `inet:99@127.0.0.1')dnl\ninclude(`/p.m4')dnl\n" END},
    {"policyd { listen = {\"unix:/run/p\"} } milter { listen = \"unix:/run/m\" }", "/p.m4",
     BEGIN "define(`POSTERN_POLICYD', `local:/run/p')dnl\ndefine(`POSTERN_MILTER', `local:/run/m')dnl\n"
           "include(`/p.m4')dnl\n" END},
    {"milter { listen = \"inet:[::1]:7\" } relayd { listen = {\"unix:/run/r\", \"inet:[::1]:8\"} }", "/p.m4",
     BEGIN "define(`POSTERN_MILTER', `inet6:7@::1')dnl\ndefine(`POSTERN_RELAYD', `[IPv6:::1] 8')dnl\n"
           "include(`/p.m4')dnl\n" END},
    {"relayd { listen = {\"unix:/run/r\"} }", "/p.m4", NULL},
    {"", "/p'm4", NULL},
    {"", "/p`m4", NULL},
    {"", "/p(m4", NULL},
};

static void test_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct conf *conf = parse(lines[i].postern);
        struct setup_sendmail_lines l;
        struct err e = {""};
        struct buf out;
        int rc = setup_sendmail_lines(&l, conf, lines[i].include, &e);

        assert_int_equal(rc, lines[i].wanted != NULL ? 0 : -1);
        assert_int_equal(e.text[0] != '\0', rc != 0);
        buf_init(&out, 10000);
        if (rc == 0)
            assert_int_equal(setup_sendmail_mc(&out, "", &l), 0);
        if (rc == 0)
            assert_string_equal(buf_text(&out), lines[i].wanted);
        buf_clear(&out);
        conf_free(conf);
    }
}

static const struct mc {
    const char *what, *before;
    const char *after, *bare; /* NULL: a mark is missing */
} mcs[] = {
    {"none before", "a\n", "a\n" BEGIN INCLUDE END, "a\n"},
    {"no end of the last line", "a", "a\n" BEGIN INCLUDE END, "a"},
    {"as it is to be", "a\n" BEGIN INCLUDE END, "a\n" BEGIN INCLUDE END, "a\n"},
    {"an old one", "a\ndnl >>> postern x\nold\ndnl <<< postern y\nb\n", "a\nb\n" BEGIN INCLUDE END, "a\nb\n"},
    {"two", "dnl >>> postern\ndnl <<< postern\na\ndnl >>> postern\ndnl <<< postern", "a\n" BEGIN INCLUDE END, "a\n"},
    {"by hand", " include(`/x/postern.m4')\n", " include(`/x/postern.m4')\n", " include(`/x/postern.m4')\n"},
    {"by hand, and ours", BEGIN INCLUDE END INCLUDE, INCLUDE, INCLUDE},
    {"a comment", "dnl " INCLUDE, "dnl " INCLUDE BEGIN INCLUDE END, "dnl " INCLUDE},
    {"on another line", "include(`x')\npostern.m4\n", "include(`x')\npostern.m4\n" BEGIN INCLUDE END,
     "include(`x')\npostern.m4\n"},
    {"no end", "a\n" BEGIN, NULL, NULL},
    {"no beginning", "a\n" END, NULL, NULL},
    {"the wrong way round", END BEGIN, NULL, NULL},
    {"a beginning inside", BEGIN BEGIN END, NULL, NULL},
};

static void test_mc(void **state)
{
    struct conf *conf = parse("");

    (void)state;
    for (size_t i = 0; i < sizeof(mcs) / sizeof(mcs[0]); i++) {
        const char *wanted[2] = {mcs[i].after, mcs[i].bare};

        for (size_t j = 0; j < 2; j++) {
            struct setup_sendmail_lines l;
            struct buf out;

            assert_int_equal(setup_sendmail_lines(&l, conf, "/usr/share/postern/sendmail/postern.m4", NULL), 0);
            buf_init(&out, 10000);
            assert_int_equal(setup_sendmail_mc(&out, mcs[i].before, j == 0 ? &l : NULL), wanted[j] != NULL ? 0 : -1);
            if (wanted[j] != NULL && strcmp(buf_text(&out), wanted[j]) != 0)
                fail_msg("%s: %s", mcs[i].what, buf_text(&out));
            buf_clear(&out);
        }
    }
    conf_free(conf);
}

/* --- plans --- */

struct made {
    void (*change)(struct setup_sendmail_facts *facts);
    const char *postern;
};

static char *plan(const struct made *m)
{
    static const char *const reload[] = {"systemctl", "reload", "sendmail", NULL};
    struct setup_sendmail_facts facts = {.config_dir = "/etc/mail",
                                         .program = "/usr/libexec/sendmail/sendmail",
                                         .built = BUILT,
                                         .mc = MC,
                                         .cf = CF,
                                         .cf_wrong = "",
                                         .now = {CF, ""},
                                         .bare = {CF, ""},
                                         .wanted = {MADE, ""},
                                         .authorities = true,
                                         .beside = "",
                                         .own = "ADDRESS TEST MODE (x)\nEnter <ruleset> <address>\n> a.example\n"
                                                "localhost\n[192.0.2.1]\n> \n",
                                         .relayed = "> > ",
                                         .virtual = "> > ",
                                         .mailertable = "",
                                         .reload = reload};
    struct conf *conf = parse(m->postern != NULL ? m->postern : "");
    struct setup_plan p = {.server = "sendmail"};
    struct setup_sendmail_lines l;
    struct err e = {""};
    struct buf out;

    if (m->change != NULL)
        m->change(&facts);
    assert_int_equal(setup_sendmail_lines(&l, conf, "/usr/share/postern/sendmail/postern.m4", &e), 0);
    setup_sendmail(&p, conf, &l, &facts);
    assert_int_equal(setup_plan_finish(&p, &e), 0);
    buf_init(&out, 1000000);
    setup_print(&out, &p, "postern.conf", false);
    assert_true(buf_ok(&out));
    setup_plan_clear(&p);
    conf_free(conf);
    return out.data;
}

static void no_program(struct setup_sendmail_facts *f)
{
    f->program = "";
}
static void no_socketmap(struct setup_sendmail_facts *f)
{
    f->built = "Compiled with: MAP_REGEX MILTER NETINET NOSOCKETMAP STARTTLS _FFR_MTA_STS _FFR_TLS_ALTNAMES\n";
}
static void no_mc(struct setup_sendmail_facts *f)
{
    f->mc = NULL;
}
static void no_cf(struct setup_sendmail_facts *f)
{
    f->cf = NULL;
}
static void wrong_cf(struct setup_sendmail_facts *f)
{
    f->cf_wrong = "line 7: nonsense";
}
static void edited_cf(struct setup_sendmail_facts *f)
{
    f->cf = CF "O Own=1\n";
}
static void shorter_cf(struct setup_sendmail_facts *f)
{
    f->cf = "Dj client\n";
}
static void our_cf(struct setup_sendmail_facts *f)
{
    f->cf = CF "O Old=1\n";
    f->cf_is_ours = true;
}
static void done(struct setup_sendmail_facts *f)
{
    f->mc = MC BEGIN INCLUDE END;
    f->now.text = f->cf = "# of today\n" MADE;
    f->dane_set = true;
}
static void half_done(struct setup_sendmail_facts *f)
{
    f->mc = MC BEGIN INCLUDE END;
}
static void no_m4(struct setup_sendmail_facts *f)
{
    f->wanted.text = NULL;
    f->wanted.why = "it has FEATURE(sts)";
}
static void no_authorities(struct setup_sendmail_facts *f)
{
    f->authorities = false;
}
static void two_compat(struct setup_sendmail_facts *f)
{
    f->wanted.text = MADE "Scheck_compat\n";
}
static void two_relaxed(struct setup_sendmail_facts *f)
{
    f->wanted.text = MADE "Mrelaxed,P=y\n";
}
static void no_double(struct setup_sendmail_facts *f)
{
    f->wanted.text = MADE "Scheck_compat_own\n";
}
static void half_mark(struct setup_sendmail_facts *f)
{
    f->mc = MC BEGIN;
}
static void beside(struct setup_sendmail_facts *f)
{
    f->beside = "postfix";
}
static void in_force(struct setup_sendmail_facts *f)
{
    f->cf = f->now.text = f->bare.text = f->wanted.text = MADE "SPosternAnswer\n";
}
static void dane_set(struct setup_sendmail_facts *f)
{
    f->dane_set = true;
}
static void plain_mc(struct setup_sendmail_facts *f)
{
    f->mc = "OSTYPE(`linux')\nMAILER(`smtp')\n";
}
static void relayed(struct setup_sendmail_facts *f)
{
    f->relayed = "> in.example\nout.example\na.example\n192.0.2\n> ";
    f->mailertable = "# out.example x\nin.example\tesmtp:[192.0.2.3]\n";
    f->virtual = "> v.example\na.example\n> ";
}
static void no_reload(struct setup_sendmail_facts *f)
{
    f->reload = NULL;
}

/* not: must not be there */
static const struct planning {
    const char *what;
    struct made made;
    const char *wanted, *not ;
} plans[] = {
    {"stock", {0}, "'include(`/usr/share/postern/sendmail/postern.m4'\\'')dnl' 'dnl <<< postern'\n", "In the way"},
    {"stock: sendmail.cf", {0}, " sh /etc/mail /usr/libexec/sendmail/sendmail sendmail.mc\n", "_CF_DIR_"},
    {"stock: DANE", {0}, "postern.conf: policyd { dane = no }\n", NULL},
    {"stock: the choice", {0}, "\"policyd { dane = no }\" (so it is here)", "\"policyd { dane = yes }\" (so"},
    {"stock: own domains", {0}, "list add local a.example\n", "192.0.2.1"},
    {"stock: reload", {0}, "  systemctl reload sendmail\n", NULL},
    {"no reload", {.change = no_reload}, "sendmail.mc", "systemctl"},
    {"no program", {.change = no_program}, "there is no Sendmail: apt-get install sendmail", "is built without"},
    {"no socketmap", {.change = no_socketmap}, "is built without SOCKETMAP", "without MAP_REGEX"},
    {"no sendmail.mc", {.change = no_mc}, "there is no /etc/mail/sendmail.mc", "sh -c"},
    {"no sendmail.cf", {.change = no_cf}, "there is no /etc/mail/sendmail.cf", NULL},
    {"a wrong sendmail.cf",
     {.change = wrong_cf},
     "does not take /etc/mail/sendmail.cf as it is: line 7",
     "not what m4"},
    {"an edited sendmail.cf", {.change = edited_cf}, "/etc/mail/sendmail.cf is not what m4 makes of", NULL},
    {"a shorter sendmail.cf", {.change = shorter_cf}, "/etc/mail/sendmail.cf is not what m4 makes of", NULL},
    {"an older one of ours", {.change = our_cf}, "Needed:\n", "not what m4"},
    {"all done", {.change = done, .postern = "policyd { dane = no }"}, "  policyd.dane = no", "  sh -c 'set -e; cd"},
    {"all done: the files", {.change = done}, "  /etc/mail/sendmail.cf  # sendmail.cf is made", "Needed:\n  # TLS"},
    {"half done", {.change = half_done}, "  sh -c 'set -e; cd", "In the way"},
    {"m4", {.change = no_m4}, "m4 does not take sendmail.mc with Postern's lines: it has FEATURE(sts)", NULL},
    {"no authorities", {.change = no_authorities}, "apt-get install ca-certificates", NULL},
    {"two rulesets", {.change = two_compat}, "a ruleset check_compat of its own", "a mailer relaxed"},
    {"two mailers", {.change = two_relaxed}, "a mailer relaxed of its own", "check_compat"},
    {"one that begins so", {.change = no_double}, "Needed:\n", "In the way"},
    {"half a mark", {.change = half_mark}, "one of the marks", NULL},
    {"a tag", {.postern = "milter { tag = \"x\" }"}, "has tags or a delimiter of its own", NULL},
    {"a delimiter", {.postern = "milter { delimiter = \"-\" }"}, "has tags or a delimiter of its own", NULL},
    {"beside Postfix", {.change = beside}, "postfix asks this policyd, too", "dane = no }\n"},
    {"DANE chosen", {.change = dane_set}, "\"policyd { dane = yes }\" (so it is here)", "postern.conf: policyd"},
    {"rules in force, by hand", {.change = in_force}, "\"policyd { dane = yes }\" (so it is here)", "dane = no }\n"},
    {"no cf.m4", {.change = plain_mc}, "/usr/share/sendmail/cf/m4/cf.m4 sendmail.mc\n", NULL},
    {"relayed", {.change = relayed}, "list add local in.example\n", "list add local out.example"},
    {"relayed: the others", {.change = relayed}, "  out.example: in relay-domains, and not", "192.0.2"},
    {"virtual", {.change = relayed}, "by hand: v.example: domains of the virtusertable", "list add local v.example"},
};

static void test_plans(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
        char *text = plan(&plans[i].made);

        if (strstr(text, plans[i].wanted) == NULL)
            fail_msg("%s: no \"%s\" in\n%s", plans[i].what, plans[i].wanted, text);
        if (plans[i].not != NULL && strstr(text, plans[i].not ) != NULL)
            fail_msg("%s: \"%s\" in\n%s", plans[i].what, plans[i].not, text);
        free(text);
    }
}

/* --- the queue --- */

static const struct {
    const char *qf, *first; /* NULL: not flagged */
} queued[] = {
    {"V8\nSa@b\nRPFD:<u+requiretls@x.example>\n.\n", "<u+requiretls@x.example>"},
    {"V8\nRPFD:u@x.example\nRPFD:U+REQUIRETLS@x.example\n.\n", "U+REQUIRETLS@x.example"},
    {"RPFD:\"a b+requiretls\"@x.example\n", "\"a b+requiretls\"@x.example"},
    {"RPFD:Foo Bar <c+requiretls@x.example>\n", "Foo Bar <c+requiretls@x.example>"},
    {"RPFD:u+tlsoptional@x.example\n", "u+tlsoptional@x.example"},
    {"Ru+requiretls@x.example\n", "u+requiretls@x.example"},
    {"RPFD:broken <c+requiretls@x.example\n", "broken <c+requiretls@x.example"},
    {"RPFD:u+requiretls@x.example", "u+requiretls@x.example"},
    {"RPFD:u+requiretlsx@x.example\n", NULL},
    {"RPFD:u@x+requiretls.example\n", NULL},
    {"Su+requiretls@x.example\nRPFD:u@x.example\n", NULL},
    {"H?x?To: <u+requiretls@x.example>\nRPFD:u@x.example\n", NULL},
    {"RPFD:u@x.example\n.\nRPFD:u+requiretls@x.example\n", NULL},
    {"R\nRPFD:\nRPFD\n", NULL},
    {"", NULL},
};

static void test_queue(void **state)
{
    const struct address_tag tags[] = {{'+', "requiretls"}, {'+', "tlsoptional"}};

    (void)state;
    for (size_t i = 0; i < sizeof(queued) / sizeof(queued[0]); i++) {
        char first[256] = "";

        if (setup_sendmail_flagged(first, queued[i].qf, tags, 2) != (queued[i].first != NULL))
            fail_msg("%s", queued[i].qf);
        if (queued[i].first != NULL)
            assert_string_equal(first, queued[i].first);
    }
}

static void test_folders(void **state)
{
    static const struct {
        const char *cf, *folders;
    } cfs[] = {
        {CF, "/var/spool/mqueue\n"},
        {"O QueueDirectory=/q/q*\nQgroup, P=/q/other, F=f\n", "/q/q*\n/q/other\n"},
        {"Qx,I=1h,Path = /q/x*\nQy, I=2h\n", "/q/x*\n"},
        {"#O QueueDirectory=/q\n O QueueDirectory=/p\n", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cfs) / sizeof(cfs[0]); i++) {
        struct buf out;

        buf_init(&out, 1000);
        setup_sendmail_queues(&out, cfs[i].cf);
        assert_string_equal(buf_text(&out), cfs[i].folders);
        buf_clear(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines), cmocka_unit_test(test_mc),      cmocka_unit_test(test_plans),
        cmocka_unit_test(test_queue), cmocka_unit_test(test_folders),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
