/* utc_day.c - see utc_day.h. */
#include "utc_day.h"
