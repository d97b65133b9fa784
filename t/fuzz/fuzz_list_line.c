/*
 * fuzz_list_line.c - lines of lists, as people write them and of Postfix's tables: an octet that chooses the list and
 * the format, then the line. An entry that is taken is the same after its own JSON and its own line.
 */
#include "list_demand.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct recipe in = {data, size};
    unsigned how = take(&in);
    enum list_id list = (enum list_id)(how % 16 % LISTS);
    struct list_entry *entry = NULL;
    struct err e = {""};
    enum list_line is =
        (how & 16) == 0 ? list_line_read(&entry, list, (const char *)in.at, in.left, "anna", 1795255200, &e)
                        : list_line_read_postfix(&entry, list, (const char *)in.at, in.left, "anna", 1795255200, &e);

    demand((entry != NULL) == (is == LIST_LINE_ENTRY));
    demand(is != LIST_LINE_BAD || e.text[0] != '\0');
    demand((how & 16) != 0 || (is != LIST_LINE_OTHER && (is == LIST_LINE_BAD || e.text[0] == '\0')));
    if (entry != NULL) {
        demand((how & 16) == 0 || list == LIST_EXCLUDE || list == LIST_REQUIRE || list == LIST_PROTOCOLS);
        demand_json(list, entry);
        demand_line(list, entry);
    }
    free(entry);
    return 0;
}
