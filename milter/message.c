/*
 * message.c - see message.h. Texts go into two growing blocks, whose addresses change while they grow; so places in
 * them are kept as offsets, and made pointers when somebody wants to see the message.
 */
#include "message.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LINE_END 2 /* CR LF */

struct array {
    void *item;
    size_t count, room;
};

struct field_at {
    size_t name, name_len, value, value_len;
};

/* A recipient's words are in `envelope` from `at` on, each with a NUL behind it. */
struct recipient_at {
    size_t at, words;
};

/* Where the next octet of the body stands, when its first octets are past. */
enum place {
    IN_LINE,     /* of those that are kept to its end: the line that the first octets end in, a boundary, a header */
    IN_TEXT,     /* in a line that is left out */
    AT_TEXT,     /* at the beginning of a line, */
    AT_DASH,     /* that began with a dash, */
    AT_HEADER,   /* in the header of a part: it ends with an empty line, */
    AT_HEADER_CR /* of which the CR was there */
};

struct message {
    const struct message_wants *wants;
    struct buf envelope;
    size_t envid_at; /* in it; 0: there is none */
    struct buf header;
    struct buf body;
    bool requiretls;
    enum tls_required no;
    size_t no_fields, record_fields;
    bool fields_left_out, body_more, shape_left_out, failed;
    enum place place;     /* in the body, behind its first octets */
    bool in_part;         /* a boundary was there */
    size_t header_octets; /* since it, or since the first octets */
    int64_t size;
    struct array recipient_at; /* struct recipient_at */
    struct array field_at;     /* struct field_at */
    struct array recipient;    /* made of these when they are wanted: struct flag_recipient, */
    struct array word;         /* const char *, */
    struct array field;        /* struct header_field */
};

struct message *message_new(void)
{
    struct message *m = calloc(1, sizeof(*m));

    if (m == NULL)
        return NULL;
    buf_init(&m->envelope, MESSAGE_ENVELOPE_MAX);
    buf_init(&m->header, MESSAGE_HEADER_MAX);
    buf_init(&m->body, SIZE_MAX / 2);
    return m;
}

void message_free(struct message *m)
{
    if (m == NULL)
        return;
    buf_clear(&m->envelope);
    buf_clear(&m->header);
    buf_clear(&m->body);
    free(m->recipient_at.item);
    free(m->field_at.item);
    free(m->recipient.item);
    free(m->word.item);
    free(m->field.item);
    free(m);
}

/* Room for `count` items in all. The array is as it was when there is no memory. */
static bool array_room(struct array *a, size_t size, size_t count)
{
    size_t room = a->room == 0 ? 16 : a->room;
    void *item;

    if (count <= a->room)
        return true;
    while (room < count)
        room *= 2;
    item = realloc(a->item, room * size);
    if (item == NULL)
        return false;
    a->item = item;
    a->room = room;
    return true;
}

void message_begin(struct message *m, const struct message_wants *wants)
{
    m->wants = wants;
    buf_reset(&m->envelope);
    buf_reset(&m->header);
    buf_reset(&m->body);
    m->recipient_at.count = m->field_at.count = 0;
    m->requiretls = m->fields_left_out = m->body_more = m->shape_left_out = m->failed = false;
    m->place = IN_LINE;
    m->in_part = false;
    m->header_octets = 0;
    m->no = TLS_REQUIRED_NONE;
    m->envid_at = m->no_fields = m->record_fields = 0;
    m->size = LINE_END; /* the empty line */
}

static size_t add_words(struct message *m, char *const *words)
{
    size_t n = 0;

    for (; words[n] != NULL; n++)
        buf_add(&m->envelope, words[n], strlen(words[n]) + 1);
    return n;
}

/* One that can be passed on. */
static bool is_envid(const char *word)
{
    const size_t key = sizeof("ENVID=") - 1;
    size_t len = strlen(word);

    if (len <= key || len > MESSAGE_ENVID_MAX || strncasecmp(word, "ENVID=", key) != 0)
        return false;
    for (const char *p = word; *p != '\0'; p++)
        if (*p <= ' ' || *p > '~')
            return false;
    return true;
}

