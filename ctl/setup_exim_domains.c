/* setup_exim_domains.c - the domains of an Exim that are its own, for the list local. */
#include "setup_exim_internal.h"

#include "domain.h"

#include <stdio.h>
#include <string.h>

static void plan_domain(struct exim_planning *s, const char *domain)
{
    for (size_t i = 0; i < s->plan->count; i++)
        if (s->plan->step[i].kind == SETUP_LOCAL && strcmp(s->plan->step[i].domain, domain) == 0)
            return;
    setup_local(s->plan, SETUP_NEEDED, domain);
}

/* An item of a list of domains: a name, *.NAME, or what only Exim can look up. */
static void take_item(struct exim_planning *s, const char *setting, const char *item, size_t len)
{
    char domain[DOMAIN_BUF], below[DOMAIN_BUF + 1];
    bool parent = len > 2 && strncmp(item, "*.", 2) == 0;

    if (len == 0 || *item == '!' || *item == '@')
        return;
    if (domain_normalise(domain, item + (parent ? 2 : 0), len - (parent ? 2 : 0), NULL) != 0) {
        setup_notef(s->plan, SETUP_NEEDED,
                    "%s has %.*s, whose domains cannot be listed here: posternctl list add local DOMAIN for each whose "
                    "mail ends here",
                    setting, (int)(len < 300 ? len : 300), item);
        return;
    }
    (void)snprintf(below, sizeof(below), ".%s", domain);
    plan_domain(s, parent ? below : domain);
}

/* Its items are separated by colons or semicolons (update-exim4.conf(8)). */
static void take_list(struct exim_planning *s, const char *setting, const char *list)
{
    if (strncmp(list, "<;", 2) == 0)
        list += 2;
    while (*list != '\0') {
        size_t len = strcspn(list, ":;"), item = len;

        while (item > 0 && *list == ' ') {
            list++;
            item--;
            len--;
        }
        while (item > 0 && list[item - 1] == ' ')
            item--;
        take_item(s, setting, list, item);
        list += len;
        list += *list != '\0';
    }
}

void exim_plan_domains(struct exim_planning *s)
{
    const struct setup_exim_debian *d = s->facts->debian;
    size_t before = s->plan->count;

    if (d == NULL) {
        setup_note(s->plan, SETUP_NEEDED,
                   "which domains are local is not known of a configuration of your own: posternctl list add local "
                   "DOMAIN for each whose mail ends here");
        return;
    }
    take_list(s, "the machine's name", s->facts->hostname);
    take_list(s, "dc_other_hostnames", d->other_hostnames);
    take_list(s, "dc_relay_domains", d->relay_domains);
    if (s->plan->count > before)
        setup_note(s->plan, SETUP_THERE,
                   "a domain in the list local loses the flag: take those out whose aliases or .forward lead elsewhere "
                   "(posternctl list del local DOMAIN; doc/flagging.md)");
}
