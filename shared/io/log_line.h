/* log_line.h - one event as the text of one line, see log.h for the rules. Pure. */
#ifndef POSTERN_LOG_LINE_H
#define POSTERN_LOG_LINE_H

#include <stdarg.h>

#include "log.h"

/* Write "EVENT key=value ..." and a NUL; cut at LOG_LINE_MAX octets. */
void log_line(char out[LOG_LINE_MAX + 1], const char *event, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

#endif
