/*
 * Tests of milter/flag.c and the files under it: which recipients are changed, into what, with which parameters. R4: a
 * header that lowers demands never goes against a flag; R6: the tag is in the address of every copy.
 */
#include "flag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECIPIENTS 8
#define PARAMETERS 6
#define LINE       2000 /* octets of the longest address or parameter */

static const struct flag_options whole = {{'+', "requiretls"}, {'+', "tlsoptional"}, true};
static const struct flag_options single = {{'+', "requiretls"}, {'+', "tlsoptional"}, false};

static bool is_local(void *context, const char *domain, size_t len)
{
    (void)context;
    return len == strlen("ours.test") && strncasecmp(domain, "ours.test", len) == 0;
}

/* Recipients of a text: one a line, parameters behind "|". */
struct envelope {
    char *text;
    struct flag_recipient recipient[RECIPIENTS];
    const char *parameter[RECIPIENTS][PARAMETERS];
    size_t count;
};

static void envelope_make(struct envelope *v, const char *text)
{
    char *at = strdup(text), *next;

    memset(v, 0, sizeof(*v));
    assert_non_null(at);
    v->text = at;
    for (; at != NULL && *at != '\0'; at = next) {
        const char **parameter = v->parameter[v->count];

        assert_true(v->count < RECIPIENTS);
        next = strchr(at, '\n');
        if (next != NULL)
            *next++ = '\0';
        v->recipient[v->count++] = (struct flag_recipient){at, parameter};
        while ((at = strchr(at, '|')) != NULL) {
            *at++ = '\0';
            *parameter++ = at;
        }
    }
}

/*
 * What goes for the message, a letter each: M REQUIRETLS in MAIL FROM, R a rule says requiretls, O a rule says
 * tls-optional, N another rule, H the header says TLS-Required: No, I it says something else, 1 only the recipient that
 * has the tag is flagged.
 */
static int plan(struct flag_plan *out, const char *what, const struct envelope *v, struct err *e)
{
    static const struct rule required = {.name = "secret", .action = RULE_REQUIRETLS};
    static const struct rule optional = {.name = "bulk", .action = RULE_TLS_OPTIONAL};
    static const struct rule other = {.name = "seen", .action = RULE_TAG};
    struct flag_message m = {.recipient = v->recipient, .recipients = v->count};

    m.mail_requiretls = strchr(what, 'M') != NULL;
    if (strchr(what, 'R') != NULL)
        m.rule = &required;
    if (strchr(what, 'O') != NULL)
        m.rule = &optional;
    if (strchr(what, 'N') != NULL)
        m.rule = &other;
    if (strchr(what, 'H') != NULL)
        m.no = TLS_REQUIRED_NO;
    if (strchr(what, 'I') != NULL)
        m.no = TLS_REQUIRED_INVALID;
    return flag_plan_make(out, strchr(what, '1') != NULL ? &single : &whole, &m, is_local, NULL, e);
}

/* "N ADDRESS PARAMETERS" for each edit; "N" for one that has none; then what it was for. */
static void plan_write(struct buf *out, const struct flag_plan *p)
{
    for (size_t i = 0; i < p->edits; i++) {
        const struct flag_edit *edit = &p->edit[i];

        buf_printf(out, "%zu", edit->recipient);
        if (edit->address != NULL)
            buf_printf(out, " %s", edit->address);
        if (edit->parameters[0] != '\0')
            buf_printf(out, " %s", edit->parameters);
        buf_char(out, '\n');
    }
    if (p->required != FLAG_NOT)
        buf_printf(out, "R %s %zu", flag_why_name(p->required), p->required_count);
    if (p->optional != FLAG_NOT)
        buf_printf(out, "O %s %zu", flag_why_name(p->optional), p->optional_count);
}

static void try_plan(const char *what, const char *recipients, const char *expected)
{
    struct err e = {""};
    struct flag_plan p;
    struct envelope v;
    struct buf out;

    print_message("# %.20s: %.300s\n", what, recipients);
    envelope_make(&v, recipients);
    buf_init(&out, 10000);
    if (plan(&p, what, &v, &e) != 0)
        fail_msg("%s", e.text);
    plan_write(&out, &p);
    assert_string_equal(buf_text(&out), expected);
    flag_plan_clear(&p);
    assert_int_equal(p.edits, 0);
    buf_clear(&out);
    free(v.text);
}

struct plan_case {
    const char *what, *recipients, *expected;
};

#define TRY(cases)                                                  \
    for (size_t i = 0; i < sizeof(cases) / sizeof((cases)[0]); i++) \
    try_plan((cases)[i].what, (cases)[i].recipients, (cases)[i].expected)

