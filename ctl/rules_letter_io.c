/* rules_letter_io.c - a message out of a file. */
#include "rules_letter_io.h"

#include "header_field.h"
#include "input_io.h"

#include <string.h>

/* --- the envelope --- */

static int add_address(struct message *m, void (*add)(struct message *, char *const *), const char *address,
                       struct err *e)
{
    size_t len = strlen(address);
    bool bare = len < 2 || address[0] != '<' || address[len - 1] != '>';
    struct buf text;

    buf_init(&text, (size_t)4 * ADDRESS_TAG_MAX);
    buf_printf(&text, bare ? "<%s>" : "%s", address);
    if (buf_ok(&text))
        add(m, (char *const[]){text.data, NULL});
    else
        err_set(e, "an address of %zu octets", len);
    buf_clear(&text);
    return e->text[0] == '\0' ? 0 : -1;
}

static int feed_envelope(struct message *m, const struct ctl *ctl, struct err *e)
{
    int rc = add_address(m, message_sender, ctl->sender != NULL ? ctl->sender : "", e);

    for (size_t i = 0; rc == 0 && i < ctl->rcpt.count; i++)
        rc = add_address(m, message_recipient, ctl->rcpt.value[i], e);
    return rc;
}

/* --- header and body --- */

/* A name or a value as text of its own. */
static const char *text_of(struct buf *out, const char *octets, size_t len)
{
    buf_reset(out);
    buf_add(out, octets, len);
    return buf_text(out);
}

static bool feed_fields(struct message *m, size_t *pos, const struct buf *file)
{
    struct header_field field;
    struct buf name, value;
    bool fine = true;

    buf_init(&name, RULES_LETTER_MAX);
    buf_init(&value, RULES_LETTER_MAX);
    while (fine && header_field_next(&field, pos, buf_text(file), file->len) == 1) {
        message_field(m, text_of(&name, field.name, field.name_len), text_of(&value, field.value, field.value_len));
        fine = buf_ok(&name) && buf_ok(&value);
    }
    buf_clear(&name);
    buf_clear(&value);
    return fine;
}

/* Lines end with CR LF when an MTA has them. */
static void feed_body(struct message *m, const char *body, size_t len)
{
    for (size_t at = 0, end; at < len; at = end) {
        const char *lf = memchr(body + at, '\n', len - at);

        bool cr;

        end = lf == NULL ? len : (size_t)(lf - body);
        message_body(m, body + at, end - at);
        if (lf == NULL)
            return;
        cr = end > at && body[end - 1] == '\r';
        message_body(m, cr ? "\n" : "\r\n", cr ? 1 : 2);
        end++;
    }
}

int rules_letter_read(struct message *m, const char *path, const struct ctl *ctl, struct err *e)
{
    struct buf file;
    size_t pos = 0;
    int rc;

    buf_init(&file, RULES_LETTER_MAX);
    rc = feed_envelope(m, ctl, e) == 0 ? input_read(&file, path, e) : -1;
    if (rc == 1 && strncmp(buf_text(&file), "From ", 5) == 0)
        pos = strcspn(file.data, "\n") + 1;
    if (rc == 1 && pos <= file.len && feed_fields(m, &pos, &file))
        feed_body(m, buf_text(&file) + pos, file.len - pos);
    if (rc == 0 || (rc == 1 && !message_ok(m)))
        rc = err_set(e, "%.200s: no memory, or it is longer than %d octets", path, RULES_LETTER_MAX);
    buf_clear(&file);
    return rc == 1 ? 0 : -1;
}
