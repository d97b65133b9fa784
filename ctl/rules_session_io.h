/* rules_session_io.h - what every command about rules has: the configuration and its rules, and Redis. */
#ifndef POSTERN_RULES_SESSION_IO_H
#define POSTERN_RULES_SESSION_IO_H

#include "conf.h"
#include "ctl.h"
#include "redis_ask_io.h"
#include "rules_text.h"

struct rules_session {
    struct conf *conf;
    struct rule_set *set; /* the rules of the configuration; those that are read later come behind them */
    size_t configured;    /* how many these are */
    struct redis_ask *ask;
};

/* Each returns CTL_YES, or the exit code with the reason reported; rules_session_end in any case. */
int rules_session_begin(struct rules_session *s, const struct ctl *ctl);
int rules_session_connect(struct rules_session *s, const struct ctl *ctl);
void rules_session_end(struct rules_session *s);

/* A Redis is configured. */
bool rules_session_has_redis(const struct rules_session *s);

/* Forget the rules that were read behind those of the configuration. Returns false without memory. */
bool rules_session_forget(struct rules_session *s);

/*
 * Read a text behind the rules of the configuration, and report its errors as "WHERE:LINE: column …" (where may be
 * "-"). Returns how many there are.
 */
size_t rules_session_read(struct rules_session *s, const char *where, const struct buf *text);

#endif
