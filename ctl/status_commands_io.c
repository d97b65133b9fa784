/* status_commands_io.c - posternctl status: the daemons that can be asked. */
#include "clock.h"
#include "ctl.h"
#include "listens_io.h"
#include "output_io.h"
#include "status.h"

#include "conf.h"

#include <jansson.h>

#define POLICYD "postern-policyd"
#define STSD    "postern-stsd"
#define TLSRPTD "postern-tlsrptd"
#define MILTER  "postern-milter"
#define RELAYD  "postern-relayd"

/* What each daemon says; NULL: it is away, or, of tlsrptd, not in use. */
struct statuses {
    json_t *policyd, *stsd, *tlsrptd;
    bool milter, relayd; /* these cannot be asked: do they listen? */
};

/* Reports have a contact; outcomes come from a log, from Exim or from relayd. */
bool uses_tlsrptd(const struct conf *conf)
{
    const struct conf_tlsrptd *t = &conf->tlsrptd;

    return t->contact[0] != '\0' || t->log[0] != '\0' || t->exim[0] != '\0' || conf->relayd.tlsrpt[0] != '\0';
}

static int statuses_json(const struct conf *conf, const struct statuses *s)
{
    json_t *object = json_pack("{s:O?, s:O?, s:{s:s, s:b}, s:{s:s, s:b}}", "policyd", s->policyd, "stsd", s->stsd,
                               "milter", "address", conf->milter.listen, "listens", s->milter, "relayd", "address",
                               conf->relayd.listen[0], "listens", s->relayd);

    if (uses_tlsrptd(conf))
        (void)json_object_set_new(object, "tlsrptd", s->tlsrptd != NULL ? json_incref(s->tlsrptd) : json_null());
    return output_json(object);
}

static void listens_print(struct buf *out, const char *program, const char *address, bool is_up)
{
    buf_printf(out, "\n%s  %s %s\n", program, is_up ? "listens on" : "does not listen on", address);
}

static int statuses_print(const struct ctl *ctl, const struct conf *conf, const struct statuses *s)
{
    struct buf text;

    buf_init(&text, CTL_OUTPUT_MAX);
    status_print(&text, POLICYD, conf->policyd.control, s->policyd, now_seconds(), ctl->colour);
    buf_char(&text, '\n');
    status_print(&text, STSD, conf->stsd.listen, s->stsd, now_seconds(), ctl->colour);
    if (uses_tlsrptd(conf)) {
        buf_char(&text, '\n');
        status_print(&text, TLSRPTD, conf->tlsrptd.listen, s->tlsrptd, now_seconds(), ctl->colour);
    }
    listens_print(&text, MILTER, conf->milter.listen, s->milter);
    listens_print(&text, RELAYD, conf->relayd.listen[0], s->relayd);
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
    s.milter = listens(conf->milter.listen);
    s.relayd = listens(conf->relayd.listen[0]);
    rc = ctl->options & CTL_JSON ? statuses_json(conf, &s) : statuses_print(ctl, conf, &s);
    if (s.policyd == NULL || s.stsd == NULL || (uses_tlsrptd(conf) && s.tlsrptd == NULL))
        rc = CTL_NO;
    json_decref(s.policyd);
    json_decref(s.stsd);
    json_decref(s.tlsrptd);
    conf_free(conf);
    return rc;
}
