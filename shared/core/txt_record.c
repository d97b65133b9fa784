/* txt_record.c - TXT records of the form "version; name=value; ...": finding the one that counts, and cutting it into
 * fields. */
#include "txt_record.h"

#include "ascii.h"

#include <string.h>

static size_t skip_blanks(const char *txt, size_t pos, size_t len)
{
    while (pos < len && ascii_is_blank(txt[pos]))
        pos++;
    return pos;
}

int txt_record_begin(size_t *pos, const char *version, const char *txt, size_t len)
{
    size_t at = strlen(version);

    if (len < at || memcmp(txt, version, at) != 0)
        return 0;
    at = skip_blanks(txt, at, len);
    if (at == len) {
        *pos = len;
        return -1;
    }
    if (txt[at] != ';')
        return 0;
    *pos = skip_blanks(txt, at + 1, len);
    return 1;
}

int txt_record_select(size_t *which, const char *version, const struct sts_txt *txt, size_t count, struct err *e)
{
    size_t whole = 0, bare = 0, bare_at = 0, pos;

    for (size_t i = 0; i < count; i++) {
        int begun = txt_record_begin(&pos, version, txt[i].text, txt[i].len);
        if (begun > 0 && ++whole == 1)
            *which = i;
        if (begun < 0 && ++bare == 1)
            bare_at = i;
    }
    if (whole == 0 && bare > 0) {
        *which = bare_at;
        whole = bare;
    }
    if (whole > 1)
        return err_set(e, "%zu records begin with \"%s\", but only one is allowed", whole, version);
    return whole == 1;
}

static size_t measure_name(const char *txt, size_t pos, size_t len)
{
    size_t end = pos;

    while (end < len && (ascii_is_alnum(txt[end]) || (end > pos && txt[end] != '\0' && strchr("_-.", txt[end]))))
        end++;
    return end - pos;
}

static int cut_name(struct txt_field *out, size_t pos, const char *txt, size_t len, struct err *e)
{
    out->name = txt + pos;
    out->name_len = measure_name(txt, pos, len);
    if (out->name_len == 0)
        return err_set(e, "octet %zu: the name of a field must stand here, it begins with a letter or digit", pos + 1);
    if (out->name_len > TXT_NAME_MAX)
        return err_set(e, "octet %zu: the name of a field may have at most %d octets", pos + 1, TXT_NAME_MAX);
    if (pos + out->name_len == len || txt[pos + out->name_len] != '=') {
        return err_set(e, "octet %zu: '=' must follow the field name \"%.*s\"", pos + out->name_len + 1,
                       (int)out->name_len, out->name);
    }
    return 0;
}

int txt_field_next(struct txt_field *out, size_t *pos, const char *txt, size_t len, struct err *e)
{
    const char *delim;
    size_t at, end;

    if (*pos == len)
        return 0;
    if (cut_name(out, *pos, txt, len, e) < 0)
        return -1;
    at = *pos + out->name_len + 1;
    delim = memchr(txt + at, ';', len - at);
    end = delim == NULL ? len : (size_t)(delim - txt);
    *pos = delim == NULL ? len : skip_blanks(txt, end + 1, len);
    while (delim != NULL && end > at && ascii_is_blank(txt[end - 1])) /* without ';' no blanks may stand at the end */
        end--;
    out->value = txt + at;
    out->value_len = end - at;
    out->value_at = at + 1;
    return 1;
}

bool txt_field_is(const struct txt_field *f, const char *name)
{
    return f->name_len == strlen(name) && memcmp(f->name, name, f->name_len) == 0;
}

int txt_field_check_extension(const struct txt_field *f, struct err *e)
{
    if (f->value_len == 0)
        return err_set(e, "octet %zu: the field \"%.*s\" has no value", f->value_at, (int)f->name_len, f->name);
    for (size_t i = 0; i < f->value_len; i++) {
        if (!ascii_is_visible(f->value[i]) || f->value[i] == '=') {
            return err_set(e,
                           "octet %zu: not allowed in the value of \"%.*s\": only visible ASCII without '=' and ';' is",
                           f->value_at + i, (int)f->name_len, f->name);
        }
    }
    return 0;
}
