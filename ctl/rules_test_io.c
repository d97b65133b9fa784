#include "ctl.h"
int run_rules_test(const struct ctl *ctl)
{
    (void)ctl;
    return CTL_NO;
}
