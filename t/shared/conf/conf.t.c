/* conf.t.c - the tables, the defaults, every kind of value and every kind of error. */

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf_name.h"
#include "conf_value.h"

static struct conf *parse(const char *text)
{
    struct conf *c = NULL;
    struct err e = {""};

    if (conf_parse(&c, "F", text, strlen(text), &e) != 0)
        fail_msg("refused: %s", e.text);
    return c;
}

static void test_tables(void **state)
{
    const struct conf_section *s;
    const struct conf_option *o;
    size_t sections = 0;

    (void)state;
    for (s = conf_sections; s->name != NULL; s++) {
        sections++;
        for (o = s->option; o->name != NULL; o++) {
            struct conf *c = conf_default();
            struct err e = {""};

            assert_non_null(c);
            assert_non_null(o->help);
            assert_true(o->min <= o->max);
            assert_ptr_equal(conf_option_find(s, o->name), o);
            if (conf_value_default((char *)c + s->offset, o, &e) != 0)
                fail_msg("%s.%s: %s", s->name, o->name, e.text);
            assert_int_equal(conf_value_complete((char *)c + s->offset, o, &e), 0);
            conf_free(c);
        }
        assert_in_range(o - s->option, 1, 40);
    }
    assert_in_range(sections, 1, 8);
}

