/*
 * log_follow.c - bench: how fast a log file is read that is behind, from memory.
 *     t/bench/log_follow [MEGABYTES [ROUNDS]]     size of the log (400), rounds (5), of which the median is shown
 * Once without looking at the lines; once with lines of other programs, which are not wanted; once with one line of
 * smtp in ten, whose attempts are put together.
 */
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "log_source_io.h"

static const char *const other_lines[] = {
    "postfix/smtpd[2101]: connect from mail.example.net[192.0.2.17]",
    "postfix/smtpd[2101]: 4dXy1z2QkPz3wQJ: client=mail.example.net[192.0.2.17]",
    "postfix/cleanup[2104]: 4dXy1z2QkPz3wQJ: message-id=<20261122100000.4711@mail.example.net>",
    "dovecot: lmtp(someone@example.com)<2107><9bX1AcJjIWk7CAAAy0uFcQ>: msgid=<20261122100000.4711@mail.example.net>: "
    "saved mail to INBOX",
    "postfix/smtpd[2101]: disconnect from mail.example.net[192.0.2.17] ehlo=2 starttls=1 mail=1 rcpt=1 data=1 quit=1",
    "opendkim[911]: 4dXy1z2QkPz3wQJ: DKIM verification successful",
};

static const char *const smtp_lines[] = {
    "postfix/smtp[2110]: Verified TLS connection established to mx.example.com[192.0.2.25]:25: TLSv1.3 with cipher "
    "TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature RSA-PSS (2048 bits)",
    "postfix/smtp[2110]: 4dXy1z2QkPz3wQJ: to=<someone@example.com>, relay=mx.example.com[192.0.2.25]:25, delay=0.6, "
    "delays=0.1/0/0.3/0.2, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4dXy1z3AbCz3wQK)",
};

static bool look;

bool __real_maillog_entry_read(struct maillog_entry *out, const char *line, size_t len, int64_t now);
bool __wrap_maillog_entry_read(struct maillog_entry *out, const char *line, size_t len, int64_t now);

bool __wrap_maillog_entry_read(struct maillog_entry *out, const char *line, size_t len, int64_t now)
{
    return look && __real_maillog_entry_read(out, line, len, now);
}

/* one_in: how many lines there are for one of smtp; 0 for none. */
static void make_log(FILE *f, size_t octets, size_t one_in)
{
    size_t n = 0;

    for (size_t i = 0; n < octets; i++) {
        bool smtp = one_in > 0 && i % one_in == 0;
        const char *text = smtp ? smtp_lines[i / one_in % 2] : other_lines[i % 6];
        int len = fprintf(f, "2026-11-22T10:%02zu:%02zu.123456+00:00 mta %s\n", i / 60 % 60, i % 60, text);

        if (len < 0)
            exit(1);
        n += (size_t)len;
    }
    if (fflush(f) != 0)
        exit(1);
}

struct run {
    struct maillog *maillog;
    uint64_t entries, attempts;
};

static void on_attempt(void *ctx, const struct tls_attempt *attempt)
{
    struct run *run = ctx;

    (void)attempt;
    run->attempts++;
}

static bool on_entry(void *ctx, const struct maillog_entry *entry, bool seen, const char *position)
{
    struct run *run = ctx;

    (void)seen;
    (void)position;
    run->entries++;
    maillog_add(run->maillog, entry, on_attempt, run);
    return true;
}

/* Returns milliseconds. */
static int64_t follow(const char *path, struct run *run)
{
    struct event_base *base = event_base_new();
    struct log_position p = {.kind = LOG_POSITION_FILE, .fingerprint = log_fingerprint("", 0)};
    char text[LOG_POSITION_MAX + 1];
    struct log_source *s;
    struct stat st;
    int64_t begun = now_ms(), took;

    run->maillog = maillog_new("postfix", "");
    if (stat(path, &st) != 0 || base == NULL || run->maillog == NULL)
        exit(1);
    p.device = st.st_dev;
    p.inode = st.st_ino;
    log_position_write(text, &p);
    s = log_source_open(base, path, text, 0, on_entry, run, NULL);
    while (s != NULL && log_source_stats(s).octets < (uint64_t)st.st_size)
        event_base_loop(base, EVLOOP_ONCE);
    took = now_ms() - begun;
    log_source_close(s);
    maillog_free(run->maillog);
    event_base_free(base);
    return took > 0 ? took : 1;
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void bench(const char *what, const char *path, double megabytes, size_t rounds)
{
    int64_t took[100];
    struct run run = {0};

    for (size_t i = 0; i < rounds; i++) {
        run.entries = run.attempts = 0;
        took[i] = follow(path, &run);
    }
    qsort(took, rounds, sizeof(took[0]), by_size);
    printf("log_follow: %s: %.0f MB/s (%" PRIu64 " entries, %" PRIu64 " attempts)\n", what,
           megabytes * 1000 / (double)took[rounds / 2], run.entries, run.attempts);
}

int main(int argc, char **argv)
{
    size_t megabytes = argc > 1 ? strtoul(argv[1], NULL, 10) : 400, rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 5;
    char path[] = "/tmp/log_follow.XXXXXX";
    int fd = mkstemp(path);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

    if (f == NULL || rounds < 1 || rounds > 100)
        return 2;
    make_log(f, megabytes * 1000000, 0);
    bench("lines not looked at", path, (double)megabytes, rounds);
    look = true;
    bench("no line wanted (at least 200)", path, (double)megabytes, rounds);
    rewind(f);
    if (ftruncate(fd, 0) != 0)
        return 1;
    make_log(f, megabytes * 1000000, 10);
    bench("one line in ten", path, (double)megabytes, rounds);
    (void)fclose(f);
    (void)unlink(path);
    return 0;
}