/* One remote recipient of a flagged message (to the left), and of one of which nothing is said. */
static const struct {
    const char *from, *flagged, *plain, *orcpt;
} forms[] = {
    {"<u@d.test>", "<u+requiretls@d.test>", NULL, "rfc822;u@d.test"},
    {"u@d.test", "<u+requiretls@d.test>", NULL, "rfc822;u@d.test"},
    {"<u@D.Test>", "<u+requiretls@D.Test>", NULL, "rfc822;u@D.Test"},
    {"<u+x@d.test>", "<u+x+requiretls@d.test>", NULL, "rfc822;u+2Bx@d.test"},
    {"<u+tlsoptional@d.test>", "<u+requiretls@d.test>", "<u@d.test>", "rfc822;u@d.test"},
    {"u+TLSoptional@d.test", "<u+requiretls@d.test>", "<u@d.test>", "rfc822;u@d.test"},
    {"<u+x+tlsoptional@d.test>", "<u+x+requiretls@d.test>", "<u+x@d.test>", "rfc822;u+2Bx@d.test"},
    {"<u+tlsoptional+tlsoptional@d.test>", "<u+requiretls@d.test>", "<u@d.test>", "rfc822;u@d.test"},
    {"<u+tlsoptional+x@d.test>", "<u+tlsoptional+x+requiretls@d.test>", NULL, "rfc822;u+2Btlsoptional+2Bx@d.test"},
    {"<+tlsoptional@d.test>", "<+tlsoptional+requiretls@d.test>", NULL, "rfc822;+2Btlsoptional@d.test"},
    {"<tlsoptional@d.test>", "<tlsoptional+requiretls@d.test>", NULL, "rfc822;tlsoptional@d.test"},
    {"<\"a b\"@d.test>", "<\"a b+requiretls\"@d.test>", NULL, "rfc822;\"a+20b\"@d.test"},
    {"<\"a b+tlsoptional\"@d.test>", "<\"a b+requiretls\"@d.test>", "<\"a b\"@d.test>", "rfc822;\"a+20b\"@d.test"},
    {"<\"a\"+tls\\optional@d.test>", "<\"a+requiretls\"@d.test>", "<\"a\"@d.test>", "rfc822;\"a\"@d.test"},
    {"<\"a@b\"@d.test>", "<\"a@b+requiretls\"@d.test>", NULL, "rfc822;\"a@b\"@d.test"},
    {"<u@[192.0.2.1]>", "<u+requiretls@[192.0.2.1]>", NULL, "rfc822;u@[192.0.2.1]"},
    {"<u@[IPv6:2001:db8::1]>", "<u+requiretls@[IPv6:2001:db8::1]>", NULL, "rfc822;u@[IPv6:2001:db8::1]"},
    {"<@ours.test,@b.test:u@d.test>", "<u+requiretls@d.test>", NULL, "rfc822;u@d.test"},
    {"<b\303\274cher@d.test>", "<b\303\274cher+requiretls@d.test>", NULL, "utf-8;b\\x{FC}cher@d.test"},
    {"<u@b\303\274cher.test>", "<u+requiretls@b\303\274cher.test>", NULL, "utf-8;u@b\\x{FC}cher.test"},
    {"<\377@d.test>", "<\377+requiretls@d.test>", NULL, NULL}, /* not UTF-8: no ORCPT */
    {"<@b.test:u+tlsoptional@d.test>", "<u+requiretls@d.test>", "<u@d.test>", "rfc822;u@d.test"},
    {"@b.test:u+tlsoptional@d.test", "<u+requiretls@d.test>", "<u@d.test>", "rfc822;u@d.test"},
    {"<\"(x)\"@d.test>", "<\"(x)+requiretls\"@d.test>", NULL, "rfc822;\"(x)\"@d.test"},
    {"<u\\(@d.test>", "<u\\(+requiretls@d.test>", NULL, "rfc822;u\\(@d.test"},
    {"u\\>+tlsoptional@d.test", "<u\\>+requiretls@d.test>", "<u\\>@d.test>", "rfc822;u\\>@d.test"},
    {"<u%ours.test@d.test>", "<u%ours.test+requiretls@d.test>", NULL, "rfc822;u%ours.test@d.test"},
    {"<u@ours.test.d.test>", "<u+requiretls@ours.test.d.test>", NULL, "rfc822;u@ours.test.d.test"},
};

static void edit_write(struct buf *out, const char *address, const char *orcpt)
{
    buf_reset(out);
    buf_printf(out, "0 %s%s%s\n", address, orcpt != NULL ? " ORCPT=" : "", orcpt != NULL ? orcpt : "");
}

static void test_forms(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 1000);
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        edit_write(&out, forms[i].flagged, forms[i].orcpt);
        buf_str(&out, "R mail-from 1");
        try_plan("M", forms[i].from, buf_text(&out));
        buf_reset(&out);
        if (forms[i].plain != NULL)
            edit_write(&out, forms[i].plain, forms[i].orcpt);
        try_plan("", forms[i].from, buf_text(&out));
    }
    buf_clear(&out);
}

