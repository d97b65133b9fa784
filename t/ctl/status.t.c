/* status.t.c - what people see of a daemon's status. */
#include "status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define HEAD "postern-policyd  up\n  address        unix:/x\n"

static const struct row {
    const char *status, *text;
} rows[] = {
    {"{\"version\":\"1\",\"uptime\":5,\"tracking\":true}", HEAD "  version        1\n  uptime         5 s\n"
                                                                "  tracking       yes\n"},
    {"{\"lists\":{\"from\":\"redis\",\"redis\":\"adopt\",\"read\":1,\"file_problem\":\"\",\"lists\":{}}}",
     HEAD "  lists          from Redis\n"},
    {"{\"lists\":{\"from\":\"redis\",\"redis\":\"adopt\",\"file_problem\":\"No space\",\"lists\":"
     "{\"require\":{\"entries\":3},\"exclude\":{\"entries\":1,\"bad\":2,\"problem\":\"a b: no name\"}}}}",
     HEAD "  lists          from Redis\n    file         No space\n    require      3\n"
          "    exclude      1; 2 cannot be read, the first: a b: no name\n"},
    {"{\"lists\":{\"from\":\"redis\",\"redis\":\"adopt\",\"lists\":"
     "{\"only\":{\"entries\":4,\"bad\":0,\"problem\":\"WRONGTYPE no hash\"}}}}",
     HEAD "  lists          from Redis\n    only         4, as it was known; it cannot be read: WRONGTYPE no hash\n"},
    {"{\"lists\":{\"from\":\"redis\",\"redis\":\"lost\"}}",
     HEAD "  lists          kept: Redis has lost them; see posternctl list restore\n"},
    {"{\"lists\":{\"from\":\"file\",\"redis\":\"older\"}}",
     HEAD "  lists          kept: Redis has older ones; see posternctl list restore\n"},
    {"{\"lists\":{\"from\":\"file\",\"redis\":\"adopt\"}}",
     HEAD "  lists          from the file, as Redis cannot be reached\n"},
    {"{\"lists\":{\"from\":\"none\",\"redis\":\"adopt\"}}", HEAD "  lists          none, as there is no Redis\n"},
    {"{\"lists\":{\"from\":\"unknown\"}}",
     HEAD "  lists          not known: Redis cannot be reached; mail to which nothing binds waits\n"},
    {"{\"lists\":{\"from\":\"file\",\"redis\":\"adopt\",\"read_problem\":\"NOPERM\"}}",
     HEAD "  lists          from the file, as Redis cannot be reached\n    Redis        NOPERM\n"},
    {"{\"sessions_total\":{\"log success\":12,\"log failure\":1}}",
     HEAD "  sessions       log success 12, log failure 1\n"},
    {"{\"report_sent_timestamp_seconds\":0,\"redis\":\"up\",\"redis_up\":1}",
     HEAD "  report sent    never\n  redis          up\n"},
    {"{\"read_timestamp_seconds\":1795366237}", HEAD "  read           2026-11-22T16:50:37Z (3 s ago)\n"},
    {"{\"x\":{\"y\":[1]}}", HEAD "  x              y [1]\n"},
    {"{\"lists\":[1]}", HEAD "  lists          [1]\n"},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        json_t *status = json_loads(rows[i].status, 0, NULL);
        struct buf out;

        assert_non_null(status);
        buf_init(&out, 10000);
        status_print(&out, "postern-policyd", "unix:/x", status, 1795366240, false);
        assert_string_equal(buf_text(&out), rows[i].text);
        buf_clear(&out);
        json_decref(status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
    };

    return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
