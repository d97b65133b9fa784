/* tlsrpt_event.t.c - tests of tlsrpt_event.c: what is written is what libtlsrpt writes (J7 to J20). */
#include "tlsrpt_event.h"

#include <jansson.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define LIST_MAX 5

/* What Postfix passes on of a reply to EHLO. */
#define EHLO_BASE(name)  "250-" name "\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250-DSN\r\n250"
#define EHLO_TLS(name)   EHLO_BASE(name) "-SMTPUTF8\r\n250 STARTTLS"
#define EHLO_PLAIN(name) EHLO_BASE(name) " SMTPUTF8"

/* Datagrams that Postfix 3.12 has sent by libtlsrpt 0.5.1, as they were, and the events they tell of. */
static const struct sample {
    int number;
    const char *domain, *record;
    enum tlsrpt_policy_type type;
    const char *policy_domain;
    const char *string[LIST_MAX], *mx[LIST_MAX];
    struct tlsrpt_failure failure; /* result 0: none */
    const char *datagram;
} samples[] = {
    {1,
     "good.example",
     "v=TLSRPTv1; rua=mailto:tlsrpt@good.example",
     TLSRPT_POLICY_STS,
     "good.example",
     {"version: STSv1", "mode: enforce", "mx: mx.good.example", "max_age: 86400"},
     {"mx.good.example"},
     {0},
     "{\"dpv\": \"1\",\"d\": \"good.example\",\"pr\": \"v=TLSRPTv1; "
     "rua=mailto:tlsrpt@good.example\",\"policies\":[{\"policy-type\":2,\"policy-domain\": "
     "\"good.example\",\"policy-string\":[\"version: STSv1\",\"mode: enforce\",\"mx: mx.good.example\",\"max_age: "
     "86400\"],\"mx-host\":[\"mx.good.example\"],\"t\":0,\"f\":0}]}"},
    {2,
     "good.example",
     "v=TLSRPTv1; rua=mailto:tlsrpt@good.example",
     TLSRPT_POLICY_NONE,
     "good.example",
     {NULL},
     {NULL},
     {0},
     "{\"dpv\": \"1\",\"d\": \"good.example\",\"pr\": \"v=TLSRPTv1; "
     "rua=mailto:tlsrpt@good.example\",\"policies\":[{\"policy-type\":9,\"policy-domain\": "
     "\"good.example\",\"t\":0,\"f\":0}]}"},
    {8,
     "untrusted.example",
     "v=TLSRPTv1; rua=mailto:tlsrpt@untrusted.example",
     TLSRPT_POLICY_STS,
     "untrusted.example",
     {"version: STSv1", "mode: enforce", "mx: mx.untrusted.example", "max_age: 86400"},
     {"mx.untrusted.example"},
     {TLSRPT_VALIDATION_FAILURE, "192.0.2.246", "mx.untrusted.example", EHLO_TLS("mx.untrusted.example"), "192.0.2.12",
      NULL, "unable_to_get_local_issuer_certificate"},
     "{\"dpv\": \"1\",\"d\": \"untrusted.example\",\"pr\": \"v=TLSRPTv1; "
     "rua=mailto:tlsrpt@untrusted.example\",\"policies\":[{\"policy-type\":2,\"policy-domain\": "
     "\"untrusted.example\",\"policy-string\":[\"version: STSv1\",\"mode: enforce\",\"mx: "
     "mx.untrusted.example\",\"max_age: "
     "86400\"],\"mx-host\":[\"mx.untrusted.example\"],\"failure-details\":[{\"c\":205,\"s\": \"192.0.2.246\",\"n\": "
     "\"mx.untrusted.example\",\"h\": "
     "\"250-mx.untrusted.example\\r\\n250-PIPELINING\\r\\n250-8BITMIME\\r\\n250-ENHANCEDSTATUSCODES\\r\\n250-"
     "DSN\\r\\n250-SMTPUTF8\\r\\n250 STARTTLS\",\"r\": \"192.0.2.12\",\"f\": "
     "\"unable_to_get_local_issuer_certificate\"}],\"t\":1,\"f\":1}]}"},
    {11,
     "selfsigned.example",
     "v=TLSRPTv1; rua=mailto:tlsrpt@selfsigned.example",
     TLSRPT_POLICY_STS,
     "selfsigned.example",
     {"version: STSv1", "mode: enforce", "mx: mx.selfsigned.example", "max_age: 86400"},
     {"mx.selfsigned.example"},
     {TLSRPT_VALIDATION_FAILURE, "192.0.2.246", "mx.selfsigned.example", EHLO_TLS("mx.selfsigned.example"),
      "192.0.2.15", NULL, "self-signed_certificate"},
     "{\"dpv\": \"1\",\"d\": \"selfsigned.example\",\"pr\": \"v=TLSRPTv1; "
     "rua=mailto:tlsrpt@selfsigned.example\",\"policies\":[{\"policy-type\":2,\"policy-domain\": "
     "\"selfsigned.example\",\"policy-string\":[\"version: STSv1\",\"mode: enforce\",\"mx: "
     "mx.selfsigned.example\",\"max_age: "
     "86400\"],\"mx-host\":[\"mx.selfsigned.example\"],\"failure-details\":[{\"c\":205,\"s\": \"192.0.2.246\",\"n\": "
     "\"mx.selfsigned.example\",\"h\": "
     "\"250-mx.selfsigned.example\\r\\n250-PIPELINING\\r\\n250-8BITMIME\\r\\n250-ENHANCEDSTATUSCODES\\r\\n250-"
     "DSN\\r\\n250-SMTPUTF8\\r\\n250 STARTTLS\",\"r\": \"192.0.2.15\",\"f\": "
     "\"self-signed_certificate\"}],\"t\":1,\"f\":1}]}"},
    {14,
     "expired.example",
     "v=TLSRPTv1; rua=mailto:tlsrpt@expired.example",
     TLSRPT_POLICY_STS,
     "expired.example",
     {"version: STSv1", "mode: enforce", "mx: mx.expired.example", "max_age: 86400"},
     {"mx.expired.example"},
     {TLSRPT_CERTIFICATE_EXPIRED, "192.0.2.246", "mx.expired.example", EHLO_TLS("mx.expired.example"), "192.0.2.14",
      NULL, NULL},
     "{\"dpv\": \"1\",\"d\": \"expired.example\",\"pr\": \"v=TLSRPTv1; "
     "rua=mailto:tlsrpt@expired.example\",\"policies\":[{\"policy-type\":2,\"policy-domain\": "
     "\"expired.example\",\"policy-string\":[\"version: STSv1\",\"mode: enforce\",\"mx: "
     "mx.expired.example\",\"max_age: "
     "86400\"],\"mx-host\":[\"mx.expired.example\"],\"failure-details\":[{\"c\":204,\"s\": \"192.0.2.246\",\"n\": "
     "\"mx.expired.example\",\"h\": "
     "\"250-mx.expired.example\\r\\n250-PIPELINING\\r\\n250-8BITMIME\\r\\n250-ENHANCEDSTATUSCODES\\r\\n250-"
     "DSN\\r\\n250-SMTPUTF8\\r\\n250 STARTTLS\",\"r\": \"192.0.2.14\"}],\"t\":1,\"f\":1}]}"},
    {17,
     "mismatch.example",
     "v=TLSRPTv1; rua=mailto:tlsrpt@mismatch.example",
     TLSRPT_POLICY_STS,
     "mismatch.example",
     {"version: STSv1", "mode: enforce", "mx: mx.mismatch.example", "max_age: 86400"},
     {"mx.mismatch.example"},
     {TLSRPT_CERTIFICATE_HOST_MISMATCH, "192.0.2.246", "mx.mismatch.example", EHLO_TLS("mx.mismatch.example"),
      "192.0.2.13", NULL, NULL},
     "{\"dpv\": \"1\",\"d\": \"mismatch.example\",\"pr\": \"v=TLSRPTv1; "
     "rua=mailto:tlsrpt@mismatch.example\",\"policies\":[{\"policy-type\":2,\"policy-domain\": "
     "\"mismatch.example\",\"policy-string\":[\"version: STSv1\",\"mode: enforce\",\"mx: "
     "mx.mismatch.example\",\"max_age: "
     "86400\"],\"mx-host\":[\"mx.mismatch.example\"],\"failure-details\":[{\"c\":202,\"s\": \"192.0.2.246\",\"n\": "
     "\"mx.mismatch.example\",\"h\": "
     "\"250-mx.mismatch.example\\r\\n250-PIPELINING\\r\\n250-8BITMIME\\r\\n250-ENHANCEDSTATUSCODES\\r\\n250-"
     "DSN\\r\\n250-SMTPUTF8\\r\\n250 STARTTLS\",\"r\": \"192.0.2.13\"}],\"t\":1,\"f\":1}]}"},
    {19,
     "nostarttls.example",
     "v=TLSRPTv1; rua=mailto:tlsrpt@nostarttls.example",
     TLSRPT_POLICY_NONE,
     "nostarttls.example",
     {NULL},
     {NULL},
     {TLSRPT_STARTTLS_NOT_SUPPORTED, "192.0.2.246", "mx.nostarttls.example", EHLO_PLAIN("mx.nostarttls.example"),
      "192.0.2.16", NULL, NULL},
     "{\"dpv\": \"1\",\"d\": \"nostarttls.example\",\"pr\": \"v=TLSRPTv1; "
     "rua=mailto:tlsrpt@nostarttls.example\",\"policies\":[{\"policy-type\":9,\"policy-domain\": "
     "\"nostarttls.example\",\"failure-details\":[{\"c\":201,\"s\": \"192.0.2.246\",\"n\": "
     "\"mx.nostarttls.example\",\"h\": "
     "\"250-mx.nostarttls.example\\r\\n250-PIPELINING\\r\\n250-8BITMIME\\r\\n250-ENHANCEDSTATUSCODES\\r\\n250-"
     "DSN\\r\\n250 SMTPUTF8\",\"r\": \"192.0.2.16\"}],\"t\":1,\"f\":1}]}"},
    {20,
     "nostarttls.example",
     "v=TLSRPTv1; rua=mailto:tlsrpt@nostarttls.example",
     TLSRPT_POLICY_STS,
     "nostarttls.example",
     {"version: STSv1", "mode: enforce", "mx: mx.nostarttls.example", "max_age: 86400"},
     {"mx.nostarttls.example"},
     {TLSRPT_STARTTLS_NOT_SUPPORTED, "192.0.2.246", "mx.nostarttls.example", EHLO_PLAIN("mx.nostarttls.example"),
      "192.0.2.16", NULL, NULL},
     "{\"dpv\": \"1\",\"d\": \"nostarttls.example\",\"pr\": \"v=TLSRPTv1; "
     "rua=mailto:tlsrpt@nostarttls.example\",\"policies\":[{\"policy-type\":2,\"policy-domain\": "
     "\"nostarttls.example\",\"policy-string\":[\"version: STSv1\",\"mode: enforce\",\"mx: "
     "mx.nostarttls.example\",\"max_age: "
     "86400\"],\"mx-host\":[\"mx.nostarttls.example\"],\"failure-details\":[{\"c\":201,\"s\": \"192.0.2.246\",\"n\": "
     "\"mx.nostarttls.example\",\"h\": "
     "\"250-mx.nostarttls.example\\r\\n250-PIPELINING\\r\\n250-8BITMIME\\r\\n250-ENHANCEDSTATUSCODES\\r\\n250-"
     "DSN\\r\\n250 SMTPUTF8\",\"r\": \"192.0.2.16\"}],\"t\":1,\"f\":1}]}"},
    {22,
     "tlsrefuse.example",
     "v=TLSRPTv1; rua=mailto:tlsrpt@tlsrefuse.example",
     TLSRPT_POLICY_STS,
     "tlsrefuse.example",
     {"version: STSv1", "mode: enforce", "mx: mx.tlsrefuse.example", "max_age: 86400"},
     {"mx.tlsrefuse.example"},
     {TLSRPT_STARTTLS_NOT_SUPPORTED, "192.0.2.246", "mx.tlsrefuse.example", EHLO_TLS("mx.tlsrefuse.example"),
      "192.0.2.20", NULL, NULL},
     "{\"dpv\": \"1\",\"d\": \"tlsrefuse.example\",\"pr\": \"v=TLSRPTv1; "
     "rua=mailto:tlsrpt@tlsrefuse.example\",\"policies\":[{\"policy-type\":2,\"policy-domain\": "
     "\"tlsrefuse.example\",\"policy-string\":[\"version: STSv1\",\"mode: enforce\",\"mx: "
     "mx.tlsrefuse.example\",\"max_age: "
     "86400\"],\"mx-host\":[\"mx.tlsrefuse.example\"],\"failure-details\":[{\"c\":201,\"s\": \"192.0.2.246\",\"n\": "
     "\"mx.tlsrefuse.example\",\"h\": "
     "\"250-mx.tlsrefuse.example\\r\\n250-PIPELINING\\r\\n250-8BITMIME\\r\\n250-ENHANCEDSTATUSCODES\\r\\n250-"
     "DSN\\r\\n250-SMTPUTF8\\r\\n250 STARTTLS\",\"r\": \"192.0.2.20\"}],\"t\":1,\"f\":1}]}"},
    {23,
     "reset.example",
     "v=TLSRPTv1; rua=mailto:tlsrpt@reset.example",
     TLSRPT_POLICY_STS,
     "reset.example",
     {"version: STSv1", "mode: enforce", "mx: mx.reset.example", "max_age: 86400"},
     {"mx.reset.example"},
     {TLSRPT_VALIDATION_FAILURE, "192.0.2.246", "mx.reset.example", EHLO_TLS("mx.reset.example"), "192.0.2.17", NULL,
      "tls-handshake-failure"},
     "{\"dpv\": \"1\",\"d\": \"reset.example\",\"pr\": \"v=TLSRPTv1; "
     "rua=mailto:tlsrpt@reset.example\",\"policies\":[{\"policy-type\":2,\"policy-domain\": "
     "\"reset.example\",\"policy-string\":[\"version: STSv1\",\"mode: enforce\",\"mx: mx.reset.example\",\"max_age: "
     "86400\"],\"mx-host\":[\"mx.reset.example\"],\"failure-details\":[{\"c\":205,\"s\": \"192.0.2.246\",\"n\": "
     "\"mx.reset.example\",\"h\": "
     "\"250-mx.reset.example\\r\\n250-PIPELINING\\r\\n250-8BITMIME\\r\\n250-ENHANCEDSTATUSCODES\\r\\n250-DSN\\r\\n250-"
     "SMTPUTF8\\r\\n250 STARTTLS\",\"r\": \"192.0.2.17\",\"f\": \"tls-handshake-failure\"}],\"t\":1,\"f\":1}]}"},
    {38,
     "dane.example",
     "v=TLSRPTv1; rua=mailto:tlsrpt@dane.example",
     TLSRPT_POLICY_TLSA,
     "mx.dane.example",
     {"3 1 1 454D8044AF1C5A33AF67AA4C3966FB419B91BEF2EFCE538582A86FA09B5BFB19"},
     {NULL},
     {0},
     "{\"dpv\": \"1\",\"d\": \"dane.example\",\"pr\": \"v=TLSRPTv1; "
     "rua=mailto:tlsrpt@dane.example\",\"policies\":[{\"policy-type\":1,\"policy-domain\": "
     "\"mx.dane.example\",\"policy-string\":[\"3 1 1 "
     "454D8044AF1C5A33AF67AA4C3966FB419B91BEF2EFCE538582A86FA09B5BFB19\"],\"t\":0,\"f\":0}]}"},
    {40,
     "danebad.example",
     "v=TLSRPTv1; rua=mailto:tlsrpt@danebad.example",
     TLSRPT_POLICY_TLSA,
     "mx.danebad.example",
     {"3 1 1 0000000000000000000000000000000000000000000000000000000000000000"},
     {NULL},
     {TLSRPT_CERTIFICATE_NOT_TRUSTED, "192.0.2.246", "mx.danebad.example", EHLO_TLS("mx.danebad.example"), "192.0.2.35",
      NULL, NULL},
     "{\"dpv\": \"1\",\"d\": \"danebad.example\",\"pr\": \"v=TLSRPTv1; "
     "rua=mailto:tlsrpt@danebad.example\",\"policies\":[{\"policy-type\":1,\"policy-domain\": "
     "\"mx.danebad.example\",\"policy-string\":[\"3 1 1 "
     "0000000000000000000000000000000000000000000000000000000000000000\"],\"failure-details\":[{\"c\":203,\"s\": "
     "\"192.0.2.246\",\"n\": \"mx.danebad.example\",\"h\": "
     "\"250-mx.danebad.example\\r\\n250-PIPELINING\\r\\n250-8BITMIME\\r\\n250-ENHANCEDSTATUSCODES\\r\\n250-"
     "DSN\\r\\n250-SMTPUTF8\\r\\n250 STARTTLS\",\"r\": \"192.0.2.35\"}],\"t\":1,\"f\":1}]}"},
    {42,
     "danenotls.example",
     "v=TLSRPTv1; rua=mailto:tlsrpt@danenotls.example",
     TLSRPT_POLICY_TLSA,
     "mx.danenotls.example",
     {"3 1 1 454D8044AF1C5A33AF67AA4C3966FB419B91BEF2EFCE538582A86FA09B5BFB19"},
     {NULL},
     {TLSRPT_STARTTLS_NOT_SUPPORTED, "192.0.2.246", "mx.danenotls.example", EHLO_PLAIN("mx.nostarttls.example"),
      "192.0.2.16", NULL, NULL},
     "{\"dpv\": \"1\",\"d\": \"danenotls.example\",\"pr\": \"v=TLSRPTv1; "
     "rua=mailto:tlsrpt@danenotls.example\",\"policies\":[{\"policy-type\":1,\"policy-domain\": "
     "\"mx.danenotls.example\",\"policy-string\":[\"3 1 1 "
     "454D8044AF1C5A33AF67AA4C3966FB419B91BEF2EFCE538582A86FA09B5BFB19\"],\"failure-details\":[{\"c\":201,\"s\": "
     "\"192.0.2.246\",\"n\": \"mx.danenotls.example\",\"h\": "
     "\"250-mx.nostarttls.example\\r\\n250-PIPELINING\\r\\n250-8BITMIME\\r\\n250-ENHANCEDSTATUSCODES\\r\\n250-"
     "DSN\\r\\n250 SMTPUTF8\",\"r\": \"192.0.2.16\"}],\"t\":1,\"f\":1}]}"},
    {45,
     "six.example",
     "v=TLSRPTv1; rua=mailto:tlsrpt@six.example",
     TLSRPT_POLICY_STS,
     "six.example",
     {"version: STSv1", "mode: enforce", "mx: mx.six.example", "max_age: 86400"},
     {"mx.six.example"},
     {0},
     "{\"dpv\": \"1\",\"d\": \"six.example\",\"pr\": \"v=TLSRPTv1; "
     "rua=mailto:tlsrpt@six.example\",\"policies\":[{\"policy-type\":2,\"policy-domain\": "
     "\"six.example\",\"policy-string\":[\"version: STSv1\",\"mode: enforce\",\"mx: mx.six.example\",\"max_age: "
     "86400\"],\"mx-host\":[\"mx.six.example\"],\"t\":0,\"f\":0}]}"},
    {46,
     "multi.example",
     "v=TLSRPTv1; rua=https://report.multi.example/",
     TLSRPT_POLICY_NONE,
     "multi.example",
     {NULL},
     {NULL},
     {TLSRPT_STARTTLS_NOT_SUPPORTED, "192.0.2.246", "mx1.multi.example", EHLO_PLAIN("mx.nostarttls.example"),
      "192.0.2.16", NULL, NULL},
     "{\"dpv\": \"1\",\"d\": \"multi.example\",\"pr\": \"v=TLSRPTv1; "
     "rua=https://report.multi.example/\",\"policies\":[{\"policy-type\":9,\"policy-domain\": "
     "\"multi.example\",\"failure-details\":[{\"c\":201,\"s\": \"192.0.2.246\",\"n\": \"mx1.multi.example\",\"h\": "
     "\"250-mx.nostarttls.example\\r\\n250-PIPELINING\\r\\n250-8BITMIME\\r\\n250-ENHANCEDSTATUSCODES\\r\\n250-"
     "DSN\\r\\n250 SMTPUTF8\",\"r\": \"192.0.2.16\"}],\"t\":1,\"f\":1}]}"},
    {47,
     "multi.example",
     "v=TLSRPTv1; rua=https://report.multi.example/",
     TLSRPT_POLICY_NONE,
     "multi.example",
     {NULL},
     {NULL},
     {0},
     "{\"dpv\": \"1\",\"d\": \"multi.example\",\"pr\": \"v=TLSRPTv1; "
     "rua=https://report.multi.example/\",\"policies\":[{\"policy-type\":9,\"policy-domain\": "
     "\"multi.example\",\"t\":0,\"f\":0}]}"},
    {48,
     "two.example",
     "v=TLSRPTv1; rua=mailto:tlsrpt@two.example,https://two.example/tlsrpt",
     TLSRPT_POLICY_STS,
     "two.example",
     {"version: STSv1", "mode: enforce", "mx: mx1.two.example", "max_age: 86400"},
     {"mx1.two.example"},
     {TLSRPT_CERTIFICATE_HOST_MISMATCH, "192.0.2.246", "mx1.two.example", EHLO_TLS("mx.good.example"), "192.0.2.11",
      NULL, NULL},
     "{\"dpv\": \"1\",\"d\": \"two.example\",\"pr\": \"v=TLSRPTv1; "
     "rua=mailto:tlsrpt@two.example,https://two.example/tlsrpt\",\"policies\":[{\"policy-type\":2,\"policy-domain\": "
     "\"two.example\",\"policy-string\":[\"version: STSv1\",\"mode: enforce\",\"mx: mx1.two.example\",\"max_age: "
     "86400\"],\"mx-host\":[\"mx1.two.example\"],\"failure-details\":[{\"c\":202,\"s\": \"192.0.2.246\",\"n\": "
     "\"mx1.two.example\",\"h\": "
     "\"250-mx.good.example\\r\\n250-PIPELINING\\r\\n250-8BITMIME\\r\\n250-ENHANCEDSTATUSCODES\\r\\n250-DSN\\r\\n250-"
     "SMTPUTF8\\r\\n250 STARTTLS\",\"r\": \"192.0.2.11\"}],\"t\":1,\"f\":1}]}"},
    {52,
     "good.example",
     "v=TLSRPTv1; rua=mailto:tlsrpt@good.example",
     TLSRPT_POLICY_STS,
     "good.example",
     {"version: STSv1", "mode: testing", "mx: mx.good.example", "max_age: 86400"},
     {"mx.good.example"},
     {0},
     "{\"dpv\": \"1\",\"d\": \"good.example\",\"pr\": \"v=TLSRPTv1; "
     "rua=mailto:tlsrpt@good.example\",\"policies\":[{\"policy-type\":2,\"policy-domain\": "
     "\"good.example\",\"policy-string\":[\"version: STSv1\",\"mode: testing\",\"mx: mx.good.example\",\"max_age: "
     "86400\"],\"mx-host\":[\"mx.good.example\"],\"t\":0,\"f\":0}]}"},
    {54,
     "good.example",
     "v=TLSRPTv1; rua=mailto:tlsrpt@good.example",
     TLSRPT_POLICY_STS,
     "good.example",
     {NULL},
     {NULL},
     {0},
     "{\"dpv\": \"1\",\"d\": \"good.example\",\"pr\": \"v=TLSRPTv1; "
     "rua=mailto:tlsrpt@good.example\",\"policies\":[{\"policy-type\":2,\"policy-domain\": "
     "\"good.example\",\"t\":0,\"f\":0}]}"},
    {55,
     "good.example",
     "v=TLSRPTv1; rua=mailto:tlsrpt@good.example",
     TLSRPT_POLICY_STS,
     "good.example",
     {NULL},
     {NULL},
     {TLSRPT_STS_WEBPKI_INVALID, "192.0.2.246", "mx.good.example", EHLO_TLS("mx.good.example"), "192.0.2.11", NULL,
      NULL},
     "{\"dpv\": \"1\",\"d\": \"good.example\",\"pr\": \"v=TLSRPTv1; "
     "rua=mailto:tlsrpt@good.example\",\"policies\":[{\"policy-type\":2,\"policy-domain\": "
     "\"good.example\",\"failure-details\":[{\"c\":303,\"s\": \"192.0.2.246\",\"n\": \"mx.good.example\",\"h\": "
     "\"250-mx.good.example\\r\\n250-PIPELINING\\r\\n250-8BITMIME\\r\\n250-ENHANCEDSTATUSCODES\\r\\n250-DSN\\r\\n250-"
     "SMTPUTF8\\r\\n250 STARTTLS\",\"r\": \"192.0.2.11\"}],\"t\":1,\"f\":1}]}"},
};

