/* write_lists.c - GENERATION COUNT: entries ("LIST LINE", as list_line.h) on standard input to policyd's snapshot of
 * the lists on standard output. */
#include "list_line.h"
#include "lists_kept.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int line_take(struct lists *lists, char *line)
{
    char *rest = strchr(line, ' ');
    struct list_entry *entry = NULL;
    struct err e = {""};
    enum list_id list;

    line[strcspn(line, "\n")] = '\0';
    if (rest == NULL)
        return -1;
    *rest++ = '\0';
    if (list_by_name(&list, line, &e) == 0 &&
        list_line_read(&entry, list, rest, strlen(rest), "", 0, &e) == LIST_LINE_ENTRY)
        return list_put(lists->list[list], entry);
    fprintf(stderr, "%s\n", e.text);
    return -1;
}

int main(int argc, char **argv)
{
    static const uint8_t secret[16] = {0};
    struct lists_stamp stamp;
    struct lists lists;
    struct buf out;
    char line[LIST_LINE_MAX];

    if (argc != 3 || lists_init(&lists, secret) != 0 ||
        lists_stamp_parse(&stamp, argv[1], strlen(argv[1]), argv[2], strlen(argv[2]), NULL) != 0)
        return 2;
    while (fgets(line, sizeof(line), stdin) != NULL)
        if (line_take(&lists, line) != 0)
            return 1;
    buf_init(&out, LISTS_KEPT_MAX);
    lists_kept_write(&out, &lists, &stamp);
    fwrite(buf_text(&out), 1, out.len, stdout);
    buf_clear(&out);
    lists_clear(&lists);
    return 0;
}
