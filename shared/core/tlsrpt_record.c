/* tlsrpt_record.c - the TXT record by which a domain asks for TLS reports (RFC 8460 3). */
#include "tlsrpt_record.h"

#include "ascii.h"

#include <stdbool.h>
#include <string.h>

static const char tlsrpt_version[] = "v=TLSRPTv1";

static void add_uri(struct tlsrpt_record *out, const char *uri, size_t len)
{
    for (size_t i = 0; i < out->rua_count; i++)
        if (strlen(out->rua[i]) == len && memcmp(out->rua[i], uri, len) == 0)
            return;
    if (out->rua_count < TLSRPT_RUA_MAX) {
        memcpy(out->rua[out->rua_count], uri, len);
        out->rua[out->rua_count][len] = '\0';
        out->rua_count++;
    }
}

static int take_uri(struct tlsrpt_record *out, const char *uri, size_t len, size_t at, struct err *e)
{
    enum rua_kind kind;

    if (len == 0)
        return err_set(e, "octet %zu: a URI must stand here", at);
    if (rua_uri_check(&kind, uri, len, e) < 0)
        return err_prefix(e, "octet %zu", at);
    if (kind != RUA_OTHER)
        add_uri(out, uri, len);
    return 0;
}

static size_t trim_blanks(const char *s, size_t len)
{
    while (len > 0 && ascii_is_blank(s[len - 1]))
        len--;
    return len;
}

/* uri *(*WSP "," *WSP uri); as everywhere in the record, no blanks at the very end. */
static int take_rua(struct tlsrpt_record *out, const struct txt_field *f, struct err *e)
{
    const char *end = f->value + f->value_len;
    const char *at = f->value;
    const char *comma;

    while ((comma = memchr(at, ',', (size_t)(end - at))) != NULL) {
        size_t len = trim_blanks(at, (size_t)(comma - at));
        if (take_uri(out, at, len, f->value_at + (size_t)(at - f->value), e) < 0)
            return -1;
        at = comma + 1;
        while (at < end && ascii_is_blank(*at))
            at++;
    }
    return take_uri(out, at, (size_t)(end - at), f->value_at + (size_t)(at - f->value), e);
}

static int take_fields(struct tlsrpt_record *out, size_t pos, const char *txt, size_t len, struct err *e)
{
    struct txt_field field;
    bool has_rua = false;
    int more;

    while ((more = txt_field_next(&field, &pos, txt, len, e)) > 0) {
        bool is_rua = txt_field_is(&field, "rua");
        if ((is_rua ? take_rua(out, &field, e) : txt_field_check_extension(&field, e)) < 0)
            return -1;
        has_rua = has_rua || is_rua;
    }
    if (more == 0 && !has_rua)
        return err_set(e, "there is no rua field");
    return more;
}

int tlsrpt_record_parse(struct tlsrpt_record *out, const char *txt, size_t len, struct err *e)
{
    size_t pos;

    memset(out, 0, sizeof *out);
    if (txt_record_begin(&pos, tlsrpt_version, txt, len) == 0)
        return 0;
    if (len > TLSRPT_RECORD_MAX)
        return err_set(e, "the record has %zu octets, but at most %d are taken", len, TLSRPT_RECORD_MAX);
    if (take_fields(out, pos, txt, len, e) < 0) {
        memset(out, 0, sizeof *out);
        return -1;
    }
    return 1;
}

int tlsrpt_record_select(size_t *which, const struct sts_txt *txt, size_t count, struct err *e)
{
    struct tlsrpt_record record;
    int found = txt_record_select(which, tlsrpt_version, txt, count, e);

    return found != 1 ? found : tlsrpt_record_parse(&record, txt[*which].text, txt[*which].len, e);
}
