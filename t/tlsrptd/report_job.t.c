/*
 * report_job.t.c - counts in a real Redis become reports that leave by a stand-in for sendmail, or by POST to a real
 * HTTPS server: once each, on however many nodes, whoever dies (checks W2, W3, W5 to W7, W9, W10, W12).
 */
#include "redis_server.h" /* before cmocka.h */

#include "https_server.h"

#include "report_job_io.h"

#include "call_server.h"
#include "clock.h"
#include "dest.h"
#include "redis_client.h"
#include "report_schedule.h"
#include "report_sender_io.h"
#include "report_state.h"
#include "utc_day.h"

#include <sys/stat.h>

#define RECORD(rua) "v=TLSRPTv1; rua=" rua
#define MANY        200
#define CONTACT     "tls@example.org"
#define SLOW        (REPORT_POSTS_MAX + REPORT_WAITING_MAX + 100)
#define DOMAINS     (SLOW + 150)

static char dir[] = "/tmp/report_job.t.XXXXXX";
static char program[64], got[64], day_text[UTC_DAY_BUF];
static struct pki pki;
static int32_t day;
static int64_t offset; /* to ten minutes after the day's end */

struct node {
    struct client c;
    struct conf *conf;
    struct call_server *stsd; /* a stand-in, each node's own */
    struct report_job *job;
};

/* The records that domains have now. */
static struct {
    char domain[40], record[200];
} published[DOMAINS];
static int published_count;
static bool stsd_away;

static void publish(const char *domain, const char *record)
{
    int i = 0;

    while (i < published_count && strcmp(published[i].domain, domain) != 0)
        i++;
    assert_true(i < DOMAINS);
    published_count += i == published_count;
    (void)snprintf(published[i].domain, sizeof(published[i].domain), "%s", domain);
    (void)snprintf(published[i].record, sizeof(published[i].record), "%s", record);
}

static const char *record_now(const char *domain)
{
    for (int i = 0; i < published_count; i++)
        if (strcmp(published[i].domain, domain) == 0)
            return published[i].record;
    return "";
}

static void on_resolve(void *ctx, struct call *call, const char *verb, const char *arg, size_t arg_len)
{
    char domain[DOMAIN_BUF];
    struct dest *dest;
    struct buf json;

    (void)ctx;
    assert_string_equal(verb, "resolve");
    (void)snprintf(domain, sizeof(domain), "%.*s", (int)arg_len, arg);
    dest = dest_new(domain);
    assert_non_null(dest);
    if (stsd_away) {
        call_answerf(call, CALL_TEMP, "no luck today");
    } else {
        (void)snprintf(dest->tlsrpt, sizeof(dest->tlsrpt), "%s", record_now(domain));
        buf_init(&json, DEST_JSON_MAX);
        dest_to_json(&json, dest);
        call_answer(call, CALL_OK, buf_text(&json), json.len);
        buf_clear(&json);
    }
    dest_free(dest);
}

static void write_program(const char *end)
{
    FILE *f = fopen(program, "w");

    assert_non_null(f);
    (void)fprintf(f, "#!/bin/sh\necho \"$5\" >>%s\ncat >/dev/null\n%s\n", got, end);
    fclose(f);
    assert_int_equal(chmod(program, 0700), 0);
}

/* Counted, but not published. */
static void count_only(const char *domain, const char *record, int failed)
{
    char key[300], name[100], policy[1000];
    unsigned id = 0;
    redisReply *reply;

    (void)snprintf(key, sizeof(key), "p:tlsrpt:%s:%s", day_text, domain);
    (void)snprintf(policy, sizeof(policy),
                   "{\"record\":\"%s\",\"policy-type\":\"no-policy-found\",\"policy-domain\":\"%s\"}", record, domain);
    for (const char *p = record; *p != '\0'; p++)
        id = id * 31 + (unsigned char)*p;
    (void)snprintf(name, sizeof(name), "policy %032x", id);
    reply = redisCommand(server.other, "HSET %s %s %s", key, name, policy);
    freeReplyObject(reply);
    (void)snprintf(name, sizeof(name), "%s %032x", failed > 0 ? "failed" : "successful", id);
    reply = redisCommand(server.other, "HSET %s %s 5", key, name);
    freeReplyObject(reply);
    other_do(&server, "SADD p:tlsrpt-domains:%s %s", day_text, domain);
}

