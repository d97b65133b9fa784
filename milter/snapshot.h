/*
 * snapshot.h - what the milter goes by at one moment: its settings and all rules, put together once and never changed,
 * so that threads read it without a lock. A change makes a new one; the old one goes with its last user.
 */
#ifndef POSTERN_SNAPSHOT_H
#define POSTERN_SNAPSHOT_H

#include "conf.h"
#include "flag.h"
#include "message.h"
#include "rule_eval.h"

/* Who may write TLS-Required: No. */
enum tls_required_from { TLS_REQUIRED_FROM_ANYONE, TLS_REQUIRED_FROM_SUBMITTERS, TLS_REQUIRED_FROM_NOBODY };

struct snapshot {
    struct flag_options flag;
    enum tls_required_from no_from;
    const char *record_header; /* "" for none */
    size_t body_octets;
    const struct rule_set *rules;
    unsigned need; /* enum rule_need of all rules */
};

/*
 * Settings, the rules of the configuration and behind them those of a text (rule_set_read). conf may go afterwards.
 * Returns NULL with what is wrong: a rule with an error, or whose name is taken.
 */
struct snapshot *snapshot_new(const struct conf_milter *conf, const char *text, size_t len, struct err *e);

/* What of a message is to be kept; record_header stays the snapshot's. */
struct message_wants snapshot_wants(const struct snapshot *s);

/* Does a TLS-Required: No of this client count? user NULL: it has not logged in; address "": it is this machine. */
bool snapshot_heeds_no(const struct snapshot *s, const char *user, const char *address);

/* One more user, and one less; the one that made it is the first. */
const struct snapshot *snapshot_hold(const struct snapshot *s);
void snapshot_release(const struct snapshot *s); /* NULL-safe */

/* Memory to evaluate the rules with, for one thread; to be given back. Never NULL. */
struct rule_eval *snapshot_take_eval(const struct snapshot *s);
void snapshot_give_eval(const struct snapshot *s, struct rule_eval *eval);

#endif
