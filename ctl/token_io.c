/* token_io.c - random octets as text. */
#include "token_io.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>

int token_make(char out[TOKEN_BUF], struct err *e)
{
    uint64_t random;

    if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return err_set(e, "no random octets");
    (void)snprintf(out, TOKEN_BUF, "%016" PRIx64, random);
    return 0;
}
