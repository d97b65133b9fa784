/* maillog_entry.c - a line of a log file, taken apart; see maillog.h. */
#include "maillog.h"

#include "ascii.h"
#include "maillog_time.h"
#include "span.h"

#define PID_MAX    4194304
#define PID_DIGITS 7

static bool ends(const char *ident, size_t len, struct span with)
{
    return len > with.len && memcmp(ident + len - with.len, with.at, with.len) == 0;
}

bool maillog_ident_wanted(const char *ident, size_t len)
{
    return ends(ident, len, SPAN("/smtp")) || ends(ident, len, SPAN("/qmgr")) || ends(ident, len, SPAN("/bounce"));
}

/* " mta postfix/smtp[4711]: " up to the text; cheap for a line that is not wanted. */
static bool take_ident(struct maillog_entry *out, struct span *s)
{
    struct span host, ident, pid;

    if (!span_take(s, SPAN(" ")) || !span_take_until(s, &host, ' ') || host.len == 0 ||
        !span_take_until(s, &ident, '[') || !maillog_ident_wanted(ident.at, ident.len) ||
        memchr(ident.at, ' ', ident.len) != NULL)
        return false;
    if (!span_take_until(s, &pid, ']') || pid.len == 0 || pid.len > PID_DIGITS || !span_take(s, SPAN(": ")))
        return false;
    out->ident = ident.at;
    out->ident_len = ident.len;
    out->pid = 0;
    for (size_t i = 0; i < pid.len; i++) {
        if (!ascii_is_digit(pid.at[i]))
            return false;
        out->pid = out->pid * 10 + (pid.at[i] - '0');
    }
    return out->pid <= PID_MAX;
}

bool maillog_entry_read(struct maillog_entry *out, const char *line, size_t len, int64_t now)
{
    struct span s = {line, len < MAILLOG_LINE_MAX ? len : MAILLOG_LINE_MAX}, time = s;

    if (!maillog_time_skip(&s) || !take_ident(out, &s))
        return false;
    out->text = s.at;
    out->text_len = s.len;
    return maillog_time_take(&out->at, &time, now) && span_begins(time, SPAN(" "));
}
