/* acme_dns_io.c - see acme_dns_io.h. */
#include "acme_dns_io.h"
#include "clock.h"
#include "dns_lookup_io.h"
#include "unguarded.h"
#include "user_program_io.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define HOOK_SECONDS 120
#define SAID_MAX     4096
#define WAIT_MS      60000
#define LOOK_NS      500000000

int acme_dns_hook(const struct conf *conf, const char *verb, const char *name, const char *type, int64_t ttl,
                  const char *data, struct err *e)
{
    char seconds[24];
    char *const argv[] = {
        conf->certs.dns_hook, unguarded(verb), unguarded(name), unguarded(type), seconds, unguarded(data), NULL};
    const struct user_program hook = {.user = conf->policyd.user, .argv = argv, .seconds = HOOK_SECONDS};
    struct buf said;
    int rc;

    (void)snprintf(seconds, sizeof(seconds), "%" PRId64, ttl);
    buf_init(&said, SAID_MAX);
    rc = user_program_run(&said, &hook, e);
    if (rc > 0) {
        const char *text = buf_text(&said);

        rc = err_set(e, "certs.dns_hook: %s %s %s %s ended with status %d: %.*s", argv[0], verb, name, type, rc,
                     (int)strcspn(text, "\n"), text);
    } else if (rc < 0) {
        err_prefix(e, "certs.dns_hook");
    }
    buf_clear(&said);
    return rc;
}

struct looking {
    const char *text;
    bool found;
};

static void look(void *ctx, const struct dns_answer *a)
{
    struct looking *l = ctx;

    for (size_t i = 0; i < a->count; i++)
        l->found = l->found || (a->rr[i].text_len == strlen(l->text) && a->rr[i].text != NULL &&
                                memcmp(a->rr[i].text, l->text, a->rr[i].text_len) == 0);
}

void acme_dns_wait(const struct conf *conf, const char *name, const char *text)
{
    const struct timespec pause = {.tv_nsec = LOOK_NS};
    struct looking l = {.text = text};
    int64_t end = now_ms() + WAIT_MS;

    while (!l.found && now_ms() < end) {
        if (dns_lookup(&conf->stsd, name, DNS_TXT, look, &l, NULL) != 0)
            return;
        if (!l.found)
            (void)nanosleep(&pause, NULL);
    }
}
