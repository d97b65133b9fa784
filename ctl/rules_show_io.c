/* rules_show_io.c - posternctl rules show. */
#include "output_io.h"
#include "rules_known_io.h"
#include "rules_print.h"
#include "rules_session_io.h"

/* Returns CTL_NO when a rule is wrong. */
static int print(const struct ctl *ctl, const struct rules_shown *shown)
{
    struct buf text;
    size_t bad = 0;
    int rc;

    if (ctl->options & CTL_JSON) {
        rc = output_json(rules_json(shown, &bad));
    } else {
        buf_init(&text, RULES_PRINT_MAX);
        bad = rules_print(&text, shown, ctl->colour);
        rc = output_and_clear(&text);
    }
    if (bad == 0)
        return rc;
    report_error(
        "rules that cannot be read: %zu; until they are mended the milter goes on with the rules that it knows", bad);
    return CTL_NO;
}

/* What there is of them without Redis, too. */
static int show(const struct ctl *ctl, struct rules_session *s)
{
    struct rules_shown shown = {.set = s->set};
    struct rules_stored stored = {.there = false};
    struct err e = {""};
    int rc = CTL_YES, printed;

    if (rules_session_has_redis(s))
        rc = rules_session_connect(s, ctl);
    if (s->ask != NULL && rules_store_read(s->ask, &stored, &e) != 0) {
        report_error("%s", e.text);
        rc = CTL_NO;
    } else if (s->ask != NULL) {
        shown = (struct rules_shown){s->set, buf_text(&stored.text), stored.text.len, &stored.stamp};
        if (!rules_known_allows(&stored, s->conf->milter.rules_file))
            rc = CTL_NO;
    }
    printed = print(ctl, &shown);
    rules_store_clear(&stored);
    return rc == CTL_YES ? printed : rc;
}

int run_rules_show(const struct ctl *ctl)
{
    struct rules_session s;
    int rc = rules_session_begin(&s, ctl);

    if (rc == CTL_YES)
        rc = show(ctl, &s);
    rules_session_end(&s);
    return rc;
}
