/* publish_session_io.h - what every command about published policies has: the configuration, Redis, the domain. */
#ifndef POSTERN_PUBLISH_SESSION_IO_H
#define POSTERN_PUBLISH_SESSION_IO_H

#include "conf.h"
#include "ctl.h"
#include "dest.h"
#include "published_store_io.h"

struct publish_session {
    struct conf *conf;
    struct redis_ask *ask;
    char domain[DOMAIN_BUF]; /* word[0], if there is one */
    int64_t now;
    struct published_stored stored; /* what Redis has of the domain, after publish_session_read */
};

/*
 * Each returns CTL_YES, or the exit code with the reason reported (Redis away: CTL_LATER); publish_session_end in any
 * case. begin reads the words and the configuration; read reaches Redis and reads the domain.
 */
int publish_session_begin(struct publish_session *s, const struct ctl *ctl);
int publish_session_connect(struct publish_session *s, const struct ctl *ctl);
int publish_session_read(struct publish_session *s, const struct ctl *ctl);
void publish_session_end(struct publish_session *s);

/* What is published; NULL: nothing. */
const struct published *publish_session_before(const struct publish_session *s);

/* What came of an edit: published_store_write's or published_store_remove's. Returns CTL_YES, or the exit code with the
 * reason reported. */
int publish_session_edited(const struct publish_session *s, int written, const struct err *e);

/* Fresh facts of the domain from stsd (dest_free), or NULL with the reason in e. */
struct dest *publish_facts(const struct conf *conf, const char *domain, struct err *e);

#endif