/* Writing every default into a file gives the same as an empty file. */
static void test_defaults_as_file(void **state)
{
    char text[16384] = "";
    size_t len = 0;
    const struct conf_section *s;
    const struct conf_option *o;
    struct conf *c;

    (void)state;
    for (s = conf_sections; s->name != NULL; s++) {
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s {\n", s->name);
        for (o = s->option; o->name != NULL; o++)
            len += (size_t)snprintf(text + len, sizeof(text) - len, "  %s = %s # %s\n", o->name, o->fallback, o->help);
        len += (size_t)snprintf(text + len, sizeof(text) - len, "}\n");
    }
    assert_in_range(len, 1, sizeof(text) - 1);
    c = parse(text);
    assert_string_equal(c->policyd.listen[1], "inet:127.0.0.1:8461");
    assert_int_equal(c->stsd.refetch_after, 86400);
    conf_free(c);
}

static void test_defaults(void **state)
{
    struct conf *c = parse("");

    (void)state;
    assert_string_equal(c->redis.url, "tcp:127.0.0.1:6379");
    assert_string_equal(c->redis.prefix, "postern:");
    assert_string_equal(c->redis.password, "");
    assert_int_equal(c->redis.timeout_ms, 500);
    assert_string_equal(c->stsd.listen, "unix:/run/postern/stsd.sock");
    assert_string_equal(c->stsd.user, "postern");
    assert_null(c->stsd.resolvers[0]);
    assert_false(c->stsd.trust_ad);
    assert_int_equal(c->stsd.dns_timeout_ms, 1500);
    assert_int_equal(c->stsd.dns_tries, 4);
    assert_int_equal(c->stsd.https_port, 443);
    assert_int_equal(c->stsd.https_timeout_ms, 30000);
    assert_int_equal(c->stsd.https_concurrency, 2000);
    assert_int_equal(c->stsd.lookup_timeout_ms, 40000);
    assert_int_equal(c->stsd.lookup_concurrency, 2000);
    assert_int_equal(c->stsd.lookup_queue, 10000);
    assert_int_equal(c->stsd.memory_records, 20000);
    assert_int_equal(c->stsd.retry_after, 300);
    assert_int_equal(c->stsd.refresh_used_within, 30 * 86400);
    assert_true(c->stsd.dane && c->stsd.sts);
    assert_string_equal(c->policyd.listen[0], "unix:/run/postern/policyd.sock");
    assert_null(c->policyd.listen[2]);
    assert_string_equal(c->policyd.control, "unix:/run/postern/policyd.ctl");
    assert_int_equal(c->policyd.socket_mode, 0666);
    assert_int_equal(c->policyd.cache_entries, 100000);
    assert_int_equal(c->policyd.connections, 10000);
    assert_int_equal(c->policyd.lookup_timeout_ms, 45000);
    assert_int_equal(c->policyd.idle_timeout_ms, 300000);
    assert_int_equal(c->policyd.stale_max, 3600);
    assert_string_equal(c->policyd.fallback, "hold");
    assert_string_equal(c->policyd.default_level, "");
    assert_true(c->policyd.dane && c->policyd.sts && c->policyd.sts_unknown_hold == 14400);
    assert_string_equal(c->milter.tag, "requiretls");
    assert_string_equal(c->milter.delimiter, "+");
    assert_null(c->milter.rules[0]);
    assert_string_equal(c->relayd.listen[0], "inet:127.0.0.1:8689");
    assert_string_equal(c->relayd.listen[1], "inet:127.0.1.1:8689");
    assert_string_equal(c->relayd.listen[16], "inet:127.0.1.16:8689");
    assert_null(c->relayd.listen[17]);
    assert_string_equal(c->relayd.name, "");
    assert_int_equal(c->relayd.port, 25);
    assert_int_equal(c->relayd.command_timeout_ms, 300000);
    assert_int_equal(c->relayd.data_timeout_ms, 600000);
    assert_int_equal(c->relayd.transaction_timeout_ms, 900000);
    assert_int_equal(c->relayd.per_domain, 10);
    assert_int_equal(c->relayd.idle_timeout_ms, 10000);
    assert_int_equal(c->relayd.size_max, 0);
    assert_int_equal(c->relayd.sts_unknown_hold, 14400);
    conf_free(c);
}

static void test_names(void **state)
{
    static const char *const names[] = {"", "localhost", "Mail.Example.COM", "[192.0.2.1]", "[IPv6:2001:db8::1]"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char text[80];
        struct conf *c;

        (void)snprintf(text, sizeof(text), "relayd { name = \"%s\" }", names[i]);
        c = parse(text);
        assert_string_equal(c->relayd.name, names[i]);
        conf_free(c);
    }
}

static void test_reporters(void **state)
{
    static const char *const good[] = {
        "contact = \"p@example.com\" mail = \"smtp:127.0.0.1:2525\"",
        "contact = \"tls.reports+x@Example.com\" from = \"noreply@example.com\" mail = \"smtp:[::1]:25\"",
        "contact = \"p@example.com\" from = \"noreply@mail.example.COM\" mail = \"sendmail:/x y\"",
        "from = \"noreply@example.com\"",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        char text[200];

        (void)snprintf(text, sizeof(text), "tlsrptd { %s }", good[i]);
        conf_free(parse(text));
    }
}

/* Single quotes keep backslashes, which expressions are full of. */
static void test_rules(void **state)
{
    struct conf *c = parse("milter { rules = {'cards: body matches \"\\b\\d{4}\" -> requiretls',\n"
                           "'big: size > 20M -> reject \"too large\"'} }");

    (void)state;
    assert_string_equal(c->milter.rules[0], "cards: body matches \"\\b\\d{4}\" -> requiretls");
    assert_string_equal(c->milter.rules[1], "big: size > 20M -> reject \"too large\"");
    assert_null(c->milter.rules[2]);
    conf_free(c);
}

static void test_values(void **state)
{
    struct conf *c =
        parse("/* a comment\n of two lines, \"with ' */\n"
              "redis { url = \"\" password = 'p\"${w} #//' } // more\n"
              "stsd {\r\n\tresolvers = {\"[::1]:5353\", # first\n 192.0.2.1 /* second */ }\n trust_ad = on\n"
              " dns_timeout = 2 https_timeout=1m ttl_min = 90s retry_after = 2h refetch_after = 30d sts = false\n}\n"
              "policyd { listen = {\"unix:/a//b\"} listen += {\"inet:*:1\"} socket_mode = 0600 idle_timeout = 0\n"
              " lookup_timeout = 100ms }\n"
              "policyd { dane = no }");

    (void)state;
    assert_string_equal(c->redis.url, "");
    assert_string_equal(c->redis.password, "p\"${w} #//");
    assert_string_equal(c->stsd.resolvers[0], "[::1]:5353");
    assert_string_equal(c->stsd.resolvers[1], "192.0.2.1");
    assert_null(c->stsd.resolvers[2]);
    assert_true(c->stsd.trust_ad);
    assert_false(c->stsd.sts);
    assert_int_equal(c->stsd.dns_timeout_ms, 2000);
    assert_int_equal(c->stsd.https_timeout_ms, 60000);
    assert_int_equal(c->stsd.ttl_min, 90);
    assert_int_equal(c->stsd.retry_after, 7200);
    assert_int_equal(c->stsd.refetch_after, 30 * 86400);
    assert_string_equal(c->policyd.listen[0], "unix:/a//b");
    assert_string_equal(c->policyd.listen[1], "inet:*:1");
    assert_null(c->policyd.listen[2]);
    assert_int_equal(c->policyd.socket_mode, 0600);
    assert_int_equal(c->policyd.idle_timeout_ms, 0);
    assert_int_equal(c->policyd.lookup_timeout_ms, 100);
    assert_false(c->policyd.dane);
    conf_free(c);
}

struct bad {
    const char *text;
    const char *where; /* how the error begins */
    const char *why;   /* what stands in it */
};

static const struct bad bad_rows[] = {
    /* names */
    {"stsd {\n\n lookup_timout = 3s }", "F:3: lookup_timout: ", "did you mean lookup_timeout?"},
    {"stsd { frobnicate = 3s }", "F:1: frobnicate: ", "no such key in section stsd"},
    {"# one\n/* two\nthree */ sts {}", "F:3: sts: ", "no such section"},
    {"dane = yes", "F:1: dane: ", "no such section"},
    {"'stsd|dane' = yes", "F:1: dane: ", "within the braces"},
    {"stsd { dane = yes\ndane = no }", "F:2: dane: ", "set before on line 1"},
    {"stsd { dane = yes }\nstsd { dane = yes }", "F:2: dane: ", "set before on line 1"},
    {"policyd { listen = {\"unix:/a\"}\n listen = {\"unix:/b\"} }", "F:2: listen: ", "set before"},
    {"include(\"/etc/passwd\")", "F:1: include: ", "no such section"},
    /* kinds */
    {"stsd { dane = maybe }", "F:1: dane: ", "\"maybe\" is neither yes nor no"},
    {"stsd { dane = yes; }", "F:1: dane: ", "\"yes;\""},
    {"policyd { fallback = \"never\" }", "F:1: fallback: ", "\"never\" is no fallback mode: hold, plain"},
    {"policyd { fallback = \"plain-for 2\" }", "F:1: fallback: ", "\"2\" is no time"},
    {"policyd { fallback = \"\" }", "F:1: fallback: ", "the value is empty"},
    {"policyd { default_level = \"none\" }",
     "F:1: default_level: ", "\"none\" is not among the choices; write one of: may encrypt"},
    {"milter { scope = \"mess\" }", "F:1: scope: ", "write one of: message recipient"},
    {"milter { scope = \"message recipient\" }", "F:1: scope: ", "write one of: message recipient"},
    {"milter { scope = \"\" }", "F:1: scope: ", "the value is empty"},
    {"milter { delimiter = \"@\" }", "F:1: delimiter: ", "write one of: + - = # _"},
    {"milter { tag = \"a+b\" }", "F:1: tag: ", "is no tag; write letters and digits"},
    {"milter { tag = \"-a\" }", "F:1: tag: ", "is no tag"},
    {"milter { tag = \"a-\" }", "F:1: tag: ", "is no tag"},
    {"milter { record_header = \"X Postern\" }", "F:1: record_header: ", "is no name of a header field"},
    {"milter { record_header = \"X-Postern:\" }", "F:1: record_header: ", "is no name of a header field"},
    {"milter { rules = {\"a: nonsense -> none\"} }", "F:1: rules: ", "rule 1: column 4: "},
    {"milter { rules = {'a: client.tls -> none', 'a: client.tls -> none'} }", "F:1: rules: ", "rule 2: column 1: "},
    {"milter {\n rules = {'a: client.tls -> none',\n'b: nonsense -> none'}\n tag = x\n}",
     "F:2: rules: ", "rule 2: column 4: "},
    {"milter {\n tag = SECRET\n optional_tag = secret\n}", "F:3: optional_tag: ", "is the value of tag as well"},
    {"milter {\n tag = TLSoptional\n}", "F:3: optional_tag: ", "is the value of tag as well"},
    {"relayd {\n name = \"mail server\" }", "F:2: name: ", "\"mail server\" is no host name: "},
    {"relayd { name = \"a..b\" }", "F:1: name: ", "is no host name"},
    {"relayd { name = \"mail.example.com.\" }", "F:1: name: ", "write it as mail.example.com"},
    {"relayd { name = \"b\xc3\xbc.example\" }", "F:1: name: ", "write it as xn--"},
    {"relayd { name = \"192.0.2.1\" }", "F:1: name: ", "or an address as [192.0.2.1]"},
    {"relayd { name = \"[192.0.2]\" }", "F:1: name: ", "is no host name"},
    {"relayd { name = \"[2001:db8::1]\" }", "F:1: name: ", "is no host name"},
    {"relayd { name = \"[IPv6:192.0.2.1]\" }", "F:1: name: ", "is no host name"},
    {"relayd { name = \"a>b\" }", "F:1: name: ", "is no host name"},
    {"stsd { dns_tries = 0 }", "F:1: dns_tries: ", "0 is out of range; write 1 to 20"},
    {"stsd { dns_tries = 21 }", "F:1: dns_tries: ", "out of range"},
    {"stsd { dns_tries = -1 }", "F:1: dns_tries: ", "no whole number"},
    {"stsd { dns_tries = 0x10 }", "F:1: dns_tries: ", "no whole number"},
    {"stsd { dns_tries = \"\" }", "F:1: dns_tries: ", "no whole number"},
    {"stsd { dns_tries = 18446744073709551617 }", "F:1: dns_tries: ", "no whole number"},
    {"stsd { dns_tries = 9223372036854775808 }", "F:1: dns_tries: ", "no whole number"},
    {"stsd { dns_tries = 9223372036854775807 }", "F:1: dns_tries: ", "out of range"},
    {"stsd { https_timeout = 61s }", "F:1: https_timeout: ", "61s is out of range; write 100ms to 1m"},
    {"stsd { https_timeout = 1.5s }", "F:1: https_timeout: ", "is no time"},
    {"stsd { https_timeout = 10sec }", "F:1: https_timeout: ", "is no time"},
    {"stsd { https_timeout = ms }", "F:1: https_timeout: ", "is no time"},
    {"stsd { https_timeout = 9223372036854775807d }", "F:1: https_timeout: ", "is no time"},
    {"stsd { retry_after = 1500ms }", "F:1: retry_after: ", "is no time"},
    {"stsd { retry_after = 0 }", "F:1: retry_after: ", "write 1s to 1d"},
    {"policyd { lookup_timeout = 91s }", "F:1: lookup_timeout: ", "write 100ms to 90s"},
    {"policyd { socket_mode = 01000 }", "F:1: socket_mode: ", "write 0000 to 0777"},
    {"policyd { socket_mode = 0680 }", "F:1: socket_mode: ", "octal"},
    {"policyd { control = \"\" }", "F:1: control: ", "empty"},
    {"policyd { control = \"/run/x\" }", "F:1: control: ", "write unix:/path"},
    {"policyd { listen = {} }", "F:1: listen: ", "too short"},
    {"policyd { listen = {\"unix:/a\", \"\"} }", "F:1: listen: ", "empty"},
    {"policyd { listen = {\"unix:/a\",\n\"inet:8461\"} }", "F:2: listen: ", "write inet:"},
    {"relayd { listen = {\"inet:127.0.1.9-3:1\"} }", "F:1: listen: ", "no range"},
    {"relayd { listen = {\"inet:127.0.1.1-300:1\"} }", "F:1: listen: ", "no IP address"},
    {"relayd { listen = {\"inet:127.0.1.1-200:1\"} }", "F:1: listen: ", "at most 64"},
    {"stsd { resolvers = {\"dns.example\"} }", "F:1: resolvers: ", "no IP address"},
    {"stsd { resolvers = {a} }", "F:1: resolvers: ", "no IP address"},
    {"redis { prefix = \"a\\nb\" }", "F:1: prefix: ", "control character"},
    {"redis { prefix = 12345678901234567890123456789012345678901234567890123456789012345 }",
     "F:1: prefix: ", "too long"},
    {"tlsrptd { contact = \"Postmaster <p@example.com>\" }", "F:1: contact: ", "is no mail address; write one such as"},
    {"tlsrptd { contact = \"mailto:p@example.com\" }", "F:1: contact: ", "is no mail address"},
    {"tlsrptd { contact = \"example.com\" }", "F:1: contact: ", "is no mail address"},
    {"tlsrptd { contact = \"@example.com\" }", "F:1: contact: ", "is no mail address"},
    {"tlsrptd { contact = \"a..b@example.com\" }", "F:1: contact: ", "is no mail address"},
    {"tlsrptd { contact = \"a.@example.com\" }", "F:1: contact: ", "is no mail address"},
    {"tlsrptd { contact = \"a@b@example.com\" }", "F:1: contact: ", "is no mail address"},
    {"tlsrptd { contact = \"p@\" }", "F:1: contact: ", "its domain: "},
    {"tlsrptd { contact = \"p@[192.0.2.1]\" }", "F:1: contact: ", "its domain: "},
    {"tlsrptd { contact = \"p@b\xc3\xbc.example\" }", "F:1: contact: ", "write it as xn--"},
    {"tlsrptd { from = \"p\" }", "F:1: from: ", "is no mail address"},
    {"tlsrptd { contact = \"p@example.com\"\n from = \"p@example.org\" }",
     "F:2: from: ", "in another domain than contact"},
    {"tlsrptd { contact = \"p@example.com\"\n from = \"p@badexample.com\" }", "F:2: from: ", "in another domain"},
    {"tlsrptd { contact = \"p@a.example.com\"\n from = \"p@example.com\" }", "F:2: from: ", "in another domain"},
    {"policyd { sni_listen = {\"unix:/x\", \"inet:127.0.0.1:8466\"} }", "F:1: sni_listen: ", "is a network address"},
    {"tlsrptd { mail = \"lmtp:127.0.0.1:24\" }", "F:1: mail: ", "LMTP is not spoken here"},
    {"tlsrptd { mail = \"/usr/sbin/sendmail\" }", "F:1: mail: ", "write \"sendmail:/path\" or \"smtp:"},
    {"tlsrptd { mail = \"sendmail:sendmail -t\" }", "F:1: mail: ", "write its whole path"},
    {"tlsrptd { mail = \"smtp:localhost:25\" }", "F:1: mail: ", "no IP address"},
    {"tlsrptd { mail = \"\" }", "F:1: mail: ", "empty"},
    /* syntax */
    {"stsd {\n listen = \"unix:/x\n dane = yes }", "F:2: ", "no end on its line"},
    {"stsd {\n ca_file = 'x\\' }", "F:2: ", "no end on its line"},
    {"stsd { }\n/* dane", "F:2: ", "never ends"},
    {"stsd { }\n/*/", "F:2: ", "never ends"},
    {"/* a\nb */ }", "F:2: ", "closes nothing"},
    {"policyd { }\nstsd {\n dane = yes\n", "F:2: ", "never closed"},
    {"stsd { }\n}", "F:2: ", "closes nothing"},
    {"stsd { listen = inet:*:25 }", "F:1: ", "needs quotes"},
    {"stsd { ca_file = \xc3\xa4 }", "F:1: ", "needs quotes"},
    {"stsd { ca_file = \"${HOME}/x\" }", "F:1: ", "environment"},
    {"stsd { ca_file = ${HOME} }", "F:1: ", "environment"},
    {"stsd { dane yes }", "F:1: ", "missing equal sign"},
    {"stsd { dane = }", "F:1: ", "unexpected token '}'"},
    {"stsd = 5", "F:1: ", "missing opening brace"},
    {"stsd { dane += yes }", "F:1: ", "append"},
    {"stsd { resolvers = {\"127.0.0.1\" \"[::1]\"} }", "F:1: ", "unexpected token"},
    {"stsd { a\001 = 4 }", "F:1: ", "control character"},
    {"{{{{{{{{{", "F:1: ", "too many braces"},
};

static void test_bad(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bad_rows) / sizeof(bad_rows[0]); i++) {
        const struct bad *r = &bad_rows[i];
        struct conf *c = NULL;
        struct err e = {""};

        if (conf_parse(&c, "F", r->text, strlen(r->text), &e) == 0)
            fail_msg("accepted: %s", r->text);
        assert_null(c);
        if (strncmp(e.text, r->where, strlen(r->where)) != 0 || strstr(e.text, r->why) == NULL)
            fail_msg("%s\n  said: %s\n  want: %s...%s", r->text, e.text, r->where, r->why);
    }
}

