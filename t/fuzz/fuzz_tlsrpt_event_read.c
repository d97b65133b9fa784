/*
 * fuzz_tlsrpt_event_read.c - any octets as a datagram of libtlsrpt: what is read is in its one form and within its
 * limits; and written and read again it is the same, without anything odd.
 */
#include "tlsrpt_event_read.h"

#include "domain.h"
#include "utf8.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool cond)
{
    if (!cond)
        abort();
}

static void check_text(const char *text, size_t max)
{
    size_t len = strlen(text);

    check(len <= max);
    for (size_t i = 0, took; i < len; i += took) {
        took = utf8_measure(text + i, len - i);
        check(took > 0);
    }
}

static void check_domain(const char *name, bool needed)
{
    char again[DOMAIN_BUF];

    if (name[0] == '\0' && !needed)
        return;
    check(domain_normalise(again, name, strlen(name), NULL) == 0 && strcmp(again, name) == 0);
}

static void check_address(const char *text)
{
    char again[ADDRESS_BUF];

    if (text[0] != '\0')
        check(address_normalise(again, text, strlen(text)) == 1 && strcmp(again, text) == 0);
}

static void check_list(const char *const *list, size_t count, size_t max)
{
    size_t octets = 0;

    for (size_t i = 0; i < count; i++) {
        check_text(list[i], max);
        octets += strlen(list[i]) + (i > 0 ? 3 : 2);
    }
    check(octets <= max);
}

static void check_failure(const struct tlsrpt_failure *f)
{
    enum tlsrpt_result result;

    check(tlsrpt_result_of_code(&result, (long)f->result));
    check_address(f->sending_ip);
    check_address(f->receiving_ip);
    check_domain(f->mx_name, false);
    check_text(f->mx_helo, TLSRPT_HELO_MAX);
    check_text(f->additional, TLSRPT_ADDITIONAL_MAX);
    check_text(f->reason, TLSRPT_REASON_MAX);
}

static void check_event(const struct tlsrpt_event *event)
{
    check_domain(event->domain, true);
    check_text(event->record, TLSRPT_RECORD_TEXT);
    check(event->policies > 0 && event->policies <= TLSRPT_READ_POLICIES);
    for (size_t i = 0; i < event->policies; i++) {
        const struct tlsrpt_policy *p = &event->policy[i];

        check(p->type == TLSRPT_POLICY_TLSA || p->type == TLSRPT_POLICY_STS || p->type == TLSRPT_POLICY_NONE);
        check_domain(p->domain, true);
        check_list(p->string, p->strings, TLSRPT_STRINGS_MAX);
        check_list(p->mx, p->mx_count, TLSRPT_MX_MAX);
        for (size_t k = 0; k < p->failures; k++)
            check_failure(&p->failure[k]);
    }
}

static void check_round_trip(const struct tlsrpt_event *event)
{
    struct buf first, second;
    struct tlsrpt_event_read again;

    buf_init(&first, TLSRPT_EVENT_MAX);
    buf_init(&second, TLSRPT_EVENT_MAX);
    tlsrpt_event_write(&first, event);
    if (buf_ok(&first)) {
        check(tlsrpt_event_read(&again, first.data, first.len, NULL) == 0);
        check(again.notes == 0);
        check_event(&again.event);
        tlsrpt_event_write(&second, &again.event);
        check(buf_ok(&second) && strcmp(buf_text(&first), buf_text(&second)) == 0);
        tlsrpt_event_read_clear(&again);
    }
    buf_clear(&first);
    buf_clear(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tlsrpt_event_read r;
    struct err e = {""};
    int rc = tlsrpt_event_read(&r, size == 0 ? "" : (const char *)data, size, &e);

    check((rc == -1) == (e.text[0] != '\0'));
    check(rc == 0 || r.memory == NULL);
    if (rc == 0) {
        check_event(&r.event);
        check_round_trip(&r.event);
    }
    tlsrpt_event_read_clear(&r);
    return 0;
}
