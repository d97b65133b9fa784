/* session_tell_io.c - see session_tell_io.h. */
#include "session_tell_io.h"

#include "tlsrpt_event.h"

#include <time.h>

void session_tell(struct tlsrpt_tell *tell, const struct session *s)
{
    struct buf json;

    if (tell == NULL)
        return;
    buf_init(&json, TLSRPT_EVENT_MAX);
    if (session_event_write(&json, s, time(NULL)))
        tlsrpt_tell(tell, json.data, json.len);
    buf_clear(&json);
}

void session_tell_skipped(struct tlsrpt_tell *tell, const struct relay_path *path)
{
    for (size_t i = path->usable; i < path->count; i++) {
        const struct relay_candidate *c = &path->candidate[i];
        const struct session s = {.dest = path->dest, .host = c->host, .what = c->barred};

        if (session_event_skipped(path, c))
            session_tell(tell, &s);
    }
}
