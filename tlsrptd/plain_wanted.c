/* plain_wanted.c - see plain_wanted.h. */
#include "plain_wanted.h"

#include "tls_level.h"

#include <jansson.h>
#include <string.h>

/* What the MTA is told, where policyd does not know any more what that was decided on. */
static enum plain_wanted by_answer(const char *answer)
{
    static const char ok[] = "OK ";
    const char *none = tls_level_name(LEVEL_NONE);

    if (answer != NULL && strncmp(answer, "NOTFOUND", strlen("NOTFOUND")) == 0)
        return PLAIN_NOT_WANTED;
    if (answer == NULL || strncmp(answer, ok, strlen(ok)) != 0)
        return PLAIN_UNKNOWN;
    answer += strlen(ok);
    return strcspn(answer, " ") == strlen(none) && strncmp(answer, none, strlen(none)) == 0 ? PLAIN_WANTED
                                                                                            : PLAIN_NOT_WANTED;
}

enum plain_wanted plain_wanted_read(const char *json, size_t len)
{
    json_t *explained = json_loadb(json, len, 0, NULL);
    const char *level = json_string_value(json_object_get(explained, "level"));
    enum plain_wanted wanted = PLAIN_NOT_WANTED;

    if (level == NULL || strcmp(level, "temp") == 0)
        wanted = PLAIN_UNKNOWN;
    else if (strcmp(level, "unknown") == 0)
        wanted = by_answer(json_string_value(json_object_get(explained, "answer")));
    else if (strcmp(level, tls_level_name(LEVEL_NONE)) == 0)
        wanted = PLAIN_WANTED;
    json_decref(explained);
    return wanted;
}
