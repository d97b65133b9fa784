/* dkim_text.c - see dkim_text.h. */
#include "dkim_text.h"

#include "member.h"
#include "table.h"

#include <string.h>

#define STRING_MAX ((size_t)255) /* RFC 1035 3.3 */

void dkim_zone_line(struct buf *out, const char *selector, const char *domain, const char *record)
{
    size_t left = strlen(record);

    buf_printf(out, "%s._domainkey%s%s%s IN TXT (", selector, domain[0] != '\0' ? "." : "", domain,
               domain[0] != '\0' ? "." : "");
    while (left > 0) {
        size_t n = left < STRING_MAX ? left : STRING_MAX;

        buf_printf(out, " \"%.*s\"", (int)n, record);
        record += n;
        left -= n;
    }
    buf_str(out, " )\n");
}

void dkim_checks_print(struct buf *out, const json_t *keys, bool colour)
{
    static const char *const head[] = {"KEY", "RECORD AT", "STATE", "WHY"};
    struct table *t = table_new_headed(head, 4);

    for (size_t i = 0; i < json_array_size(keys); i++) {
        const json_t *key = json_array_get(keys, i);
        const char *state = member_text(key, "state");

        table_add(t, TINT_NONE, member_text(key, "key"));
        table_add(t, TINT_NONE, member_text(key, "name"));
        table_add(t, strcmp(state, "fits") == 0 ? TINT_GOOD : strcmp(state, "weak") == 0 ? TINT_WARN : TINT_BAD, state);
        table_add(t, TINT_NONE, member_text(key, "why"));
    }
    table_print(out, t, 0, colour);
    table_free(t);
}
