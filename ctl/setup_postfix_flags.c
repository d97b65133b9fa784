/* setup_postfix_flags.c - what contrib/postfix/flags.cf has: mail passes the milter, and flagged mail goes to relayd.
 */
#include "setup_postfix_internal.h"

#include <stdio.h>
#include <string.h>

#define FLAG_MAP "regexp:$config_directory/transport_flags.regexp"

/* --- the milter --- */

static bool has_milter(const struct postfix_planning *s)
{
    const char *list = postfix_value(s->postfix, NULL, "smtpd_milters"), *word;
    const char *ours = s->postern->milter.listen;
    const char *path = strncmp(ours, "unix:", 5) == 0 ? ours + 5 : NULL;
    const char *queue = postfix_value(s->postfix, NULL, "queue_directory");
    char address[600];
    size_t len;

    while (postfix_word(&list, &word, &len)) {
        while (len > 0 && (*word == '{' || *word == ' ')) {
            word++;
            len--;
        }
        (void)snprintf(address, sizeof(address), "%.*s", (int)len, word);
        address[strcspn(address, " ,}")] = '\0';
        if (strcmp(address, ours) == 0)
            return true;
        if (path != NULL && strncmp(path, queue, strlen(queue)) == 0 && strncmp(address, "unix:", 5) == 0 &&
            strcmp(address + 5, path + strlen(queue) + (path[strlen(queue)] == '/')) == 0)
            return true;
    }
    return false;
}

/* The milter's address as Postfix writes it: within the chroot if it is there. */
static void milter_address(char out[600], const struct postfix_planning *s)
{
    const char *listen = s->postern->milter.listen;
    const char *queue = postfix_value(s->postfix, NULL, "queue_directory");
    size_t len = strlen(queue);

    if (strncmp(listen, "unix:", 5) == 0 && len > 0 && strncmp(listen + 5, queue, len) == 0 && listen[5 + len] == '/')
        (void)snprintf(out, 600, "unix:%.500s", listen + 5 + len + 1);
    else
        (void)snprintf(out, 600, "%.500s", listen);
}

static void plan_milter(struct postfix_planning *s)
{
    const char *before = postfix_raw(s, "smtpd_milters");
    const char *action = postfix_value(s->postfix, NULL, "milter_default_action");
    bool there = has_milter(s), holds = strcmp(action, "tempfail") == 0;
    char address[600];
    struct buf value;

    milter_address(address, s);
    buf_init(&value, SETUP_VALUE_MAX);
    buf_str(&value, before);
    if (!there)
        buf_printf(&value, holds ? "%s%s" : "%s{ %s, default_action = tempfail }", *before != '\0' ? ", " : "",
                   address);
    postfix_parameter(s, there,
                      *before != '\0' && !there ? "mail by SMTP passes the milter, behind those of yours"
                                                : "mail by SMTP passes the milter",
                      "smtpd_milters", buf_text(&value));
    buf_clear(&value);
    if (there && !holds && strchr(postfix_value(s->postfix, NULL, "smtpd_milters"), '{') == NULL)
        postfix_parameter(s, false, "mail is put off while the milter is away", "milter_default_action", "tempfail");
    if (postfix_number(postfix_value(s->postfix, NULL, "milter_protocol")) >= 6)
        return;
    if (*before != '\0' && !there)
        setup_notef(s->plan, SETUP_CLASH,
                    "milter_protocol is %.50s, and Postern's milter needs 6: see whether your own do, too",
                    postfix_value(s->postfix, NULL, "milter_protocol"));
    else
        postfix_parameter(s, false, "the milter is told all it needs", "milter_protocol", "6");
}

/* "\0" or "\000" within it */
static bool strips_nul(const char *value)
{
    for (const char *p = strchr(value, '\\'); p != NULL; p = strchr(p + 1, '\\'))
        if (strncmp(p, "\\000", 4) == 0 || (p[1] == '0' && (p[2] < '0' || p[2] > '7')))
            return true;
    return false;
}

static void plan_strip(struct postfix_planning *s)
{
    const char *before = postfix_raw(s, "message_strip_characters");
    bool there = strips_nul(before);
    struct buf value;

    buf_init(&value, SETUP_VALUE_MAX);
    buf_printf(&value, "%s%s", before, there ? "" : "\\0");
    postfix_parameter(s, there, "a rule sees header fields to their end", "message_strip_characters", buf_text(&value));
    buf_clear(&value);
}

