/* postfix_check.t.c - a sound configuration in which one thing is changed, and what is then found. */
#include "postfix_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum text { MAIN, MASTER, OPTIONS, FLAGS, GENERIC, POSTERN, TEXTS };

static const char *const sound[TEXTS] = {
    [MAIN] = "compatibility_level = 3.6\n"
             "queue_directory = /var/spool/postfix\n"
             "transport_maps = regexp:/flags\n"
             "smtpd_milters = unix:postern/milter.sock\n"
             "milter_default_action = tempfail\n"
             "milter_protocol = 6\n"
             "message_strip_characters = \\0\n"
             "recipient_delimiter = +\n"
             "propagate_unmatched_extensions = canonical, virtual, alias, forward, include\n"
             "smtp_tls_policy_maps = socketmap:inet:localhost:8461:postfix\n"
             "mydestination = home.example\n"
             "default_process_limit = 100\n"
             "default_destination_concurrency_limit = 20\n"
             "requiretls_destination_concurrency_failed_cohort_limit = 0\n",
    [MASTER] = "smtp inet n - y - - smtpd\n"
               "pickup unix n - y 60 1 pickup\n"
               "cleanup unix n - y - 0 cleanup\n"
               "pre-cleanup unix n - y - 0 cleanup\n"
               "rewrite unix - - y - - trivial-rewrite\n"
               "rewrite-again unix - - y - - trivial-rewrite\n"
               "smtp unix - - y - - smtp\n"
               "relay unix - - y - - smtp\n"
               "local unix - n n - - local\n"
               "error unix - - y - - error\n"
               "program unix - n n - - pipe\n"
               "requiretls unix - - y - 200 lmtp\n"
               "smtp-relaxed unix - - y - - smtp\n"
               "again unix - - y - - smtp\n"
               "127.0.0.1:10025 inet n - y - - smtpd\n"
               "127.0.0.1:10026 inet n - y - - smtpd\n",
    [OPTIONS] = "pickup/unix/content_filter = again:[127.0.0.1]:10026\n"
                "requiretls/unix/lmtp_rcpt_timeout = 1000s\n"
                "requiretls/unix/lmtp_data_init_timeout = 1000s\n"
                "requiretls/unix/lmtp_data_xfer_timeout = 1000s\n"
                "requiretls/unix/lmtp_data_done_timeout = 1000s\n"
                "smtp-relaxed/unix/smtp_tls_policy_maps =\n"
                "smtp-relaxed/unix/smtp_tls_security_level = may\n"
                "smtp-relaxed/unix/smtp_generic_maps = regexp:/generic\n",
    [FLAGS] = "if !/@home\\.example$/\n"
              "/\\+requiretls\"?@[a-m][^@]*$/ requiretls:inet:127.0.1.1:8689\n"
              "/\\+requiretls\"?@/ requiretls:unix:postern/relayd.sock\n"
              "/\\+tlsoptional\"?@[^@]*$/ smtp-relaxed:\n"
              "endif\n",
    [GENERIC] = "/^(.+)\\+tlsoptional(\"?@[^@]*)$/ $1$2\n",
    [POSTERN] = "milter { listen = \"unix:/var/spool/postfix/postern/milter.sock\" }\n"
                "relayd { listen = {\"inet:127.0.1.1-16:8689\", \"unix:/var/spool/postfix/postern/relayd.sock\"} }\n",
};

struct change {
    enum text text;
    const char *from, *to; /* from NULL: put before the text */
    const char *found;     /* names with a blank between them; "": nothing */
};

#define FILTERED "smtp/inet/content_filter = scan:[127.0.0.1]:10024\n"
#define NEXT     "requiretls:inet:127.0.1.1:8689"

