/*
 * fuzz_report.c - reports from foreign strings: the input is a recipe of policies and failures, and the texts in them.
 * Whatever they hold, it is JSON that can be read, no entry is there twice, sums are those of the counts, and the mail
 * is 7bit with no field that is not ours.
 */
#include <jansson.h>

#include "recipe.h"
#include "report_mail.h"

#define POLICIES 3
#define FAILURES 4
#define TEXTS    (2 + POLICIES * (4 + FAILURES * 6))
#define TEXT_BUF 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct made {
    char text[TEXTS][TEXT_BUF];
    size_t texts;
    const char *list[POLICIES][2];
    struct counted_failure failure[POLICIES][FAILURES];
    struct counted_policy policy[POLICIES];
    struct counts counts;
};

static const char *text(struct made *m, struct recipe *in)
{
    char *out = m->text[m->texts++];
    size_t len = take_octets(out, take(in), in);

    out[len] = '\0';
    return out;
}

static void failure_make(struct made *m, struct counted_failure *f, struct recipe *in)
{
    f->failure.result = (enum tlsrpt_result)(201 + take(in) % 6 + take(in) % 2 * 100);
    f->failure.sending_ip = text(m, in);
    f->failure.mx_name = text(m, in);
    f->failure.mx_helo = text(m, in);
    f->failure.receiving_ip = text(m, in);
    f->failure.additional = text(m, in);
    f->failure.reason = text(m, in);
    f->sessions = take(in) % 4;
}

static void counts_make(struct made *m, struct recipe *in)
{
    memset(m, 0, sizeof(*m));
    m->counts = (struct counts){.day = 20779, .domain = "example.com", .policy = m->policy};
    m->counts.policies = 1 + take(in) % POLICIES;
    for (size_t i = 0; i < m->counts.policies; i++) {
        struct counted_policy *p = &m->policy[i];

        p->record = "r";
        p->policy.type = (enum tlsrpt_policy_type)(take(in) % 3 + 1);
        p->policy.domain = text(m, in);
        m->list[i][0] = text(m, in);
        m->list[i][1] = text(m, in);
        p->policy.string = p->policy.mx = m->list[i];
        p->policy.strings = p->policy.mx_count = 2;
        p->successful = take16(in);
        p->failed = take16(in);
        p->failure = m->failure[i];
        p->failures = take(in) % (FAILURES + 1);
        for (size_t k = 0; k < p->failures; k++)
            failure_make(m, &m->failure[i][k], in);
    }
}

static void demand_element(const json_t *element, const struct counted_policy *p)
{
    const json_t *details = json_object_get(element, "failure-details"), *one, *other;
    uint64_t sessions = 0, counted = 0;
    size_t i, k;

    json_array_foreach(details, i, one)
    {
        sessions += (uint64_t)json_integer_value(json_object_get(one, "failed-session-count"));
        json_array_foreach(details, k, other) demand(i == k || !json_equal(one, other));
    }
    for (size_t n = 0; n < p->failures; n++)
        counted += p->failure[n].sessions;
    demand(sessions == counted);
    demand(json_array_size(details) <= p->failures);
}

static void demand_report(const struct report *r, const struct made *m)
{
    json_t *read = json_loadb(buf_text(&r->json), r->json.len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *policies = json_object_get(read, "policies");

    demand(read != NULL && json_array_size(policies) == m->counts.policies);
    for (size_t i = 0; i < m->counts.policies; i++)
        demand_element(json_array_get(policies, i), &m->policy[i]);
    json_decref(read);
    demand(r->left_out == 0);
}

static void demand_mail(const struct report *r, const char *to)
{
    const struct report_mail m = {.from = "r@sender.example", .to = to, .now = 1, .unique = "u"};
    struct buf out;
    size_t fields = 0, column = 0;

    buf_init(&out, REPORT_MAIL_MAX);
    if (report_mail_build(&out, r, &m, NULL) == 0) {
        const char *end = strstr(buf_text(&out), "\r\n\r\n");

        demand(end != NULL);
        for (const char *at = out.data; at <= end; at = strstr(at, "\r\n") + 2)
            fields += *at != ' ' && *at != '\t' ? 1 : 0;
        demand(fields == 11);
        for (size_t i = 0; i < out.len; i++) {
            demand((unsigned char)out.data[i] < 0x80 && out.data[i] != '\0');
            demand((out.data[i] == '\n') == (i > 0 && out.data[i - 1] == '\r'));
            column = out.data[i] == '\n' ? 0 : column + 1;
            demand(column <= 999);
        }
    }
    buf_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct made m;
    struct recipe in = {data, size};
    struct report_settings settings = {"", "tls@sender.example", "sender.example"};
    const char *to;
    struct report r;

    counts_make(&m, &in);
    settings.organization = text(&m, &in);
    to = text(&m, &in);
    demand(report_build(&r, &m.counts, "r", &settings, NULL) == 0);
    demand_report(&r, &m);
    demand_mail(&r, to);
    report_clear(&r);
    return 0;
}