/* Of several records the first is the one that the domain has now. */
static void put(const char *domain, const char *record, int failed)
{
    count_only(domain, record, failed);
    if (record_now(domain)[0] == '\0')
        publish(domain, record);
}

static void node_open(struct node *n, int64_t later, const char *more)
{
    static int nodes;
    char text[2000], stsd[100];
    struct err e = {""};

    (void)snprintf(stsd, sizeof(stsd), "unix:%s/stsd%d", dir, nodes++);

    (void)snprintf(text, sizeof(text),
                   "tlsrptd { contact = \"" CONTACT "\" mail = \"sendmail:%s\" ca_file = \"%s\" "
                   "post_anywhere = yes clock_offset = %lld stsd = \"%s\" %s %s }",
                   program, pki.ca_file, (long long)(offset + later), stsd,
                   strstr(more, "report_delay") == NULL ? "report_delay = 0" : "", more);
    client_open(&n->c, server.url, 20000);
    client_wait_up(&n->c);
    if (conf_parse(&n->conf, "test", text, strlen(text), &e) != 0)
        fail_msg("%s", e.text);
    n->stsd = call_server_open(n->c.base, stsd, 0600, on_resolve, NULL, &e);
    n->job = report_job_new(n->c.base, n->conf, n->c.redis, &e);
    assert_string_equal(e.text, "");
    assert_non_null(n->job);
}

static void node_close(struct node *n)
{
    report_job_free(n->job);
    call_server_free(n->stsd);
    client_close(&n->c);
    conf_free(n->conf);
}

static void note_drained(void *ctx)
{
    *(bool *)ctx = true;
}

/* How often the stand-in was run for a recipient; "" for any. */
static int mails(const char *to)
{
    char line[300];
    FILE *f = fopen(got, "r");
    int n = 0;

    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        n += to[0] == '\0' || strcmp(line, to) == 0;
    }
    if (f != NULL)
        fclose(f);
    return n;
}

/* How many of a domain's states hold this text. */
static int states(const char *domain, const char *part)
{
    redisReply *reply = redisCommand(server.other, "HVALS p:tlsrpt-sent:%s:%s", day_text, domain);
    int n = 0;

    assert_int_equal(reply->type, REDIS_REPLY_ARRAY);
    for (size_t i = 0; i < reply->elements; i++)
        n += strstr(reply->element[i]->str, part) != NULL;
    freeReplyObject(reply);
    return n;
}

struct rows {
    int ended, count;
    char text[1000];
};

static void on_row(void *ctx, const struct report_sent *row)
{
    struct rows *r = ctx;
    size_t len = strlen(r->text);

    if (row->domain == NULL) {
        r->ended++;
        return;
    }
    r->count++;
    (void)snprintf(r->text + len, sizeof(r->text) - len, "%s %s %s %s\n", row->domain, row->destination, row->state,
                   row->why);
}

static struct rows by_hand(struct node *n, const char *domain, bool again)
{
    struct rows rows = {0};
    struct err e = {""};

    assert_int_equal(report_job_send(n->job, day, domain, again, on_row, &rows, &e), 0);
    WAIT(&n->c, rows.ended == 1);
    return rows;
}

static void fresh(const char *end)
{
    other_do(&server, "FLUSHALL");
    published_count = 0;
    stsd_away = false;
    (void)unlink(got);
    write_program(end);
}

