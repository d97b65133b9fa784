/* setup_postfix.t - the plan for a Postfix, without one: what depends on the machine, and flagged mail in the queue. */
#include "setup_postfix.h"
#include "setup_postfix_queue.h"
#include "setup_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define STOCK                                                                                                          \
    "mail_version = 3.7.11\nqueue_directory = /var/spool/postfix\nmilter_default_action = tempfail\n"                  \
    "milter_protocol = 6\nmydestination = a.example, localhost\npropagate_unmatched_extensions = canonical, virtual\n" \
    "syslog_name = postfix\nsmtp_tls_loglevel = 0\n"
#define SERVICES                                                 \
    "smtp inet n - y - - smtpd\npickup unix n - y 60 1 pickup\n" \
    "smtp unix - - y - - smtp\n"

struct made {
    const char *main, *services, *overrides; /* besides */
    void (*change)(struct setup_postfix_facts *facts);
    const char *postern;
};

static struct postfix_printed printed(const char *text)
{
    return (struct postfix_printed){text, strlen(text)};
}

/* The plan as text, to be freed. */
static char *plan(const struct made *m)
{
    static const char transport[] = "if !/@(example\\.com)$/\n/\\+requiretls\"?@a/ requiretls:inet:127.0.1.1:8689\n"
                                    "/\\+tlsoptional\"?@/ smtp-relaxed:\nendif\n";
    struct setup_postfix_facts facts = {.config_dir = "/etc/postfix",
                                        .regexp = true,
                                        .socketmap = true,
                                        .resolver_is_near = true,
                                        .ca_file = "/etc/ssl/certs/ca-certificates.crt",
                                        .log = "/var/log/mail.log",
                                        .log_group = "",
                                        .mail_domain = "a.example",
                                        .transport = {.template = transport},
                                        .generic = {.template = "/^(.+)\\+tlsoptional$/ $1\n"},
                                        .again_port = 10026,
                                        .conf_file = "/etc/postern/postern.conf",
                                        .key_folder = "/etc/postern/keys",
                                        .group = "postern"};
    struct setup_plan p = {.server = "postfix"};
    struct postfix_conf postfix, set;
    struct conf *conf;
    struct err e = {""};
    char all[8192], services[4096];
    struct buf out;

    snprintf(all, sizeof(all), "%s%s", m->main != NULL ? m->main : "", STOCK);
    snprintf(services, sizeof(services), "%s%s", SERVICES, m->services != NULL ? m->services : "");
    assert_int_equal(postfix_conf_read(&postfix, printed(all), printed(services),
                                       printed(m->overrides != NULL ? m->overrides : ""), &e),
                     0);
    assert_int_equal(postfix_conf_read(&set, printed(m->main != NULL ? m->main : ""), printed(""), printed(""), &e), 0);
    facts.set = &set;
    if (m->change != NULL)
        m->change(&facts);
    if (conf_parse(&conf, "x", m->postern != NULL ? m->postern : "", m->postern != NULL ? strlen(m->postern) : 0, &e) !=
        0)
        fail_msg("%s", e.text);
    setup_postfix(&p, &postfix, conf, &facts);
    assert_int_equal(setup_plan_finish(&p, &e), 0);
    buf_init(&out, 1000000);
    setup_print(&out, &p, "postern.conf", false);
    assert_true(buf_ok(&out));
    setup_plan_clear(&p);
    postfix_conf_free(&postfix);
    postfix_conf_free(&set);
    conf_free(conf);
    return out.data;
}

static void no_resolver(struct setup_postfix_facts *f)
{
    f->resolver_is_near = false;
}
static void no_socketmap(struct setup_postfix_facts *f)
{
    f->socketmap = false;
}
static void no_regexp(struct setup_postfix_facts *f)
{
    f->regexp = false;
}
static void no_authorities(struct setup_postfix_facts *f)
{
    f->ca_file = "";
}
static void journal(struct setup_postfix_facts *f)
{
    f->log = "journal";
}
static void group(struct setup_postfix_facts *f)
{
    f->log_group = "adm";
}
static void root_alone(struct setup_postfix_facts *f)
{
    f->log_group = NULL;
}
static void no_log(struct setup_postfix_facts *f)
{
    f->log = "";
}
static void no_domain(struct setup_postfix_facts *f)
{
    f->mail_domain = "localhost";
}
static void no_port(struct setup_postfix_facts *f)
{
    f->again_port = 0;
}
static void named(struct setup_postfix_facts *f)
{
    f->named = true;
}
static void own_table(struct setup_postfix_facts *f)
{
    f->transport.now = "mine\n";
}
static void keys(struct setup_postfix_facts *f)
{
    f->key_folder_there = f->key_there[0] = f->key_there[1] = true;
}
static void our_table(struct setup_postfix_facts *f)
{
    f->transport.now = "mine\n";
    f->transport.ours = true;
}