void message_sender(struct message *m, char *const *words)
{
    add_words(m, (char *const[]){words[0], NULL});
    for (size_t i = 1; words[i] != NULL; i++) {
        m->requiretls = m->requiretls || strcasecmp(words[i], "REQUIRETLS") == 0;
        if (m->envid_at == 0 && is_envid(words[i])) {
            m->envid_at = m->envelope.len;
            add_words(m, (char *const[]){words[i], NULL});
        }
    }
}

void message_recipient(struct message *m, char *const *words)
{
    struct recipient_at r = {.at = m->envelope.len};

    if (!array_room(&m->recipient_at, sizeof(r), m->recipient_at.count + 1)) {
        m->failed = true;
        return;
    }
    r.words = add_words(m, words);
    ((struct recipient_at *)m->recipient_at.item)[m->recipient_at.count++] = r;
}

static void keep_field(struct message *m, const char *name, size_t name_len, const char *value, size_t value_len)
{
    struct field_at f = {.name = m->header.len, .name_len = name_len, .value_len = value_len};

    if (m->fields_left_out || m->field_at.count == MESSAGE_FIELDS_MAX ||
        name_len + value_len > MESSAGE_HEADER_MAX - m->header.len) {
        m->fields_left_out = true;
        return;
    }
    buf_add(&m->header, name, name_len);
    f.value = m->header.len;
    buf_add(&m->header, value, value_len);
    if (!buf_ok(&m->header) || !array_room(&m->field_at, sizeof(f), m->field_at.count + 1)) {
        m->failed = true;
        return;
    }
    ((struct field_at *)m->field_at.item)[m->field_at.count++] = f;
}

void message_field(struct message *m, const char *name, const char *value)
{
    size_t name_len = strlen(name);
    size_t value_len = strlen(value);

    m->size += (int64_t)(name_len + 1 + value_len + LINE_END);
    if (strcasecmp(name, TLS_REQUIRED_FIELD) == 0) {
        m->no = tls_required_join(m->no, tls_required_read(value, value_len));
        m->no_fields++;
    }
    if (m->wants->record_header[0] != '\0' && strcasecmp(name, m->wants->record_header) == 0)
        m->record_fields++;
    if (m->wants->fields)
        keep_field(m, name, name_len, value, value_len);
}

static void keep_octet(struct message *m, char c)
{
    if (m->body.len - m->wants->body_octets >= MESSAGE_SHAPE_MAX)
        m->shape_left_out = true;
    else
        buf_char(&m->body, c);
}

static enum place next_place(enum place place, char c)
{
    switch (place) {
    case IN_LINE:
        return c == '\n' ? AT_HEADER : IN_LINE;
    case IN_TEXT:
        return c == '\n' ? AT_TEXT : IN_TEXT;
    case AT_TEXT:
        return c == '-' ? AT_DASH : next_place(IN_TEXT, c);
    case AT_DASH:
        return c == '-' ? IN_LINE : next_place(IN_TEXT, c);
    case AT_HEADER:
        if (c == '\r')
            return AT_HEADER_CR;
        return c == '\n' ? AT_TEXT : IN_LINE;
    case AT_HEADER_CR:
        return c == '\n' ? AT_TEXT : IN_LINE;
    }
    return IN_TEXT;
}

/* The header of a part is not endless; behind the first octets there may be none, but the text of one. */
static enum place bounded(struct message *m, enum place place)
{
    if (place == AT_TEXT || place == IN_TEXT) {
        m->header_octets = 0;
        return place;
    }
    if (++m->header_octets <= MESSAGE_PART_MAX)
        return place;
    m->shape_left_out = m->shape_left_out || m->in_part;
    m->header_octets = 0;
    if (place == AT_HEADER)
        return AT_TEXT;
    keep_octet(m, '\n'); /* what is kept next is a line of its own */
    return IN_TEXT;
}

