/* session_tell_io.h - sessions with MX hosts are told to the collector: what session_event.h makes of them. */
#ifndef POSTERN_SESSION_TELL_IO_H
#define POSTERN_SESSION_TELL_IO_H

#include "session_event.h"
#include "tlsrpt_tell_io.h"

/* tell may be NULL. */
void session_tell(struct tlsrpt_tell *tell, const struct session *s);

/* Of a plan: the hosts that are left out, as session_event_skipped says. */
void session_tell_skipped(struct tlsrpt_tell *tell, const struct relay_path *path);

#endif
