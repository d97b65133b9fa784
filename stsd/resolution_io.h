/* resolution_io.h - one resolution: does what the step machine (core/resolve.h) asks for, with real DNS and HTTPS. */
#ifndef POSTERN_RESOLUTION_IO_H
#define POSTERN_RESOLUTION_IO_H

#include <event2/event.h>
#include <stdbool.h>

#include "dns_io.h"
#include "https_io.h"
#include "resolve.h"
#include "tlsrpt_tell_io.h"

/* What all resolutions share. */
struct resolution_env {
    struct event_base *base;
    struct dns *dns;
    struct https *https;
    struct tlsrpt_tell *tell; /* who hears of policy fetches that failed; NULL: nobody */
    struct resolve_options options;
    int timeout_ms; /* one resolution, all in all */
};

struct resolution;

/* dest is the callee's from now on. Called once, never from within resolution_start. */
typedef void resolution_done_fn(void *ctx, struct dest *dest);

/* Only the policy host is waited for from now on. Called at most once, never from within resolution_start; must not
 * cancel the resolution. */
typedef void resolution_waits_fn(void *ctx);

/* See resolve_new for previous and force. env must outlive the resolution. The handle is invalid after done. */
struct resolution *resolution_start(const struct resolution_env *env, const char *domain, const struct dest *previous,
                                    bool force, resolution_done_fn *done, resolution_waits_fn *waits, void *ctx);
/* What it waits for now, for people: "the policy host", or a type of DNS records. */
const char *resolution_waits_for(const struct resolution *r);
void resolution_cancel(struct resolution *r);

#endif