static void written_is(const struct tlsrpt_event *event, const char *want)
{
    struct buf out;

    buf_init(&out, TLSRPT_EVENT_MAX);
    tlsrpt_event_write(&out, event);
    assert_true(buf_ok(&out));
    assert_string_equal(buf_text(&out), want);
    buf_clear(&out);
}

static size_t count_of(const char *const *list)
{
    size_t n = 0;

    while (n < LIST_MAX && list[n] != NULL)
        n++;
    return n;
}

static void as_libtlsrpt(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(samples); i++) {
        const struct sample *s = &samples[i];
        bool failed = s->failure.result != 0;
        const struct tlsrpt_policy policy = {s->type, s->policy_domain, s->string,   count_of(s->string),
                                             s->mx,   count_of(s->mx),  &s->failure, failed,
                                             failed};

        print_message("datagram %d, %s\n", s->number, s->domain);
        written_is(&(struct tlsrpt_event){s->domain, s->record, &policy, 1}, s->datagram);
    }
}

/* J19, and failures on the way to a session that came off in the end. */
static void two_policies(void **state)
{
    const char *const tlsa[] = {"3 1 1 00"}, *const lines[] = {"version: STSv1"}, *const mx[] = {"*.a.test"};
    const struct tlsrpt_failure failures[] = {
        {.result = TLSRPT_VALIDATION_FAILURE, .additional = "https://a.test/", .reason = "r"},
        {.result = TLSRPT_DANE_REQUIRED}};
    const struct tlsrpt_policy policies[] = {{TLSRPT_POLICY_TLSA, "mx.a.test", tlsa, 1, NULL, 0, failures, 2, false},
                                             {TLSRPT_POLICY_STS, "a.test", lines, 1, mx, 1, NULL, 0, true}};

    (void)state;
    written_is(
        &(struct tlsrpt_event){"a.test", "v=TLSRPTv1;", policies, 2},
        "{\"dpv\": \"1\",\"d\": \"a.test\",\"pr\": \"v=TLSRPTv1;\",\"policies\":["
        "{\"policy-type\":1,\"policy-domain\": \"mx.a.test\",\"policy-string\":[\"3 1 1 00\"],\"failure-details\":["
        "{\"c\":205,\"a\": \"https://a.test/\",\"f\": \"r\"},{\"c\":306}],\"t\":2,\"f\":0},"
        "{\"policy-type\":2,\"policy-domain\": \"a.test\",\"policy-string\":[\"version: STSv1\"],"
        "\"mx-host\":[\"*.a.test\"],\"t\":0,\"f\":1}]}");
    written_is(&(struct tlsrpt_event){NULL, NULL, NULL, 0},
               "{\"dpv\": \"1\",\"d\": \"\",\"pr\": \"\",\"policies\":[]}");
}

