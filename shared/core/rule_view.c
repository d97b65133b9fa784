/* rule_view.c - walks over values. Copies are laid out as the walk goes, so offsets are the sums of lengths. */
#include "rule_view.h"

#include <stdlib.h>
#include <string.h>

#include "utf8.h"
#include "utf8_fold.h"

static struct rule_text one(struct rule_text text, size_t i)
{
    return i == 0 ? text : (struct rule_text){NULL, 0};
}

/* How many values there may be, those that are none included. */
static size_t count_of(const struct rule_message *m, enum rule_field field)
{
    switch (field) {
    case RULE_RECIPIENT:
        return m->recipient_count;
    case RULE_HEADER:
        return m->header_count;
    case RULE_BODY:
    case RULE_ATTACHMENT_NAME:
    case RULE_ATTACHMENT_TYPE:
        return m->part_count;
    default:
        return 1;
    }
}

static struct rule_text value_of(const struct rule_message *m, enum rule_field field, size_t i)
{
    switch (field) {
    case RULE_SENDER:
        return one(m->sender, i);
    case RULE_RECIPIENT:
        return m->recipients[i];
    case RULE_CLIENT_ADDRESS:
        return one(m->client_address, i);
    case RULE_CLIENT_USER:
        return one(m->client_user, i);
    case RULE_HEADER:
        return m->headers[i].value;
    case RULE_BODY:
        return m->parts[i].text;
    case RULE_ATTACHMENT_NAME:
        return m->parts[i].name;
    case RULE_ATTACHMENT_TYPE:
        return m->parts[i].type;
    default:
        return (struct rule_text){NULL, 0};
    }
}

static size_t len_of(struct rule_text text)
{
    return text.data == NULL ? 0 : text.len;
}

void rule_view_message(struct rule_view *v, const struct rule_message *message)
{
    v->message = message;
    v->all = 0;
    for (unsigned field = 0; field < RULE_FIELDS; field++) {
        v->octets[field] = 0;
        for (size_t i = 0; i < count_of(message, (enum rule_field)field); i++)
            v->octets[field] += len_of(value_of(message, (enum rule_field)field, i));
        v->all += v->octets[field];
        for (unsigned form = 0; form < RULE_FORMS; form++)
            v->copy[field][form].made = v->copy[field][form].same = false;
    }
}

void rule_view_clear(struct rule_view *v)
{
    for (unsigned field = 0; field < RULE_FIELDS; field++)
        for (unsigned form = 0; form < RULE_FORMS; form++)
            free(v->copy[field][form].data);
    memset(v, 0, sizeof(*v));
}

static size_t valid_len(const char *text, size_t len)
{
    size_t i = 0;

    while (i < len) {
        size_t n = (unsigned char)text[i] < 0x80 ? 1 : utf8_measure(text + i, len - i);

        if (n == 0)
            break;
        i += n;
    }
    return i;
}

static void clean(char *out, const char *in, size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t valid = valid_len(in + i, len - i);

        memcpy(out + i, in + i, valid);
        i += valid;
        if (i < len)
            out[i++] = '?';
    }
}

static bool all_valid(const struct rule_message *m, enum rule_field field)
{
    for (size_t i = 0; i < count_of(m, field); i++) {
        struct rule_text value = value_of(m, field, i);

        if (value.data != NULL && valid_len(value.data, value.len) < value.len)
            return false;
    }
    return true;
}

static int make_copy(struct rule_view *v, enum rule_field field, enum rule_form form)
{
    struct rule_copy *copy = &v->copy[field][form];
    size_t at = 0;

    copy->made = true;
    copy->same = form == RULE_RAW || (form == RULE_CLEAN && all_valid(v->message, field));
    if (copy->same)
        return 0;
    if (copy->cap < v->octets[field]) {
        free(copy->data);
        copy->data = malloc(v->octets[field]);
        copy->cap = copy->data == NULL ? 0 : v->octets[field];
        copy->made = copy->data != NULL;
    }
    for (size_t i = 0; copy->made && i < count_of(v->message, field); i++) {
        struct rule_text value = value_of(v->message, field, i);

        if (len_of(value) == 0)
            continue;
        (form == RULE_FOLDED ? utf8_fold : clean)(copy->data + at, value.data, value.len);
        at += value.len;
    }
    return copy->made ? 0 : -1;
}

bool rule_header_is(const struct rule_header *field, const char *name)
{
    size_t len = strlen(name);

    return len_of(field->name) == len && strncasecmp(field->name.data, name, len) == 0;
}

int rule_view_next(struct rule_view *v, enum rule_field field, enum rule_form form, const char *header,
                   struct rule_walk *walk, struct rule_text *raw, struct rule_text *text)
{
    const struct rule_copy *copy = &v->copy[field][form];

    if (!copy->made && make_copy(v, field, form) != 0)
        return -1;
    while (walk->next < count_of(v->message, field)) {
        size_t i = walk->next++, offset = walk->offset;

        *raw = value_of(v->message, field, i);
        walk->offset += len_of(*raw);
        if (raw->data == NULL || (header != NULL && !rule_header_is(&v->message->headers[i], header)))
            continue;
        *text = *raw;
        if (!copy->same && raw->len > 0)
            text->data = copy->data + offset;
        return 1;
    }
    return 0;
}