/* Each destination of each record once; records without destinations none; a second node, and a second run, none. */
static void test_once(void **state)
{
    struct https_server s;
    struct node n, m;
    char record[200];

    (void)state;
    fresh("exit 0");
    server_start(&s, &pki, CERT_IP, SEND, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    (void)snprintf(record, sizeof(record), RECORD("https://127.0.0.1:%d/x,mailto:post@b.example"), s.port);
    /* W5: without failures, too; W10: each address once */
    put("a.example", RECORD("mailto:r@a.example,mailto:r@a.example,mailto:R%40a.example,mailto:q@a.example"), 0);
    put("a.example", RECORD("mailto:r@a.example"), 1); /* W7: it was changed */
    put("b.example", record, 1);
    put("c.example", "v=TLSRPTv1; rua=ftp://c.example/", 1); /* W3 */
    put("d.example", "v=TLSRPTv1; nonsense", 1);
    put("e.example", RECORD("mailto:-oQ@e.example"), 1); /* W12 */
    node_open(&n, 0, "");
    WAIT(&n.c, report_job_stats(n.job).sent == 7 && states("b.example", "\"sent\"") == 2);
    node_open(&m, 0, "");
    client_run_ms(&m.c, 700);
    client_run_ms(&n.c, 200);
    assert_int_equal(report_job_stats(m.job).sent, 0);
    assert_int_equal(report_job_stats(n.job).sent, 7);
    assert_int_equal(mails("r@a.example"), 2);
    assert_int_equal(mails("q@a.example"), 1);
    assert_int_equal(mails("post@b.example"), 1);
    assert_int_equal(mails("-oQ@e.example"), 1);
    assert_int_equal(states("a.example", "\"sent\""), 4);
    assert_int_equal(states("c.example", ""), 0);
    assert_int_equal(states("d.example", ""), 0);
    node_close(&n);
    node_close(&m);
    server_stop(&s);
}

/* W12: from the record to the arguments of the program: an address is one argument, after "--"; what could be more than
 * an address is not sent to. */
static void test_hostile(void **state)
{
    static const struct {
        const char *rua, *to; /* to: NULL, nothing is run */
    } rows[] = {
        {"mailto:-oQ/tmp/x@e.example", "-oQ/tmp/x@e.example"},
        {"mailto:--@e.example", "--@e.example"},
        {"mailto:-bs%20-C/etc/passwd@e.example", NULL},
        {"mailto:$(touch$IFS/tmp/x)@e.example", NULL},
        {"mailto:$IFS%60id%60%7Cid%26@e.example", "$IFS`id`|id&@e.example"},
        {"mailto:%7B%27*%27%7D@e.example", "{'*'}@e.example"},
        {"mailto:a%0D%0ABcc:b@e.example", NULL},
        {"mailto:a%0ABcc:b@e.example", NULL},
        {"mailto:a@e.example%0D%0ABcc:b@e.example", NULL},
        {"mailto:a%00@e.example", NULL},
        {"mailto:a@e.example?bcc=b@e.example", NULL},
        {"mailto:a@e.example?subject=x%0D%0ABcc:b@e.example", NULL},
        {"mailto:a%40e.example%2Cb@e.example", NULL},
        {"mailto:%22a%20b%22@e.example", NULL},
        {"mailto:%3Ca@e.example%3E", NULL},
        {"file:///etc/passwd", NULL},
        {"directory:/tmp", NULL},
        {"http://127.0.0.1/x", NULL},
        {"smtp://127.0.0.1/x", NULL},
    };
    struct node n;
    struct rows row;
    FILE *f = fopen(program, "w");

    (void)state;
    assert_non_null(f);
    (void)fprintf(f, "#!/bin/sh\nprintf '[%%s]' \"$@\" >>%s\nsed -n 's/^[Bb][Cc][Cc]/&/p;/^$/q' >>%s\n", got, got);
    fclose(f);
    assert_int_equal(chmod(program, 0700), 0);
    other_do(&server, "FLUSHALL");
    node_open(&n, 0, "");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char domain[32], record[200], line[300] = "", want[300] = "";

        (void)unlink(got);
        (void)snprintf(domain, sizeof(domain), "h%zu.example", i);
        (void)snprintf(record, sizeof(record), RECORD("%s"), rows[i].rua);
        put(domain, record, 1);
        row = by_hand(&n, domain, true);
        if ((strstr(row.text, " sent \n") != NULL) != (rows[i].to != NULL))
            fail_msg("%s: %s", rows[i].rua, row.text);
        if (rows[i].to != NULL)
            (void)snprintf(want, sizeof(want), "[-i][-f][tls@example.org][--][%s]", rows[i].to);
        f = fopen(got, "r");
        if (f != NULL) {
            (void)!fread(line, 1, sizeof(line) - 1, f);
            fclose(f);
        }
        assert_string_equal(line, want);
    }
    node_close(&n);
}

