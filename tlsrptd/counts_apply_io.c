/* counts_apply_io.c - see counts_apply_io.h. */
#include "counts_apply_io.h"
