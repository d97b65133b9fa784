/* list_session_io.h - what every command about lists has: the configuration, Redis, the list, the time. */
#ifndef POSTERN_LIST_SESSION_IO_H
#define POSTERN_LIST_SESSION_IO_H

#include "conf.h"
#include "ctl.h"
#include "list_store_io.h"

struct list_session {
    struct conf *conf;
    struct redis_ask *ask;
    enum list_id list; /* word[0], if there is one */
    int64_t now;       /* seconds since the epoch */
};

/*
 * Each returns CTL_YES, or the exit code with the reason reported; list_session_end in any case. begin reads the
 * configuration and the list's name, connect reaches Redis, and open does both. to_write: after begin; it connects, and
 * asks whether the lists there may be edited (list_known_io.h).
 */
int list_session_begin(struct list_session *s, const struct ctl *ctl);
int list_session_connect(struct list_session *s, const struct ctl *ctl);
int list_session_open(struct list_session *s, const struct ctl *ctl);
int list_session_to_write(struct list_session *s, const struct ctl *ctl);
void list_session_end(struct list_session *s);

/* Say what Redis did not do, and what to do about it. Returns CTL_NO. */
int list_session_report(const struct list_session *s, const struct err *e);

/* Who it is that edits; "" when nobody knows. Valid until the next call. */
const char *list_session_author(const struct ctl *ctl);

#endif
