/* tls_commands_io.c - posternctl tls ciphers. */
#include "ctl.h"
#include "output_io.h"
#include "tls_offer.h"

#include <stdlib.h>

static int print_offer(const struct tls_offer *o, const struct ctl *ctl)
{
    struct buf text;

    if (ctl->options & CTL_JSON)
        return output_json(tls_offer_json(o));
    buf_init(&text, CTL_OUTPUT_MAX);
    tls_offer_print(&text, o, ctl->colour);
    return output_and_clear(&text);
}

int run_tls_ciphers(const struct ctl *ctl)
{
    struct tls_offer *o = calloc(1, sizeof(*o));
    struct err e = {""};
    int some, rc = CTL_YES;

    if (o == NULL) {
        report_error("no memory");
        return CTL_USAGE;
    }
    some = tls_offer_read(o, ctl->protocols, &e);
    if (some >= 0 && o->library != NULL)
        rc = print_offer(o, ctl);
    if (some <= 0)
        report_error("%s%s", ctl->protocols != NULL ? "--protocols: " : "", e.text);
    free(o);
    return some > 0 ? rc : some == 0 ? CTL_NO : CTL_USAGE;
}
