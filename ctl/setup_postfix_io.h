/* setup_postfix_io.h - Postfix for setup_server.h: its configuration and machine, its queue. */
#ifndef POSTERN_SETUP_POSTFIX_IO_H
#define POSTERN_SETUP_POSTFIX_IO_H

#include "postfix_conf.h"
#include "setup_server.h"

int setup_postfix_plan(struct setup_plan *out, const struct setup_request *r, struct err *e);
bool setup_postfix_running(const struct setup_request *r);
int setup_postfix_hold(struct buf *said, const struct setup_request *r, struct err *e);
void setup_postfix_findings(struct buf *said, const struct setup_request *r);

/* What main.cf itself sets (postconf -n), nothing expanded. config_dir NULL: Postfix's own place. Returns 0
 * (postfix_conf_free), or -1 with the reason. */
int setup_postfix_set(struct postfix_conf *out, const char *config_dir, struct err *e);

#endif
