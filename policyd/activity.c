/* activity.c - see activity.h. */
#include "activity.h"

#include <string.h>

static json_t *asked_json(struct memory *m, int64_t now, int64_t *seconds)
{
    struct busy_name name[ACTIVITY_ASKED];
    size_t count = busy_top(m->busy, name, ACTIVITY_ASKED, now, seconds);
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++) {
        const struct answer *a = memory_peek(m, name[i].name, strlen(name[i].name));

        json_array_append_new(list, json_pack("{ss sI sI ss}", "domain", name[i].name, "asked",
                                              (json_int_t)name[i].asked, "missed", (json_int_t)name[i].missed, "answer",
                                              a == NULL ? "" : answer_level(a)));
    }
    return list;
}

static json_t *waiting_json(const struct lookup_waiting *waiting, size_t count)
{
    json_t *list = json_array();

    while (count-- > 0)
        json_array_append_new(list, json_pack("{ss sI ss}", "domain", waiting[count].name, "ms",
                                              (json_int_t)waiting[count].ms, "waits", waiting[count].waits_for));
    return list;
}

json_t *activity_json(struct memory *m, const struct lookup_waiting *waiting, size_t count, int64_t now)
{
    int64_t seconds;
    json_t *asked = asked_json(m, now, &seconds);

    return json_pack("{sI so so}", "seconds", (json_int_t)seconds, "asked", asked, "looking_up",
                     waiting_json(waiting, count));
}
