/* transaction.c - see transaction.h. */
#include "transaction.h"

#include "domain.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* --- the parts --- */

static void rcpt_free(struct transaction_rcpt *r)
{
    if (r == NULL)
        return;
    free(r->line);
    free(r->answer);
    free(r);
}

static void domain_free(struct transaction_domain *d)
{
    if (d == NULL)
        return;
    free(d->common);
    free(d->rcpt);
    free(d->outcome);
    free(d);
}

struct transaction *transaction_new(const char *line, size_t len)
{
    struct transaction *t = calloc(1, sizeof(*t));

    if (t == NULL)
        return NULL;
    t->line = strndup(line, len);
    if (t->line != NULL && lmtp_command_parse(&t->mail, t->line, len, NULL) == 0)
        return t;
    transaction_free(t);
    return NULL;
}

void transaction_free(struct transaction *t)
{
    if (t == NULL)
        return;
    for (size_t i = 0; i < t->count; i++)
        rcpt_free(t->rcpt[i]);
    for (size_t i = 0; i < t->domains; i++)
        domain_free(t->domain[i]);
    free(t->rcpt);
    free(t->domain);
    free(t->line);
    free(t);
}

/* Room for one more in a list, which doubles when it is full. NULL without memory: the list is as it was. */
static void *list_grown(void *list, size_t count, size_t size)
{
    if ((count & (count - 1)) != 0)
        return list;
    return realloc(list, (count == 0 ? 1 : count * 2) * size);
}

/* --- domains --- */

/* The one form of a domain, for those that have one. The caller's, free(). */
static char *common_form(const struct smtp_text *name)
{
    char form[DOMAIN_BUF];

    return domain_normalise(form, name->at, name->len, NULL) == 0 ? strdup(form) : strndup(name->at, name->len);
}

static struct transaction_domain *domain_add(struct transaction *t, const struct smtp_text *name, char *common)
{
    struct transaction_domain *d = calloc(1, sizeof(*d));
    struct transaction_domain **grown = list_grown(t->domain, t->domains, sizeof(struct transaction_domain *));

    if (grown != NULL)
        t->domain = grown;
    if (d == NULL || grown == NULL) {
        free(common);
        free(d);
        return NULL;
    }
    d->name = *name;
    d->common = common;
    t->domain[t->domains++] = d;
    return d;
}

/* Returns its place, or t->domains without memory. */
static size_t domain_place(struct transaction *t, const struct lmtp_command *rcpt)
{
    struct smtp_text name = {rcpt->path.at + rcpt->at.domain_at, rcpt->at.domain_len};
    char *common = common_form(&name);

    if (common == NULL)
        return t->domains;
    for (size_t i = 0; i < t->domains; i++) {
        if (strcasecmp(t->domain[i]->common, common) == 0) {
            free(common);
            return i;
        }
    }
    return domain_add(t, &name, common) == NULL ? t->domains : t->domains - 1;
}

/* --- recipients --- */

static struct transaction_rcpt *rcpt_new(const char *line, size_t len)
{
    struct transaction_rcpt *r = calloc(1, sizeof(*r));

    if (r == NULL)
        return NULL;
    r->line = strndup(line, len);
    if (r->line != NULL && lmtp_command_parse(&r->command, r->line, len, NULL) == 0)
        return r;
    rcpt_free(r);
    return NULL;
}

/* Its domain hears of it. NULL without memory. */
static struct transaction_domain *domain_tell(struct transaction *t, size_t place, size_t rcpt)
{
    struct transaction_domain *d = t->domain[place];
    size_t *grown = list_grown(d->rcpt, d->count, sizeof(size_t));

    if (grown == NULL)
        return NULL;
    d->rcpt = grown;
    d->rcpt[d->count++] = rcpt;
    return d;
}

/* Put it behind the others; r may be NULL. Returns 0, or -1 without memory: it is freed. */
static int rcpt_add(struct transaction *t, struct transaction_rcpt *r)
{
    struct transaction_rcpt **grown = list_grown(t->rcpt, t->count, sizeof(struct transaction_rcpt *));

    if (grown != NULL)
        t->rcpt = grown;
    if (r == NULL || grown == NULL) {
        rcpt_free(r);
        return -1;
    }
    t->rcpt[t->count++] = r;
    return 0;
}

