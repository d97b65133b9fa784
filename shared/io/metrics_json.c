/* metrics_json.c - see metrics_json.h. */
#include "metrics_json.h"

static void add(void *ctx, const char *family, const char *labels, uint64_t value)
{
    json_t *object = ctx, *there = json_object_get(object, family);

    if (labels[0] == '\0') {
        if (there == NULL)
            json_object_set_new(object, family, json_integer((json_int_t)value));
        return;
    }
    if (value == 0)
        return;
    if (there == NULL) {
        there = json_object();
        json_object_set_new(object, family, there);
    }
    json_object_set_new(there, labels, json_integer((json_int_t)value));
}

void metrics_json(json_t *object, const struct metric *m, size_t count, size_t rows, size_t skip)
{
    metrics_each(m, count, rows, skip, add, object);
}
