/* plain_wanted.c - see plain_wanted.h. */
#include "plain_wanted.h"

#include "tls_level.h"

#include <jansson.h>
#include <string.h>

enum plain_wanted plain_wanted_read(const char *json, size_t len)
{
    json_t *explained = json_loadb(json, len, 0, NULL);
    const char *level = json_string_value(json_object_get(explained, "level"));
    enum plain_wanted wanted = PLAIN_NOT_WANTED;

    if (level == NULL || strcmp(level, "temp") == 0 || strcmp(level, "unknown") == 0)
        wanted = PLAIN_UNKNOWN;
    else if (strcmp(level, tls_level_name(LEVEL_NONE)) == 0)
        wanted = PLAIN_WANTED;
    json_decref(explained);
    return wanted;
}