/* J17. */
static void escapes(void **state)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"\"", "\\\""},
        {"\\", "\\\\"},
        {"a\\\"b", "a\\\\\\\"b"},
        {"/", "/"},
        {"\b\t\n\f\r", "\\b\\t\\n\\f\\r"},
        {"\x01\x0b\x1b\x1f\x7f", "\\u0001\\u000b\\u001b\\u001f\\u007f"},
        {"\r\nX-Header: y", "\\r\\nX-Header: y"},
        {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x93\xa7", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x93\xa7"}, /* UTF-8 as it is */
        {"\xff", "?"},
        {"a\x80z", "a?z"},
        {"\xc3", "?"},
        {"\xc3\"", "?\\\""},          /* never swallows what follows */
        {"\xe2\x82\"", "??\\\""},     /* cut short */
        {"\xc0\xaf", "??"},           /* overlong */
        {"\xed\xa0\x80", "???"},      /* a surrogate */
        {"\xf4\x90\x80\x80", "????"}, /* beyond Unicode */
        {"\xef\xbf\xbe", "\xef\xbf\xbe"},
        {"</script>&'", "</script>&'"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct tlsrpt_failure failure = {.result = TLSRPT_VALIDATION_FAILURE, .mx_helo = rows[i].text};
        const struct tlsrpt_policy policy = {.type = TLSRPT_POLICY_NONE, .failure = &failure, .failures = 1};
        struct buf want;

        print_message("J17 row %zu\n", i);
        buf_init(&want, 1000);
        buf_printf(&want,
                   "{\"dpv\": \"1\",\"d\": \"a\",\"pr\": \"\",\"policies\":[{\"policy-type\":9,\"failure-details\":"
                   "[{\"c\":205,\"h\": \"%s\"}],\"t\":1,\"f\":0}]}",
                   rows[i].want);
        written_is(&(struct tlsrpt_event){"a", "", &policy, 1}, buf_text(&want));
        buf_clear(&want);
    }
}