/* One recipient that has the tag: it flags the message, or itself. */
static const struct plan_case tagged[] = {
    {"", "<u+requiretls@d.test>", "R tag 1"},
    {"1", "<u+requiretls@d.test>", "R tag 1"},
    {"", "u+requiretls@d.test", "R tag 1"},
    {"", "<u+REQUIREtls@d.test>", "R tag 1"},
    {"", "<u+x+requiretls@d.test>", "R tag 1"},
    {"", "<\"a b+requiretls\"@d.test>", "R tag 1"},
    {"", "<\"u\"+requiretls@d.test>", "R tag 1"},
    {"", "<\"u+require\"tls@d.test>", "R tag 1"},
    {"", "<@a.test:u+requiretls@d.test>", "R tag 1"},
    {"", "<b\303\274cher+requiretls@[192.0.2.1]>", "R tag 1"},
    {"M", "<u+requiretls@d.test>", "R mail-from 1"},
    {"", "<u+requiretls+x@d.test>", ""},
    {"", "<requiretls@d.test>", ""},
    {"", "<+requiretls@d.test>", ""},
    {"", "<u-requiretls@d.test>", ""},
    {"", "<u+requiretls+requiretls@d.test>", "0 <u+requiretls@d.test> ORCPT=rfc822;u@d.test\nR tag 1"},
    {"", "<u+requiretls+tlsoptional@d.test>", "0 <u+requiretls@d.test> ORCPT=rfc822;u@d.test\nR tag 1"},
    {"", "<u+TLSOPTIONAL+REQUIRETLS@d.test>", "0 <u+requiretls@d.test> ORCPT=rfc822;u@d.test\nR tag 1"},
    {"1", "<u+tlsoptional+requiretls+tlsoptional@d.test>", "0 <u+requiretls@d.test> ORCPT=rfc822;u@d.test\nR tag 1"},
    {"", "<+requiretls+requiretls@d.test>", "R tag 1"},
};

static void test_tagged(void **state)
{
    (void)state;
    TRY(tagged);
}

#define BOTH          "<u@d.test>\n<v@ours.test>\n<w@e.test>"
#define BOTH_FLAGGED  "0 <u+requiretls@d.test> ORCPT=rfc822;u@d.test\n2 <w+requiretls@e.test> ORCPT=rfc822;w@e.test\n"
#define BOTH_OPTIONAL "0 <u+tlsoptional@d.test> ORCPT=rfc822;u@d.test\n2 <w+tlsoptional@e.test> ORCPT=rfc822;w@e.test\n"

/* Why a message is flagged, or goes without demands, and what goes when several things are said (R4, M6). */
static const struct plan_case reasons[] = {
    {"", BOTH, ""},
    {"N", BOTH, ""},
    {"I", BOTH, ""},
    {"M", BOTH, BOTH_FLAGGED "R mail-from 2"},
    {"R", BOTH, BOTH_FLAGGED "R rule 2"},
    {"MR", BOTH, BOTH_FLAGGED "R mail-from 2"},
    {"MN", BOTH, BOTH_FLAGGED "R mail-from 2"},
    {"R1", BOTH, BOTH_FLAGGED "R rule 2"},
    {"M1", BOTH, BOTH_FLAGGED "R mail-from 2"},
    {"MH", BOTH, BOTH_FLAGGED "R mail-from 2"},
    {"RH", BOTH, BOTH_FLAGGED "R rule 2"},
    {"MO", BOTH, BOTH_FLAGGED "R mail-from 2"},
    {"MH1", BOTH, BOTH_FLAGGED "R mail-from 2"},
    {"H", BOTH, BOTH_OPTIONAL "O header 2"},
    {"HN", BOTH, BOTH_OPTIONAL "O header 2"},
    {"O", BOTH, BOTH_OPTIONAL "O rule 2"},
    {"OH", BOTH, BOTH_OPTIONAL "O rule 2"},
    {"OI", BOTH, BOTH_OPTIONAL "O rule 2"},
    {"H1", BOTH, BOTH_OPTIONAL "O header 2"},
    {"", "<u+requiretls@d.test>\n<w@e.test>", "1 <w+requiretls@e.test> ORCPT=rfc822;w@e.test\nR tag 2"},
    {"H", "<u+requiretls@d.test>\n<w@e.test>", "1 <w+requiretls@e.test> ORCPT=rfc822;w@e.test\nR tag 2"},
    {"O", "<u+requiretls@d.test>\n<w@e.test>", "1 <w+requiretls@e.test> ORCPT=rfc822;w@e.test\nR tag 2"},
    {"R", "<u+requiretls@d.test>\n<w@e.test>", "1 <w+requiretls@e.test> ORCPT=rfc822;w@e.test\nR rule 2"},
    {"1", "<u+requiretls@d.test>\n<w@e.test>", "R tag 1"},
    {"H1", "<u+requiretls@d.test>\n<w@e.test>", "1 <w+tlsoptional@e.test> ORCPT=rfc822;w@e.test\nR tag 1O header 1"},
    {"H", "<u+tlsoptional@d.test>", "O header 1"},
    {"H", "<u+TLSOptional@d.test>", "O header 1"},
    {"H", "<u+tlsoptional+tlsoptional@d.test>", "0 <u+tlsoptional@d.test> ORCPT=rfc822;u@d.test\nO header 1"},
    {"I", "<u+tlsoptional@d.test>", "0 <u@d.test> ORCPT=rfc822;u@d.test\n"},
    {"M", "", "R mail-from 0"},
    {"H", "", ""},
};

