/* publish_session_io.c - see publish_session_io.h. */
#include "publish_session_io.h"

#include "ask_io.h"
#include "clock.h"
#include "output_io.h"
#include "publish_io.h"

int publish_session_begin(struct publish_session *s, const struct ctl *ctl)
{
    *s = (struct publish_session){.now = now_seconds()};
    if (ctl->word_count > 0 && publish_domain(s->domain, ctl) != 0)
        return CTL_USAGE;
    s->conf = read_conf(ctl);
    return s->conf != NULL ? CTL_YES : CTL_USAGE;
}

int publish_session_connect(struct publish_session *s, const struct ctl *ctl)
{
    s->ask = open_redis(ctl, s->conf);
    return s->ask != NULL ? CTL_YES : CTL_LATER;
}

int publish_session_read(struct publish_session *s, const struct ctl *ctl)
{
    struct err e = {""};

    if (publish_session_connect(s, ctl) != CTL_YES)
        return CTL_LATER;
    if (published_store_read(s->ask, s->domain, &s->stored, &e) != 0) {
        report_error("%s", e.text);
        return CTL_LATER;
    }
    if (!s->stored.there || s->stored.why.text[0] == '\0' || (ctl->options & CTL_FORCE) != 0)
        return CTL_YES;
    report_error("%s: what Redis has of it cannot be read: %s; --force goes on as if there were nothing", s->domain,
                 s->stored.why.text);
    return CTL_NO;
}

void publish_session_end(struct publish_session *s)
{
    published_stored_clear(&s->stored);
    redis_ask_close(s->ask);
    conf_free(s->conf);
}

const struct published *publish_session_before(const struct publish_session *s)
{
    return s->stored.there && s->stored.why.text[0] == '\0' ? &s->stored.policy : NULL;
}

int publish_session_edited(const struct publish_session *s, int written, const struct err *e)
{
    if (written > 0)
        return CTL_YES;
    if (written < 0)
        report_error("%s; nothing was changed", e->text);
    else
        report_error("%s: somebody else has changed it meanwhile, and nothing was changed here; look at it with "
                     "\"posternctl publish list\" and try again",
                     s->domain);
    return CTL_LATER;
}

static struct dest *read_facts(const struct answer *a, const char *domain, struct err *e)
{
    struct dest *d;

    if (!a->reached || a->status != CALL_OK) {
        err_set(e, "postern-stsd%s: %s", a->reached ? "" : " is away", a->text.len > 0 ? buf_text(&a->text) : "-");
        return NULL;
    }
    d = dest_from_json(buf_text(&a->text), a->text.len, e);
    if (d == NULL)
        err_prefix(e, "postern-stsd: its answer is no destination record");
    if (d == NULL || domain_equal(d->domain, domain))
        return d;
    err_set(e, "postern-stsd told of another domain");
    dest_free(d);
    return NULL;
}

struct dest *publish_facts(const struct conf *conf, const char *domain, struct err *e)
{
    struct answer a;
    struct dest *d = NULL;

    if (conf->stsd.listen[0] == '\0') {
        err_set(e, "the configuration gives postern-stsd no socket to be asked on");
        return NULL;
    }
    if (ask_daemon(&a, conf->stsd.listen, "refresh", domain, ASK_TIMEOUT_MS, e) == 0)
        d = read_facts(&a, domain, e);
    answer_clear(&a);
    return d;
}
