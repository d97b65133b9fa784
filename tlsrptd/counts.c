/* counts.c - see counts.h. */
#include "counts.h"