static void test_reasons(void **state)
{
    (void)state;
    TRY(reasons);
}

/* M12: local recipients have no tag, whatever goes for the message. */
static const struct plan_case locals[] = {
    {"M", "<u@ours.test>", "R mail-from 0"},
    {"M", "<u@OURS.Test>", "R mail-from 0"},
    {"H", "<u@ours.test>", ""},
    {"R", "<u+requiretls@ours.test>", "0 <u@ours.test> ORCPT=rfc822;u@ours.test\nR rule 0"},
    {"", "<u+requiretls@ours.test>", "0 <u@ours.test> ORCPT=rfc822;u@ours.test\nR tag 0"},
    {"1", "<u+requiretls@ours.test>\n<v@d.test>", "0 <u@ours.test> ORCPT=rfc822;u@ours.test\nR tag 0"},
    {"", "<u+requiretls@ours.test>\n<v@d.test>",
     "0 <u@ours.test> ORCPT=rfc822;u@ours.test\n1 <v+requiretls@d.test> ORCPT=rfc822;v@d.test\nR tag 1"},
    {"", "<u+tlsoptional@ours.test>", "0 <u@ours.test> ORCPT=rfc822;u@ours.test\n"},
    {"H", "<u+tlsoptional@ours.test>", "0 <u@ours.test> ORCPT=rfc822;u@ours.test\n"},
    {"M", "<@d.test:u@ours.test>", "R mail-from 0"},
    {"", "<u%d.test@ours.test>", ""},
    {"H", "<d.test!u@ours.test>", ""},
};

/* Those of no domain may be led elsewhere: they are flagged, and never go without demands. */
static const struct plan_case bare[] = {
    {"M", "<postmaster>", "0 <postmaster+requiretls> ORCPT=rfc822;postmaster\nR mail-from 1"},
    {"R", "postmaster", "0 <postmaster+requiretls> ORCPT=rfc822;postmaster\nR rule 1"},
    {"", "<u+requiretls@d.test>\n<postmaster>", "1 <postmaster+requiretls> ORCPT=rfc822;postmaster\nR tag 2"},
    {"", "postmaster+requiretls", "R tag 1"},
    {"1", "<postmaster+requiretls>\n<root>", "R tag 1"},
    {"H", "<postmaster>\n<u@d.test>", "1 <u+tlsoptional@d.test> ORCPT=rfc822;u@d.test\nO header 1"},
    {"O", "<postmaster>", ""},
    {"H", "<postmaster+tlsoptional>", "0 <postmaster> ORCPT=rfc822;postmaster\n"},
    {"", "<postmaster+tlsoptional>", "0 <postmaster> ORCPT=rfc822;postmaster\n"},
    {"", "u\\>+tlsoptional", "0 <u\\>> ORCPT=rfc822;u\\>\n"},
    {"", "<u\\>+tlsoptional>", "0 <u\\>> ORCPT=rfc822;u\\>\n"},
    {"", "<u%d.test>", ""},
};

static void test_locals(void **state)
{
    (void)state;
    TRY(locals);
    TRY(bare);
}

/* ORCPT and NOTIFY go with a changed recipient, as they were; nothing else does. */
static const struct plan_case parameters[] = {
    {"M", "<u@d.test>|NOTIFY=NEVER", "0 <u+requiretls@d.test> ORCPT=rfc822;u@d.test NOTIFY=NEVER\nR mail-from 1"},
    {"M", "<u@d.test>|notify=Success,delay",
     "0 <u+requiretls@d.test> ORCPT=rfc822;u@d.test notify=Success,delay\nR mail-from 1"},
    {"M", "<u@d.test>|NOTIFY=SUCCESS|Orcpt=RFC822;x+2By@e.test",
     "0 <u+requiretls@d.test> Orcpt=RFC822;x+2By@e.test NOTIFY=SUCCESS\nR mail-from 1"},
    {"M", "<u@d.test>|ORCPT=rfc822;u+2Brequiretls@d.test",
     "0 <u+requiretls@d.test> ORCPT=rfc822;u+2Brequiretls@d.test\nR mail-from 1"},
    {"M", "<u@d.test>|ORCPT=utf-8;b\303\274cher@d.test",
     "0 <u+requiretls@d.test> ORCPT=utf-8;b\303\274cher@d.test\nR mail-from 1"},
    {"", "<u+tlsoptional@d.test>|ORCPT=rfc822;v@d.test|NOTIFY=NEVER",
     "0 <u@d.test> ORCPT=rfc822;v@d.test NOTIFY=NEVER\n"},
    {"M", "<u@d.test>|RRVS=2014-04-03T23:01:00Z|X|ORCPT|NOTIFY|xNOTIFY=NEVER",
     "0 <u+requiretls@d.test> ORCPT=rfc822;u@d.test\nR mail-from 1"},
    {"M", "<u@d.test>|ORCPT=rfc822;a b|NOTIFY=NEVER\tX",
     "0 <u+requiretls@d.test> ORCPT=rfc822;u@d.test\nR mail-from 1"},
    {"M", "<u@d.test>|ORCPT=rfc822;a\177|NOTIFY=NEVER\r|ORCPT=rfc822;b|NOTIFY=DELAY",
     "0 <u+requiretls@d.test> ORCPT=rfc822;b NOTIFY=DELAY\nR mail-from 1"},
    {"M", "<u@d.test>|ORCPT=rfc822;a|ORCPT=rfc822;b", "0 <u+requiretls@d.test> ORCPT=rfc822;a\nR mail-from 1"},
    {"M", "<u@d.test>|NOTIFY=WHATEVER", "0 <u+requiretls@d.test> ORCPT=rfc822;u@d.test NOTIFY=WHATEVER\nR mail-from 1"},
    {"M", "<u+requiretls@d.test>|NOTIFY=NEVER", "R mail-from 1"},
};

