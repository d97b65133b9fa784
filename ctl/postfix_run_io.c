/* postfix_run_io.c - see postfix_run_io.h. */
#include "postfix_run_io.h"

#include "program_output_io.h"

int postfix_run(struct buf *out, const char *config_dir, const char *program, const char *const words[], struct err *e)
{
    char *argv[POSTFIX_WORDS_MAX + 4];
    size_t n = 0;

    argv[n++] = (char *)program;
    if (config_dir != NULL) {
        argv[n++] = (char *)"-c";
        argv[n++] = (char *)config_dir;
    }
    while (*words != NULL && n < POSTFIX_WORDS_MAX + 3)
        argv[n++] = (char *)*words++;
    argv[n] = NULL;
    return program_output(out, argv, e);
}
