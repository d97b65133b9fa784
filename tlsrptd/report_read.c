/* report_read.c - see report_read.h. */
#include "report_read.h"
