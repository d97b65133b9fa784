/* fuzz_tlsa.c - any octets as the text of a TLSA record, and as its wire form: three numbers and data. */
#include "tlsa.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool cond)
{
    if (!cond)
        abort();
}

static void check_round_trip(const struct tlsa *rr)
{
    char *text = malloc(TLSA_TEXT_BUF(rr->len));
    struct tlsa again;
    struct err e;

    check(text != NULL);
    tlsa_format(text, rr);
    check(tlsa_parse(&again, text, strlen(text), &e) == 0);
    check(again.usage == rr->usage && again.selector == rr->selector && again.matching_type == rr->matching_type);
    check(again.len == rr->len && (rr->len == 0 || memcmp(again.data, rr->data, rr->len) == 0));
    tlsa_clear(&again);
    free(text);
}

static void check_usable(const struct tlsa *rr)
{
    struct err e = {""};
    bool usable = tlsa_usable(rr, &e);

    check(usable == (e.text[0] == '\0'));
    check(ERR_peek_error() == 0);
    check(!usable || (rr->usage >= 2 && rr->usage <= 3 && rr->selector <= 1 && rr->matching_type <= 2));
    check(!usable || rr->matching_type != 1 || rr->len == 32);
    check(!usable || rr->matching_type != 2 || rr->len == 64);
    check(!usable || rr->len > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tlsa rr;
    struct err e = {""};

    if (tlsa_parse(&rr, size == 0 ? "" : (const char *)data, size, &e) == 0) {
        check_round_trip(&rr);
        check_usable(&rr);
    } else {
        check(e.text[0] != '\0' && rr.data == NULL && rr.len == 0);
    }
    tlsa_clear(&rr);
    if (size >= 3 && size - 3 <= TLSA_DATA_MAX) {
        rr = (struct tlsa){data[0], data[1], data[2], (uint16_t)(size - 3), malloc(size)};
        check(rr.data != NULL);
        memcpy(rr.data, data + 3, size - 3);
        check_round_trip(&rr);
        check_usable(&rr);
        tlsa_clear(&rr);
    }
    return 0;
}
