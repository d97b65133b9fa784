/* write_rules.c - for script tests: the milter's file of the rules on standard input. write_rules GENERATION COUNT */
#include "rules_kept.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int read_all(struct buf *out)
{
    char part[4096];
    size_t got;

    while ((got = fread(part, 1, sizeof(part), stdin)) > 0)
        buf_add(out, part, got);
    return buf_ok(out) && !ferror(stdin) ? 0 : -1;
}

int main(int argc, char **argv)
{
    struct lists_stamp stamp;
    struct err e = {"two words: GENERATION COUNT"};
    struct buf text, file;
    int rc = -1;

    buf_init(&text, RULES_TEXT_MAX);
    buf_init(&file, RULES_KEPT_MAX);
    if (argc == 3 && lists_stamp_parse(&stamp, argv[1], strlen(argv[1]), argv[2], strlen(argv[2]), &e) == 0 &&
        read_all(&text) == 0) {
        rules_kept_write(&file, &stamp, buf_text(&text), text.len);
        rc = buf_ok(&file) && fwrite(buf_text(&file), 1, file.len, stdout) == file.len && fflush(stdout) == 0 ? 0 : -1;
    }
    buf_clear(&text);
    buf_clear(&file);
    if (rc != 0)
        fprintf(stderr, "write_rules: %s\n", e.text);
    return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
