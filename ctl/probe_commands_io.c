/* probe_commands_io.c - posternctl probe. */
#include "ctl.h"
#include "output_io.h"
#include "probe_io.h"

#include "conf.h"
#include "nexthop.h"

#include <string.h>

#define WAIT_MS 30000 /* as long as a person, or a monitor, waits */

static const struct conf_option timeout_option = {"timeout", CONF_MILLIS, "30s", 100, 600000, 0, "", NULL};
static const struct conf_option port_option = {"port", CONF_NUMBER, "25", 1, 65535, 0, "", NULL};
static const struct conf_option warn_option = {"warn", CONF_SECONDS, "21d", 0, 31622400, 0, "", NULL};

static int read_options(int64_t *ms, int64_t *port, struct conf *conf, const struct ctl *ctl)
{
    *ms = WAIT_MS;
    *port = PROBE_PORT;
    if (read_option(ms, &timeout_option, ctl->timeout) != 0 || read_option(port, &port_option, ctl->port) != 0 ||
        read_option(&conf->certs.warn_before, &warn_option, ctl->warn) != 0)
        return -1;
    return 0;
}

static int read_name(const char *word)
{
    struct nexthop hop;
    struct err e = {""};

    if (strpbrk(word, "@/") != NULL)
        report_error("\"%.300s\" is no domain: give the domain alone, without address or URL around it", word);
    else if (nexthop_parse(&hop, word, strlen(word), &e) != 0)
        report_error("\"%.300s\" is no domain: %s", word, e.text);
    else if (hop.port != 0)
        report_error("\"%.300s\": the port goes with --port", word);
    else if (hop.kind != NEXTHOP_DOMAIN && hop.kind != NEXTHOP_HOST)
        report_error("\"%.300s\" is neither a domain nor, in brackets, the name of a host; certificates are for names",
                     word);
    else
        return 0;
    return -1;
}

static int exit_code(const struct probe *p)
{
    static const int codes[] = {[PROBE_GOOD] = CTL_YES, [PROBE_BAD] = CTL_NO, [PROBE_LATER] = CTL_LATER};
    struct err e = {""};
    int rc = codes[probe_all(p, &e)];

    return rc == CTL_YES && probe_ending(p, &e) ? CTL_NO : rc;
}

static int print_all(const struct probe *p, const struct ctl *ctl)
{
    struct buf text;
    int rc;

    if (ctl->options & CTL_JSON) {
        rc = output_json(probe_json(p));
    } else {
        buf_init(&text, CTL_OUTPUT_MAX);
        probe_print(&text, p, ctl->colour);
        rc = output_and_clear(&text);
    }
    return rc == CTL_YES ? exit_code(p) : rc;
}

int run_probe(const struct ctl *ctl)
{
    struct conf *conf = read_name(ctl->word[0]) == 0 ? read_conf(ctl) : NULL;
    struct probe *p = NULL;
    struct err e = {""};
    int64_t ms, port;
    int rc = CTL_USAGE;

    if (conf != NULL && read_options(&ms, &port, conf, ctl) == 0) {
        p = probe_run(conf, ctl->word[0], (uint16_t)port, ms, &e);
        if (p == NULL)
            report_error("%s", e.text);
        rc = p == NULL ? CTL_LATER : print_all(p, ctl);
    }
    probe_free(p);
    conf_free(conf);
    return rc;
}
