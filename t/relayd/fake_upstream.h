/* fake_upstream.h - for programs that have fake_upstream.c in the place of upstream_io.c. */
#ifndef POSTERN_T_FAKE_UPSTREAM_H
#define POSTERN_T_FAKE_UPSTREAM_H

#include <stdbool.h>

extern bool fake_upstream_hurry; /* answer at the loop's next turn, whatever the script says */

#endif
