/* upstream_internal.h - what upstream_io.c, upstream_host_io.c and upstream_mail_io.c have between them. */
#ifndef POSTERN_UPSTREAM_INTERNAL_H
#define POSTERN_UPSTREAM_INTERNAL_H

#include "nexthop.h"
#include "upstream_links_io.h"

enum upstream_phase {
    UPSTREAM_FACTS,   /* stsd has been asked, or will not be */
    UPSTREAM_HOST,    /* a connection begins, or is waited for */
    UPSTREAM_MAIL,    /* MAIL was said, and perhaps recipients behind it */
    UPSTREAM_RCPT,    /* and taken; recipients are said and answered */
    UPSTREAM_DATA,    /* DATA was said */
    UPSTREAM_CONTENT, /* and taken */
    UPSTREAM_FINAL,   /* all was fed */
    UPSTREAM_OVER     /* the last word has been said: `failed`, if any is set, goes for all that are asked about now */
};

struct upstream_recipient {
    const struct lmtp_command *command;
    bool said, answered;
};

struct upstream {
    struct upstreams *all;
    struct nexthop hop;
    char name[DOMAIN_BUF]; /* the domain for people, as it was written if it is none */
    const struct lmtp_command *mail;
    const struct upstream_events *events;
    void *ctx;

    enum upstream_phase phase;
    struct call_sent *asked;
    struct dest *dest;
    struct relay_path path;
    struct relay_walk walk;
    struct relay_tally tally;
    struct link_place place;
    struct link *link;
    bool kept;             /* the link was used before */
    char host[DOMAIN_BUF]; /* of the link, also when it is gone */
    bool transaction;      /* MAIL was taken, and is not over */
    bool clean;            /* OVER: the server has not been fed half a message */
    bool closing;          /* it has said 421 on this link: it closes it (RFC 5321 3.8) */
    bool wants_data;       /* asked for when it was over */
    bool logged;
    struct relay_reply failed;

    struct upstream_recipient *recipient;
    size_t count, room, taken, outstanding;
    size_t behind_mail; /* octets of recipients that were said with MAIL */

    struct event *later, *deadline;
    struct event *share; /* the present address has taken what it may of the time for the whole */
    unsigned held;       /* freed from within a callback: what runs goes on to its end */
    bool dead;
};

/* upstream_host_io.c: the plan is to be made, with dest or without; an address of a host failed
 * before it took MAIL. */
void upstream_plan(struct upstream *u);
void upstream_host_failed(struct upstream *u, enum relay_failed what, const char *enhanced, const char *detail);
void upstream_place_told(void *ctx, bool place); /* the place that was waited for is there, or will not be */
void upstream_mail_reply(struct upstream *u, const struct smtp_reply *reply);

/* Nothing is to be had any more, as the tally says: whoever waits is told. */
void upstream_conclude(struct upstream *u);

/* upstream_mail_io.c: a failure once MAIL was taken. */
void upstream_late(struct upstream *u, enum relay_failed what, const char *detail);
void upstream_rcpts_say(struct upstream *u);
void upstream_rcpts_say_ahead(struct upstream *u); /* behind MAIL, if the server takes it so; at each host anew */
void upstream_answer_all(struct upstream *u);      /* phase OVER: all that is open is answered by `failed` */
void upstream_reply(void *ctx, const struct smtp_reply *reply);
void upstream_room(void *ctx);

/* Its connection is not needed any more: another one may have it, or its place. */
void upstream_part(struct upstream *u);

void upstream_log(struct upstream *u, const char *result, int code, const char *status, const char *why);
void upstream_hold(struct upstream *u);
void upstream_release(struct upstream *u);

#endif
