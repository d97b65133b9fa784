/*
 * drive_upstream.c - what postern-relayd does with its upstreams, without LMTP. drive_upstream CA-FILE STSD PORT
 * [KEY=NUMBER …] (the times and limits of the configuration, parallel=1, and tlsrpt=ADDRESS) reads one transaction a
 * line from standard input:
 *
 *   DOMAIN <SENDER> <RECIPIENT>[,<RECIPIENT>…] OCTETS [PARAMETERS OF MAIL]
 *
 * and does one after the other, or all at once. A line "RELOAD [KEY=VALUE …]" is a reload in between, with ca_file
 * among the keys, and "RELOAD-IN …" one as soon as the next message may come. The message is made of lines, OCTETS in
 * all before the final dot. DIE for OCTETS: it is given up in the midst. STAY: it has none, and is freed at the end of
 * all. Prints, the number of the transaction before it:
 *
 *   1 rcpt 0 HOST said 250 2.1.5 ok        1 rcpt 1 failed 550 5.7.10 text
 *   1 data go     1 data …                 1 done …
 *
 * then "open N", with tlsrpt "events N lost N waiting N" when all have been told, or ten seconds later, "memory KB",
 * the most that the process had, and "counter NAME VALUE" for each that is not 0.
 */
#include "counters.h"
#include "lmtp_command.h"
#include "log.h"
#include "upstream_io.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define LINES_MAX 2000
#define RCPTS_MAX 1500

struct transaction {
    int number;
    char *line; /* cut up */
    char *domain, *mail_line, *rcpt_line[RCPTS_MAX];
    struct lmtp_command mail, rcpt[RCPTS_MAX];
    size_t rcpts, answered, taken;
    size_t octets, fed;
    bool dies, stays, over;
    bool reloads, in_message; /* no transaction, but a reload: line */
    struct upstream *upstream;
    struct event *next;
};

static struct event_base *base;
static struct upstreams *all;
static struct tlsrpt_tell *tell;
static struct transaction *work[LINES_MAX];
static size_t works, at, open_now;
static size_t most = 1;

static struct conf_relayd conf = {.name = (char *)"relay.test",
                                  .connect_timeout_ms = 20000,
                                  .command_timeout_ms = 60000,
                                  .data_timeout_ms = 60000,
                                  .transaction_timeout_ms = 240000,
                                  .per_domain = 20,
                                  .upstreams = 2000,
                                  .busy_wait_ms = 200000,
                                  .idle_timeout_ms = 10000,
                                  .sts_unknown_hold = 14400};
static struct transaction *reload_waits;

static void begin_more(void);
static void conf_set(char *word);

static void say(const struct transaction *t, const char *what, const struct upstream_answer *a)
{
    struct buf text;

    buf_init(&text, 40000);
    if (a->reply != NULL) {
        buf_printf(&text, "%s said ", a->host);
        smtp_reply_show(&text, a->reply);
    } else {
        buf_printf(&text, "failed %d %s %s", a->failed->code, a->failed->enhanced, a->failed->text);
    }
    printf("%d %s %s\n", t->number, what, buf_text(&text));
    buf_clear(&text);
}

static void on_next(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    (void)ctx;
    begin_more();
}

static void over(struct transaction *t)
{
    if (!t->stays)
        upstream_free(t->upstream);
    t->over = true;
    open_now--;
    event_active(t->next, EV_TIMEOUT, 0);
}

static void feed(struct transaction *t)
{
    static const char line[] = "..234567890123456789012345678901234567890123456789012345678901234567890123456789\r\n";
    bool more = true;

    while (more && t->fed < t->octets) {
        size_t len = t->octets - t->fed < sizeof(line) - 1 ? t->octets - t->fed : sizeof(line) - 1;

        more = upstream_feed(t->upstream, line + sizeof(line) - 1 - len, len);
        t->fed += len;
        if (t->dies && t->fed > 100000) {
            over(t);
            return;
        }
    }
    if (t->fed < t->octets)
        return;
    (void)upstream_feed(t->upstream, ".\r\n", 3);
    upstream_end(t->upstream);
}