static const struct change changes[] = {
    {MAIN, "compatibility", "compatibility", ""},
    /* the flag map */
    {FLAGS, "/\\+requiretls\"?@/", "/\\+requiretls\"?@x/", "flag-unrouted"},
    {FLAGS, "/\\+requiretls\"?@/", "/\\+requiretls@/", ""}, /* asked without the quotes, too */
    {FLAGS, "/\\+requiretls\"?@/", "/\\+requiretls\"?@/i", "flag-unrouted"},
    {FLAGS, NEXT, "requiretls:inet:127.0.1.$1:8689", "flag-substitution"},
    {FLAGS, NEXT, "requiretls:inet:127.0.1.16:8689", ""},
    {FLAGS, NEXT, "requiretls:127.0.1.2:8689", ""},
    {FLAGS, NEXT, "requiretls:inet:[127.0.1.3]:8689", ""},
    {FLAGS, NEXT, "requiretls:inet:127.0.1.17:8689", "flag-nexthop"},
    {FLAGS, NEXT, "requiretls:inet:127.0.1.1:8690", "flag-nexthop"},
    {FLAGS, NEXT, "requiretls:inet:127.0.1.1", "flag-nexthop"},
    {FLAGS, NEXT, "requiretls:", "flag-nexthop"},
    {FLAGS, NEXT, "requiretls:[]:8689", "flag-nexthop"},
    {FLAGS, NEXT, "requiretls:unix:/postern/relayd.sock", ""},
    {FLAGS, NEXT, "requiretls:unix:/var/spool/postfix/postern/relayd.sock", "flag-nexthop-chroot"},
    {FLAGS, NEXT, "smtp:[192.0.2.1]", "flag-service-not-lmtp"},
    {FLAGS, NEXT, "error:5.7.30 no", "flag-service-not-lmtp"},
    {FLAGS, NEXT, "program:", "flag-service-not-lmtp"},
    {FLAGS, NEXT, "nonesuch:", "flag-service-missing"},
    {FLAGS, NEXT, ":[192.0.2.1]", "flag-no-transport"},
    {FLAGS, NEXT, "", "flag-no-transport"},
    {FLAGS, NULL, "/[z-a]/ smtp:\n", "flag-line-skipped"},
    {FLAGS, NULL, "/a{1000}{1000}/ smtp:\n", "flag-line-unseen"}, /* Postfix may well take it */
    {FLAGS, NULL, "/x@/!/y/ smtp:\n", "flag-line-unseen"},
    {FLAGS, NULL, "if /@/!/y/\nendif\n", "flag-line-unseen"},
    {FLAGS, NULL, "/example\\.org$/ smtp:\n", "flag-service-not-lmtp"},
    {FLAGS, NULL, "/^bob.*@/ smtp:\n", ""}, /* no domain in plain letters: not met */
    {FLAGS, NULL, "/^bob.*@q\\.example$/ smtp:\n", "flag-service-not-lmtp"},
    {FLAGS, NULL, "/@home\\.example$/ smtp:\n", ""},
    {FLAGS, NULL, "/@other\\.example$/ local:\n", ""},
    {FLAGS, NULL, "/tlsoptional@/ smtp-relaxed:\n", "relaxed-order"},
    {FLAGS, "/\\+tlsoptional", "/\\+tlsmaybe", "relaxed-unrouted"},
    {FLAGS, "smtp-relaxed:", "local:", "relaxed-service"},
    {FLAGS, "if !/@home", "if /@home", "flag-unrouted relaxed-unrouted"},
    {MAIN, "regexp:/flags", "regexp:/flags socketmap:inet:127.0.0.1:1:t", ""},
    {MAIN, "regexp:/flags", "hash:/x, regexp:/flags", "flag-map-before"},
    {MAIN, "regexp:/flags", "proxy:regexp:/flags", ""},
    {MAIN, "regexp:/flags", "pcre:/flags", ""},
    {MAIN, "regexp:/flags", "regexp:/nonesuch regexp:/flags", "flag-map-unreadable"},
    {MAIN, "regexp:/flags", "static:requiretls:inet:127.0.1.1:8689", "relaxed-service"},
    {MAIN, "regexp:/flags", "static:{smtp:} regexp:/flags",
     "flag-service-not-lmtp relaxed-service relaxed-service relaxed-tag"},
    {MAIN, "regexp:/flags", "hash:/x", "flag-unrouted relaxed-unrouted"},
    /* tag and delimiter are those of postern.conf */
    {POSTERN, "milter {", "milter { tag = \"tlsonly\" ", "flag-unrouted"},
    {POSTERN, "milter {", "milter { delimiter = \"-\" ", "flag-unrouted relaxed-unrouted milter-delimiter"},
    /* the service */
    {MASTER, "200 lmtp", "20 lmtp", "flag-service-small"},
    {MASTER, "200 lmtp", "- lmtp", ""},
    {MASTER, "200 lmtp", "0 lmtp", ""},
    {MAIN, "limit = 0\n", "limit = 1\n", "flag-cohort-limit"},
    {MAIN, "concurrency_limit = 20\n", "concurrency_limit = 10\n", "flag-concurrency"},
    {MAIN, "concurrency_limit = 20\n", "concurrency_limit = 11\n", ""},
    {MAIN, NULL, "initial_destination_concurrency = 5\n", "flag-concurrency"},
    {MAIN, NULL, "initial_destination_concurrency = 5\nrequiretls_initial_destination_concurrency = 50\n", ""},
    {POSTERN, "relayd {", "relayd { per_domain = 20 ", "flag-concurrency"},
    {MAIN, "requiretls_destination_concurrency_failed_cohort_limit = 0\n", "", "flag-cohort-limit"},
    {MAIN, "limit = 0\n", "limit = 0\nrequiretls_destination_rate_delay = 1s\n", "flag-rate-delay"},
    {MAIN, "limit = 0\n", "limit = 0\ndefault_destination_rate_delay = 1s\n", "flag-rate-delay"},
    {MAIN, "limit = 0\n", "limit = 0\ndefault_destination_rate_delay = 1s\nrequiretls_destination_rate_delay = 0s\n",
     ""},
    {MAIN, "limit = 0\n", "limit = 0\nrequiretls_transport_rate_delay = 1m\n", "flag-rate-delay"},
    {OPTIONS, "lmtp_rcpt_timeout = 1000s", "lmtp_rcpt_timeout = 15m", "flag-timeout"},
    {OPTIONS, "lmtp_rcpt_timeout = 1000s", "lmtp_rcpt_timeout = 1h", ""},
    {OPTIONS, "lmtp_data_done_timeout = 1000s", "lmtp_data_done_timeout = 15m", "flag-timeout"},
    {POSTERN, "relayd {", "relayd { data_timeout = 20m ", "flag-timeout"}, /* begins where transaction_timeout ends */
    {POSTERN, "relayd {", "relayd { data_timeout = 999s ", ""},
    {POSTERN, "relayd {", "relayd { transaction_timeout = 1000s ",
     "flag-timeout flag-timeout flag-timeout flag-timeout"},
    {OPTIONS, NULL, "requiretls/unix/lmtp_fallback_relay = x\n", "flag-fallback-relay"},
    {OPTIONS, NULL, "smtp/unix/lmtp_fallback_relay = x\n", ""},
    {OPTIONS, NULL, "requiretls/unix/lmtp_tls_security_level = dane\n", "flag-lmtp-tls"},
    /* the milter */
    {MAIN, "unix:postern/milter.sock", "unix:/postern/milter.sock", ""},
    {MAIN, "unix:postern/milter.sock", "unix:/var/spool/postfix/postern/milter.sock",
     "milter-missing milter-missing milter-missing"},
    {MAIN, "unix:postern/milter.sock", "inet:[::1]:1, {unix:postern/milter.sock,default_action=tempfail}", ""},
    {MAIN, "unix:postern/milter.sock", "{ unix:postern/milter.sock, default_action = accept }", "milter-action"},
    {MAIN, "tempfail", "reject", "milter-action"},
    {MAIN, "\\0", "\\00\\1", ""},
    {MAIN, "\\0", "\\010", "milter-strip"},
    {MAIN, "\\0", "0", "milter-strip"},
    {MAIN, "\\0", "\\n", "milter-strip"},
    {OPTIONS, NULL, "smtp/inet/smtpd_milters =\n", "milter-missing"},
    {OPTIONS, NULL, FILTERED "127.0.0.1:10026/inet/smtpd_milters =\n", "milter-missing"}, /* pickup leads there */
    {OPTIONS, NULL, FILTERED "127.0.0.1:10025/inet/smtpd_milters =\n", ""},
    {OPTIONS, NULL, "127.0.0.1:10025/inet/smtpd_milters =\n", "milter-missing"},
    {OPTIONS, NULL,
     FILTERED "127.0.0.1:10025/inet/content_filter = scan:[127.0.0.1]:10024\n127.0.0.1:10025/inet/smtpd_milters =\n",
     "milter-missing"}, /* it leads to the filter itself */
    {OPTIONS, NULL, "smtp/inet/content_filter = scan:[192.0.2.1]:10024\n", "flag-filter"},
    {OPTIONS, NULL, "smtp/inet/smtpd_proxy_filter = 127.0.0.1:1\nsmtp/inet/smtpd_milters =\n", ""},
    {OPTIONS, "again:[127.0.0.1]:10026", "", "milter-pickup"},
    {OPTIONS, "again:[127.0.0.1]:10026", "again:[127.0.0.1]:25", "milter-pickup-filter"},
    {OPTIONS, "again:[127.0.0.1]:10026", "program:", "milter-pickup-filter"},
    {MAIN, NULL, "always_bcc = archive@home.example\n", ""},
    {MAIN, NULL, "always_bcc = archive@other.example\n", "flag-bcc"},
    {MAIN, NULL, "relayhost = [192.0.2.1]\n", "relaxed-relayhost"},
    {MAIN, NULL, "relayhost = [192.0.2.1]\nsmtp_tls_security_level = encrypt\n",
     "relaxed-relayhost relaxed-relayhost-tls"},
    {MAIN, NULL, "relayhost = [192.0.2.1]\nsmtp_tls_security_level = may\n", "relaxed-relayhost"},
    {MAIN, NULL, "canonical_maps = regexp:{ {/@old\\.example$/ x@new.example} }\n", "flag-rewritten"},
    {MAIN, NULL, "canonical_maps = regexp:{ {/@old\\.example$/ x@home.example} }\n", ""},
    {MAIN, NULL, "canonical_maps = regexp:{ {/x@/!/y/ x@new.example} }\n", "flag-line-unseen"},
    {MAIN, NULL, "canonical_maps = regexp:{ {/^(.*)@old\\.example$/ $1@new.example} }\n", ""},
    /* each cleanup, each trivial-rewrite */
    {OPTIONS, NULL, "pre-cleanup/unix/header_checks = regexp:{ {/x/ FILTER smtp:x} }\n", "flag-header-action"},
    {OPTIONS, NULL, "pre-cleanup/unix/virtual_alias_maps = static:x@new.example\n", "flag-rewritten"},
    {OPTIONS, NULL, "pre-cleanup/unix/always_bcc = x@new.example\n", "flag-bcc"},
    {OPTIONS, NULL, "rewrite-again/unix/transport_maps =\n", "flag-unrouted relaxed-unrouted"},
    {OPTIONS, NULL, "rewrite/unix/transport_maps =\n", "flag-unrouted relaxed-unrouted"},
    {MAIN, NULL, "body_checks = pcre:{ {/x/ REDIRECT a@b.example} }\n", "flag-header-action"},
    {MAIN, NULL, "body_checks = pcre:{ {/x/ WARN FILTER} }\n", ""},
    {MAIN, "localhost:8461", "[127.0.0.1]:8461", ""},
    {MAIN, "localhost:8461", "127.0.0.1:8462", "policy-maps"},
    {OPTIONS, NULL, "smtp/unix/smtp_tls_policy_maps =\n", "policy-maps"},
    {OPTIONS, NULL, "smtp/unix/smtp_tls_policy_maps = socketmap:inet:127.0.0.1:8461:QUERYwithTLSRPT\n", ""},
    {OPTIONS, NULL, "relay/unix/smtp_tls_policy_maps =\n", "policy-maps"},
    {OPTIONS, NULL, "again/unix/smtp_tls_policy_maps =\n", ""}, /* to loopback */
    {OPTIONS, "again:[127.0.0.1]:10026",
     "again:[192.0.2.1]:10026\nsmtp/inet/content_filter = again:[192.0.2.1]:10026\nagain/unix/smtp_tls_policy_maps =",
     "flag-filter flag-filter milter-pickup-filter policy-maps"},
    {OPTIONS, NULL, "smtp/inet/content_filter = smtp:[127.0.0.1]:10024\nsmtp/unix/smtp_tls_policy_maps =\n",
     "policy-maps"}, /* to all others, too */
    {MAIN, "smtp_tls_policy_maps", "other", "policy-maps"},
};

