/* rule_mail.c - a message as rules see it. */
#include "rule_mail.h"

#include "ascii.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- header fields --- */

static size_t decoded_max(const struct rule_mail_source *source)
{
    size_t octets = 0;

    for (size_t i = 0; i < source->fields; i++)
        octets += source->field[i].value_len;
    return octets * MIME_CHARSET_GROWTH;
}

static int doubt(struct rule_mail *out, const struct rule_mail_source *source, size_t i)
{
    if (out->doubted == NULL)
        out->message.doubted = out->doubted = calloc(source->fields, sizeof(*out->doubted));
    if (out->doubted == NULL)
        return -1;
    out->doubted[i] = true;
    return 0;
}

/* The buffer may move while it grows: values point into it when it has all of them. */
static int read_header(struct rule_mail *out, const struct rule_mail_source *source, struct mime_converter *c)
{
    size_t begin = 0;

    out->header = calloc(source->fields + 1, sizeof(*out->header)); /* never of nothing */
    if (out->header == NULL)
        return -1;
    buf_init(&out->text, decoded_max(source));
    for (size_t i = 0; i < source->fields; i++) {
        const struct header_field *field = &source->field[i];

        begin = out->text.len;
        if (header_decode(&out->text, field->value, field->value_len, c) != 0 && doubt(out, source, i) != 0)
            return -1;
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

/* The first reason for each of what could not be seen. */
static void cut_add(struct rule_message *m, unsigned needs, const char *why)
{
    unsigned new = needs & ~m->cut;

    if ((new &RULE_NEED_HEADER) != 0)
        m->header_why = why;
    if ((new &RULE_NEED_BODY) != 0)
        m->body_why = why;
    if ((new &RULE_NEED_ATTACHMENTS) != 0)
        m->attachments_why = why;
    m->cut |= needs;
}

/* A name is for people only if it looks like one: who wrote the message chose it. */
static const char *charset_why(struct rule_mail *out, const char *charset)
{
    for (const char *p = charset; *p != '\0'; p++)
        if (!ascii_is_alnum(*p) && strchr("-_.:", *p) == NULL)
            return "the charset of a text is not known";
    if (out->charset_why[0] == '\0')
        snprintf(out->charset_why, sizeof(out->charset_why), "the charset %s is not known", charset);
    return out->charset_why;
}

static const char *why_of(struct rule_mail *out, const struct mime_part *part)
{
    switch (part->guessed) {
    case MIME_GUESS_TRANSFER:
        return "the transfer encoding of a part is not known";
    case MIME_GUESS_CHARSET:
        return charset_why(out, part->charset);
    case MIME_GUESS_OCTETS:
        return "a text could not be decoded by its charset";
    default:
        return "a message or multipart within the message could not be taken apart";
    }
}

/* What of a part cannot be told for sure could be a text, or have parts of its own. The octets of others say nothing.
 */
static void cut_by_part(struct rule_mail *out, const struct mime_part *part)
{
    bool text = part->guessed == MIME_GUESS_CHARSET || part->guessed == MIME_GUESS_OCTETS;

    if (part->name_guessed)
        cut_add(&out->message, RULE_NEED_ATTACHMENTS, "the name of an attachment could not be decoded");
    if (part->guessed == MIME_SURE)
        return;
    if (text || strncmp(part->type, "text/", 5) == 0)
        cut_add(&out->message, RULE_NEED_BODY, why_of(out, part));
    else if (strncmp(part->type, "multipart/", 10) == 0 || strncmp(part->type, "message/", 8) == 0)
        cut_add(&out->message, RULE_NEED_BODY | RULE_NEED_ATTACHMENTS, why_of(out, part));
}

static void cut_by_limit(struct rule_mail *out)
{
    static const char *const whys[] = {
        [MIME_CUT_DEPTH] = "parts of the message are too deep within one another",
        [MIME_CUT_PARTS] = "the message has too many parts",
        [MIME_CUT_TEXT] = "the message has too much text",
        [MIME_CUT_FIELD] = "a field that says what a part is made of is too long",
    };

    if (out->mime.cut != MIME_WHOLE && out->mime.cut != MIME_CUT_END)
        cut_add(&out->message, RULE_NEED_BODY | RULE_NEED_ATTACHMENTS, whys[out->mime.cut]);
}

static int read_body(struct rule_mail *out, const struct rule_mail_source *source, unsigned need,
                     struct mime_converter *c)
{
    const struct mime_limits limits = {.depth = RULE_MAIL_DEPTH,
                                       .parts = RULE_MAIL_PARTS,
                                       .text = RULE_MAIL_TEXT,
                                       .no_text = (need & RULE_NEED_BODY) == 0};

    if (mime_read(&out->mime, source->field, source->fields, source->body, source->body_len, source->body_more, &limits,
                  c) != 0)
        return -1;
    out->part = calloc(out->mime.count + 1, sizeof(*out->part));
    if (out->part == NULL)
        return -1;
    cut_by_limit(out);
    if (source->shape_left_out)
        cut_add(&out->message, RULE_NEED_ATTACHMENTS, "not all parts of so large a message were looked at");
    for (size_t i = 0; i < out->mime.count; i++) {
        read_part(&out->part[i], &out->mime.part[i], need);
        cut_by_part(out, &out->mime.part[i]);
    }
    out->message.parts = out->part;
    out->message.part_count = out->mime.count;
    return 0;
}

int rule_mail_read(struct rule_mail *out, const struct rule_mail_source *source, unsigned need)
{
    struct mime_converter header = {source->convert, RULE_MAIL_CONVERSIONS}, body = header;
    int rc = 0;

    memset(out, 0, sizeof(*out));
    out->message.size = source->size;
    if (source->fields_left_out)
        cut_add(&out->message, RULE_NEED_HEADER | RULE_NEED_BODY | RULE_NEED_ATTACHMENTS,
                "the message has more header fields than are looked at");
    if ((need & RULE_NEED_HEADER) != 0)
        rc = read_header(out, source, &header);
    if (rc == 0 && (need & (RULE_NEED_BODY | RULE_NEED_ATTACHMENTS)) != 0)
        rc = read_body(out, source, need, &body);
    if (rc != 0)
        rule_mail_clear(out);
    return rc;
}

void rule_mail_clear(struct rule_mail *mail)
{
    mime_clear(&mail->mime);
    buf_clear(&mail->text);
    free(mail->header);
    free(mail->doubted);
    free(mail->part);
    memset(mail, 0, sizeof(*mail));
}