static void test_parameters(void **state)
{
    (void)state;
    TRY(parameters);
}

static void test_parameter_limits(void **state)
{
    char text[LINE], expected[LINE];

    (void)state;
    for (int len = 1024; len <= 1025; len++) {
        const char *pad = "ORCPT=rfc822;";

        snprintf(text, sizeof(text), "<u@d.test>|%s%0*d", pad, len - (int)strlen(pad), 0);
        snprintf(expected, sizeof(expected), "0 <u+requiretls@d.test> %s\nR mail-from 1",
                 len == 1024 ? strchr(text, '|') + 1 : "ORCPT=rfc822;u@d.test");
        try_plan("M", text, expected);
    }
}

#define U "0 <u+requiretls@d.test> ORCPT=rfc822;u@d.test"

/* Recipients that become the same: one is left, and nobody's report is lost. */
static const struct plan_case merges[] = {
    {"M", "<u@d.test>\nu@d.test", U "\n1\nR mail-from 1"},
    {"M", "<u@d.test>\n<u@d.test>\n<u@d.test>", U "\n1\n2\nR mail-from 1"},
    {"M", "<u@d.test>\n<u+tlsoptional@d.test>", U "\n1\nR mail-from 1"},
    {"M", "<u@d.test>\n<U@d.test>", U "\n1 <U+requiretls@d.test> ORCPT=rfc822;U@d.test\nR mail-from 2"},
    {"", "<u@d.test>\n<u+tlsoptional@d.test>", "1\n"},
    {"", "<u+tlsoptional@d.test>\n<u@d.test>", "0\n"},
    {"", "<u+tlsoptional@d.test>\n<u@d.test>\n<u@d.test>", "0\n"},
    {"", "<u@d.test>\n<u+requiretls@d.test>", "0\nR tag 1"},
    {"1", "<u@d.test>\n<u+requiretls@d.test>", "R tag 1"},
    {"", "<u@ours.test>\n<u+requiretls@ours.test>\n<v+requiretls@ours.test>",
     "1\n2 <v@ours.test> ORCPT=rfc822;v@ours.test\nR tag 0"},
    {"H", "<u@d.test>\n<u+tlsoptional@d.test>", "0\nO header 1"},
    {"H1", "<u@d.test>\n<u+requiretls@d.test>", "0 <u+tlsoptional@d.test> ORCPT=rfc822;u@d.test\nR tag 1O header 1"},
    {"M", "<u@d.test>|NOTIFY=NEVER\n<u+tlsoptional@d.test>|NOTIFY=SUCCESS", U " NOTIFY=SUCCESS\n1\nR mail-from 1"},
    {"M", "<u@d.test>|NOTIFY=SUCCESS\n<u@d.test>|NOTIFY=NEVER", U " NOTIFY=SUCCESS\n1\nR mail-from 1"},
    {"M", "<u@d.test>|NOTIFY=NEVER\n<u@d.test>|NOTIFY=never", U " NOTIFY=NEVER\n1\nR mail-from 1"},
    {"M", "<u@d.test>|NOTIFY=NEVER\n<u@d.test>", U "\n1\nR mail-from 1"},
    {"M", "<u@d.test>\n<u@d.test>|NOTIFY=NEVER", U "\n1\nR mail-from 1"},
    {"M", "<u@d.test>\n<u@d.test>|NOTIFY=FAILURE", U "\n1\nR mail-from 1"},
    {"M", "<u@d.test>|NOTIFY=FAILURE\n<u@d.test>", U "\n1\nR mail-from 1"},
    {"M", "<u@d.test>\n<u@d.test>|NOTIFY=SUCCESS", U " NOTIFY=SUCCESS,FAILURE,DELAY\n1\nR mail-from 1"},
    {"M", "<u@d.test>|NOTIFY=delay\n<u@d.test>|NOTIFY=failure,success\n<u@d.test>|NOTIFY=NEVER",
     U " NOTIFY=SUCCESS,FAILURE,DELAY\n1\n2\nR mail-from 1"},
    {"M", "<u@d.test>|ORCPT=rfc822;a\n<u@d.test>|ORCPT=rfc822;b",
     "0 <u+requiretls@d.test> ORCPT=rfc822;a\n1\nR mail-from 1"},
    /* one that is not changed keeps what it has: who asked for more stays beside it */
    {"", "<u+requiretls@d.test>|NOTIFY=NEVER\n<u@d.test>|NOTIFY=NEVER", "1\nR tag 1"},
    {"", "<u+requiretls@d.test>\n<u@d.test>|NOTIFY=NEVER", "1\nR tag 1"},
    {"", "<u+requiretls@d.test>|NOTIFY=FAILURE\n<u@d.test>", "1\nR tag 1"},
    {"", "<u+requiretls@d.test>|NOTIFY=NEVER\n<u@d.test>", "1 <u+requiretls@d.test> ORCPT=rfc822;u@d.test\nR tag 2"},
    {"", "<u+requiretls@d.test>|NOTIFY=SUCCESS\n<u+requiretls@d.test>|NOTIFY=DELAY\n<u@d.test>|NOTIFY=SUCCESS,DELAY",
     "2\nR tag 2"},
    {"", "<u@d.test>|NOTIFY=DELAY\n<u+requiretls@d.test>\n<u@d.test>|NOTIFY=FAILURE\n<u@d.test>|NOTIFY=SUCCESS",
     U " NOTIFY=SUCCESS,DELAY\n2\n3\nR tag 2"},
};

