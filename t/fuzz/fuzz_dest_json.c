/*
 * fuzz_dest_json.c - destination records from Redis: what is taken comes back the same from its own JSON, lives no
 * longer than its policy says, and gives decisions and answers that keep their form, whatever the facts. The octets are
 * tried as a policy body, too: a body that is taken can be stored.
 */
#include "dest_demand.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Any choice that the input decides will do. */
static unsigned choose(const uint8_t *data, size_t size)
{
    unsigned sum = 0;

    for (size_t i = 0; i < size; i++)
        sum += data[i];
    return sum;
}

static void check_body(const uint8_t *data, size_t size)
{
    struct dest *d = dest_new("example.com");

    demand(d != NULL);
    if (dest_sts_set_policy(&d->sts, "1", (const char *)data, size, 1000, NULL) == 0) {
        demand(fits_json(d));
        demand_round_trip(d);
        demand_decisions(d, choose(data, size));
    }
    dest_free(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = {""};
    struct dest *d = dest_from_json((const char *)data, size, &e);

    demand((d == NULL) == (e.text[0] != '\0'));
    if (d != NULL) {
        demand(!d->sts.has_policy || d->sts.expires == d->sts.fetched + d->sts.policy.max_age);
        demand_round_trip(d);
        demand_decisions(d, choose(data, size));
    }
    dest_free(d);
    check_body(data, size);
    return 0;
}
