/* exim_line.c - see exim_line.h. */
#include "exim_line.h"
