/* acme_mail.c - see acme_mail.h. */
#include "acme_mail.h"

#include <string.h>
#include <time.h>

#define LINE_MAX_OCTETS 900 /* RFC 5322 2.1.1 */

/* Printable ASCII alone, up to a line end. Returns what follows. */
static const char *add_line(struct buf *out, const char *text)
{
    size_t len = 0;

    for (; *text != '\0' && *text != '\n'; text++) {
        if (len++ == LINE_MAX_OCTETS) {
            buf_str(out, "\r\n");
            len = 1;
        }
        buf_char(out, *text >= ' ' && *text <= '~' ? *text : '?');
    }
    return *text == '\n' ? text + 1 : text;
}

static void add_field(struct buf *out, const char *name, const char *text)
{
    buf_printf(out, "%s: ", name);
    (void)add_line(out, text);
    buf_str(out, "\r\n");
}

static int date_of(char *out, size_t size, int64_t now)
{
    time_t at = (time_t)now;
    struct tm tm;

    return gmtime_r(&at, &tm) != NULL && strftime(out, size, "%a, %d %b %Y %H:%M:%S +0000", &tm) > 0 ? 0 : -1;
}

int acme_mail_build(struct buf *out, const struct acme_mail *m, struct err *e)
{
    char date[64], subject[200];
    struct buf line;

    if (date_of(date, sizeof(date), m->now) != 0)
        return err_set(e, "the clock is wrong");
    buf_init(&line, sizeof(subject));
    buf_printf(&line, "Postern on %.60s: certificate %.64s %.60s", m->host, m->name, m->state);
    add_field(out, "From", m->from);
    add_field(out, "To", m->to);
    add_field(out, "Date", date);
    add_field(out, "Subject", buf_text(&line));
    buf_clear(&line);
    buf_printf(out, "Message-ID: <%s@", m->unique);
    (void)add_line(out, m->host);
    buf_str(out, ">\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; "
                 "charset=us-ascii\r\n\r\n");
    for (const char *text = m->text; *text != '\0';) {
        text = add_line(out, text);
        buf_str(out, "\r\n");
    }
    return buf_ok(out) ? 0 : err_set(e, "the mail is too long");
}
