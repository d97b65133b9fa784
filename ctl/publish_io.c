/* publish_io.c - see publish_io.h. */
#include "publish_io.h"

#include "output_io.h"
#include "zone_text.h"

#include <string.h>

int publish_domain(char out[DOMAIN_BUF], const struct ctl *ctl)
{
    struct err e = {""};

    if (domain_normalise(out, ctl->word[0], strlen(ctl->word[0]), &e) != 0)
        report_error("\"%.300s\" is no domain name: %s", ctl->word[0], e.text);
    else if (out[0] == '_')
        report_error("\"%.300s\" is the name of a record: give the domain or host that it is for", ctl->word[0]);
    else
        return 0;
    return -1;
}

static int print_json(const struct verdicts *v, json_t *facts)
{
    if (facts != NULL && json_object_set_new(facts, "verdicts", verdicts_json(v)) == 0)
        return output_json(facts);
    json_decref(facts);
    return output_json(NULL);
}

int publish_verdicts(const struct ctl *ctl, const struct verdicts *v, json_t *facts)
{
    struct buf text;
    int rc;

    if (ctl->options & CTL_JSON) {
        rc = print_json(v, facts);
    } else {
        json_decref(facts);
        buf_init(&text, CTL_OUTPUT_MAX);
        verdicts_print(&text, v, ctl->colour);
        rc = output_and_clear(&text);
    }
    return rc == CTL_YES ? (int)verdicts_exit(v) : rc;
}

void publish_comments(struct buf *zone, const struct verdicts *v)
{
    for (size_t i = 0; i < v->count && !v->failed; i++) {
        const struct verdict *line = &v->line[i];

        if (line->level == VERDICT_OK)
            zone_comment(zone, "%s: %s", line->what, line->words);
        else
            zone_comment(zone, "%s: %s: %s", verdict_level_name(line->level), line->what, line->words);
    }
    if (v->failed)
        zone->failed = true;
}
