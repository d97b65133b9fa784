/* fuzz_sts_http.c - the judgement of an HTTP answer: octet 0 and 1 the status, then the content type as the server sent
 * it. */
#include "sts_http.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = {""};
    char *type;
    long status;
    int rc;

    if (size < 2)
        return 0;
    status = data[0] * 4 + data[1] % 4;
    type = malloc(size - 1);
    if (type == NULL)
        return 0;
    memcpy(type, data + 2, size - 2);
    type[size - 2] = '\0';
    rc = sts_http_check(status, type, &e);
    if ((rc == 0) != (e.text[0] == '\0'))
        abort();
    if (rc == 0 && (status != 200 || strncasecmp(type + strspn(type, " \t"), "text/plain", 10) != 0))
        abort();
    if (sts_http_check(status, NULL, NULL) == 0)
        abort();
    free(type);
    return 0;
}
