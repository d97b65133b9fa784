/* report_mail.c - see report_mail.h. */
#include "report_mail.h"