/* The largest text of random hostile octets for every part: still JSON, still within the limit. */
static void always_json(void **state)
{
    static char text[70000];
    const char *many[64];
    uint32_t random = 1;

    (void)state;
    for (int round = 0; round < 400; round++) {
        size_t len = (size_t)(round * 175) % (sizeof(text) - 1);
        const struct tlsrpt_failure f = {TLSRPT_VALIDATION_FAILURE, text, text, text, text, text, text};
        struct tlsrpt_policy p = {TLSRPT_POLICY_STS, text, many, COUNT(many), many, COUNT(many), &f, 1, true};
        const struct tlsrpt_policy two[] = {p, p};
        struct buf out;
        json_t *json;

        for (size_t i = 0; i < len; i++) {
            random = random * 1664525U + 1013904223U;
            text[i] = (char)(round % 3 == 0 ? 1 : round % 3 == 1 ? random >> 24 : (random >> 24) | 0x80);
            if (text[i] == '\0')
                text[i] = '"';
        }
        text[len] = '\0';
        for (size_t i = 0; i < COUNT(many); i++)
            many[i] = text + len - len / (i + 1);
        buf_init(&out, TLSRPT_EVENT_MAX);
        tlsrpt_event_write(&out, &(struct tlsrpt_event){text, text, two, 2});
        assert_true(buf_ok(&out));
        json = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(json);
        assert_int_equal(json_array_size(json_object_get(json, "policies")), 2);
        json_decref(json);
        buf_clear(&out);
    }
}

