/* counts_io.c - see counts_io.h. */
#include "counts_io.h"
