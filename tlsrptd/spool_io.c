/* spool_io.c - see spool_io.h. */
#include "spool_io.h"
