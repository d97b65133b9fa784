/*
 * fuzz_report_read.c - reports of anybody's: what is read has the form of RFC 8460, which nothing changes any more, and
 * what is noticed about it is bounded.
 */
#include "report_normal.h"
#include "report_notes.h"
#include "report_read.h"
#include "text_demand.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_note(void *ctx, const char *note)
{
    demand(note[0] != '\0' && ++*(size_t *)ctx <= 100);
}

static void demand_value(const char *text)
{
    if (text != NULL)
        demand_text(text, strlen(text));
}

static void demand_form(const json_t *report)
{
    const json_t *policies = json_object_get(report, "policies");

    demand(json_is_array(policies));
    for (size_t i = 0; i < json_array_size(policies); i++) {
        const json_t *entry = json_array_get(policies, i), *policy = json_object_get(entry, "policy");

        demand(json_is_object(policy) && json_is_array(json_object_get(policy, "policy-string")));
        demand(json_is_array(json_object_get(policy, "mx-host")));
        demand(json_is_array(json_object_get(entry, "failure-details")));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct report_found f;
    struct err e = {""};
    size_t notes = 0;
    json_t *before;

    if (report_find(&f, (const char *)data, size, &e) != 0) {
        demand(e.text[0] != '\0');
        return 0;
    }
    demand_form(f.json);
    demand_value(f.subject);
    demand_value(f.file_name);
    demand_value(f.domain);
    demand_value(f.submitter);
    report_notes(&f, on_note, &notes);
    before = json_deep_copy(f.json);
    demand(report_normalise(f.json, &e) == 0 && json_equal(before, f.json));
    json_decref(before);
    report_found_clear(&f);
    return 0;
}
