/* ask_io.h - one question to a daemon, waited for. */
#ifndef POSTERN_ASK_IO_H
#define POSTERN_ASK_IO_H

#include <stdbool.h>

#include "buf.h"
#include "call.h"
#include "err.h"

#define ASK_TIMEOUT_MS 60000 /* beyond any time that a daemon takes to find something out */
#define ASK_PROBE_MS   5000  /* enough for one that has the answer at hand */

struct answer {
    enum call_status status;
    bool reached; /* the daemon itself said so */
    struct buf text;
};

/*
 * Ask over the call protocol and wait so long. Returns 0 with *out filled (answer_clear), or -1 with the reason when it
 * could not even be sent: a bad address, an argument that is too long.
 */
int ask_daemon(struct answer *out, const char *address, const char *verb, const char *arg, int timeout_ms,
               struct err *e);

void answer_clear(struct answer *a);

#endif