int transaction_refuse(struct transaction *t, const char *answer)
{
    struct transaction_rcpt *r = calloc(1, sizeof(*r));

    if (r != NULL)
        r->answer = strdup(answer);
    if (r != NULL && r->answer == NULL) {
        rcpt_free(r);
        r = NULL;
    }
    if (rcpt_add(t, r) != 0)
        return -1;
    t->answered++;
    return 0;
}

struct transaction_domain *transaction_rcpt(struct transaction *t, const char *line, size_t len)
{
    struct transaction_rcpt *r = rcpt_new(line, len);

    if (rcpt_add(t, r) != 0)
        return NULL;
    r->domain = domain_place(t, &r->command);
    return r->domain == t->domains ? NULL : domain_tell(t, r->domain, t->count - 1);
}

size_t transaction_waiting(const struct transaction *t)
{
    return t->count - t->answered;
}

int transaction_rcpt_answer(struct transaction *t, const struct transaction_domain *d, size_t n, const char *answer)
{
    struct transaction_rcpt *r = t->rcpt[d->rcpt[n]];

    if (r->answer != NULL)
        return 0;
    r->answer = strdup(answer);
    if (r->answer == NULL)
        return -1;
    r->taken = answer[0] == '2';
    t->answered++;
    t->domain[r->domain]->answered++;
    t->taken += r->taken;
    t->domain[r->domain]->taken += r->taken;
    return 0;
}

/* --- who waits for whom --- */

static bool is_behind(const struct transaction *t, const struct transaction_domain *d)
{
    if (t->state == TRANSACTION_RCPT)
        return d->answered < d->count;
    return d->asked || (d->feeding && d->full);
}

static bool is_ready(const struct transaction *t, const struct transaction_domain *d)
{
    return (t->state == TRANSACTION_RCPT ? d->taken > 0 : d->feeding) && !is_behind(t, d);
}

bool transaction_holds_up(const struct transaction *t, const struct transaction_domain *d)
{
    if (t->state == TRANSACTION_FINAL || !is_behind(t, d))
        return false;
    for (size_t i = 0; i < t->domains; i++)
        if (is_ready(t, t->domain[i]))
            return true;
    return false;
}

/* --- the message --- */

void transaction_ask_data(struct transaction *t)
{
    t->state = TRANSACTION_DATA;
    t->replied = 0;
    for (size_t i = 0; i < t->domains; i++)
        t->domain[i]->asked = t->domain[i]->taken > 0;
}

static int outcome_set(struct transaction_domain *d, const char *answer)
{
    free(d->outcome);
    d->outcome = strdup(answer);
    d->asked = false;
    d->feeding = false;
    return d->outcome == NULL ? -1 : 0;
}

int transaction_data_answer(struct transaction *t, struct transaction_domain *d, const char *answer)
{
    (void)t;
    if (answer != NULL)
        return outcome_set(d, answer);
    d->asked = false;
    d->feeding = true;
    return 0;
}

bool transaction_may_feed(struct transaction *t)
{
    for (size_t i = 0; i < t->domains; i++)
        if (t->domain[i]->asked)
            return false;
    t->state = TRANSACTION_FEED;
    return true;
}

void transaction_end(struct transaction *t)
{
    t->state = TRANSACTION_FINAL;
}

int transaction_done(struct transaction *t, struct transaction_domain *d, const char *answer)
{
    if (t->state != TRANSACTION_FINAL && answer[0] == '2')
        answer = "451 4.5.0 the next server has answered before the message was at its end\r\n";
    return outcome_set(d, answer);
}

int transaction_break(struct transaction *t, const char *answer)
{
    for (size_t i = 0; i < t->domains; i++)
        if (outcome_set(t->domain[i], answer) != 0)
            return -1;
    return 0;
}

/* --- replies --- */

static const char *reply_of(const struct transaction *t, const struct transaction_rcpt *r)
{
    return t->state == TRANSACTION_RCPT ? r->answer : t->domain[r->domain]->outcome;
}

bool transaction_replies(struct buf *out, struct transaction *t)
{
    if (t->state == TRANSACTION_DATA || t->state == TRANSACTION_FEED)
        return false;
    for (; t->replied < t->count; t->replied++) {
        const struct transaction_rcpt *r = t->rcpt[t->replied];

        if (t->state == TRANSACTION_FINAL && !r->taken)
            continue;
        if (reply_of(t, r) == NULL)
            return false;
        buf_str(out, reply_of(t, r));
    }
    return true;
}
