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

json_t *string_or_null(const char *text)
{
    return text == NULL || text[0] == '\0' ? json_null() : json_string(text);
}

json_t *string_array(char *const *text, size_t count)
{
    json_t *array = json_array();

    for (size_t i = 0; i < count && array != NULL; i++)
        if (json_array_append_new(array, json_string(text[i])) != 0) {
            json_decref(array);
            array = NULL;
        }
    return array;
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
