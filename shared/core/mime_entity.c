/* mime_entity.c - reads what a part is. */
#include "mime_entity.h"

#include "ascii.h"
#include "mime_param.h"

#include <string.h>

void mime_header_add(struct mime_header *h, const struct header_field *field)
{
    struct header_field *slot = header_field_is(field, "Content-Type")                ? &h->type
                                : header_field_is(field, "Content-Transfer-Encoding") ? &h->transfer
                                : header_field_is(field, "Content-Disposition")       ? &h->disposition
                                                                                      : NULL;

    if (slot != NULL && slot->value == NULL)
        *slot = *field;
}

/* A value on one line without comments; with them when they do not end. */
static void value_text(struct buf *out, const struct header_field *field, bool *cut)
{
    size_t len = field->value_len;

    buf_init(out, MIME_VALUE_MAX);
    if (field->value == NULL)
        return;
    if (len > MIME_VALUE_MAX) {
        len = MIME_VALUE_MAX;
        *cut = true;
    }
    if (header_uncomment(out, field->value, len) != 0)
        header_unfold(out, field->value, len);
}

/* The octets of a parameter, into an array of max + 1; what is longer is cut. */
static void param_copy(char *out, size_t max, const struct buf *text, const char *name, bool *cut)
{
    struct buf b;

    buf_init(&b, max);
    mime_param_octets(&b, buf_text(text), text->len, name);
    memcpy(out, buf_text(&b), b.len);
    out[b.len] = '\0';
    *cut = *cut || !buf_ok(&b);
    buf_clear(&b);
}

/* Its name from that parameter, if it has none yet. */
static void param_name(struct mime_entity *out, const struct buf *text, const char *name, struct mime_converter *c)
{
    struct buf b;

    if (out->part.name != NULL)
        return;
    buf_init(&b, MIME_NAME_MAX);
    if (mime_param(&b, buf_text(text), text->len, name, c) == 2)
        out->part.name_guessed = true;
    out->cut = out->cut || !buf_ok(&b);
    if (b.len == 0)
        buf_clear(&b);
    out->part.name = b.data;
}

/* "type/subtype" (RFC 2045 5.1): tokens on both sides. */
static bool type_in_form(const char *type)
{
    size_t slashes = 0, last = 0, i = 0;

    for (; type[i] != '\0'; i++) {
        if (!ascii_is_visible(type[i]) || strchr("()<>@,;:\\\"[]?=", type[i]) != NULL)
            return false;
        slashes += type[i] == '/';
        last = type[i] == '/' ? i : last;
    }
    return slashes == 1 && last > 0 && last < i - 1;
}

static void type_read(struct mime_entity *out, const struct buf *text, bool in_digest)
{
    const char *missing = in_digest ? "message/rfc822" : "text/plain";
    struct buf word;

    buf_init(&word, MIME_TYPE_MAX);
    mime_value_word(&word, buf_text(text), text->len);
    out->cut = out->cut || !buf_ok(&word);
    if (buf_ok(&word) && type_in_form(buf_text(&word)))
        missing = buf_text(&word);
    memcpy(out->part.type, missing, strlen(missing) + 1);
    buf_clear(&word);
}

/* The name of an attachment, and whether it is one. */
static void name_read(struct mime_entity *out, const struct buf *type, const struct buf *disposition,
                      struct mime_converter *c)
{
    struct buf word;

    param_name(out, disposition, "filename", c);
    param_name(out, type, "name", c);
    buf_init(&word, disposition->len);
    mime_value_word(&word, buf_text(disposition), disposition->len);
    out->part.attachment = out->part.name != NULL || (word.len > 0 && strcmp(buf_text(&word), "inline") != 0);
    buf_clear(&word);
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* A boundary does not end in a blank (RFC 2046 5.1.1), and may not have a line end. */
static bool boundary_read(struct mime_entity *out, const struct buf *type)
{
    bool cut = false;
    size_t len;

    param_copy(out->boundary, MIME_BOUNDARY_MAX, type, "boundary", &cut);
    out->cut = out->cut || cut;
    len = strlen(out->boundary);
    while (len > 0 && (out->boundary[len - 1] == ' ' || out->boundary[len - 1] == '\t'))
        out->boundary[--len] = '\0';
    return len > 0 && !cut;
}

static void kind_read(struct mime_entity *out, const struct buf *type)
{
    const char *name = out->part.type;
    bool multipart = begins(name, "multipart/");
    bool message = strcmp(name, "message/rfc822") == 0 || strcmp(name, "message/global") == 0;

    out->kind = begins(name, "text/") ? MIME_TEXT : MIME_LEAF;
    out->digest = strcmp(name, "multipart/digest") == 0;
    out->part.guessed = out->transfer == MIME_TRANSFER_UNKNOWN ? MIME_GUESS_TRANSFER : MIME_SURE;
    if (multipart && boundary_read(out, type))
        out->kind = MIME_MULTIPART;
    else if (message && out->transfer == MIME_TRANSFER_NONE)
        out->kind = MIME_MESSAGE;
    else if (multipart || message)
        out->part.guessed = MIME_GUESS_PARTS;
}

void mime_entity_read(struct mime_entity *out, const struct mime_header *h, bool in_digest, struct mime_converter *c)
{
    struct buf type, transfer, disposition;

    memset(out, 0, sizeof(*out));
    value_text(&type, &h->type, &out->cut);
    value_text(&transfer, &h->transfer, &out->cut);
    value_text(&disposition, &h->disposition, &out->cut);
    out->transfer = mime_transfer_find(buf_text(&transfer), transfer.len);
    type_read(out, &type, in_digest);
    param_copy(out->part.charset, MIME_CHARSET_MAX, &type, "charset", &out->cut);
    name_read(out, &type, &disposition, c);
    kind_read(out, &type);
    buf_clear(&type);
    buf_clear(&transfer);
    buf_clear(&disposition);
}
