/* list_session_io.c - see list_session_io.h. */
#include "list_session_io.h"

#include "clock.h"
#include "list_known_io.h"
#include "output_io.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int list_session_begin(struct list_session *s, const struct ctl *ctl)
{
    struct err e = {""};

    *s = (struct list_session){.now = now_seconds()};
    if (ctl->word_count > 0 && list_by_name(&s->list, ctl->word[0], &e) != 0) {
        report_error("%s", e.text);
        return CTL_USAGE;
    }
    s->conf = read_conf(ctl);
    return s->conf != NULL ? CTL_YES : CTL_USAGE;
}

int list_session_connect(struct list_session *s, const struct ctl *ctl)
{
    s->ask = open_redis(ctl, s->conf);
    return s->ask != NULL ? CTL_YES : CTL_NO;
}

int list_session_open(struct list_session *s, const struct ctl *ctl)
{
    int rc = list_session_begin(s, ctl);

    return rc == CTL_YES ? list_session_connect(s, ctl) : rc;
}

int list_session_to_write(struct list_session *s, const struct ctl *ctl)
{
    int rc = list_session_connect(s, ctl);

    if (rc == CTL_YES && !list_known_allows(s->ask, s->conf->policyd.lists_file))
        rc = CTL_NO;
    return rc;
}

void list_session_end(struct list_session *s)
{
    redis_ask_close(s->ask);
    conf_free(s->conf);
}

int list_session_report(const struct list_session *s, const struct err *e)
{
    const char *wrong = strstr(e->text, "WRONGTYPE");

    if (wrong == NULL)
        report_error("%s", e->text);
    else if (strstr(wrong, "list: ") != NULL)
        report_error("%s; \"posternctl list restore --discard\" makes it anew", e->text);
    else
        report_error("%s, so somebody has put it there by hand; \"posternctl list clear %s\" takes it away", e->text,
                     list_name(s->list));
    return CTL_NO;
}

const char *list_session_author(const struct ctl *ctl)
{
    const char *name = ctl->by != NULL ? ctl->by : getenv("SUDO_USER");
    const struct passwd *user;

    if (name == NULL || name[0] == '\0')
        name = getenv("LOGNAME");
    if (name != NULL && name[0] != '\0')
        return name;
    user = getpwuid(getuid());
    return user != NULL ? user->pw_name : "";
}
