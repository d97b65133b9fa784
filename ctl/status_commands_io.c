/* status_commands_io.c - posternctl status: the daemons that can be asked. */
#include "ctl.h"
#include "output_io.h"
#include "status.h"

#include "conf.h"

#include <jansson.h>

#define POLICYD "postern-policyd"
#define STSD    "postern-stsd"
#define TLSRPTD "postern-tlsrptd"

/* What each daemon says; NULL: it is away, or, of tlsrptd, not in use. */
struct statuses {
    json_t *policyd, *stsd, *tlsrptd;
};

/* Reports have a contact; outcomes come from a log, from Exim or from relayd. */
static bool uses_tlsrptd(const struct conf *conf)
{
    const struct conf_tlsrptd *t = &conf->tlsrptd;

    return t->contact[0] != '\0' || t->log[0] != '\0' || t->exim[0] != '\0' || conf->relayd.tlsrpt[0] != '\0';
}

static int statuses_json(const struct conf *conf, const struct statuses *s)
{
    json_t *object = json_pack("{s:O?, s:O?}", "policyd", s->policyd, "stsd", s->stsd);

    if (uses_tlsrptd(conf))
        (void)json_object_set_new(object, "tlsrptd", s->tlsrptd != NULL ? json_incref(s->tlsrptd) : json_null());
    return output_json(object);
}

static int statuses_print(const struct ctl *ctl, const struct conf *conf, const struct statuses *s)
{
    struct buf text;

    buf_init(&text, CTL_OUTPUT_MAX);
    status_print(&text, POLICYD, conf->policyd.control, s->policyd, ctl->colour);
    buf_char(&text, '\n');
    status_print(&text, STSD, conf->stsd.listen, s->stsd, ctl->colour);
    if (uses_tlsrptd(conf)) {
        buf_char(&text, '\n');
        status_print(&text, TLSRPTD, conf->tlsrptd.listen, s->tlsrptd, ctl->colour);
    }
    return output_and_clear(&text);
}

int run_status(const struct ctl *ctl)
{
    struct conf *conf = read_conf(ctl);
    struct statuses s = {0};
    int rc;

    if (conf == NULL)
        return CTL_USAGE;
    s.policyd = policyd_status(conf);
    s.stsd = ask_status(STSD, conf->stsd.listen);
    if (uses_tlsrptd(conf))
        s.tlsrptd = ask_status(TLSRPTD, conf->tlsrptd.listen);
    rc = ctl->options & CTL_JSON ? statuses_json(conf, &s) : statuses_print(ctl, conf, &s);
    if (s.policyd == NULL || s.stsd == NULL || (uses_tlsrptd(conf) && s.tlsrptd == NULL))
        rc = CTL_NO;
    json_decref(s.policyd);
    json_decref(s.stsd);
    json_decref(s.tlsrptd);
    conf_free(conf);
    return rc;
}