static void test_merges(void **state)
{
    (void)state;
    TRY(merges);
}

/* What an MTA has to find, to delete it. */
static const struct {
    const char *address, *unrouted;
} routes[] = {
    {"<u@d.test>", NULL},
    {"u@d.test", NULL},
    {"<@a.test:u@d.test>", "<u@d.test>"},
    {"@a.test:u@d.test", "<u@d.test>"},
    {"<@a.test,@[IPv6:::1]:\"u v+tlsoptional\"@d.test>", "<\"u v+tlsoptional\"@d.test>"},
    {"<@a.test:postmaster+tlsoptional>", "<postmaster+tlsoptional>"},
};

static void test_routes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        struct flag_plan p;
        struct envelope v;

        print_message("# %.300s\n", routes[i].address);
        envelope_make(&v, routes[i].address);
        assert_int_equal(plan(&p, "M", &v, NULL), 0);
        assert_int_equal(p.edits, 1);
        if (routes[i].unrouted == NULL)
            assert_null(p.edit[0].unrouted);
        else
            assert_string_equal(p.edit[0].unrouted, routes[i].unrouted);
        flag_plan_clear(&p);
        free(v.text);
    }
}

static const struct {
    const char *what, *recipients, *why;
} refused[] = {
    {"M", "<a b@d.test>", "recipient <a b@d.test>: "},
    {"M", "<v@d.test>\n<>", "recipient <>: "},
    {"R", "<u@d.test> <v@d.test>", "REQUIRETLS"},
    {"R1", "<u@>", "REQUIRETLS"},
    {"M", "<\"u@ours.test>", "REQUIRETLS"},
    {"", "<u+requiretls@d.test>\n<a b@d.test>", "REQUIRETLS"},
    {"M", "<u\003\303\274 x@d.test>", "recipient <u??? x@d.test>: "},
    {"M", "<u%d.test@ours.test>", "REQUIRETLS"},
    {"M", "<d.test!u@ours.test>", "REQUIRETLS"},
    {"M", "<\"u@d.test\"@ours.test>", "REQUIRETLS"},
    {"M", "<u@d.test@ours.test>", "REQUIRETLS"},
    {"M", "<u%d.test>", "REQUIRETLS"},
    {"", "<a b+tlsoptional@d.test>", "has a tag"},
    {"", "<a b+RequireTLS@d.test>", "has a tag"},
    {"H", "<a b+tls\"opt\"\\ional@d.test>", "has a tag"},
    {"1", "<u+requiretls@d.test>\n<a b+requiretls@d.test>", "has a tag"},
    {"M", "<u(x)@d.test>", "REQUIRETLS"},
    {"M", "<(x)u@d.test>", "REQUIRETLS"},
    {"M", "<\"u\"(x)@d.test>", "REQUIRETLS"},
    {"M", "<u@d.test(x)>", "REQUIRETLS"},
    {"M", "<u)@d.test>", "REQUIRETLS"},
    {"M", "<u@d.test;>", "REQUIRETLS"},
    {"M", "<,u@d.test>", "REQUIRETLS"},
    {"", "<u+requiretls@d.test>\n<v@d.test,>", "REQUIRETLS"},
    {"1", "<u+requiretls@d.test;>", "has a tag"},
    {"", "<u+tlsoptional@d.test;>", "has a tag"},
    {"", "<,u+tlsoptional@d.test>", "has a tag"},
    {"M", "<@a.test:@b.test@d.test>", "REQUIRETLS"},
    {"", "<u+tlsoptional(x)@d.test>", "has a tag"},
    {"", "<\"u+tlsoptional\"(x)@d.test>", "has a tag"},
    {"", "<u+tlsoptional%d.test@ours.test>", "has a tag"},
    {"", "<\"u+tlsoptional@d.test\"@ours.test>", "has a tag"},
    {"", "<d.test!u+requiretls@ours.test>", "has a tag"},
};

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct flag_plan p;
        struct err e = {""};
        struct envelope v;

        print_message("%s: %s\n", refused[i].what, refused[i].recipients);
        envelope_make(&v, refused[i].recipients);
        assert_int_equal(plan(&p, refused[i].what, &v, &e), -1);
        if (strstr(e.text, refused[i].why) == NULL)
            fail_msg("%s", e.text);
        assert_null(p.edit);
        free(v.text);
    }
}