static void on_rcpt(void *ctx, size_t n, const struct upstream_answer *answer)
{
    struct transaction *t = ctx;
    char what[32];

    (void)snprintf(what, sizeof(what), "rcpt %zu", n);
    say(t, what, answer);
    t->taken += answer->reply != NULL && answer->reply->code / 100 == 2;
    if (++t->answered < t->rcpts)
        return;
    if (t->taken > 0)
        upstream_data(t->upstream);
    else
        over(t);
}

static void reload(struct transaction *t)
{
    char *save = NULL;

    (void)strtok_r(t->line, " \n", &save);
    for (char *word; (word = strtok_r(NULL, " \n", &save)) != NULL;)
        conf_set(word);
    upstreams_configure(all, &conf);
}

static void on_data(void *ctx, bool go, const struct upstream_answer *answer)
{
    struct transaction *t = ctx;

    if (!go) {
        say(t, "data", answer);
        over(t);
        return;
    }
    printf("%d data go\n", t->number);
    if (reload_waits != NULL)
        reload(reload_waits);
    reload_waits = NULL;
    feed(t);
}

static void on_room(void *ctx)
{
    feed(ctx);
}

static void on_done(void *ctx, const struct upstream_answer *answer)
{
    say(ctx, "done", answer);
    over(ctx);
}

static const struct upstream_events events = {on_rcpt, on_data, on_room, on_done};

static void parse(struct lmtp_command *out, const char *line)
{
    struct smtp_refusal r;

    if (lmtp_command_parse(out, line, strlen(line), &r) == 0)
        return;
    fprintf(stderr, "%s: %s\n", line, r.why.text);
    exit(1);
}

static char *text_made(const char *before, const char *address, const char *after)
{
    char *out = NULL;

    if (asprintf(&out, "%s%s%s%s", before, address, after[0] != '\0' ? " " : "", after) < 0)
        log_oom();
    return out;
}

static struct transaction *transaction_read(char *line)
{
    struct transaction *t = calloc(1, sizeof(*t));
    char *save = NULL, *inner = NULL, *sender, *recipients, *octets, *rest;

    if (t == NULL)
        log_oom();
    t->line = line;
    t->next = evtimer_new(base, on_next, t);
    t->reloads = strncmp(line, "RELOAD", 6) == 0;
    t->in_message = strncmp(line, "RELOAD-IN", 9) == 0;
    if (t->reloads)
        return t;
    t->domain = strtok_r(line, " \n", &save);
    sender = strtok_r(NULL, " \n", &save);
    recipients = strtok_r(NULL, " \n", &save);
    octets = strtok_r(NULL, " \n", &save);
    rest = strtok_r(NULL, "\n", &save);
    t->mail_line = text_made("MAIL FROM:", sender, rest != NULL ? rest : "");
    parse(&t->mail, t->mail_line);
    for (char *one = strtok_r(recipients, ",", &inner); one != NULL; one = strtok_r(NULL, ",", &inner)) {
        t->rcpt_line[t->rcpts] = text_made("RCPT TO:", one, "");
        parse(&t->rcpt[t->rcpts], t->rcpt_line[t->rcpts]);
        t->rcpts++;
    }
    t->dies = strcmp(octets, "DIE") == 0;
    t->stays = strcmp(octets, "STAY") == 0;
    t->octets = t->dies ? 200000 : strtoul(octets, NULL, 10);
    return t;
}

static void on_told(void *ctx)
{
    (void)ctx;
    event_base_loopbreak(base);
}

static void begin_more(void)
{
    while (open_now < most && at < works) {
        struct transaction *t = work[at++];

        if (t->in_message)
            reload_waits = t;
        else if (t->reloads)
            reload(t);
        if (t->reloads)
            continue;
        open_now++;
        t->upstream = upstream_new(all, t->domain, strlen(t->domain), &t->mail, &events, t);
        for (size_t i = 0; i < t->rcpts; i++)
            upstream_rcpt(t->upstream, &t->rcpt[i]);
    }
    if (open_now == 0 && at == works && tlsrpt_tell_drain(tell, 10000, on_told, NULL))
        event_base_loopbreak(base);
}