/*
 * Lines that begin with "--" may be boundaries, and what follows them up to an empty line the header of a part. All
 * else is left out, so that a large attachment does not hide the name of the next one.
 */
static void keep_shape(struct message *m, const char *octets, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        enum place place = next_place(m->place, octets[i]);
        bool begins = m->place == AT_DASH && place == IN_LINE;

        if (begins) {
            m->in_part = true;
            m->header_octets = 0;
            keep_octet(m, '-');
        }
        if (begins || m->place == IN_LINE || m->place == AT_HEADER || m->place == AT_HEADER_CR)
            keep_octet(m, octets[i]);
        m->place = bounded(m, place);
    }
}

bool message_body(struct message *m, const void *octets, size_t len)
{
    size_t room = m->body.len < m->wants->body_octets ? m->wants->body_octets - m->body.len : 0;
    size_t first = len < room ? len : room;

    m->size += (int64_t)len;
    m->body_more = m->body_more || len > room;
    buf_add(&m->body, octets, first);
    if (m->wants->shape)
        keep_shape(m, (const char *)octets + first, len - first);
    return m->wants->shape || m->body.len < m->wants->body_octets;
}

bool message_ok(const struct message *m)
{
    return !m->failed && buf_ok(&m->envelope) && buf_ok(&m->header) && buf_ok(&m->body);
}

/* Words of a recipient as pointers, with a NULL behind them. Returns the place behind that. */
static const char **see_words(const char **word, const char *text, size_t words)
{
    for (; words > 0; words--) {
        *word++ = text;
        text += strlen(text) + 1;
    }
    *word++ = NULL;
    return word;
}

static void see_recipients(struct message *m)
{
    const struct recipient_at *at = m->recipient_at.item;
    size_t count = m->recipient_at.count;
    size_t words = 0;
    const char **word;
    struct flag_recipient *r;

    for (size_t i = 0; i < count; i++)
        words += at[i].words + 1;
    if (!message_ok(m) || !array_room(&m->recipient, sizeof(*r), count) ||
        !array_room(&m->word, sizeof(*word), words)) {
        m->failed = true;
        return;
    }
    word = m->word.item;
    r = m->recipient.item;
    for (size_t i = 0; i < count; i++) {
        const char **first = word;

        word = see_words(word, m->envelope.data + at[i].at, at[i].words);
        r[i] = (struct flag_recipient){.address = first[0], .parameters = first + 1};
    }
}

static void see_fields(struct message *m)
{
    const struct field_at *at = m->field_at.item;
    struct header_field *f;

    if (!array_room(&m->field, sizeof(*f), m->field_at.count)) {
        m->failed = true;
        return;
    }
    f = m->field.item;
    for (size_t i = 0; i < m->field_at.count; i++)
        f[i] = (struct header_field){.name = buf_text(&m->header) + at[i].name,
                                     .name_len = at[i].name_len,
                                     .value = buf_text(&m->header) + at[i].value,
                                     .value_len = at[i].value_len};
}

void message_see(struct message_view *out, struct message *m)
{
    see_recipients(m);
    see_fields(m);
    *out = (struct message_view){.sender = buf_text(&m->envelope),
                                 .envid = m->envid_at == 0 ? NULL : buf_text(&m->envelope) + m->envid_at,
                                 .requiretls = m->requiretls,
                                 .recipient = m->recipient.item,
                                 .recipients = m->failed ? 0 : m->recipient_at.count,
                                 .no = m->no,
                                 .no_fields = m->no_fields,
                                 .record_fields = m->record_fields,
                                 .field = m->field.item,
                                 .fields = m->failed ? 0 : m->field_at.count,
                                 .fields_left_out = m->fields_left_out,
                                 .body = buf_text(&m->body),
                                 .body_len = m->body.len,
                                 .body_more = m->body_more,
                                 .shape_left_out = m->shape_left_out,
                                 .size = m->size};
}
