/* message_rules.c - see message_rules.h. */
#include "message_rules.h"

#include <stdlib.h>
#include <string.h>

static struct rule_text bare(const char *address)
{
    size_t len = strlen(address);

    if (len >= 2 && address[0] == '<' && address[len - 1] == '>')
        return (struct rule_text){address + 1, len - 2};
    return (struct rule_text){address, len};
}

static struct rule_text text_of(const char *text)
{
    return (struct rule_text){text, text == NULL ? 0 : strlen(text)};
}

static int set_envelope(struct message_rules *out, const struct message_view *view)
{
    struct rule_message *m = &out->mail.message;

    out->recipient = calloc(view->recipients + 1, sizeof(*out->recipient));
    if (out->recipient == NULL)
        return -1;
    for (size_t i = 0; i < view->recipients; i++)
        out->recipient[i] = bare(view->recipient[i].address);
    m->sender = bare(view->sender);
    m->recipients = out->recipient;
    m->recipient_count = view->recipients;
    return 0;
}

int message_rules_read(struct message_rules *out, const struct message_view *view, const struct message_client *client,
                       mime_convert *convert, unsigned need)
{
    const struct rule_mail_source source = {.field = view->field,
                                            .fields = view->fields,
                                            .fields_left_out = view->fields_left_out,
                                            .body = view->body,
                                            .body_len = view->body_len,
                                            .body_more = view->body_more,
                                            .shape_left_out = view->shape_left_out,
                                            .size = view->size,
                                            .convert = convert};

    if (rule_mail_read(&out->mail, &source, need) != 0 || set_envelope(out, view) != 0)
        return -1;
    out->mail.message.client_address = text_of(client->address[0] == '\0' ? NULL : client->address);
    out->mail.message.client_user = text_of(client->user);
    out->mail.message.client_tls = client->tls;
    return 0;
}

void message_rules_clear(struct message_rules *m)
{
    rule_mail_clear(&m->mail);
    free(m->recipient);
    m->recipient = NULL;
}