/* W6: two nodes with the same to do. */
static void test_two_nodes(void **state)
{
    struct node n[2];
    bool done = false;

    (void)state;
    fresh("exit 0");
    for (int i = 0; i < MANY; i++) {
        char domain[32], record[100];

        (void)snprintf(domain, sizeof(domain), "d%d.example", i);
        (void)snprintf(record, sizeof(record), RECORD("mailto:r@%s"), domain);
        put(domain, record, 0);
    }
    node_open(&n[0], 0, "");
    node_open(&n[1], 0, "");
    for (int turn = 0; turn < 6000 && !done; turn++) {
        client_run_ms(&n[0].c, 1);
        client_run_ms(&n[1].c, 1);
        done = report_job_stats(n[0].job).sent + report_job_stats(n[1].job).sent >= MANY;
    }
    client_run_ms(&n[0].c, 300);
    client_run_ms(&n[1].c, 300);
    assert_int_equal(report_job_stats(n[0].job).sent + report_job_stats(n[1].job).sent, MANY);
    assert_int_equal(mails(""), MANY);
    for (int i = 0; i < MANY; i++) {
        char to[40];

        (void)snprintf(to, sizeof(to), "r@d%d.example", i);
        assert_int_equal(mails(to), 1);
    }
    assert_true(report_job_stats(n[0].job).sent > 0 && report_job_stats(n[1].job).sent > 0);
    node_close(&n[0]);
    node_close(&n[1]);
}