/* not: must not be there */
static const struct planning {
    const char *what;
    struct made made;
    const char *wanted, *not ;
} plans[] = {
    {"stock", {0}, "  postconf -e smtp_tls_policy_maps=socketmap:inet:127.0.0.1:8461:postfix\n", "In the way"},
    {"stock: the table", {0}, "    | if !/@(a\\.example|localhost)$/\n", NULL},
    {"stock: DANE", {0}, "  postconf -e smtp_dns_support_level=dnssec\n", "unbound"},
    {"stock: the log", {0}, "postern.conf: tlsrptd { log = \"/var/log/mail.log\" }", "{ log_name"},
    {"stock: reports",
     {0},
     "'sender_dependent_default_transport_maps=inline:{ {tlsrpt@a.example = smtp-relaxed:} }'",
     NULL},
    {"stock: contact", {0}, "tlsrptd { contact = \"postmaster@a.example\" }", NULL},
    {"no resolver here", {.change = no_resolver}, "apt-get install unbound", "smtp_dns_support_level"},
    {"no socketmap", {.change = no_socketmap}, "has no socketmap: tables", "-e smtp_tls_policy_maps"},
    {"no regexp", {.change = no_regexp}, "has no regexp: tables", NULL},
    {"no authorities", {.change = no_authorities}, "apt-get install ca-certificates", NULL},
    {"authorities in a folder",
     {.main = "smtp_tls_CApath = /etc/ssl/certs\n"},
     "  smtp_tls_CApath=/etc/ssl/certs  # MTA-STS",
     "-e smtp_tls_CAfile"},
    {"the journal", {.change = journal}, "tlsrptd { log = \"journal\" }", NULL},
    {"a log of a group", {.change = group}, "  usermod -a -G adm postern\n", "must be able to read"},
    {"and tlsrptd has its groups from its start", {.change = group}, "once it is restarted\n  usermod", NULL},
    {"a log of root's",
     {.change = root_alone},
     "by hand: tlsrptd (user postern) must be able to read /var/log/mail.log",
     "usermod"},
    {"a log that can be read", {0}, "{ log = ", "usermod"},
    {"a log of the operator's",
     {.change = group, .postern = "tlsrptd { log = \"/x\" }"},
     "tlsrptd.log = \"/x\"",
     "usermod"},
    {"no log", {.change = no_log}, "by hand: neither /var/log/mail.log nor the journal", "tlsrptd { log ="},
    {"another name in the log",
     {.main = "syslog_name = postfix-out\n"},
     "tlsrptd { log_name = \"postfix-out\" }",
     NULL},
    {"no domain", {.change = no_domain}, "by hand: myorigin has no domain", "postmaster@"},
    {"no port", {.change = no_port}, "no port of 127.0.0.1 from 10026 on is free", NULL},
    {"another folder",
     {.change = named},
     "  postconf -c /etc/postfix -e smtp_tls_security_level=may\n",
     "  postconf -e"},
    {"another folder: reload", {.change = named}, "  postfix -c /etc/postfix reload\n", NULL},
    {"a table of the operator's",
     {.change = own_table},
     "transport_flags.regexp is not what would be written here",
     "| if !"},
    {"a table of ours, not up to date", {.change = our_table}, "    | if !/@(a\\.example|localhost)$/\n", NULL},
    {"keys that are there",
     {.change = keys},
     "tlsrptd { rsa_key = \"/etc/postern/keys/rsa.pem\" }",
     "\n  posternctl -c /etc/postern/postern.conf report"},
    {"a chroot of smtp's own", {0}, "requiretls unix - - y - 200 lmtp", NULL},
    {"Postfix 3.10",
     {.main = "mail_version = 3.10.1\n"},
     "smtp_tls_loglevel=1",
     "sender_dependent_default_transport_maps"},
    {"Postfix 4", {.main = "mail_version = 4.0\n"}, "smtp_tls_loglevel=1", "sender_dependent_default_transport_maps"},
    {"another sender by sender",
     {.main = "sender_dependent_default_transport_maps = inline:{x@y=smtp:}\n"},
     "'sender_dependent_default_transport_maps=inline:{ {tlsrpt@a.example = smtp-relaxed:} }, inline:{x@y=smtp:}'",
     NULL},
    {"a relay host", {.main = "relayhost = [r.example]\n"}, "smtp-relaxed:[r.example]\n", NULL},
    {"a relay host has the operator's TLS in any case",
     {.main = "relayhost = [r.example]\n"},
     "-o syslog_name=postfix/smtp-relaxed -o smtp_generic_maps=",
     "smtp-relaxed -o smtp_tls_security_level=may"},
    {"no relay host", {0}, "-o syslog_name=postfix/smtp-relaxed -o smtp_tls_security_level=may", NULL},
    {"smtp_enforce_tls",
     {.main = "smtp_enforce_tls = yes\nsmtp_tls_enforce_peername = yes\n"},
     "-e smtp_tls_security_level=verify",
     NULL},
    {"smtp_enforce_tls, any certificate",
     {.main = "smtp_enforce_tls = yes\nsmtp_tls_enforce_peername = no\n"},
     "-e smtp_tls_security_level=encrypt",
     NULL},
    {"smtp_enforce_tls beside a level, which goes before it",
     {.main = "smtp_tls_security_level = none\nsmtp_enforce_tls = yes\nsmtp_tls_enforce_peername = yes\n"},
     "-e smtp_tls_security_level=may",
     NULL},
    {"smtp_use_tls", {.main = "smtp_use_tls = yes\n"}, "-e smtp_tls_security_level=may", NULL},
    {"smtp_tls_per_site",
     {.main = "smtp_tls_per_site = hash:/s\n"},
     "smtp_tls_per_site is set, and Postfix would",
     NULL},
    {"smtp_tls_per_site that no longer counts",
     {.main = "smtp_tls_per_site = hash:/s\nsmtp_tls_policy_maps = hash:/p\n"},
     "-e 'smtp_tls_policy_maps=hash:/p, socketmap:",
     "smtp_tls_per_site"},
    {"a level of none", {.main = "smtp_tls_security_level = none\n"}, "-e smtp_tls_security_level=may", NULL},
    {"a level of its own", {.main = "smtp_tls_security_level = dane\n"}, "  smtp_tls_security_level=dane  #", NULL},
    {"more in the log", {.main = "smtp_tls_loglevel = 2\n"}, "  smtp_tls_loglevel=2  #", NULL},
    {"tables of domains",
     {.main = "virtual_mailbox_domains = hash:/etc/postfix/domains, b.example\n"},
     "by hand: virtual_mailbox_domains has hash:/etc/postfix/domains",
     NULL},
    {"tables of domains, and a name",
     {.main = "virtual_mailbox_domains = hash:/etc/postfix/domains, b.example\n"},
     "list add local b.example\n",
     NULL},
    {"a file of domains",
     {.main = "relay_domains = /etc/postfix/domains\n"},
     "by hand: relay_domains has /etc/postfix/domains",
     NULL},
    {"domains of aliases",
     {.main = "virtual_alias_domains = v.example\n"},
     "|v\\.example)",
     "list add local v.example"},
    {"domains below",
     {.main = "relay_domains = r.example\nparent_domain_matches_subdomains = relay_domains\n"},
     "list add local .r.example\n",
     NULL},
    {"what is no name",
     {.main = "mydestination = !x.example, [192.0.2.1], .b.example, -, a b\n"},
     "@([^@]*\\.b\\.example|a|b|a\\.example)$",
     "192"},
    {"characters to strip", {.main = "message_strip_characters = \\1\n"}, "'message_strip_characters=\\1\\0'", NULL},
    {"NUL among them",
     {.main = "message_strip_characters = \\1\\000\n"},
     "  message_strip_characters=\\1\\000  #",
     NULL},
    {"no NUL", {.main = "message_strip_characters = \\01\n"}, "'message_strip_characters=\\01\\0'", NULL},
    {"another delimiter", {.main = "recipient_delimiter = =\n"}, "recipient_delimiter is =, and Postern's is +", NULL},
    {"the same one",
     {.main = "recipient_delimiter = =\n", .postern = "milter { delimiter = \"=\" }"},
     "/=requiretls\"?@a/",
     "In the way"},
    {"other tags",
     {.postern = "milter { tag = \"safe\" optional_tag = \"open\" }"},
     "| /\\+safe\"?@a/ ",
     "tlsoptional\""},
    {"another listener of relayd",
     {.postern = "relayd { listen = {\"inet:127.0.0.1:99\"} }"},
     "requiretls:inet:127.0.0.1:99\n",
     "8689"},
    {"policyd by a socket",
     {.postern = "policyd { listen = {\"unix:/run/p.sock\"} }"},
     "smtp_tls_policy_maps=socketmap:unix:/run/p.sock:postfix",
     NULL},
    {"the milter in the chroot",
     {.postern = "milter { listen = \"unix:/var/spool/postfix/p/m.sock\" }"},
     "smtpd_milters=unix:p/m.sock\n",
     NULL},
    {"the same, there",
     {.main = "smtpd_milters = { unix:p/m.sock, default_action=tempfail }\n",
      .postern = "milter { listen = \"unix:/var/spool/postfix/p/m.sock\" }"},
     "  smtpd_milters={ unix:p/m.sock, default_action=tempfail }  #",
     NULL},
    {"an old protocol", {.main = "milter_protocol = 2\n"}, "-e milter_protocol=6\n", NULL},
    {"an old protocol, and milters",
     {.main = "milter_protocol = 2\nsmtpd_milters = inet:x:1\n"},
     "milter_protocol is 2, and Postern's milter needs 6",
     NULL},
    {"QUERYwithTLSRPT",
     {.main = "smtp_tls_policy_maps = socketmap:inet:127.0.0.1:8461:QUERYwithTLSRPT\n"},
     "  smtp_tls_policy_maps=socketmap:inet:127.0.0.1:8461:QUERYwith …",
     NULL},
    {"a flag map that is not first",
     {.main = "transport_maps = hash:/x, regexp:/etc/postfix/transport_flags.regexp\n"},
     "'transport_maps=regexp:$config_directory/transport_flags.regexp, hash:/x'",
     NULL},
    {"overrides of pickup",
     {.overrides = "pickup/unix/receive_override_options = no_milters\n"},
     "pickup has receive_override_options of yours",
     NULL},
    {"a filter of pickup",
     {.overrides = "pickup/unix/content_filter = x:y\n"},
     "pickup has a content_filter of yours, x:y",
     NULL},
    {"ours, at another port",
     {.overrides = "pickup/unix/content_filter = again:[127.0.0.1]:10030\n"},
     "127.0.0.1:10030 inet n - y - - smtpd",
     "10026"},
    {"a contact of the operator's",
     {.postern = "tlsrptd { contact = \"me@b.example\" }"},
     "reports come from tlsrptd.contact",
     "tlsrpt@a.example"},
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

static const struct queued {
    const char *line;
    int rc;
    bool flagged, held;
} queue[] = {
    {"{\"queue_name\":\"deferred\",\"queue_id\":\"4ABC\",\"recipients\":[{\"address\":\"a+requiretls@b.example\"}]}", 0,
     true, false},
    {"{\"queue_name\":\"hold\",\"queue_id\":\"4ABC\",\"recipients\":[{\"address\":\"A+REQUIRETLS@b.example\"}]}", 0,
     true, true},
    {"{\"queue_name\":\"active\",\"queue_id\":\"4ABC\",\"recipients\":[{\"address\":\"a@b\"},{\"address\":\"\\\"a "
     "b+tlsoptional\\\"@b\"}]}",
     0, true, false},
    {"{\"queue_name\":\"active\",\"queue_id\":\"4ABC\",\"recipients\":[{\"address\":\"a@b+requiretls\"},{}]}", 0, false,
     false},
    {"{\"queue_id\":\"4ABC\",\"recipients\":[]}", 0, false, false},
    {"{\"queue_id\":\"-d\",\"recipients\":[]}", -1, false, false},
    {"{\"queue_id\":\"\",\"recipients\":[]}", -1, false, false},
    {"{\"queue_id\":\"4ABC\"}", -1, false, false},
    {"{", -1, false, false},
};

static void test_queue(void **state)
{
    const struct address_tag tags[] = {{'+', "requiretls"}, {'+', "tlsoptional"}};

    (void)state;
    for (size_t i = 0; i < sizeof(queue) / sizeof(queue[0]); i++) {
        struct setup_queued m;
        struct err e = {""};

        assert_int_equal(setup_queued_read(&m, queue[i].line, strlen(queue[i].line), tags, 2, &e), queue[i].rc);
        assert_int_equal(e.text[0] != '\0', queue[i].rc != 0);
        if (queue[i].rc == 0 && (m.flagged != queue[i].flagged || m.held != queue[i].held))
            fail_msg("%s", queue[i].line);
    }
}

static void test_many_domains(void **state)
{
    static const struct {
        int count;
        const char *wanted, *not ;
    } rows[] = {{498, "|d497\\.x)$/\n", "more than"}, {499, "In the way", NULL}, {499, "more than 500 domains", NULL}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char main[8000] = "relay_domains =";
        size_t len = strlen(main);
        char *text;

        for (int n = 0; n < rows[i].count; n++)
            len += (size_t)snprintf(main + len, sizeof(main) - len, " d%d.x", n);
        main[len] = '\n';
        main[len + 1] = '\0';
        text = plan(&(struct made){.main = main});
        assert_non_null(strstr(text, rows[i].wanted));
        assert_true(rows[i].not == NULL || strstr(text, rows[i].not ) == NULL);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plans),
        cmocka_unit_test(test_many_domains),
        cmocka_unit_test(test_queue),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