/* As few descriptors as a process may have to live with. */
static void files_limit(long files)
{
    const struct rlimit limit = {(rlim_t)files, (rlim_t)files};

    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        exit(1);
}

static void conf_set(char *word)
{
    const struct {
        const char *name;
        int64_t *to;
    } names[] = {{"connect", &conf.connect_timeout_ms}, {"command", &conf.command_timeout_ms},
                 {"final", &conf.data_timeout_ms},      {"whole", &conf.transaction_timeout_ms},
                 {"per_domain", &conf.per_domain},      {"upstreams", &conf.upstreams},
                 {"idle", &conf.idle_timeout_ms},       {"wait", &conf.busy_wait_ms}};
    char *equal = strchr(word, '=');

    if (equal == NULL)
        return;
    *equal++ = '\0';
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i].name, word) == 0)
            *names[i].to = strtol(equal, NULL, 10);
    if (strcmp(word, "parallel") == 0)
        most = strtoul(equal, NULL, 10);
    else if (strcmp(word, "files") == 0)
        files_limit(strtol(equal, NULL, 10));
    else if (strcmp(word, "tlsrpt") == 0)
        tell = tlsrpt_tell_new(base, equal, NULL);
    else if (strcmp(word, "name") == 0)
        conf.name = equal;
    else if (strcmp(word, "ca_file") == 0)
        conf.ca_file = equal;
}

static void clean_up(void)
{
    struct rusage usage;

    for (size_t i = 0; i < works; i++)
        if (work[i]->stays)
            upstream_free(work[i]->upstream);
    printf("open %zu\n", upstreams_open(all));
    if (tell != NULL) {
        const struct tlsrpt_tell_stats told = tlsrpt_tell_stats(tell);

        printf("events %" PRIu64 " lost %" PRIu64 " waiting %" PRIu64 "\n", told.events, told.lost, told.waiting);
    }
    getrusage(RUSAGE_SELF, &usage);
    printf("memory %ld\n", usage.ru_maxrss);
    for (size_t i = 0; i < COUNTERS; i++)
        if (relayd_counters[i].value > 0 && relayd_counters[i].name != NULL && i != HISTOGRAM_CONNECT)
            printf("counter %s %llu\n", relayd_counters[i].name, (unsigned long long)relayd_counters[i].value);
    upstreams_free(all);
    tlsrpt_tell_free(tell);
    for (size_t i = 0; i < works; i++) {
        event_free(work[i]->next);
        free(work[i]->line);
        free(work[i]->mail_line);
        for (size_t n = 0; n < work[i]->rcpts; n++)
            free(work[i]->rcpt_line[n]);
        free(work[i]);
    }
    event_base_free(base);
    libevent_global_shutdown();
}

int main(int argc, char **argv)
{
    struct err e = {""};
    char *line = NULL;
    size_t room = 0;

    if (argc < 4)
        return 2;
    (void)signal(SIGPIPE, SIG_IGN);
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    log_open("drive", true, LOGLEVEL_INFO);
    conf.ca_file = argv[1];
    conf.port = strtol(argv[3], NULL, 10);
    base = event_base_new();
    for (int i = 4; i < argc; i++)
        conf_set(argv[i]);
    all = upstreams_new(base, &conf, argv[2], &e);
    if (all == NULL) {
        fprintf(stderr, "%s\n", e.text);
        return 1;
    }
    upstreams_collector(all, tell);
    while (works < LINES_MAX && getline(&line, &room, stdin) > 1) {
        work[works] = transaction_read(line);
        work[works]->number = (int)works + 1;
        works++;
        line = NULL;
        room = 0;
    }
    free(line);
    begin_more();
    if (open_now > 0)
        event_base_dispatch(base);
    clean_up();
    return 0;
}