/* Each part is cut for itself, at a whole character and between strings. */
static void limits(void **state)
{
    static char helo[5000], line[3000];
    const char *const lines[] = {line, line, line, "short"};
    const struct tlsrpt_failure f = {.result = TLSRPT_VALIDATION_FAILURE, .mx_helo = helo, .reason = "kept"};
    const struct tlsrpt_policy p = {TLSRPT_POLICY_STS, "a", lines, 4, lines + 3, 1, &f, 1, true};
    struct tlsrpt_policy thousand[1000];
    struct buf out;
    json_t *json, *policy;

    (void)state;
    memset(line, 'x', sizeof(line) - 1);
    for (size_t i = 0; i + 2 < sizeof(helo); i += 2)
        memcpy(helo + i, "\xc3\xa4", 2);
    memmove(helo + 1, helo, sizeof(helo) - 2);
    helo[0] = 'x';
    buf_init(&out, TLSRPT_EVENT_MAX);
    tlsrpt_event_write(&out, &(struct tlsrpt_event){"a", "", &p, 1});
    assert_true(buf_ok(&out));
    json = json_loadb(out.data, out.len, 0, NULL);
    policy = json_array_get(json_object_get(json, "policies"), 0);
    assert_int_equal(json_array_size(json_object_get(policy, "policy-string")), 2);
    assert_int_equal(json_array_size(json_object_get(policy, "mx-host")), 1);
    policy = json_array_get(json_object_get(policy, "failure-details"), 0);
    assert_int_equal(json_string_length(json_object_get(policy, "h")), TLSRPT_HELO_MAX - 1);
    assert_string_equal(json_string_value(json_object_get(policy, "f")), "kept");
    json_decref(json);
    buf_clear(&out);

    for (size_t i = 0; i < COUNT(thousand); i++)
        thousand[i] = p;
    buf_init(&out, 100U * TLSRPT_EVENT_MAX);
    tlsrpt_event_write(&out, &(struct tlsrpt_event){"a", "", thousand, COUNT(thousand)});
    assert_false(buf_ok(&out));
    buf_clear(&out);
}

