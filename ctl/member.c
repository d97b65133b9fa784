/* member.c - see member.h. */
#include "member.h"

#include "print.h"

#include <string.h>

const char *member_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text != NULL ? text : "";
}

int64_t member_number(const json_t *object, const char *name)
{
    return (int64_t)json_integer_value(json_object_get(object, name));
}

json_t *harmless_string(const char *foreign)
{
    json_t *string;
    struct buf text;

    buf_init(&text, 4 * strlen(foreign) + 1);
    print_text(&text, foreign, strlen(foreign));
    string = buf_ok(&text) ? json_string(buf_text(&text)) : NULL;
    buf_clear(&text);
    return string;
}