static void test_nul(void **state)
{
    struct conf *c = NULL;
    struct err e = {""};

    (void)state;
    assert_int_equal(conf_parse(&c, "F", "stsd {}\0x", 9, &e), -1);
    assert_string_equal(e.text, "F:1: this is no text file: there is a NUL in it");
}

/* The error of one file does not reach into the reading of the next. */
static void test_again(void **state)
{
    struct conf *c = NULL;

    (void)state;
    assert_int_equal(conf_parse(&c, "F", "stsd { dane = 'x' }", 19, NULL), -1);
    assert_int_equal(conf_parse(&c, "F", "stsd { \"\\999\" }", 15, NULL), -1);
    conf_free(parse("stsd { dane = yes }"));
}

static void test_too_many(void **state)
{
    char text[4096] = "policyd { listen = {";
    struct conf *c = NULL;
    struct err e = {""};
    int i;

    (void)state;
    for (i = 0; i < 65; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s\"unix:/%d\"", i > 0 ? "," : "", i);
    snprintf(text + strlen(text), sizeof(text) - strlen(text), "} }");
    assert_int_equal(conf_parse(&c, "F", text, strlen(text), &e), -1);
    assert_string_equal(e.text, "F:1: listen: too many; write at most 64");
}

static void test_file(void **state)
{
    char path[] = "/tmp/conf.t.XXXXXX";
    char want[100];
    const char text[] = "\nstsd { dns_tries = x }\n";
    struct conf *c = NULL;
    struct err e = {""};
    int fd = mkstemp(path);

    (void)state;
    assert_return_code(fd, 0);
    assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
    assert_int_equal(conf_read(&c, path, &e), -1);
    snprintf(want, sizeof(want), "%s:2: dns_tries: \"x\" is no whole number; write digits alone", path);
    assert_string_equal(e.text, want);
    assert_return_code(ftruncate(fd, 0), 0);
    assert_int_equal(conf_read(&c, path, &e), 0);
    conf_free(c);
    assert_return_code(ftruncate(fd, CONF_FILE_MAX + 1), 0);
    assert_int_equal(conf_read(&c, path, &e), -1);
    assert_non_null(strstr(e.text, "larger"));
    close(fd);
    unlink(path);
    assert_int_equal(conf_read(&c, path, &e), -1);
    snprintf(want, sizeof(want), "%s: No such file or directory", path);
    assert_string_equal(e.text, want);
    assert_int_equal(conf_read(&c, "/", &e), -1);
    assert_string_equal(e.text, "/: Is a directory");
    conf_free(NULL);
}