/* J14, J20. */
static void codes(void **state)
{
    static const struct {
        long code;
        const char *name;
    } rows[] = {{201, "starttls-not-supported"},
                {202, "certificate-host-mismatch"},
                {203, "certificate-not-trusted"},
                {204, "certificate-expired"},
                {205, "validation-failure"},
                {301, "sts-policy-fetch-error"},
                {302, "sts-policy-invalid"},
                {303, "sts-webpki-invalid"},
                {304, "tlsa-invalid"},
                {305, "dnssec-invalid"},
                {306, "dane-required"}};
    static const long unknown[] = {0, -1, 200, 206, 300, 307, 901, 999, 4294967497};
    enum tlsrpt_result result;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_true(tlsrpt_result_of_code(&result, rows[i].code));
        assert_int_equal(result, rows[i].code);
        assert_string_equal(tlsrpt_result_name(result), rows[i].name);
        result = 0;
        assert_true(tlsrpt_result_of_name(&result, rows[i].name));
        assert_int_equal(result, rows[i].code);
    }
    for (size_t i = 0; i < COUNT(unknown); i++) {
        assert_false(tlsrpt_result_of_code(&result, unknown[i]));
        assert_int_equal(result, TLSRPT_VALIDATION_FAILURE);
    }
    assert_false(tlsrpt_result_of_name(&result, "Validation-Failure"));
    assert_int_equal(result, TLSRPT_VALIDATION_FAILURE);
    assert_false(tlsrpt_result_of_name(&result, ""));
    assert_string_equal(tlsrpt_result_name((enum tlsrpt_result)999), "validation-failure");
    assert_string_equal(tlsrpt_policy_type_name(TLSRPT_POLICY_TLSA), "tlsa");
    assert_string_equal(tlsrpt_policy_type_name(TLSRPT_POLICY_STS), "sts");
    assert_string_equal(tlsrpt_policy_type_name(TLSRPT_POLICY_NONE), "no-policy-found");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_libtlsrpt), cmocka_unit_test(two_policies), cmocka_unit_test(escapes),
        cmocka_unit_test(always_json),  cmocka_unit_test(limits),       cmocka_unit_test(codes),
    };
    return cmocka_run_group_tests_name("tlsrpt_event", tests, NULL, NULL);
}
