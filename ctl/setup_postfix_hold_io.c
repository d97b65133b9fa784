/* setup_postfix_hold_io.c - flagged mail in Postfix's queue is put on hold; see setup_postfix_io.h. */
#include "setup_postfix_io.h"

#include "hold_report.h"
#include "postfix_run_io.h"
#include "setup_postfix_queue.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOLD_BATCH 100

struct holding {
    struct hold_report report;
    const struct setup_request *r;
    char id[HOLD_BATCH][SETUP_QUEUE_ID];
    size_t count; /* in this batch */
};

static int hold_batch(struct holding *h, struct err *e)
{
    const char *words[2 * HOLD_BATCH + 1];
    struct buf out;
    size_t n = 0;
    int rc;

    for (size_t i = 0; i < h->count; i++) {
        words[n++] = "-h";
        words[n++] = h->id[i];
    }
    words[n] = NULL;
    if (h->count == 0)
        return 0;
    buf_init(&out, 1 << 20);
    rc = postfix_run(&out, h->r->ctl->config_dir, "postsuper", words, e);
    buf_clear(&out);
    h->count = 0;
    return rc;
}

_Static_assert(2 * HOLD_BATCH <= POSTFIX_WORDS_MAX, "postsuper's words");

static int hold_one(struct holding *h, const struct setup_queued *m, struct err *e)
{
    if (!m->flagged || m->held)
        return 0;
    memcpy(h->id[h->count++], m->id, sizeof(m->id));
    hold_report_add(&h->report, m->id, m->first);
    return h->count == HOLD_BATCH ? hold_batch(h, e) : 0;
}

static int hold_lines(struct holding *h, const char *at, struct err *e)
{
    const struct conf_milter *m = &h->r->conf->milter;
    const struct address_tag tags[2] = {{*m->delimiter, m->tag}, {*m->delimiter, m->optional_tag}};
    struct setup_queued message;

    while (*at != '\0') {
        size_t len = strcspn(at, "\n");

        if (len > 0 && (setup_queued_read(&message, at, len, tags, 2, e) != 0 || hold_one(h, &message, e) != 0))
            return -1;
        at += len + (at[len] == '\n');
    }
    return hold_batch(h, e);
}

/* Returns 1; 0: a Postfix that was never started has none yet; -1 with the reason. */
static int has_queue(const struct setup_request *r, struct err *e)
{
    char path[PATH_MAX];
    struct buf out;
    int rc;

    buf_init(&out, PATH_MAX);
    rc = postfix_run(&out, r->ctl->config_dir, "postconf", (const char *[]){"-xh", "queue_directory", NULL}, e);
    if (rc == 0) {
        (void)snprintf(path, sizeof(path), "%.*s/incoming", (int)strcspn(buf_text(&out), "\n"), buf_text(&out));
        rc = access(path, F_OK) == 0 ? 1 : 0;
    }
    buf_clear(&out);
    return rc;
}

int setup_postfix_hold(struct buf *said, const struct setup_request *r, struct err *e)
{
    struct holding *h = calloc(1, sizeof(*h));
    struct buf queue;
    int rc;

    if (h == NULL)
        return err_set(e, "no memory");
    h->report = (struct hold_report){.said = said, .state = "on hold"};
    h->r = r;
    buf_init(&queue, CTL_OUTPUT_MAX);
    rc = has_queue(r, e);
    if (rc == 1)
        rc = postfix_run(&queue, r->ctl->config_dir, "postqueue", (const char *[]){"-j", NULL}, e);
    if (rc == 0)
        rc = hold_lines(h, buf_text(&queue), e);
    buf_clear(&queue);
    if (rc == 0) {
        hold_report_end(&h->report, "postfix", "postsuper -H ID", "; postsuper -d ID throws it away", "Released");
        rc = (int)h->report.count;
    }
    free(h);
    return rc;
}
