/* socketmap.c - requests and replies of the Postfix socketmap protocol. */
#include "socketmap.h"

#include <string.h>

#include "netstring.h"

const char *socketmap_status_name(enum socketmap_status status)
{
    switch (status) {
    case SOCKETMAP_OK:
        return "OK";
    case SOCKETMAP_NOTFOUND:
        return "NOTFOUND";
    case SOCKETMAP_TEMP:
        return "TEMP";
    case SOCKETMAP_PERM:
        return "PERM";
    }
    return "TEMP";
}

int socketmap_request_parse(struct socketmap_request *out, const char *data, size_t len)
{
    const char *blank = len > 0 ? memchr(data, ' ', len) : NULL;
    size_t map_len;

    if (blank == NULL)
        return -1;
    map_len = (size_t)(blank - data);
    if (map_len == 0 || map_len + 1 == len)
        return -1;
    out->map = data;
    out->map_len = map_len;
    out->key = blank + 1;
    out->key_len = len - map_len - 1;
    return 0;
}

int socketmap_is_map(const struct socketmap_request *req, const char *name)
{
    return strlen(name) == req->map_len && memcmp(req->map, name, req->map_len) == 0;
}

/* Postfix cuts a reply at a NUL without a word, and a line feed would start a new attribute. */
static void blank_controls(char *s, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c < 0x20 || c == 0x7f)
            s[i] = ' ';
    }
}

void socketmap_reply(struct buf *out, enum socketmap_status status, const char *text, size_t len)
{
    static const char too_long[] = "answer too long";
    char head[NETSTRING_OVERHEAD];
    const char *word = socketmap_status_name(status);
    size_t word_len = strlen(word);
    size_t head_len;

    if (len > SOCKETMAP_REPLY_MAX - word_len - 1) {
        word = socketmap_status_name(SOCKETMAP_TEMP);
        word_len = strlen(word);
        text = too_long;
        len = sizeof(too_long) - 1;
    }
    head_len = netstring_head(head, word_len + 1 + len);
    if (!buf_reserve(out, head_len + word_len + 1 + len + 1))
        return;
    buf_add(out, head, head_len);
    buf_add(out, word, word_len);
    buf_char(out, ' ');
    buf_add(out, text, len);
    blank_controls(out->data + out->len - len, len);
    buf_char(out, ',');
}
