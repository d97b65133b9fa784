/*
 * drive_log.c - follows a log for tests: drive_log WHERE FILE [STOP [UID]]. The position is read from FILE, where there
 * is one. Each entry becomes a line "seen|new TEXT <position>" on standard output; after every STOP entries it wants no
 * more, and says "stopped". Words on standard input: "resume", "stats" (as "stats LINES OCTETS LOST"), "position" (as
 * "position TEXT"), and "end".
 */
#include "log.h"
#include "log_source_io.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct drive {
    struct event_base *base;
    struct log_source *source;
    long stop, given;
    char words[4096];
    size_t words_len;
};

static bool on_entry(void *ctx, const struct maillog_entry *entry, bool seen, const char *position)
{
    struct drive *d = ctx;

    printf("%s ", seen ? "seen" : "new");
    fwrite(entry->text, 1, entry->text_len, stdout);
    printf(" <%s>\n", position);
    d->given++;
    if (d->stop == 0 || d->given % d->stop != 0)
        return true;
    printf("stopped\n");
    fflush(stdout);
    return false;
}

static void on_word(struct drive *d, const char *word)
{
    struct log_source_stats s = log_source_stats(d->source);

    if (strcmp(word, "resume") == 0)
        log_source_resume(d->source);
    else if (strcmp(word, "stats") == 0)
        printf("stats %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", s.lines, s.octets, s.lost);
    else if (strcmp(word, "position") == 0)
        printf("position %s\n", log_source_position(d->source));
    else
        event_base_loopbreak(d->base);
}

static void on_input(evutil_socket_t fd, short what, void *ctx)
{
    struct drive *d = ctx;
    ssize_t n = read(fd, d->words + d->words_len, sizeof(d->words) - 1 - d->words_len);
    char *end;

    (void)what;
    if (n <= 0) {
        event_base_loopbreak(d->base);
        return;
    }
    d->words_len += (size_t)n;
    d->words[d->words_len] = '\0';
    while ((end = strchr(d->words, '\n')) != NULL) {
        *end = '\0';
        on_word(d, d->words);
        d->words_len -= (size_t)(end + 1 - d->words);
        memmove(d->words, end + 1, d->words_len + 1);
    }
    fflush(stdout);
}

/* What was printed is seen by the test at once when there is nothing else to do. */
static void on_idle(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    (void)ctx;
    fflush(stdout);
}

static void read_position(char *out, size_t room, const char *path)
{
    FILE *f = fopen(path, "r");
    size_t n = f == NULL ? 0 : fread(out, 1, room - 1, f);

    out[n] = '\0';
    if (f != NULL)
        (void)fclose(f);
}

int main(int argc, char **argv)
{
    struct drive d = {.base = event_base_new()};
    const struct timeval soon = {.tv_usec = 20000};
    char position[LOG_POSITION_MAX + 100];
    struct event *input, *idle;
    struct err e = {""};

    if (argc < 3 || d.base == NULL)
        return 2;
    if (argc > 4 && setuid((uid_t)strtol(argv[4], NULL, 10)) != 0)
        return 2;
    d.stop = argc > 3 ? strtol(argv[3], NULL, 10) : 0;
    read_position(position, sizeof(position), argv[2]);
    d.source = log_source_open(d.base, argv[1], position, 0, on_entry, &d, &e);
    if (d.source == NULL) {
        printf("error %s\n", e.text);
        event_base_free(d.base);
        return 1;
    }
    input = must_have(event_new(d.base, STDIN_FILENO, EV_READ | EV_PERSIST, on_input, &d));
    idle = must_have(event_new(d.base, -1, EV_PERSIST, on_idle, NULL));
    event_add(input, NULL);
    event_add(idle, &soon);
    event_base_dispatch(d.base);
    event_free(input);
    event_free(idle);
    log_source_close(d.source);
    event_base_free(d.base);
    return 0;
}