static const struct login_row {
    const char *redis, *own, *username, *password;
} logins[] = {
    {"", "", "", ""},
    {"username = u password = p", "", "u", "p"},
    {"", "redis_username = own redis_password = secret", "own", "secret"},
    {"username = u password = p", "redis_username = own redis_password = secret", "own", "secret"},
    {"username = u password = p", "redis_username = own", "own", "p"},
    {"username = u password = p", "redis_password = secret", "u", "secret"},
};

/* Each program has its own, else that of the section redis; all else is the section's. */
static void test_login(void **state)
{
    static const char *const sections[] = {"stsd", "policyd", "milter", "posternctl"};

    (void)state;
    for (size_t i = 0; i < sizeof(logins) / sizeof(logins[0]); i++) {
        for (size_t own = 0; own < 4; own++) {
            char text[256];
            struct conf *c;

            snprintf(text, sizeof(text), "redis { prefix = \"x:\" %s }\n%s { %s }\n", logins[i].redis, sections[own],
                     logins[i].own);
            c = parse(text);
            for (size_t who = 0; who < 4; who++) {
                const struct conf_login *login[] = {&c->stsd.redis, &c->policyd.redis, &c->milter.redis,
                                                    &c->posternctl.redis};
                struct conf_redis got = conf_redis_for(c, login[who]);

                assert_string_equal(got.username, who == own ? logins[i].username : c->redis.username);
                assert_string_equal(got.password, who == own ? logins[i].password : c->redis.password);
                assert_string_equal(got.prefix, "x:");
            }
            conf_free(c);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),    cmocka_unit_test(test_defaults_as_file),
        cmocka_unit_test(test_defaults),  cmocka_unit_test(test_names),
        cmocka_unit_test(test_reporters), cmocka_unit_test(test_values),
        cmocka_unit_test(test_rules),     cmocka_unit_test(test_bad),
        cmocka_unit_test(test_nul),       cmocka_unit_test(test_again),
        cmocka_unit_test(test_too_many),  cmocka_unit_test(test_file),
        cmocka_unit_test(test_login),
    };

    return cmocka_run_group_tests_name("conf", tests, NULL, NULL);
}
