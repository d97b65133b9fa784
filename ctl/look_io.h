/* look_io.h - looks at the daemons (top.h): all are asked at once, and one that does not answer is not waited for. */
#ifndef POSTERN_LOOK_IO_H
#define POSTERN_LOOK_IO_H

#include <event2/event.h>

#include "conf.h"
#include "err.h"
#include "top.h"

struct looks;

/* look is the callee's (top_look_clear). Called once for each looks_start, from the loop. */
typedef void look_fn(void *ctx, struct top_look *look);

/* conf must outlive it. NULL with the reason in e: an address that is none. */
struct looks *looks_new(struct event_base *base, const struct conf *conf, look_fn *fn, void *ctx, struct err *e);
void looks_free(struct looks *l); /* NULL-safe */

/* Take a look. Each daemon has so long to answer. Not before the one before has ended. */
void looks_start(struct looks *l, int timeout_ms);

#endif
