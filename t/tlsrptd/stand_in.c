/* stand_in.c - reads a line as "TIME HOST IDENT[PID]: TEXT". */
#include "maillog.h"

#include <string.h>

bool maillog_entry_read(struct maillog_entry *out, const char *line, size_t len, int64_t now)
{
    const char *p = memmem(line, len, " postfix/smtp[", 14);
    const char *q = p == NULL ? NULL : memmem(p, (size_t)(line + len - p), "]: ", 3);

    if (q == NULL)
        return false;
    *out = (struct maillog_entry){.at = now, .ident = p + 1, .ident_len = 12, .pid = 1, .text = q + 3};
    out->text_len = (size_t)(line + len - out->text);
    return true;
}
