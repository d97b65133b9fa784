/*
 * fuzz_list_entry.c - entries as Redis has them: an octet that chooses the list, the pattern, a line feed, the JSON. An
 * entry that is taken is the same after its own JSON and its own line.
 */
#include "list_demand.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct recipe in = {data, size};
    enum list_id list = (enum list_id)(take(&in) % LISTS);
    const uint8_t *lf = in.left == 0 ? NULL : memchr(in.at, '\n', in.left);
    size_t pattern = lf == NULL ? in.left : (size_t)(lf - in.at);
    size_t json = lf == NULL ? in.left : pattern + 1;
    struct err e = {""};
    struct list_entry *entry =
        list_entry_from_json(list, (const char *)in.at, pattern, (const char *)in.at + json, in.left - json, &e);

    demand((entry == NULL) == (e.text[0] != '\0'));
    if (entry != NULL) {
        demand(strlen(entry->pattern) == pattern);
        demand(!entry->override || list == LIST_EXCLUDE || list == LIST_STS_EXCLUDE);
        demand_json(list, entry);
        demand_line(list, entry);
    }
    free(entry);
    return 0;
}
