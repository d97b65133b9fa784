/* setup_commands_io.c - posternctl setup: the mail servers that there are, and what is done for each. */
#include "ctl.h"
#include "output_io.h"
#include "setup_exim_io.h"
#include "setup_exim_text.h"
#include "setup_postfix_io.h"
#include "setup_run_io.h"
#include "setup_sendmail_io.h"

#include <string.h>

/* Ends with a NULL name. */
static const struct setup_server setup_servers[] = {
    {.name = "postfix",
     .command = "setup postfix",
     .plan = setup_postfix_plan,
     .running = setup_postfix_running,
     .hold = setup_postfix_hold,
     .findings = setup_postfix_findings},
    {.name = "exim",
     .command = "setup exim",
     .plan = setup_exim_plan,
     .running = setup_exim_running,
     .hold = setup_exim_hold,
     .without = setup_exim_take},
    {.name = "sendmail",
     .command = "setup sendmail",
     .plan = setup_sendmail_plan,
     .running = setup_sendmail_running,
     .hold = setup_sendmail_hold},
    {.name = NULL},
};

static const struct setup_server *find_server(const char *name)
{
    struct buf names;

    buf_init(&names, 1000);
    for (const struct setup_server *s = setup_servers; s->name != NULL; s++) {
        if (strcmp(s->name, name) == 0) {
            buf_clear(&names);
            return s;
        }
        buf_printf(&names, "%s%s", names.len > 0 ? ", " : "", s->name);
    }
    report_error("setup %s: there is no such mail server here; there are: %s", name, buf_text(&names));
    buf_clear(&names);
    return NULL;
}

int run_setup(const struct ctl *ctl)
{
    const struct setup_server *server = find_server(ctl->word[0]);

    if (server == NULL)
        return CTL_USAGE;
    if ((ctl->options & CTL_APPLY) && (ctl->options & CTL_UNDO)) {
        report_error("setup: --apply and --undo are two things; say one of them");
        return CTL_USAGE;
    }
    if (ctl->options & CTL_UNDO)
        return setup_run(ctl, server, NULL, SETUP_UNDO);
    return setup_run(ctl, server, NULL, ctl->options & CTL_APPLY ? SETUP_APPLY : SETUP_SHOW);
}
