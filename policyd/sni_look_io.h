/* sni_look_io.h - one look at the store of certificates, in a thread. Only sni_store_io.c uses this. */
#ifndef POSTERN_SNI_LOOK_IO_H
#define POSTERN_SNI_LOOK_IO_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "sni_table.h"

/* Set the first part; sni_look fills the second. It touches nothing else, and logs nothing. */
struct sni_look {
    char *folder; /* owned */
    bool answers; /* as for sni_table_new */
    uint8_t secret[16];
    bool anew;              /* read it, whatever has been seen */
    bool known;             /* something was there before: no folder is an error then */
    uint64_t seen;          /* the mark of when it was last read, */
    int64_t until;          /* and until when that holds */
    struct sni_table *drop; /* to be freed */

    struct sni_table *table; /* what was read; NULL: nothing has changed, or it could not be read: */
    struct err why;          /* "" when it could */
    int64_t ms;              /* how long it took */
};

void sni_look(struct sni_look *l);

#endif
