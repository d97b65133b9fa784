/* member.h - members of a JSON object that a daemon sent, for people; texts on their way into one. Pure. */
#ifndef POSTERN_MEMBER_H
#define POSTERN_MEMBER_H

#include <jansson.h>
#include <stdint.h>

/* The member as text, "" when it is missing or no string; valid as long as the object. */
const char *member_text(const json_t *object, const char *name);

/* The member as a number, 0 when it is missing or no integer. */
int64_t member_number(const json_t *object, const char *name);

/* A text of our own as a string, null when it is "" or NULL. */
json_t *string_or_null(const char *text);

/* Such texts as an array. NULL without memory. */
json_t *string_array(char *const *text, size_t count);

/* Foreign text, made harmless (print_text), as a string of the caller's. NULL without memory. */
json_t *harmless_string(const char *foreign);

#endif
