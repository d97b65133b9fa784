/* sni_store.t.c - a store of certificates that is never read to its end, as on a server of files that has gone. */
#include "sni_look_io.h"
#include "sni_store_io.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <unistd.h>

/* In the place of the one that reads. */
void sni_look(struct sni_look *l)
{
    (void)l;
    pause();
}

static void on_read(void *ctx)
{
    *(bool *)ctx = true;
}

/* Nothing waits for it: neither the loop, nor a reload, nor the end of policyd. */
static void test_hung(void **state)
{
    struct event_base *base = event_base_new();
    struct sni_store *s = sni_store_new(base, "/nowhere", true);
    bool read = false;
    size_t len;

    (void)state;
    sni_store_when_read(s, on_read, &read);
    assert_int_equal(event_base_loop(base, EVLOOP_NONBLOCK), 0);
    assert_null(sni_store_get(s, "a.example", &len));
    sni_store_reload(s, "/elsewhere");
    assert_false(read);
    alarm(300);
    sni_store_free(s);
    alarm(0);
    event_base_free(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_hung)};

    return cmocka_run_group_tests_name("policyd/sni_store", tests, NULL, NULL);
}
