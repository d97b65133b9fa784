/* sts_record.c - the TXT record that says "there is an MTA-STS policy", and under which id (RFC 8461 3.1). */
#include "sts_record.h"

#include "ascii.h"

#include <stdbool.h>
#include <string.h>

static const char sts_version[] = "v=STSv1";

static int take_id(struct sts_record *out, const struct txt_field *f, struct err *e)
{
    if (f->value_len == 0)
        return err_set(e, "octet %zu: the id is empty", f->value_at);
    for (size_t i = 0; i < f->value_len; i++)
        if (!ascii_is_alnum(f->value[i]))
            return err_set(e, "octet %zu: not allowed in an id: only letters and digits are", f->value_at + i);
    if (f->value_len > STS_ID_MAX) {
        return err_set(e, "octet %zu: the id has %zu octets, but at most %d are allowed", f->value_at, f->value_len,
                       STS_ID_MAX);
    }
    memcpy(out->id, f->value, f->value_len);
    out->id[f->value_len] = '\0';
    return 0;
}

static int take_field(struct sts_record *out, const struct txt_field *f, struct err *e)
{
    if (txt_field_is(f, "id") && out->id[0] == '\0')
        return take_id(out, f, e);
    return txt_field_check_extension(f, e);
}

int sts_record_parse(struct sts_record *out, const char *txt, size_t len, struct err *e)
{
    struct txt_field field;
    size_t pos;
    int more;

    out->id[0] = '\0';
    if (txt_record_begin(&pos, sts_version, txt, len) == 0)
        return 0;
    while ((more = txt_field_next(&field, &pos, txt, len, e)) > 0) {
        if (take_field(out, &field, e) < 0) {
            more = -1;
            break;
        }
    }
    if (more < 0) {
        out->id[0] = '\0';
        return -1;
    }
    if (out->id[0] == '\0')
        return err_set(e, "there is no id field");
    return 1;
}

int sts_record_select(struct sts_record *out, const struct sts_txt *txt, size_t count, struct err *e)
{
    size_t which = 0;
    int found = txt_record_select(&which, sts_version, txt, count, e);

    out->id[0] = '\0';
    if (found != 1)
        return found;
    return sts_record_parse(out, txt[which].text, txt[which].len, e);
}
