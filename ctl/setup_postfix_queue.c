/* setup_postfix_queue.c - see setup_postfix_queue.h. */
#include "setup_postfix_queue.h"

#include "ascii.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static bool is_id(const char *text)
{
    size_t len = text != NULL ? strlen(text) : 0;

    for (size_t i = 0; i < len; i++)
        if (!ascii_is_alnum(text[i]))
            return false;
    return len > 0 && len < SETUP_QUEUE_ID;
}

static void look_at_recipient(struct setup_queued *out, const char *address, const struct address_tag *tags,
                              size_t tag_count)
{
    for (size_t i = 0; i < tag_count && !out->flagged; i++)
        if (address_tag_has(&tags[i], address, strlen(address), NULL) == 1) {
            out->flagged = true;
            (void)snprintf(out->first, sizeof(out->first), "%s", address);
        }
}

int setup_queued_read(struct setup_queued *out, const char *line, size_t len, const struct address_tag *tags,
                      size_t tag_count, struct err *e)
{
    json_t *object = json_loadb(line, len, 0, NULL);
    const json_t *recipients = json_object_get(object, "recipients");
    const char *id = json_string_value(json_object_get(object, "queue_id"));
    const char *queue = json_string_value(json_object_get(object, "queue_name"));
    int rc = 0;

    *out = (struct setup_queued){.held = queue != NULL && strcmp(queue, "hold") == 0};
    if (!is_id(id) || !json_is_array(recipients))
        rc = err_set(e, "postqueue prints a line that is no message: \"%.*s\"", (int)(len < 100 ? len : 100), line);
    else
        (void)snprintf(out->id, sizeof(out->id), "%s", id);
    for (size_t i = 0; rc == 0 && i < json_array_size(recipients); i++) {
        const char *address = json_string_value(json_object_get(json_array_get(recipients, i), "address"));
        if (address != NULL)
            look_at_recipient(out, address, tags, tag_count);
    }
    json_decref(object);
    return rc;
}
