/* flag.c - see flag.h. */
#include "flag.h"

const char *flag_why_name(enum flag_why why)
{
    static const char *const names[] = {"none", "tag", "mail-from", "rule", "header"};

    return names[why];
}
