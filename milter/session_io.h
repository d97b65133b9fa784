/*
 * session_io.h - one SMTP session of the MTA: the callbacks of libmilter, each session in a thread of its own. Nothing
 * here waits for anything but the MTA.
 */
#ifndef POSTERN_SESSION_IO_H
#define POSTERN_SESSION_IO_H

#include <libmilter/mfapi.h>

#include "message.h"
#include "present.h"

struct session {
    const struct snapshot *snapshot; /* what the present message goes by */
    unsigned need;                   /* what the MTA was asked for: bits of enum rule_need */
    unsigned long steps;             /* SMFIP_ bits agreed upon */
    struct message_wants wants;
    struct message *message;
    bool in_message;
    bool refused_tag; /* of a recipient that the MTA has refused */
    bool tls;
    char address[INET6_ADDRSTRLEN]; /* "" when it has none */
    char *name;                     /* the name that the MTA has found for it, or NULL */
    char *user;                     /* logged in for this message, or NULL */
};

/* What to register. Sessions go by present from now on; there is one in a process, as libmilter gives callbacks no
 * more than the session. by_tcp: that is how the MTA comes, not by a unix socket. */
struct smfiDesc session_milter(struct present *present, bool by_tcp);

/* How many sessions are open, and how many of them are in the midst of a message. */
size_t sessions_open(void);
size_t sessions_busy(void);

/* From now on no session and no message begins: MTAs are told to try again. Messages that are under way go on. */
void sessions_refuse(void);

#endif
