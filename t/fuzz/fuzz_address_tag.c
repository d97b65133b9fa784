/*
 * fuzz_address_tag.c - recipients, and what ORCPT says of them. A tag that was added is there, once; removed, the
 * address is what it was; the domain stays. ORCPT of an address is read back as it was; xtext as well.
 */
#include "address_tag.h"
#include "orcpt.h"
#include "text_demand.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct address_tag tag = {'+', "requiretls"};

static bool same(const struct buf *b, const char *text, size_t len)
{
    return b->len == len && memcmp(buf_text(b), text, len) == 0;
}

static void demand_domain(const char *a, size_t len, const struct buf *changed)
{
    struct address_split s, t;

    demand(address_split(&s, a, len, NULL) == 0 && s.local_len > 0);
    demand(s.local_at + s.local_len <= len && s.domain_at + s.domain_len <= len);
    demand(address_split(&t, changed->data, changed->len, NULL) == 0);
    demand(s.domain_len == t.domain_len);
    demand(memcmp(a + s.domain_at, changed->data + t.domain_at, t.domain_len) == 0);
}

static void try_tag(const char *a, size_t len, int has)
{
    struct buf with, again, without;

    buf_init(&with, len + 20);
    buf_init(&again, len + 20);
    buf_init(&without, len + 20);
    demand(address_tag_add(&with, &tag, a, len, NULL) == 0);
    if (with.len <= ADDRESS_TAG_MAX) {
        demand(address_tag_has(&tag, with.data, with.len, NULL) == 1);
        demand(address_tag_add(&again, &tag, with.data, with.len, NULL) == 0 && same(&again, with.data, with.len));
        demand_domain(a, len, &with);
        demand(address_tag_remove(&without, &tag, with.data, with.len, NULL) == 1);
        demand(has == 1 || same(&without, a, len));
    }
    buf_reset(&without);
    demand(address_tag_remove(&without, &tag, a, len, NULL) == has);
    demand(has == 1 || same(&without, a, len));
    demand(address_tag_has(&tag, without.data, without.len, NULL) == 0);
    demand_domain(a, len, &without);
    buf_clear(&with);
    buf_clear(&again);
    buf_clear(&without);
}

static void try_orcpt(const char *a, size_t len)
{
    struct address_split s;
    struct buf value, back;

    buf_init(&value, ORCPT_MAX + 10 * len);
    buf_init(&back, len + 1);
    demand(address_split(&s, a, len, NULL) == 0);
    if (orcpt_make(&value, a, len, NULL) == 0) {
        demand_text(value.data, value.len);
        demand(value.len <= ORCPT_MAX && orcpt_read(&back, value.data, value.len, NULL) == 0);
        demand(same(&back, a + s.local_at, s.domain_at + s.domain_len - s.local_at));
    }
    buf_clear(&value);
    buf_clear(&back);
}

/* Any octets have an xtext; not all that looks like one is. */
static void try_xtext(const char *text, size_t len)
{
    struct buf there, back;

    buf_init(&there, 3 * len);
    buf_init(&back, len);
    xtext_encode(&there, text, len);
    demand(buf_ok(&there) && xtext_decode(&back, buf_text(&there), there.len, NULL) == 0 && same(&back, text, len));
    buf_reset(&back);
    if (xtext_decode(&back, text, len, NULL) != 0)
        demand(back.len == 0);
    buf_reset(&back);
    if (orcpt_read(&back, text, len, NULL) == 0)
        demand(strlen(back.data) == back.len);
    buf_clear(&there);
    buf_clear(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *a = (const char *)data;
    struct err e = {""};
    int has = address_tag_has(&tag, a, size, &e);

    demand((has < 0) == (e.text[0] != '\0'));
    if (has >= 0) {
        try_tag(a, size, has);
        try_orcpt(a, size);
    }
    try_xtext(a, size);
    return 0;
}
