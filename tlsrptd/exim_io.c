/* exim_io.c - see exim_io.h. */
#include "exim_io.h"
