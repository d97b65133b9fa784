/* dkim.c - see dkim.h. */
#include "dkim.h"
