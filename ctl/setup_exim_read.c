/* setup_exim_read.c - see setup_exim_read.h. */
#include "setup_exim_read.h"

#include "ascii.h"
#include "next_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define INDENT 10 /* blanks, or blanks and a D, before a recipient */

/* --- update-exim4.conf.conf --- */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* The value of an assignment: quoted, or one word. */
static int take_value(char *out, size_t size, const char *name, const char *at, struct err *e)
{
    char quote = *at == '\'' || *at == '"' ? *at++ : '\0';
    size_t len = 0;

    for (; *at != '\0' && *at != '\n' && *at != quote; at++) {
        if (quote == '\0' && (ascii_is_blank(*at) || *at == ';' || *at == '\r'))
            break;
        if (quote != '\'' && (*at == '$' || *at == '`' || *at == '\\'))
            return err_set(e, "%s is computed by the shell, and cannot be read", name);
        if (len + 1 == size)
            return err_set(e, "%s is longer than %zu octets", name, size - 1);
        out[len++] = lower(*at);
    }
    out[len] = '\0';
    if (quote != '\0' && *at != quote)
        return err_set(e, "%s goes over several lines, or its quote has no end", name);
    return 0;
}

int setup_exim_read_debian(struct setup_exim_debian *out, const char *text, struct err *e)
{
    char split[16] = "";
    const struct {
        const char *name;
        char *value;
        size_t size;
    } names[] = {
        {"dc_use_split_config", split, sizeof(split)},
        {"dc_eximconfig_configtype", out->type, sizeof(out->type)},
        {"dc_other_hostnames", out->other_hostnames, sizeof(out->other_hostnames)},
        {"dc_relay_domains", out->relay_domains, sizeof(out->relay_domains)},
        {"dc_smarthost", out->smarthost, sizeof(out->smarthost)},
    };

    memset(out, 0, sizeof(*out));
    for (const char *at = text; *at != '\0'; at = next_line(at)) {
        at += strspn(at, " \t");
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
            size_t len = strlen(names[i].name);
            if (strncmp(at, names[i].name, len) == 0 && at[len] == '=' &&
                take_value(names[i].value, names[i].size, names[i].name, at + len + 1, e) != 0)
                return -1;
        }
    }
    out->split = strcmp(split, "true") == 0;
    return 0;
}

/* --- -bV --- */

static bool has_word(const char *line, const char *word)
{
    size_t len = strlen(word);

    for (const char *at = line; *at != '\0' && *at != '\n'; at++)
        if (strncmp(at, word, len) == 0 && (at == line || at[-1] == ' ') && strchr(" \r\n", at[len]) != NULL)
            return true;
    return false;
}

int setup_exim_read_build(struct setup_exim_build *out, const char *text, struct err *e)
{
    static const char version[] = "Exim version ", support[] = "Support for:";

    *out = (struct setup_exim_build){.major = 0};
    for (const char *at = text; *at != '\0'; at = next_line(at)) {
        if (strncmp(at, version, sizeof(version) - 1) == 0) {
            char *end;
            out->major = (unsigned)strtoul(at + sizeof(version) - 1, &end, 10);
            out->minor = *end == '.' ? (unsigned)strtoul(end + 1, NULL, 10) : 0;
        }
        if (strncmp(at, support, sizeof(support) - 1) == 0) {
            out->gnutls = has_word(at, "GnuTLS");
            out->dane = has_word(at, "DANE");
            out->events = has_word(at, "Event");
        }
    }
    return out->major > 0 ? 0 : err_set(e, "exim4 -bV does not say which version it is");
}

/* --- the queue --- */

/* AGE SIZE ID <SENDER>[ (USER)][ *** frozen ***] */
static int read_head(struct setup_exim_queued *out, const char *line)
{
    static const char frozen[] = " *** frozen ***";
    size_t len = strcspn(line, "\n"), id = 0;
    const char *at = line;

    for (int word = 0; word < 2; word++) {
        at += strspn(at, " ");
        at += strcspn(at, " \n");
    }
    at += strspn(at, " ");
    while (id < SETUP_EXIM_ID && (ascii_is_alnum(at[id]) || at[id] == '-'))
        id++;
    if (id == 0 || id == SETUP_EXIM_ID || strncmp(at + id, " <", 2) != 0)
        return -1;
    memcpy(out->id, at, id);
    out->held = len >= sizeof(frozen) && strncmp(line + len - (sizeof(frozen) - 1), frozen, sizeof(frozen) - 1) == 0;
    return 0;
}

static void look_at_recipient(struct setup_exim_queued *out, const char *line, const struct address_tag *tag)
{
    size_t len = strcspn(line, "\n");

    if (len <= INDENT || out->flagged || address_tag_has(tag, line + INDENT, len - INDENT, NULL) != 1)
        return;
    out->flagged = true;
    (void)snprintf(out->first, sizeof(out->first), "%.*s", (int)(len - INDENT), line + INDENT);
}

int setup_exim_read_queued(struct setup_exim_queued *out, const char **text, const struct address_tag *tag,
                           struct err *e)
{
    const char *at = *text;

    *out = (struct setup_exim_queued){.held = false};
    while (*at == '\n')
        at++;
    if (*at == '\0')
        return 0;
    if (read_head(out, at) != 0)
        return err_set(e, "exim4 -bpu prints a line that is no message: \"%.*s\"",
                       (int)(strcspn(at, "\n") < 100 ? strcspn(at, "\n") : 100), at);
    for (at = next_line(at); strncmp(at, "        ", 8) == 0; at = next_line(at))
        if (at[8] != 'D')
            look_at_recipient(out, at, tag);
    *text = at;
    return 1;
}
