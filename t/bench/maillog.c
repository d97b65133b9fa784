/*
 * maillog.c - how fast a mail log is read: lines that do not matter, and lines of deliveries with TLS. maillog [LINES]
 */
#include "maillog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 5
#define NOW    1795255200

static const char *const other[] = {
    "2026-11-21T10:00:00.123456+01:00 mta postfix/smtpd[29456]: connect from unknown[192.0.2.245]",
    "2026-11-21T10:00:00.123456+01:00 mta postfix/smtpd[29456]: 3D82CAB40D8: client=unknown[192.0.2.245]",
    "2026-11-21T10:00:00.123456+01:00 mta postfix/cleanup[29461]: 3D82CAB40D8: message-id=<verified-sts.0@app.example>",
    "Nov 21 10:00:00 mta postfix/local[29845]: 9E3E9AB42DD: to=<sender@mta.example>, relay=local, delay=0, status=sent",
    "Nov 21 10:00:00 mta dovecot: imap-login: Login: user=<anna>, method=PLAIN, rip=192.0.2.7, lip=192.0.2.1, TLS",
    "Nov 21 10:00:00 mta sshd[4711]: Accepted publickey for anna from 192.0.2.7 port 50022 ssh2",
    NULL,
};

static const char *const delivery[] = {
    "2026-11-21T10:00:00.123456+01:00 mta postfix/smtp[29463]: Verified TLS connection established to "
    "mx.good.example[192.0.2.11]:25: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 "
    "server-signature ECDSA (prime256v1) server-digest SHA256",
    "2026-11-21T10:00:00.123456+01:00 mta postfix/smtp[29463]: 3D82CAB40D8: to=<verified-sts@good.example>, "
    "relay=mx.good.example[192.0.2.11]:25, delay=0.16, delays=0.01/0.02/0.09/0.04, dsn=2.0.0, status=sent (250 2.0.0 "
    "queued)",
    NULL,
};

static const char *const traditional[] = {
    "Nov 21 10:00:00 mta postfix/smtp[29463]: Verified TLS connection established to mx.good.example[192.0.2.11]:25: "
    "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature ECDSA (prime256v1) "
    "server-digest SHA256",
    "Nov 21 10:00:00 mta postfix/smtp[29463]: 3D82CAB40D8: to=<verified-sts@good.example>, "
    "relay=mx.good.example[192.0.2.11]:25, delay=0.16, delays=0.01/0.02/0.09/0.04, dsn=2.0.0, status=sent (250 2.0.0 "
    "queued)",
    NULL,
};

static long attempts;

static void count(void *ctx, const struct tls_attempt *attempt)
{
    (void)ctx;
    attempts += attempt->domain[0] != '\0';
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* One text of so many lines, as it would stand in a file. */
static char *make_log(const char *const *lines, long n, size_t *len)
{
    char *log = malloc((size_t)n * 400), *at = log;
    size_t kinds = 0, one;

    while (lines[kinds] != NULL)
        kinds++;
    for (long i = 0; log != NULL && i < n; i++) {
        one = strlen(lines[(size_t)i % kinds]);
        memcpy(at, lines[(size_t)i % kinds], one);
        at[one] = '\n';
        at += one + 1;
    }
    *len = log == NULL ? 0 : (size_t)(at - log);
    return log;
}

static double read_log(struct maillog *m, const char *log, size_t len)
{
    double began = now();
    struct maillog_entry entry;
    const char *end;

    while (len > 0 && (end = memchr(log, '\n', len)) != NULL) {
        if (maillog_entry_read(&entry, log, (size_t)(end - log), NOW))
            maillog_add(m, &entry, count, NULL);
        len -= (size_t)(end - log) + 1;
        log = end + 1;
    }
    return now() - began;
}

static int measure(const char *name, const char *const *lines, long n)
{
    size_t len;
    char *log = make_log(lines, n, &len);
    struct maillog *m = maillog_new("postfix", "");
    double best = 1e9, seconds;

    if (log == NULL || m == NULL) {
        fprintf(stderr, "maillog: no memory\n");
        return 1;
    }
    attempts = 0;
    for (int i = 0; i < ROUNDS; i++) {
        seconds = read_log(m, log, len);
        best = seconds < best ? seconds : best;
    }
    printf("  %-38s %6.0f MB/s %10.0f lines/s (%ld attempts in each round)\n", name, (double)len / best / 1e6,
           (double)n / best, attempts / ROUNDS);
    maillog_free(m);
    free(log);
    return 0;
}

int main(int argc, char **argv)
{
    long lines = argc > 1 ? strtol(argv[1], NULL, 10) : 1000000;

    if (argc > 2 || lines < 1 || lines > 20000000) {
        fprintf(stderr, "usage: maillog [LINES]\n");
        return 2;
    }
    printf("a mail log of %ld lines in memory, read: best of %d rounds\n", lines, ROUNDS);
    return measure("lines that do not matter", other, lines) + measure("deliveries with TLS", delivery, lines / 4) +
           measure("deliveries with TLS, traditional time", traditional, lines / 4);
}