/* What can have no tag is left alone where it needs none. */
static const struct plan_case left_alone[] = {
    {"", "<a b@d.test>", ""},
    {"H", "<a b@d.test>", ""},
    {"O", "<a b@d.test>\n<u@d.test>", "1 <u+tlsoptional@d.test> ORCPT=rfc822;u@d.test\nO rule 1"},
    {"1", "<a b@d.test>\n<u+requiretls@d.test>", "R tag 1"},
    {"", "<>", ""},
    {"H", "<u@>", ""},
    {"", "<u(x)@d.test>", ""},
    {"H", "<u@d.test;>", ""},
    {"", "<a b+tls@d.test>", ""},
    {"", "<a b+require", ""},
    {"", "<a b+", ""},
};

static void test_left_alone(void **state)
{
    (void)state;
    TRY(left_alone);
}

/* An address of so many octets, with the <>. */
static const char *long_address(char out[LINE], const char *tag, int len)
{
    snprintf(out, LINE, "<%0*d%s@d.test>", len - (int)strlen(tag) - 9, 0, tag);
    assert_int_equal(strlen(out), len);
    return out;
}

static const struct {
    const char *what, *tag;
    int len, rc;
    size_t edits;
} lengths[] = {
    {"M", "", ADDRESS_TAG_MAX - 11, 0, 1},        {"M", "", ADDRESS_TAG_MAX - 10, -1, 0},
    {"M", "", ADDRESS_TAG_MAX + 1, -1, 0},        {"M", "+requiretls", ADDRESS_TAG_MAX, 0, 0},
    {"M", "+tlsoptional", ADDRESS_TAG_MAX, 0, 1}, {"", "", ADDRESS_TAG_MAX + 500, 0, 0},
    {"", "+tlsoptional", ADDRESS_TAG_MAX, 0, 1},  {"", "+tlsoptional", ADDRESS_TAG_MAX + 1, -1, 0},
    {"H", "", ADDRESS_TAG_MAX - 12, 0, 1},        {"H", "", ADDRESS_TAG_MAX - 11, 0, 0},
    {"H", "", ADDRESS_TAG_MAX + 1, 0, 0},
};

static void test_lengths(void **state)
{
    char text[LINE];

    (void)state;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct err e = {""};
        struct flag_plan p;
        struct envelope v;

        print_message("%s %s %d\n", lengths[i].what, lengths[i].tag, lengths[i].len);
        envelope_make(&v, long_address(text, lengths[i].tag, lengths[i].len));
        assert_int_equal(plan(&p, lengths[i].what, &v, &e), lengths[i].rc);
        assert_int_equal(strlen(e.text) > 0, lengths[i].rc != 0);
        assert_int_equal(p.edits, lengths[i].edits);
        if (p.edits > 0)
            assert_true(strlen(p.edit[0].address) <= ADDRESS_TAG_MAX);
        flag_plan_clear(&p);
        free(v.text);
    }
}

/* A recipient with the tag that the MTA has refused: it flags the others, unless a tag goes for its recipient alone. */
static void test_refused_tag(void **state)
{
    static const struct flag_recipient r[] = {{"<u@d.test>", NULL}, {"<l@ours.test>", NULL}};
    struct flag_options options = {{'+', "requiretls"}, {'+', "tlsoptional"}, true};
    const struct flag_message m = {.recipient = r, .recipients = 2, .refused_tag = true};
    struct flag_plan p;
    struct buf out;

    (void)state;
    buf_init(&out, 1000);
    assert_int_equal(flag_plan_make(&p, &options, &m, is_local, NULL, NULL), 0);
    plan_write(&out, &p);
    flag_plan_clear(&p);
    assert_string_equal(buf_text(&out), "0 <u+requiretls@d.test> ORCPT=rfc822;u@d.test\nR tag 1");
    options.whole_message = false;
    assert_int_equal(flag_plan_make(&p, &options, &m, is_local, NULL, NULL), 0);
    assert_true(p.edits == 0 && p.required == FLAG_NOT);
    flag_plan_clear(&p);
    assert_true(flag_has_tag(&options, "<u+requiretls@d.test>"));
    assert_true(flag_has_tag(&options, "u+Requiretls+tlsoptional@d.test"));
    assert_false(flag_has_tag(&options, "<u+tlsoptional@d.test>"));
    assert_false(flag_has_tag(&options, "<u+requiretls+x@d.test>"));
    assert_false(flag_has_tag(&options, ""));
    buf_clear(&out);
}

