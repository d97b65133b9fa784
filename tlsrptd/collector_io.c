/* collector_io.c - see collector_io.h. */
#include "collector_io.h"