/* --- addresses --- */

static void plan_delimiter(struct postfix_planning *s)
{
    const char *now = postfix_value(s->postfix, NULL, "recipient_delimiter");
    const char *ours = s->postern->milter.delimiter;

    if (*now != '\0' && strchr(now, *ours) == NULL)
        setup_notef(s->plan, SETUP_CLASH,
                    "recipient_delimiter is %.20s, and Postern's is %s: write delimiter = \"%.1s\" into the section "
                    "milter of postern.conf (+, -, =, # or _), or add %s to recipient_delimiter",
                    now, ours, now, ours);
    else
        postfix_parameter(s, *now != '\0', "flagged addresses of your own are found", "recipient_delimiter",
                          *now != '\0' ? now : ours);
}

static void plan_propagate(struct postfix_planning *s)
{
    static const char *const wanted[] = {"canonical", "virtual", "alias", "forward", "include"};
    const char *now = postfix_raw(s, "propagate_unmatched_extensions");
    bool there = true;
    struct buf value;

    buf_init(&value, SETUP_VALUE_MAX);
    buf_str(&value, now);
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
        if (!postfix_list_has(postfix_value(s->postfix, NULL, "propagate_unmatched_extensions"), wanted[i])) {
            buf_printf(&value, "%s%s", value.len > 0 ? ", " : "", wanted[i]);
            there = false;
        }
    postfix_parameter(s, there, "what aliases and .forward lead to keeps the flag", "propagate_unmatched_extensions",
                      buf_text(&value));
    buf_clear(&value);
}

/* --- the way to relayd --- */

/* Does a word name the map of flagged mail? */
static bool is_flag_map(const struct postfix_planning *s, const char *word, size_t len)
{
    char expanded[4200];
    size_t n = (size_t)snprintf(expanded, sizeof(expanded), "regexp:%s/transport_flags.regexp", s->facts->config_dir);

    return (len == n && strncmp(word, expanded, len) == 0) ||
           (len == strlen(FLAG_MAP) && strncmp(word, FLAG_MAP, len) == 0);
}

static void plan_transport(struct postfix_planning *s)
{
    const char *now = postfix_value(s->postfix, NULL, "transport_maps"), *before = postfix_raw(s, "transport_maps");
    const char *word;
    bool there, others = false;
    struct buf value;
    size_t len;

    there = postfix_word(&now, &word, &len) && is_flag_map(s, word, len);
    buf_init(&value, SETUP_VALUE_MAX);
    buf_str(&value, FLAG_MAP);
    while (postfix_word(&before, &word, &len))
        if (!is_flag_map(s, word, len)) {
            buf_str(&value, ", ");
            buf_add(&value, word, len);
            others = true;
        }
    postfix_parameter(s, there,
                      others && !there ? "flagged mail goes to relayd, before your own maps"
                                       : "flagged mail goes to relayd",
                      "transport_maps", there ? postfix_raw(s, "transport_maps") : buf_text(&value));
    buf_clear(&value);
}

/* At least so much, or 0, which is no limit. */
static void plan_number(struct postfix_planning *s, const char *what, const char *name, const char *wanted)
{
    const char *now = postfix_value(s->postfix, NULL, name);
    bool there = strcmp(wanted, "0") == 0 ? strcmp(now, "0") == 0
                                          : *now != '\0' && postfix_number(now) > s->postern->relayd.per_domain;

    postfix_parameter(s, there, what, name, there ? now : wanted);
}

void postfix_plan_flags(struct postfix_planning *s)
{
    plan_milter(s);
    plan_strip(s);
    plan_delimiter(s);
    plan_propagate(s);
    plan_transport(s);
    plan_number(s, "a moment without relayd does not put flagged mail off",
                "requiretls_destination_concurrency_failed_cohort_limit", "0");
    plan_number(s, "domains that are slow leave room for others", "requiretls_destination_concurrency_limit", "50");
    plan_number(s, "the same, from the beginning", "requiretls_initial_destination_concurrency", "50");
}
