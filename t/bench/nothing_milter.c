/*
 * nothing_milter.c - bench: the least that a milter can do, for t/bench/milter. It asks for no command, no header field
 * and no body, and at the end of a message says that it may go on.
 *     t/bench/nothing_milter SOCKET       as libmilter writes sockets, such as inet:8464@127.0.0.1
 */
#include <libmilter/mfapi.h>
#include <stdio.h>

static sfsistat at_negotiate(SMFICTX *ctx, unsigned long actions, unsigned long steps, unsigned long f2,
                             unsigned long f3, unsigned long *want_actions, unsigned long *want_steps,
                             unsigned long *want_f2, unsigned long *want_f3)
{
    const unsigned long none = SMFIP_NOCONNECT | SMFIP_NOHELO | SMFIP_NOMAIL | SMFIP_NORCPT | SMFIP_NODATA |
                               SMFIP_NOHDRS | SMFIP_NOEOH | SMFIP_NOBODY | SMFIP_NOUNKNOWN;

    (void)ctx;
    (void)actions;
    (void)f2;
    (void)f3;
    *want_actions = 0;
    *want_steps = steps & none;
    *want_f2 = *want_f3 = 0;
    return SMFIS_CONTINUE;
}

static sfsistat at_end(SMFICTX *ctx)
{
    (void)ctx;
    return SMFIS_CONTINUE;
}

int main(int argc, char **argv)
{
    char name[] = "nothing";
    struct smfiDesc milter = {
        .xxfi_name = name, .xxfi_version = SMFI_VERSION, .xxfi_eom = at_end, .xxfi_negotiate = at_negotiate};

    if (argc != 2) {
        fprintf(stderr, "usage: nothing_milter SOCKET\n");
        return 2;
    }
    if (smfi_register(milter) != MI_SUCCESS || smfi_setconn(argv[1]) != MI_SUCCESS || smfi_main() != MI_SUCCESS) {
        fprintf(stderr, "nothing_milter: cannot serve %s\n", argv[1]);
        return 1;
    }
    return 0;
}
