/* site_internal.h - the insides of the site, shared by site.c, stsd.c and policyd.c. */
#ifndef POSTERN_T_SITE_INTERNAL_H
#define POSTERN_T_SITE_INTERNAL_H

#include "need.h"
#include "site.h"

/* site.c. NULL when there is nothing, or Redis is away. */
struct entry *redis_new_entry(struct site *s, const char *domain);
struct dest *redis_get(struct site *s, const char *domain);
void redis_set(struct site *s, struct entry *e, const struct dest *d, int64_t expires);

/* Done when what is under way has ended. */
void site_later(struct site *s, struct node *n, const char *domain, bool from_policyd);

/* stsd.c. The record is known's. */
const struct record *stsd_get(struct site *s, struct node *n, const char *domain, enum records_need need);
const struct record *stsd_work(struct site *s, struct node *n, const char *domain, enum records_need need);
void stsd_schedule(struct site *s, struct node *n);
void stsd_give_back(struct site *s, struct node *n);

/* policyd.c */
void policyd_mail(struct site *s, struct node *n, const char *key, struct outcome *out);
void policyd_refresh(struct site *s, struct node *n, const char *domain);

#endif
