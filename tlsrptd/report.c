/* report.c - see report.h. */
#include "report.h"

#include "hex.h"
#include "report_details.h"
#include "report_gzip.h"
#include "report_json.h"
#include "rua_uri.h"
#include "utc_day.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ID_DOMAIN_MAX 128 /* so that an id always has room, in its buffer and in a subject */
#define DAY_TEXT      16

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

size_t report_records(const char *const **record, const struct counts *c)
{
    const char **all = calloc(c->policies > 0 ? c->policies : 1, sizeof(*all));
    size_t count = 0;

    *record = NULL;
    for (size_t i = 0; all != NULL && i < c->policies; i++)
        all[i] = c->policy[i].record;
    if (all == NULL || c->policies == 0) {
        free(all);
        return 0;
    }
    qsort(all, c->policies, sizeof(*all), by_text);
    for (size_t i = 0; i < c->policies; i++)
        if (count == 0 || strcmp(all[count - 1], all[i]) != 0)
            all[count++] = all[i];
    *record = all;
    return count;
}

/* --- names of a report --- */

static int unique_make(char out[REPORT_UNIQUE_BUF], const struct report *r, const char *record)
{
    unsigned char digest[SHA256_DIGEST_LENGTH] = {0};
    struct buf text;
    int rc;

    buf_init(&text, strlen(record) + sizeof(*r));
    buf_printf(&text, "%" PRId32 "\n%s\n%s\n%s", r->day, r->domain, r->submitter, record);
    rc = buf_ok(&text) ? EVP_Digest(buf_text(&text), text.len, digest, NULL, EVP_sha256(), NULL) : 0;
    buf_clear(&text);
    hex_write(out, digest, REPORT_UNIQUE_BUF / 2);
    return rc == 1 ? 0 : -1;
}

static int names_make(struct report *r, const char *record)
{
    time_t begin = (time_t)utc_day_begins(r->day);
    bool named = strlen(r->domain) <= ID_DOMAIN_MAX;
    char day[DAY_TEXT];
    struct tm tm;

    if (unique_make(r->unique, r, record) != 0 || gmtime_r(&begin, &tm) == NULL ||
        strftime(day, sizeof(day), "%Y%m%d", &tm) == 0)
        return -1;
    snprintf(r->id, sizeof(r->id), "%s.%s%s%s@%s", day, r->unique, named ? "." : "", named ? r->domain : "",
             r->submitter);
    snprintf(r->file_name, sizeof(r->file_name), "%s!%s!%" PRId64 "!%" PRId64 "!%s.json.gz", r->submitter, r->domain,
             (int64_t)begin, (int64_t)begin + UTC_DAY_SECONDS - 1, r->unique);
    return 0;
}

/* --- what they are made of --- */

static int domain_take(char out[DOMAIN_BUF], const char *domain, const char *what, struct err *e)
{
    return domain_normalise(out, domain, strlen(domain), e) == 0 ? 0 : err_prefix(e, "%s", what);
}

/* J4, E4: an address in its one form, at the submitter. */
static int contact_take(char address[RUA_ADDRESS_BUF], const struct report *r, const char *contact, struct err *e)
{
    if (rua_address(address, contact, strlen(contact), e) != 0)
        return err_prefix(e, "the contact of reports");
    if (strcmp(strchr(address, '@') + 1, r->submitter) != 0)
        return err_set(e, "the contact of reports, %s, is not at the domain that submits them, %s", address,
                       r->submitter);
    return 0;
}

static size_t sums(struct report *r, const struct counts *c, const char *record)
{
    size_t policies = 0;

    for (size_t i = 0; i < c->policies; i++)
        if (strcmp(c->policy[i].record, record) == 0) {
            r->successful = report_sum(r->successful, c->policy[i].successful);
            r->failed = report_sum(r->failed, c->policy[i].failed);
            policies++;
        }
    return policies;
}

static int begin(struct report *r, char contact[RUA_ADDRESS_BUF], const struct counts *c, const char *record,
                 const struct report_settings *s, struct err *e)
{
    r->day = c->day;
    if (c->day < 0 || c->day > UTC_DAY_MAX)
        return err_set(e, "day %" PRId32 " is none for a report", c->day);
    if (domain_take(r->domain, c->domain, "the domain of a report", e) != 0 ||
        domain_take(r->submitter, s->submitter, "who submits reports", e) != 0 ||
        contact_take(contact, r, s->contact, e) != 0)
        return -1;
    if (sums(r, c, record) == 0)
        return err_set(e, "nothing was counted of %s under this TLSRPT record", r->domain);
    return names_make(r, record) == 0 ? 0 : err_set(e, "no memory for a report");
}

int report_build(struct report *out, const struct counts *c, const char *record, const struct report_settings *s,
                 struct err *e)
{
    char contact[RUA_ADDRESS_BUF];
    struct report_head head = {s->organization[0] != '\0' ? s->organization : s->submitter, contact, out->id};
    int rc;

    memset(out, 0, sizeof(*out));
    buf_init(&out->json, REPORT_JSON_MAX);
    buf_init(&out->gzip, REPORT_JSON_MAX + REPORT_JSON_MAX / 1000);
    if (begin(out, contact, c, record, s, e) != 0)
        return -1;
    rc = report_json(&out->json, &out->left_out, c, record, &head);
    if (rc == 0)
        rc = report_gzip(&out->gzip, buf_text(&out->json), out->json.len);
    if (rc == 0)
        return 0;
    report_clear(out);
    return err_set(e,
                   rc == 1 ? "the report of %s is too large, also without details" : "no memory for the report of %s",
                   c->domain);
}

void report_clear(struct report *r)
{
    if (r == NULL)
        return;
    buf_clear(&r->json);
    buf_clear(&r->gzip);
}