/* from is replaced, or to is put before the text. */
static char *change_text(const char *text, const struct change *c)
{
    const char *at = c->from != NULL ? strstr(text, c->from) : text;
    size_t len = strlen(text) + strlen(c->to) + 1;
    char *changed = malloc(len);

    if (at == NULL)
        fail_msg("%s is not there", c->from);
    assert_non_null(changed);
    snprintf(changed, len, "%.*s%s%s", (int)(at - text), text, c->to, at + (c->from != NULL ? strlen(c->from) : 0));
    return changed;
}

static int read_text(void *ctx, const char *path, struct buf *out, struct err *e)
{
    char *const *text = ctx;

    if (strcmp(path, "/flags") != 0 && strcmp(path, "/generic") != 0)
        return err_set(e, "no such file");
    buf_str(out, text[path[1] == 'f' ? FLAGS : GENERIC]);
    return 0;
}

static size_t wrong;

static void expect(const struct postfix_findings *f, const struct change *c)
{
    char names[2000] = "";

    for (size_t i = 0; i < f->count; i++) {
        const struct postfix_finding *g = &f->item[i];
        assert_true(g->where[0] != '\0' && g->what[0] != '\0' && *postfix_finding_why(g->kind) != '\0' &&
                    *postfix_finding_remedy(g->kind) != '\0');
        snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s", i > 0 ? " " : "",
                 postfix_finding_name(g->kind));
    }
    if (strcmp(names, c->found) != 0) {
        wrong++;
        print_error("%s -> %s: found \"%s\" (%s: %s)\n", c->from != NULL ? c->from : "", c->to, names,
                    f->count > 0 ? f->item[0].where : "", f->count > 0 ? f->item[0].what : "");
    }
}