/* Other words and delimiters; one word may end in the other. */
static void test_options(void **state)
{
    static const struct flag_options options = {{'-', "tls"}, {'-', "notls"}, true};
    static const struct flag_recipient r[] = {{"<u-notls@d.test>", NULL}, {"<u+requiretls@d.test>", NULL}};
    struct flag_message m = {.recipient = r, .recipients = 2};
    struct flag_plan p;
    struct buf out;

    (void)state;
    buf_init(&out, 1000);
    assert_int_equal(flag_plan_make(&p, &options, &m, is_local, NULL, NULL), 0);
    plan_write(&out, &p);
    flag_plan_clear(&p);
    m.mail_requiretls = true;
    assert_int_equal(flag_plan_make(&p, &options, &m, is_local, NULL, NULL), 0);
    plan_write(&out, &p);
    flag_plan_clear(&p);
    assert_string_equal(buf_text(&out), "0 <u@d.test> ORCPT=rfc822;u@d.test\n"
                                        "0 <u-tls@d.test> ORCPT=rfc822;u@d.test\n"
                                        "1 <u+requiretls-tls@d.test> ORCPT=rfc822;u+2Brequiretls@d.test\n"
                                        "R mail-from 2");
    buf_clear(&out);
}

static const struct {
    struct flag_plan plan;
    const char *rule, *record;
} records[] = {
    {{.required = FLAG_NOT}, "a", ""},
    {{.required = FLAG_BY_TAG, .required_count = 2}, "a", "requiretls; by=tag; recipients=2"},
    {{.required = FLAG_BY_SENDER}, NULL, "requiretls; by=mail-from; recipients=0"},
    {{.required = FLAG_BY_RULE, .required_count = 1}, "a.b", "requiretls; by=rule; rule=a.b; recipients=1"},
    {{.optional = FLAG_BY_RULE, .optional_count = 3}, "a", "tls-optional; by=rule; rule=a; recipients=3"},
    {{.optional = FLAG_BY_HEADER, .optional_count = 1}, "a", "tls-optional; by=header; recipients=1"},
    {{.required = FLAG_BY_TAG, .required_count = 2, .optional = FLAG_BY_HEADER, .optional_count = 1},
     NULL,
     "requiretls; by=tag; recipients=2"},
};

static void test_records(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 200);
    for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
        struct rule rule = {.name = records[i].rule};

        buf_reset(&out);
        flag_record(&out, &records[i].plan, rule.name != NULL ? &rule : NULL);
        assert_string_equal(buf_text(&out), records[i].record);
    }
    buf_clear(&out);
}

/* Many recipients, each three times, in three ways; sorted or hashed, this takes no time, one by one minutes. */
static void try_many(size_t count)
{
    static const char *const tag[] = {"", "+tlsoptional", "+requiretls"};
    struct flag_recipient *r = calloc(count, sizeof(*r));
    char(*text)[50] = calloc(count, sizeof(*text));
    struct flag_message m = {.recipient = r, .recipients = count, .mail_requiretls = true};
    struct flag_plan p;
    struct err e;

    assert_non_null(r);
    assert_non_null(text);
    for (size_t i = 0; i < count; i++) {
        snprintf(text[i], sizeof(text[i]), "<user%zu%s@%s.test>", i / 3 * 7919 % 100003, tag[i % 3],
                 i / 3 % 10 == 0 ? "ours" : "d");
        r[i].address = text[i];
    }
    assert_int_equal(flag_plan_make(&p, &whole, &m, is_local, NULL, &e), 0);
    for (size_t i = 0; i < p.edits; i++) {
        assert_int_equal(p.edit[i].recipient % 3 == 2, strstr(text[p.edit[i].recipient], "ours.test") != NULL &&
                                                           strstr(text[p.edit[i].recipient], "requiretls") != NULL);
        assert_null(p.edit[i].address);
    }
    assert_int_equal(p.required_count, count / 3 - (count / 3 + 9) / 10);
    flag_plan_clear(&p);
    free(text);
    free(r);
}

static void test_many(void **state)
{
    (void)state;
    try_many(201);
    try_many(50001);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),   cmocka_unit_test(test_tagged),      cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_locals),  cmocka_unit_test(test_parameters),  cmocka_unit_test(test_parameter_limits),
        cmocka_unit_test(test_merges),  cmocka_unit_test(test_refused),     cmocka_unit_test(test_left_alone),
        cmocka_unit_test(test_lengths), cmocka_unit_test(test_refused_tag), cmocka_unit_test(test_options),
        cmocka_unit_test(test_records), cmocka_unit_test(test_routes),      cmocka_unit_test(test_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
