/*
 * reports.c - bench: the reports of a day: built, compressed, made a mail and signed with RSA of 2048 bits and Ed25519,
 * but not sent. On one core.
 *     t/bench/reports [DOMAINS]      100000
 * Each domain has an STS policy and TLSA records of two hosts, and a few failures. Memory is shown at a tenth and at
 * the end: it should not grow.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/rsa.h>

#include "report_mail.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const lines[] = {"version: STSv1", "mode: enforce", "mx: mx1.example.com", "mx: mx2.example.com",
                                    "max_age: 604800"};
static const char *const mx[] = {"mx1.example.com", "mx2.example.com"};
static const char *const tlsa[] = {"3 1 1 9a6f2d1c0b5e4837261504f3e2d1c0bfae9d8c7b6a5948372615049382716050",
                                   "2 1 1 0b9fa5a59eed715c26c1020c711b4f6ec42d58b0015e14337a39dad301c5afc3"};

static double seconds(clockid_t which)
{
    struct timespec t;

    clock_gettime(which, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static long resident_kilobytes(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    long all = 0, resident = 0;

    if (f == NULL || fscanf(f, "%ld %ld", &all, &resident) != 2)
        resident = 0;
    if (f != NULL)
        fclose(f);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

/* One domain's mail. Returns its octets. */
static size_t one(int n, const struct dkim_key *keys)
{
    static const struct report_settings settings = {"Example", "tls-reports@sender.example", "sender.example"};
    struct counted_failure failure[] = {
        {{.result = TLSRPT_CERTIFICATE_EXPIRED,
          .sending_ip = "192.0.2.1",
          .mx_name = mx[0],
          .receiving_ip = "198.51.100.1"},
         3},
        {{.result = TLSRPT_CERTIFICATE_HOST_MISMATCH,
          .sending_ip = "192.0.2.1",
          .mx_name = mx[1],
          .receiving_ip = "198.51.100.2"},
         2},
        {{.result = TLSRPT_STARTTLS_NOT_SUPPORTED,
          .sending_ip = "2001:db8::1",
          .mx_name = mx[1],
          .receiving_ip = "2001:db8::2"},
         1},
    };
    struct counted_policy policy[] = {
        {.policy = {.type = TLSRPT_POLICY_TLSA, .domain = mx[0], .string = tlsa, .strings = 2}, .successful = 7},
        {.policy = {.type = TLSRPT_POLICY_TLSA, .domain = mx[1], .string = tlsa, .strings = 1}, .successful = 5},
        {.policy = {.type = TLSRPT_POLICY_STS, .string = lines, .strings = COUNT(lines), .mx = mx, .mx_count = 2},
         .successful = 12,
         .failed = 6,
         .failure = failure,
         .failures = COUNT(failure)},
    };
    struct counts c = {.day = 20779, .policy = policy, .policies = COUNT(policy)};
    struct report_mail m = {.from = settings.contact, .key = keys, .keys = 2, .now = 1795417200};
    char record[100], to[300], unique[20];
    struct report r;
    struct buf mail;
    struct err e = {""};
    size_t len;

    snprintf(c.domain, sizeof(c.domain), "d%d.example", n);
    snprintf(record, sizeof(record), "v=TLSRPTv1; rua=mailto:tls@d%d.example", n);
    snprintf(to, sizeof(to), "tls@%s", c.domain);
    snprintf(unique, sizeof(unique), "%d", n);
    m.to = to;
    m.unique = unique;
    for (size_t i = 0; i < COUNT(policy); i++)
        policy[i].record = record;
    policy[2].policy.domain = c.domain;
    buf_init(&mail, REPORT_MAIL_MAX);
    if (report_build(&r, &c, record, &settings, &e) != 0 || report_mail_build(&mail, &r, &m, &e) != 0) {
        fprintf(stderr, "reports: %s\n", e.text);
        exit(1);
    }
    len = mail.len;
    report_clear(&r);
    buf_clear(&mail);
    return len;
}

int main(int argc, char **argv)
{
    struct dkim_key keys[2] = {{"sender.example", "rsa", EVP_RSA_gen(2048)},
                               {"sender.example", "ed25519", EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")}};
    int domains = argc > 1 ? atoi(argv[1]) : 100000;
    double began = seconds(CLOCK_MONOTONIC), used = seconds(CLOCK_PROCESS_CPUTIME_ID);
    long tenth = 0;
    size_t octets = 0;

    if (domains < 10 || keys[0].key == NULL || keys[1].key == NULL) {
        fprintf(stderr, "usage: reports [DOMAINS]      10 or more\n");
        return 2;
    }
    for (int n = 0; n < domains; n++) {
        octets += one(n, keys);
        if (n + 1 == domains / 10)
            tenth = resident_kilobytes();
    }
    used = seconds(CLOCK_PROCESS_CPUTIME_ID) - used;
    began = seconds(CLOCK_MONOTONIC) - began;
    printf("%d reports built, compressed and signed twice: %.1f s, %.1f s of one processor, %.2f ms each, %zu octets "
           "each\n",
           domains, began, used, used * 1000 / domains, octets / (size_t)domains);
    printf("resident: %ld kB after a tenth, %ld kB at the end\n", tenth, resident_kilobytes());
    EVP_PKEY_free(keys[0].key);
    EVP_PKEY_free(keys[1].key);
    return 0;
}
