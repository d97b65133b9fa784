/* maillog.c - see maillog.h. */
#include "maillog.h"