/* W3, W7: who may tell outcomes may tell of records that nobody published: nothing goes where they say. */
static void test_not_published(void **state)
{
    char record[200], many[100];
    struct https_server s;
    struct rows rows;
    struct node n;

    (void)state;
    fresh("exit 0");
    server_start(&s, &pki, CERT_IP, SEND, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    (void)snprintf(record, sizeof(record), RECORD("mailto:victim@c.example,https://127.0.0.1:%d/x"), s.port);
    count_only("a.example", record, 1); /* of a domain that asks for other reports */
    count_only("b.example", record, 1); /* of one that asks for none */
    for (int i = 0; i < 100; i++) {     /* these stand before the true one */
        (void)snprintf(many, sizeof(many), RECORD("mailto:a%d@c.example"), i);
        count_only("a.example", many, 1);
    }
    count_only("a.example", RECORD("mailto:r@a.example"), 1);
    publish("a.example", RECORD("mailto:r@a.example"));
    node_open(&n, 0, "");
    WAIT(&n.c, report_job_stats(n.job).sent == 1 && states("a.example", "\"sent\"") == 1);
    client_run_ms(&n.c, 300);
    assert_int_equal(report_job_stats(n.job).sent, 1);
    assert_int_equal(mails(""), 1);
    assert_int_equal(mails("r@a.example"), 1);
    rows = by_hand(&n, "b.example", true);
    assert_int_equal(rows.count, 2);
    assert_non_null(strstr(rows.text, "mailto:victim@c.example none the domain has no TLSRPT record now"));
    rows = by_hand(&n, "a.example", true);
    assert_int_equal(mails(""), 2);
    assert_int_equal(mails("r@a.example"), 2);
    node_close(&n);
    server_stop(&s);
}

/* stsd cannot tell: it waits, and is not forgotten. */
static void test_stsd_away(void **state)
{
    struct rows rows;
    struct node n;

    (void)state;
    fresh("exit 0");
    put("a.example", RECORD("mailto:r@a.example"), 1);
    stsd_away = true;
    node_open(&n, 0, "");
    rows = by_hand(&n, "a.example", false);
    assert_non_null(strstr(rows.text, "cannot be looked up now"));
    call_server_free(n.stsd);
    n.stsd = NULL;
    rows = by_hand(&n, "a.example", false);
    assert_non_null(strstr(rows.text, "cannot be looked up now"));
    assert_int_equal(mails(""), 0);
    assert_int_equal(states("a.example", ""), 0);
    node_close(&n);
    stsd_away = false;
    node_open(&n, 700, "");
    WAIT(&n.c, report_job_stats(n.job).sent == 1 && states("a.example", "\"sent\"") == 1);
    node_close(&n);
}

/* Somebody has very many domains, and an HTTPS server that never answers: the mails to others do not wait for it. */
static void test_slow_posts(void **state)
{
    char domain[32], record[100];
    struct https_server s;
    struct node n;

    (void)state;
    fresh("exit 0");
    server_start(&s, &pki, CERT_IP, HANG_ACCEPTED, "");
    for (int i = 0; i < SLOW; i++) {
        (void)snprintf(domain, sizeof(domain), "s%d.example", i);
        (void)snprintf(record, sizeof(record), RECORD("https://127.0.0.1:%d/x"), s.port);
        put(domain, record, 1);
    }
    for (int i = 0; i < 100; i++) {
        (void)snprintf(domain, sizeof(domain), "d%d.example", i);
        (void)snprintf(record, sizeof(record), RECORD("mailto:r@%s"), domain);
        put(domain, record, 1);
    }
    node_open(&n, 0, "");
    WAIT(&n.c, report_job_stats(n.job).sent == 100);
    assert_int_equal(mails(""), 100);
    node_close(&n);
    server_stop(&s);
}

/* W2: not before its time, which is within four hours after the day. */
static void test_due(void **state)
{
    int64_t due = report_due(day, "a.example", CONTACT, 14400) - utc_day_begins(day + 1) - 600; /* offset is at 600 */
    struct node n;

    (void)state;
    fresh("exit 0");
    put("a.example", RECORD("mailto:r@a.example"), 1);
    node_open(&n, due - 1200, "report_delay = 4h");
    client_run_ms(&n.c, 700);
    assert_int_equal(mails(""), 0);
    assert_int_equal(states("a.example", ""), 0);
    node_close(&n);
    node_open(&n, due, "report_delay = 4h");
    WAIT(&n.c, report_job_stats(n.job).sent == 1);
    assert_int_equal(mails("r@a.example"), 1);
    node_close(&n);
}

/* W9: it fails, is tried again later, or by hand; is given up. */
static void test_failures(void **state)
{
    struct node n;
    struct rows rows;

    (void)state;
    fresh("echo busy >&2; exit 75");
    put("a.example", RECORD("mailto:r@a.example"), 1);
    node_open(&n, 0, "");
    WAIT(&n.c, report_job_stats(n.job).failed == 1 && states("a.example", "\"failed\"") == 1);
    assert_int_equal(states("a.example", "exit status 75 (for now): busy"), 1);
    node_close(&n);
    node_open(&n, 200, ""); /* not yet */
    client_run_ms(&n.c, 500);
    assert_int_equal(mails(""), 1);
    node_close(&n);
    node_open(&n, 400, "");
    WAIT(&n.c, report_job_stats(n.job).failed == 1 && states("a.example", "\"tries\":2") == 1);
    write_program("exit 0");
    rows = by_hand(&n, "a.example", false);
    assert_string_equal(rows.text, "a.example mailto:r@a.example sent \n");
    rows = by_hand(&n, "a.example", false);
    assert_string_equal(rows.text, "a.example mailto:r@a.example sent \n");
    assert_int_equal(mails(""), 3);
    rows = by_hand(&n, "", true);
    assert_string_equal(rows.text, "a.example mailto:r@a.example sent \n");
    assert_int_equal(mails(""), 4);
    rows = by_hand(&n, "b.example", false);
    assert_string_equal(rows.text, "b.example  none nothing was counted\n");
    node_close(&n);
}

static void test_given_up(void **state)
{
    struct node n;

    (void)state;
    fresh("exit 1");
    put("a.example", RECORD("mailto:r@a.example"), 1);
    node_open(&n, 0, "report_retry = 0");
    WAIT(&n.c, report_job_stats(n.job).given_up == 1 && states("a.example", "\"given-up\"") == 1);
    node_close(&n);
    node_open(&n, 7200, "report_retry = 0");
    client_run_ms(&n.c, 500);
    assert_int_equal(mails(""), 1);
    node_close(&n);
}

/* W6: killed while the mail leaves: nobody sends it again by himself. */
static void test_killed(void **state)
{
    struct node n;
    struct rows rows;
    pid_t pid;

    (void)state;
    fresh("sleep 10");
    put("a.example", RECORD("mailto:r@a.example"), 1);
    pid = fork();
    if (pid == 0) {
        node_open(&n, 0, "");
        for (;;)
            client_run_ms(&n.c, 100);
    }
    for (int i = 0; i < 1200 && mails("") == 0; i++)
        usleep(50000);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    assert_int_equal(states("a.example", "\"sending\""), 1);
    write_program("exit 0");
    node_open(&n, 0, "");
    client_run_ms(&n.c, 500);
    assert_int_equal(states("a.example", "\"sending\""), 1);
    node_close(&n);
    node_open(&n, REPORT_LEASE + 1, "");
    WAIT(&n.c, report_job_stats(n.job).unknown == 1 && states("a.example", "\"unknown\"") == 1);
    rows = by_hand(&n, "a.example", false);
    assert_non_null(strstr(rows.text, " unknown its node went away"));
    assert_int_equal(mails(""), 1);
    rows = by_hand(&n, "a.example", true);
    assert_non_null(strstr(rows.text, " sent "));
    assert_int_equal(mails(""), 2);
    node_close(&n);
}

/* W6: another node has it when it is to leave: it does not. */
static void test_taken_away(void **state)
{
    static const char record[] = RECORD("mailto:r@a.example");
    char field[REPORT_FIELD_BUF], claim[300];
    struct node n;
    int turns = 0;

    (void)state;
    fresh("exit 0");
    put("a.example", record, 1);
    node_open(&n, 0, "");
    while (states("a.example", "\"claimed\"") == 0 && turns++ < 10000)
        event_base_loop(n.c.base, EVLOOP_ONCE);
    report_state_field(field, "mailto:r@a.example", record);
    (void)snprintf(claim, sizeof(claim), "{\"v\":1,\"state\":\"claimed\",\"node\":\"b\",\"id\":\"y\",\"next\":%lld}",
                   (long long)(now_seconds() + offset + 1000));
    other_do(&server, "HSET p:tlsrpt-sent:%s:a.example %s %s", day_text, field, claim);
    client_run_ms(&n.c, 500);
    assert_int_equal(mails(""), 0);
    assert_int_equal(states("a.example", "\"id\":\"y\""), 1);
    node_close(&n);
}

/* W5, and a job that is switched off. */
static void test_switches(void **state)
{
    struct rows rows = {0};
    struct err e = {""};
    struct node n;

    (void)state;
    fresh("exit 0");
    put("a.example", RECORD("mailto:r@a.example"), 0);
    put("b.example", RECORD("mailto:r@b.example"), 1);
    node_open(&n, 0, "report_success = no");
    WAIT(&n.c, report_job_stats(n.job).sent == 1);
    client_run_ms(&n.c, 300);
    assert_int_equal(mails("r@b.example"), 1);
    assert_int_equal(mails(""), 1);
    assert_int_equal(report_job_send(n.job, day + 1, "", false, on_row, &rows, &e), -1);
    assert_non_null(strstr(e.text, "not over yet"));
    n.conf->tlsrptd.contact[0] = '\0';
    assert_int_equal(report_job_configure(n.job, n.conf, NULL), 0);
    assert_int_equal(report_job_send(n.job, day, "", false, on_row, &rows, &e), -1);
    assert_non_null(strstr(e.text, "contact is not set"));
    node_close(&n);
}

/* What leaves is finished, and its outcome written; nothing else begins. */
static void test_drain(void **state)
{
    bool drained = false;
    struct node n;

    (void)state;
    fresh("sleep 0.5");
    for (int i = 0; i < 40; i++) {
        char domain[32], record[100];

        (void)snprintf(domain, sizeof(domain), "d%d.example", i);
        (void)snprintf(record, sizeof(record), RECORD("mailto:r@%s"), domain);
        put(domain, record, 0);
    }
    node_open(&n, 0, "");
    WAIT(&n.c, mails("") > 0);
    assert_false(report_job_drain(n.job, note_drained, &drained));
    WAIT(&n.c, drained);
    assert_in_range(mails(""), 1, 8);
    assert_int_equal(report_job_stats(n.job).sent, mails(""));
    assert_true(report_job_drain(n.job, note_drained, &drained));
    node_close(&n);
}

/* Redis goes while a mail leaves, and comes back empty: the outcome is written all the same. */
static void test_redis_away(void **state)
{
    struct node n;

    (void)state;
    fresh("sleep 1");
    put("a.example", RECORD("mailto:r@a.example"), 1);
    node_open(&n, 0, "");
    WAIT(&n.c, mails("") > 0);
    redis_server_stop(&server);
    WAIT(&n.c, report_job_stats(n.job).sent == 1);
    redis_server_start(&server);
    WAIT(&n.c, states("a.example", "\"sent\"") == 1);
    node_close(&n);
}

static int setup(void **state)
{
    int64_t now = now_seconds();

    assert_int_equal(server_setup(state), 0);
    assert_non_null(mkdtemp(dir));
    (void)snprintf(program, sizeof(program), "%s/sendmail", dir);
    (void)snprintf(got, sizeof(got), "%s/got", dir);
    pki_make(&pki);
    day = utc_day(now);
    utc_day_text(day_text, day);
    offset = utc_day_begins(day + 1) + 600 - now;
    return 0;
}

static int teardown(void **state)
{
    pki_clear(&pki);
    (void)unlink(program);
    (void)unlink(got);
    assert_int_equal(rmdir(dir), 0);
    return server_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_not_published), cmocka_unit_test(test_stsd_away),  cmocka_unit_test(test_due),
        cmocka_unit_test(test_once),          cmocka_unit_test(test_slow_posts), cmocka_unit_test(test_two_nodes),
        cmocka_unit_test(test_failures),      cmocka_unit_test(test_given_up),   cmocka_unit_test(test_killed),
        cmocka_unit_test(test_switches),      cmocka_unit_test(test_taken_away), cmocka_unit_test(test_drain),
        cmocka_unit_test(test_redis_away),    cmocka_unit_test(test_hostile),
    };

    return cmocka_run_group_tests_name("report_job", tests, setup, teardown);
}