static void check_texts(char *const *text, const struct change *c)
{
    static struct postfix_finding items[POSTFIX_FINDINGS_MAX];
    struct postfix_findings found = {.item = items};
    struct postfix_conf postfix;
    struct conf *postern;
    struct err e = {""};
    struct postfix_printed printed[3];

    for (size_t i = 0; i < 3; i++)
        printed[i] = (struct postfix_printed){text[i], strlen(text[i])};
    if (conf_parse(&postern, "postern.conf", text[POSTERN], strlen(text[POSTERN]), &e) != 0 ||
        postfix_conf_read(&postfix, printed[MAIN], printed[MASTER], printed[OPTIONS], &e) != 0)
        fail_msg("%s", e.text);
    assert_int_equal(postfix_check(&found, &postfix, postern, read_text, (void *)text, &e), 0);
    expect(&found, c);
    postfix_conf_free(&postfix);
    conf_free(postern);
}

static void test_changes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        char *text[TEXTS];
        for (size_t t = 0; t < TEXTS; t++)
            text[t] = t == changes[i].text ? change_text(sound[t], &changes[i]) : strdup(sound[t]);
        check_texts(text, &changes[i]);
        for (size_t t = 0; t < TEXTS; t++)
            free(text[t]);
    }
    assert_int_equal(wrong, 0);
}

/* Nothing at all: much is found, and nothing breaks. */
static void test_nothing(void **state)
{
    static struct postfix_finding items[POSTFIX_FINDINGS_MAX];
    struct postfix_findings found = {.item = items};
    struct postfix_conf none = {.service_count = 0};
    struct conf *postern = conf_default();

    (void)state;
    assert_int_equal(postfix_check(&found, &none, postern, read_text, NULL, NULL), 0);
    assert_true(postfix_found(&found, FLAG_UNROUTED, "main.cf: transport_maps"));
    conf_free(postern);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
