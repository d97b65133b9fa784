/* report.c - see report.h. */
#include "report.h"
