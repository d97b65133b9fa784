/* smtp_refusal.c - see smtp_refusal.h. */
#include "smtp_refusal.h"

#include <stdarg.h>
#include <stdio.h>

int smtp_refuse_as(struct smtp_refusal *r, unsigned code, const char *status, const struct err *why)
{
    if (r == NULL)
        return -1;
    r->code = code;
    r->status = status;
    return err_set(&r->why, "%s", why->text);
}

int smtp_refuse(struct smtp_refusal *r, unsigned code, const char *status, const char *fmt, ...)
{
    struct err why;
    va_list ap;

    va_start(ap, fmt);
    if (vsnprintf(why.text, sizeof(why.text), fmt, ap) < 0)
        why.text[0] = '\0';
    va_end(ap);
    return smtp_refuse_as(r, code, status, &why);
}
