/* hold_report.c - see hold_report.h. */
#include "hold_report.h"

#include "print.h"

#include <string.h>

void hold_report_add(struct hold_report *r, const char *id, const char *first)
{
    if (r->count++ >= HOLD_REPORT_NAMED)
        return;
    buf_printf(r->said, "%s: %s to ", r->state, id);
    print_text(r->said, first, strlen(first));
    buf_char(r->said, '\n');
}

void hold_report_end(const struct hold_report *r, const char *server, const char *release, const char *more,
                     const char *loose)
{
    if (r->count > HOLD_REPORT_NAMED)
        buf_printf(r->said, "%s: and %zu more\n", r->state, r->count - HOLD_REPORT_NAMED);
    if (r->count > 0)
        buf_printf(r->said,
                   "Flagged mail is %s, as nothing protects it any more. It goes on, flagged, after \"posternctl setup "
                   "%s --apply\" and \"%s\"%s. %s without Postern it goes out like any other mail, the tag still in "
                   "the address.\n",
                   r->state, server, release, more, loose);
}
