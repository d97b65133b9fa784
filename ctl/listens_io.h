/* listens_io.h - does anybody listen there? For daemons that have nothing to be asked. */
#ifndef POSTERN_LISTENS_IO_H
#define POSTERN_LISTENS_IO_H

#include <stdbool.h>

#define LISTENS_MS 2000 /* longest wait for the connection */

/* address: as address_parse reads it; "" is no. The connection is closed at once. */
bool listens(const char *address);

#endif
