/* attempts_io.c - see attempts_io.h. */
#include "attempts_io.h"
