/* report_notes.c - see report_notes.h. */
#include "report_notes.h"

#include "domain.h"
#include "report_time.h"
#include "tlsrpt_event.h"
#include "utc_day.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOTE_MAX  1024
#define NOTES_MAX 100

struct notes {
    const struct report_found *found;
    report_note_fn *fn;
    void *ctx;
    size_t *count; /* told up to now */
};

static void note(const struct notes *n, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void note(const struct notes *n, const char *fmt, ...)
{
    char text[NOTE_MAX];
    va_list ap;

    va_start(ap, fmt);
    if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
        text[0] = '\0';
    va_end(ap);
    if (++*n->count <= NOTES_MAX)
        n->fn(n->ctx, *n->count < NOTES_MAX ? text : "more is wrong, and not told");
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text != NULL ? text : "";
}

/* --- what the body says --- */

/* The same name, however it is written. */
static bool same_domain(const char *a, size_t a_len, const char *b)
{
    char one[DOMAIN_BUF], other[DOMAIN_BUF];

    return domain_normalise(one, a, a_len, NULL) == 0 && domain_normalise(other, b, strlen(b), NULL) == 0 &&
           domain_equal(one, other);
}

/* It can be told from the body, and is another. With DANE the policy domain is an MX host (J9), and tells nothing. */
static bool other_domain(const json_t *report, const char *domain, size_t len)
{
    const json_t *policies = json_object_get(report, "policies");
    bool told = false;

    for (size_t i = 0; i < json_array_size(policies); i++) {
        const json_t *policy = json_object_get(json_array_get(policies, i), "policy");

        if (strcmp(text_of(policy, "policy-type"), "tlsa") == 0 || text_of(policy, "policy-domain")[0] == '\0')
            continue;
        told = true;
        if (same_domain(domain, len, text_of(policy, "policy-domain")))
            return false;
    }
    return told;
}

static bool other_submitter(const json_t *report, const char *submitter, size_t len)
{
    const char *at = strrchr(text_of(report, "contact-info"), '@');

    return at != NULL && !same_domain(submitter, len, at + 1);
}

/* Subjects have it with brackets, and some with "@SUBMITTER" behind it. */
static bool other_id(const json_t *report, const char *id, size_t len)
{
    const char *body = text_of(report, "report-id");
    size_t body_len = strlen(body);

    if (len >= 2 && id[0] == '<' && id[len - 1] == '>') {
        id++;
        len -= 2;
    }
    if (body_len >= 2 && body[0] == '<' && body[body_len - 1] == '>') {
        body++;
        body_len -= 2;
    }
    return len < body_len || memcmp(id, body, body_len) != 0 || (len > body_len && id[body_len] != '@');
}

static bool body_time(int64_t *out, const json_t *report, const char *name)
{
    bool zone = false;

    return report_time(out, &zone, text_of(json_object_get(report, "date-range"), name)) == 0;
}

/* --- the header (E4, E5) --- */

/* Take a word off, up to a blank. */
static size_t word_next(const char **at)
{
    *at += strspn(*at, " \t");
    return strcspn(*at, " \t");
}

/* The word behind a label such as "Report Domain:"; NULL: it is not there. */
static const char *labelled(const char **at, const char *label, size_t *len)
{
    const char *word;

    *at += strspn(*at, " \t");
    if (strncmp(*at, label, strlen(label)) != 0)
        return NULL;
    *at += strlen(label);
    *len = word_next(at);
    word = *at;
    *at += *len;
    return *len > 0 ? word : NULL;
}

static void check_subject(const struct notes *n)
{
    const char *subject = n->found->subject != NULL ? n->found->subject : "", *at = subject;
    size_t domain_len = 0, submitter_len = 0, id_len = 0;
    const char *domain = labelled(&at, "Report Domain:", &domain_len);
    const char *submitter = domain != NULL ? labelled(&at, "Submitter:", &submitter_len) : NULL;
    const char *id = submitter != NULL ? labelled(&at, "Report-ID:", &id_len) : NULL;

    if (id == NULL || at[strspn(at, " \t")] != '\0') {
        note(n, "the subject is not of the form \"Report Domain: D Submitter: S Report-ID: <I>\": %.300s", subject);
        return;
    }
    if (other_domain(n->found->json, domain, domain_len))
        note(n, "the subject has another domain than the body: %.*s", (int)domain_len, domain);
    if (other_submitter(n->found->json, submitter, submitter_len))
        note(n, "the subject has another submitter than the body: %.*s", (int)submitter_len, submitter);
    if (other_id(n->found->json, id, id_len))
        note(n, "the subject has another report-id than the body: %.*s", (int)id_len, id);
}

static void check_header(const struct notes *n)
{
    const struct report_found *f = n->found;

    if (f->domain == NULL)
        note(n, "the mail has no TLS-Report-Domain");
    else if (other_domain(f->json, f->domain, strlen(f->domain)))
        note(n, "TLS-Report-Domain is another than in the body: %.300s", f->domain);
    if (f->submitter == NULL)
        note(n, "the mail has no TLS-Report-Submitter");
    else if (other_submitter(f->json, f->submitter, strlen(f->submitter)))
        note(n, "TLS-Report-Submitter is another than in the body: %.300s", f->submitter);
}

/* --- the file name (E6) --- */

struct file_name {
    const char *part[5]; /* F!D!begin!end[!unique] */
    size_t len[5];
    size_t parts;
    bool gzip;
};

/* Drop a suffix off the last part. */
static bool drop_suffix(struct file_name *f, const char *suffix)
{
    size_t *len = &f->len[f->parts - 1], n = strlen(suffix);

    if (*len < n || memcmp(f->part[f->parts - 1] + *len - n, suffix, n) != 0)
        return false;
    *len -= n;
    return true;
}

static bool file_name_split(struct file_name *out, const char *name)
{
    *out = (struct file_name){.parts = 0};
    for (const char *at = name;; at += out->len[out->parts - 1] + 1) {
        out->part[out->parts] = at;
        out->len[out->parts] = strcspn(at, "!");
        out->parts++;
        if (at[out->len[out->parts - 1]] == '\0')
            break;
        if (out->parts == 5)
            return false;
    }
    out->gzip = drop_suffix(out, ".gz");
    return out->parts >= 4 && drop_suffix(out, ".json");
}

static void check_file_time(const struct notes *n, const struct file_name *f, size_t part, const char *member)
{
    int64_t at = 0;
    char *end = NULL;
    long long told = strtoll(f->part[part], &end, 10);

    if (body_time(&at, n->found->json, member) && (end != f->part[part] + f->len[part] || told != (long long)at))
        note(n, "the file name has another %s than the body: %.*s", member,
             (int)(f->len[part] < 300 ? f->len[part] : 300), f->part[part]);
}

static void check_file_name(const struct notes *n)
{
    const char *name = n->found->file_name != NULL ? n->found->file_name : "";
    struct file_name f;

    if (!file_name_split(&f, name)) {
        note(n, "the file name is not of the form S!D!BEGIN!END.json.gz: %.300s", name);
        return;
    }
    if (other_submitter(n->found->json, f.part[0], f.len[0]))
        note(n, "the file name has another submitter than the body: %.*s", (int)f.len[0], f.part[0]);
    if (other_domain(n->found->json, f.part[1], f.len[1]))
        note(n, "the file name has another domain than the body: %.*s", (int)f.len[1], f.part[1]);
    check_file_time(n, &f, 2, "start-datetime");
    check_file_time(n, &f, 3, "end-datetime");
    if (f.gzip != n->found->gzip)
        note(n, "the file name ends in %s, but the report is %s", f.gzip ? ".json.gz" : ".json",
             n->found->gzip ? "compressed" : "not compressed");
}

static void check_type(const struct notes *n)
{
    bool gzip = n->found->type != NULL && strcmp(n->found->type, "application/tlsrpt+gzip") == 0;

    if (gzip != n->found->gzip)
        note(n, "the part is of type %s, but the report is %s", n->found->type,
             n->found->gzip ? "compressed" : "not compressed");
}

/* --- the body --- */

static void check_members(const struct notes *n)
{
    static const char *const names[] = {"organization-name", "contact-info", "report-id", "date-range"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (json_object_get(n->found->json, names[i]) == NULL)
            note(n, "the report has no %s", names[i]);
    if (json_array_size(json_object_get(n->found->json, "policies")) == 0)
        note(n, "the report has no policies");
}

static void check_range(const struct notes *n)
{
    int64_t begin = 0, end = 0;

    if (json_object_get(n->found->json, "date-range") == NULL)
        return;
    if (!body_time(&begin, n->found->json, "start-datetime") || !body_time(&end, n->found->json, "end-datetime"))
        note(n, "the date-range cannot be read");
    else if (begin % UTC_DAY_SECONDS != 0 || (end != begin + UTC_DAY_SECONDS - 1 && end != begin + UTC_DAY_SECONDS))
        note(n, "the date-range is not one UTC day");
}

static json_int_t check_failure(const struct notes *n, const json_t *failure)
{
    const char *type = text_of(failure, "result-type");
    enum tlsrpt_result result = TLSRPT_VALIDATION_FAILURE;

    if (!tlsrpt_result_of_name(&result, type))
        note(n, "a result-type that RFC 8460 does not have: \"%.100s\"", type);
    return json_integer_value(json_object_get(failure, "failed-session-count"));
}

/* J7, J11, J14, J18 */
static void check_policy(const struct notes *n, const json_t *entry)
{
    const json_t *summary = json_object_get(entry, "summary"), *failures = json_object_get(entry, "failure-details");
    const json_t *failed = json_object_get(summary, "total-failure-session-count");
    const char *type = text_of(json_object_get(entry, "policy"), "policy-type");
    json_int_t sum = 0;

    if (strcmp(type, "sts") != 0 && strcmp(type, "tlsa") != 0 && strcmp(type, "no-policy-found") != 0)
        note(n, "a policy-type that RFC 8460 does not have: \"%.100s\"", type);
    if (failed == NULL || json_object_get(summary, "total-successful-session-count") == NULL)
        note(n, "a policy without counts of sessions");
    for (size_t i = 0; i < json_array_size(failures); i++)
        if (__builtin_add_overflow(sum, check_failure(n, json_array_get(failures, i)), &sum))
            sum = INT64_MAX;
    if (failed != NULL && json_array_size(failures) > 0 && sum < json_integer_value(failed))
        note(n, "%lld failed sessions, but the details have only %lld", (long long)json_integer_value(failed),
             (long long)sum);
}

void report_notes(const struct report_found *f, report_note_fn *fn, void *ctx)
{
    size_t count = 0;
    const struct notes n = {f, fn, ctx, &count};
    const json_t *policies = json_object_get(f->json, "policies");

    if (f->mail) {
        check_subject(&n);
        check_header(&n);
        check_type(&n);
        check_file_name(&n);
    }
    if (f->behind > 0)
        note(&n, "%zu octets follow the compressed report", f->behind);
    check_members(&n);
    check_range(&n);
    for (size_t i = 0; i < json_array_size(policies); i++)
        check_policy(&n, json_array_get(policies, i));
}
