/* setup_sendmail_queue.c - see setup_sendmail_queue.h. */
#include "setup_sendmail_queue.h"

#include "ascii.h"
#include "next_line.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* P= of a line "Qgroup, P=/var/spool/mqueue/x, F=f" */
static void add_group(struct buf *out, const char *line, size_t len)
{
    for (size_t i = 1; i + 2 < len; i++) {
        const char *at = line + i;

        if ((at[0] != 'P' && at[0] != 'p') || (at[-1] != ' ' && at[-1] != '\t' && at[-1] != ','))
            continue;
        at += strcspn(at, "=\n");
        if (*at == '=') {
            at += 1 + strspn(at + 1, " \t");
            buf_add(out, at, strcspn(at, ", \t\n"));
            buf_char(out, '\n');
        }
        return;
    }
}

void setup_sendmail_queues(struct buf *out, const char *cf)
{
    static const char option[] = "O QueueDirectory=";

    for (const char *at = cf; *at != '\0'; at = next_line(at)) {
        size_t len = strcspn(at, "\n");

        if (strncmp(at, option, strlen(option)) == 0) {
            buf_add(out, at + strlen(option), len - strlen(option));
            buf_char(out, '\n');
        } else if (*at == 'Q') {
            add_group(out, at, len);
        }
    }
}

/* The tag stands somewhere in what is no address. */
static bool has_somewhere(const struct address_tag *tag, const char *text, size_t len)
{
    size_t word = strlen(tag->word);

    for (size_t i = 0; i + 1 + word <= len; i++)
        if (text[i] == tag->delimiter && strncasecmp(text + i + 1, tag->word, word) == 0)
            return true;
    return false;
}

/* Foo Bar <user@example.com>: what is in the brackets */
static bool has_tag(const struct address_tag *tag, const char *text, size_t len)
{
    const char *open = memchr(text, '<', len);
    int rc;

    if (open != NULL && text[len - 1] == '>') {
        len -= (size_t)(open - text);
        text = open;
    }
    rc = address_tag_has(tag, text, len, NULL);
    return rc == 1 || (rc < 0 && has_somewhere(tag, text, len));
}

bool setup_sendmail_flagged(char first[256], const char *qf, const struct address_tag tags[], size_t count)
{
    for (const char *at = qf; *at != '\0' && strncmp(at, ".\n", 2) != 0; at = next_line(at)) {
        size_t len = strcspn(at, "\n"), flags = 1;

        if (*at != 'R')
            continue;
        while (flags < len && ascii_is_alnum(at[flags]))
            flags++;
        flags = flags < len && at[flags] == ':' ? flags + 1 : 1;
        for (size_t i = 0; i < count && flags < len; i++)
            if (has_tag(&tags[i], at + flags, len - flags)) {
                (void)snprintf(first, 256, "%.*s", (int)(len - flags < 255 ? len - flags : 255), at + flags);
                return true;
            }
    }
    return false;
}
