/*
 * decide_lists.h - the second half of the decision: what the operator's lists and the fallback state make of what the
 * facts alone say (decide.h). Pure.
 *
 *   sts-exclude    MTA-STS does not count, if the entry says override; else only what a policy in testing mode reports
 *                  goes
 *   require        the level is at least that of the entry
 *   exclude        none, if nothing binds, or the entry says override and there is no entry in `require`
 *   only           in force: none for destinations without an entry, if nothing binds; exclude (but for override) is
 *                  then ignored
 *   fallback       none, if nothing binds and the next attempt is to go plain
 *   smtps          the destination is reached by implicit TLS; so it is, too, when the next hop has the port 465
 *   protocols      TLS versions and ciphers, wherever TLS is used
 *   default_level  of the options: the level where nothing binds and none of these has said one; encrypt where it is
 *                  the MTA's own and there is an entry in `protocols`, whose attributes need a level
 *
 * Implicit TLS has no plain form: the level there is at least encrypt, whatever exclude (with override, too), only and
 * fallback say.
 *
 * "Binds": the facts or an entry in `require` demand TLS, or it is not known whether they do (temp). Only an entry that
 * says override makes an answer weaker than what binds, and only when it fits the next hop itself: MX hosts come from
 * DNS, where an attacker may have put them.
 */
#ifndef POSTERN_DECIDE_LISTS_H
#define POSTERN_DECIDE_LISTS_H

#include "decide.h"
#include "lists_match.h"

struct decide_told {
    struct lists_match match;
    bool plain;          /* fallback: the next attempt goes plain (fallback_goes_plain), if nothing binds, */
    int64_t plain_until; /* until then */
    enum fallback_mode mode;
    bool implicit_tls; /* the next hop's port is 465 */
};

/* The options with which decide() is to be called. */
struct decide_options decide_lists_options(const struct decide_options *options, const struct decide_told *told);

/*
 * Change what decide() or decide_fixed() said, with the same options. The decision points into the lists' entries
 * afterwards.
 */
void decide_lists(struct decision *d, const struct decide_told *told, const struct decide_options *options);

#endif
