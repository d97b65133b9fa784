/* report_read.c - see report_read.h. */
#include "report_read.h"

#include "ascii.h"
#include "report_gunzip.h"
#include "report_mail_read.h"
#include "report_normal.h"

#include <stdlib.h>
#include <string.h>

#define BOM "\xef\xbb\xbf"

/* Drop what may stand before a JSON text. */
static void skip_blanks(const char **octets, size_t *len)
{
    if (*len >= strlen(BOM) && memcmp(*octets, BOM, strlen(BOM)) == 0) {
        *octets += strlen(BOM);
        *len -= strlen(BOM);
    }
    while (*len > 0 && (ascii_is_blank(**octets) || **octets == '\r' || **octets == '\n')) {
        ++*octets;
        --*len;
    }
}

/* Each takes some hundred octets of memory, and one of the text. */
static bool nests_too_much(const char *octets, size_t len)
{
    size_t count = 0;

    for (size_t i = 0; i < len; i++)
        count += octets[i] == '{' || octets[i] == '[';
    return count > REPORT_READ_NEST_MAX;
}

static int json_read(struct report_found *f, const char *octets, size_t len, struct err *e)
{
    json_error_t why;

    skip_blanks(&octets, &len);
    if (len > REPORT_READ_JSON_MAX)
        return err_set(e, "its JSON is longer than %d octets", REPORT_READ_JSON_MAX);
    if (nests_too_much(octets, len))
        return err_set(e, "its JSON has more than %d objects and arrays", REPORT_READ_NEST_MAX);
    f->json = json_loadb(octets, len, JSON_ALLOW_NUL, &why);
    if (f->json == NULL)
        return err_set(e, "its JSON cannot be read: line %d: %s", why.line, why.text);
    return report_normalise(f->json, e);
}

static int body_read(struct report_found *f, const char *octets, size_t len, struct err *e)
{
    struct buf json;
    int rc;

    f->gzip = report_is_gzip(octets, len);
    if (!f->gzip)
        return json_read(f, octets, len, e);
    buf_init(&json, REPORT_READ_JSON_MAX);
    rc = report_gunzip(&json, &f->behind, octets, len, e);
    if (rc == 0)
        rc = json_read(f, buf_text(&json), json.len, e);
    buf_clear(&json);
    return rc;
}

static int mail_read(struct report_found *f, const char *octets, size_t len, struct err *e)
{
    struct buf body;
    int rc;

    if (len > REPORT_READ_MAIL_MAX)
        return err_set(e, "a mail longer than %d octets", REPORT_READ_MAIL_MAX);
    buf_init(&body, REPORT_READ_MAIL_MAX);
    rc = report_mail_read(&body, f, octets, len, e);
    if (rc == 0)
        rc = body_read(f, buf_text(&body), body.len, e);
    buf_clear(&body);
    return rc;
}

int report_find(struct report_found *out, const char *octets, size_t len, struct err *e)
{
    const char *text = octets;
    size_t text_len = len;
    bool json;
    int rc;

    *out = (struct report_found){0};
    skip_blanks(&text, &text_len);
    json = text_len > 0 && (*text == '{' || *text == '[');
    if (text_len == 0)
        return err_set(e, "it is empty");
    rc = json || report_is_gzip(octets, len) ? body_read(out, octets, len, e) : mail_read(out, octets, len, e);
    if (rc != 0)
        report_found_clear(out);
    return rc;
}

void report_found_clear(struct report_found *f)
{
    json_decref(f->json);
    free(f->type);
    free(f->file_name);
    free(f->subject);
    free(f->domain);
    free(f->submitter);
    *f = (struct report_found){0};
}
