/* rule_mail.c - a message as rules see it. */
#include "rule_mail.h"

#include <stdlib.h>
#include <string.h>

#define UTF8_GROWTH 3 /* an octet of a charset becomes at most so many */

/* --- header fields --- */

static size_t decoded_max(const struct rule_mail_source *source)
{
    size_t octets = 0;

    for (size_t i = 0; i < source->fields; i++)
        octets += source->field[i].value_len;
    return octets * UTF8_GROWTH;
}

/* The buffer may move while it grows: values point into it when it has all of them. */
static int read_header(struct rule_mail *out, const struct rule_mail_source *source)
{
    size_t begin = 0;

    out->header = calloc(source->fields + 1, sizeof(*out->header)); /* never of nothing */
    if (out->header == NULL)
        return -1;
    buf_init(&out->text, decoded_max(source));
    for (size_t i = 0; i < source->fields; i++) {
        const struct header_field *field = &source->field[i];

        begin = out->text.len;
        header_decode(&out->text, field->value, field->value_len);
        out->header[i].name = (struct rule_text){field->name, field->name_len};
        out->header[i].value.len = out->text.len - begin;
    }
    if (!buf_ok(&out->text))
        return -1;
    begin = 0;
    for (size_t i = 0; i < source->fields; i++) {
        out->header[i].value.data = buf_text(&out->text) + begin;
        begin += out->header[i].value.len;
    }
    out->message.headers = out->header;
    out->message.header_count = source->fields;
    return 0;
}

/* --- the body --- */

static struct rule_text text_of(const char *data, size_t len)
{
    return (struct rule_text){data, data == NULL ? 0 : len};
}

static void read_part(struct rule_part *out, const struct mime_part *part, unsigned need)
{
    if ((need & RULE_NEED_BODY) != 0)
        out->text = text_of(part->text, part->text_len);
    if ((need & RULE_NEED_ATTACHMENTS) == 0 || !part->attachment)
        return;
    out->type = text_of(part->type, strlen(part->type));
    out->name = text_of(part->name, part->name == NULL ? 0 : strlen(part->name));
}

/* What of a part cannot be told for sure could be a text, or have parts of its own. The octets of others say nothing.
 */
static unsigned cut_of_part(const struct mime_part *part)
{
    if (!part->guessed)
        return 0;
    if (strncmp(part->type, "text/", 5) == 0)
        return RULE_NEED_BODY;
    if (strncmp(part->type, "multipart/", 10) == 0 || strncmp(part->type, "message/", 8) == 0)
        return RULE_NEED_BODY | RULE_NEED_ATTACHMENTS;
    return 0;
}

static int read_body(struct rule_mail *out, const struct rule_mail_source *source, unsigned need)
{
    const struct mime_limits limits = {.depth = RULE_MAIL_DEPTH,
                                       .parts = RULE_MAIL_PARTS,
                                       .text = RULE_MAIL_TEXT,
                                       .no_text = (need & RULE_NEED_BODY) == 0};

    if (mime_read(&out->mime, source->field, source->fields, source->body, source->body_len, source->body_more,
                  &limits) != 0)
        return -1;
    out->part = calloc(out->mime.count + 1, sizeof(*out->part));
    if (out->part == NULL)
        return -1;
    if (out->mime.cut != MIME_WHOLE && out->mime.cut != MIME_CUT_END)
        out->message.cut |= RULE_NEED_BODY | RULE_NEED_ATTACHMENTS;
    for (size_t i = 0; i < out->mime.count; i++) {
        read_part(&out->part[i], &out->mime.part[i], need);
        out->message.cut |= cut_of_part(&out->mime.part[i]);
    }
    out->message.parts = out->part;
    out->message.part_count = out->mime.count;
    return 0;
}

int rule_mail_read(struct rule_mail *out, const struct rule_mail_source *source, unsigned need)
{
    int rc = 0;

    memset(out, 0, sizeof(*out));
    out->message.size = source->size;
    if (source->fields_left_out)
        out->message.cut = RULE_NEED_HEADER | RULE_NEED_BODY | RULE_NEED_ATTACHMENTS;
    if ((need & RULE_NEED_HEADER) != 0)
        rc = read_header(out, source);
    if (rc == 0 && (need & (RULE_NEED_BODY | RULE_NEED_ATTACHMENTS)) != 0)
        rc = read_body(out, source, need);
    if (rc != 0)
        rule_mail_clear(out);
    return rc;
}

void rule_mail_clear(struct rule_mail *mail)
{
    mime_clear(&mail->mime);
    buf_clear(&mail->text);
    free(mail->header);
    free(mail->part);
    memset(mail, 0, sizeof(*mail));
}
