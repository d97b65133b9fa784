/* batch_read.c - see batch.h: reading a batch. What reaches the script from here has its form, whoever wrote the file.
 */
#include "ascii.h"
#include "batch.h"
#include "netstring.h"
#include "siphash.h"
#include "utc_day.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char magic[] = "postern-batch 1 ";

#define MAGIC       (sizeof(magic) - 1)
#define LENGTH_AT   MAGIC
#define CHECKSUM_AT (LENGTH_AT + 8 + 1)

/* What is left to be read. */
struct rest {
    const char *at;
    size_t left;
};

static bool hex(uint64_t *out, const char *digits, size_t count)
{
    *out = 0;
    for (size_t i = 0; i < count; i++) {
        int value = ascii_hex_value(digits[i]);

        if (value < 0 || (digits[i] >= 'A' && digits[i] <= 'F'))
            return false;
        *out = *out << 4 | (uint64_t)value;
    }
    return true;
}

static bool next(struct batch_word *out, struct rest *r)
{
    struct netstring ns;

    if (netstring_parse(&ns, r->at, r->left, BATCH_READ_MAX) != 1)
        return false;
    *out = (struct batch_word){ns.data, ns.len};
    r->at += ns.total;
    r->left -= ns.total;
    return true;
}

/* As batch.c writes numbers. */
static bool number(uint64_t *out, const struct batch_word *w)
{
    *out = 0;
    if (w->len == 0 || w->len > 16 || (w->len > 1 && w->data[0] == '0'))
        return false;
    for (size_t i = 0; i < w->len; i++) {
        if (!ascii_is_digit(w->data[i]))
            return false;
        *out = *out * 10 + (uint64_t)(w->data[i] - '0');
    }
    return *out <= BATCH_SESSIONS_MAX;
}

static bool next_number(uint64_t *out, struct rest *r)
{
    struct batch_word w;

    return next(&w, r) && number(out, &w);
}

/* A text without NUL, of at most max octets. */
static bool copy(char *out, const struct batch_word *w, size_t max)
{
    if (w->len > max || memchr(w->data, '\0', w->len) != NULL)
        return false;
    memcpy(out, w->data, w->len);
    out[w->len] = '\0';
    return true;
}

static bool is_hex(const struct batch_word *w, size_t digits)
{
    for (size_t i = 0; i < w->len; i++)
        if (ascii_hex_value(w->data[i]) < 0)
            return false;
    return w->len == digits;
}

static bool head_read(struct batch *out, struct rest *r)
{
    struct batch_word lane, source, position;
    uint64_t positions;

    if (!next(&lane, r) || !is_hex(&lane, BATCH_LANE_BUF - 1) || !copy(out->lane, &lane, BATCH_LANE_BUF - 1) ||
        !next_number(&out->number, r) || !next_number(&positions, r) || positions > BATCH_SOURCES_MAX)
        return false;
    for (out->positions = 0; out->positions < positions; out->positions++) {
        struct batch_position *p = &out->position[out->positions];

        if (!next(&source, r) || !copy(p->source, &source, BATCH_SOURCE_MAX) || !next(&position, r) ||
            !copy(p->position, &position, BATCH_POSITION_MAX))
            return false;
    }
    return true;
}

/* --- entries --- */

/* What each word of an entry is: t text, i ID, y day, m domain, n number. */
static const char *form_of(const struct batch_word *w)
{
    static const struct {
        char name;
        const char *form;
    } forms[] = {{'g', "ym"}, {'p', "itnn"}, {'d', "tnt"}, {'l', "n"}};

    for (size_t i = 0; w->len == 1 && i < sizeof(forms) / sizeof(forms[0]); i++)
        if (forms[i].name == w->data[0])
            return forms[i].form;
    return NULL;
}

static bool fits(const struct batch_word *w, char form)
{
    char day[UTC_DAY_BUF];
    uint64_t n;
    int32_t d;

    switch (form) {
    case 'y':
        return copy(day, w, UTC_DAY_BUF - 1) && utc_day_parse(&d, day);
    case 'm':
        return w->len > 0 && w->len <= DOMAIN_MAX && memchr(w->data, '\0', w->len) == NULL;
    case 'i':
        return is_hex(w, COUNTS_ID_BUF - 1);
    case 'n':
        return number(&n, w);
    default:
        return w->len <= COUNTS_TEXT_MAX && memchr(w->data, '\0', w->len) == NULL;
    }
}

/* A detail is behind a policy, and all behind a domain. */
struct place {
    bool domain, policy;
};

static bool in_place(struct place *p, char name)
{
    if (name == 'g')
        *p = (struct place){.domain = true};
    else if (name == 'p')
        p->policy = true;
    return p->domain && (name != 'd' || p->policy);
}

static bool entry_read(struct batch *out, struct rest *r, struct place *place)
{
    struct batch_word *name = &out->word[out->words];
    const char *form;

    if (!next(&out->word[out->words++], r) || (form = form_of(name)) == NULL || !in_place(place, name->data[0]))
        return false;
    out->groups += name->data[0] == 'g';
    for (; *form != '\0'; form++)
        if (!next(&out->word[out->words], r) || !fits(&out->word[out->words++], *form))
            return false;
    return true;
}

/* A word takes three octets at least ("0:,"). An entry that is broken ends within the last of them and four more. */
static int entries_read(struct batch *out, struct rest *r)
{
    struct place place = {false, false};

    out->word = calloc(r->left / 3 + 5, sizeof(*out->word));
    if (out->word == NULL)
        return -2;
    while (r->left > 0)
        if (!entry_read(out, r, &place))
            return -1;
    return 1;
}

int batch_read(struct batch *out, const char *data, size_t len)
{
    static const uint8_t key[SIPHASH_KEY] = {0};
    uint64_t length, checksum;
    struct rest rest;
    int rc;

    memset(out, 0, sizeof(*out));
    if (memcmp(data, magic, len < MAGIC ? len : MAGIC) != 0)
        return -1;
    if (len < BATCH_HEAD)
        return 0;
    if (!hex(&length, data + LENGTH_AT, 8) || data[CHECKSUM_AT - 1] != ' ' || !hex(&checksum, data + CHECKSUM_AT, 16) ||
        data[BATCH_HEAD - 1] != '\n' || length > BATCH_READ_MAX)
        return -1;
    if (len - BATCH_HEAD < length)
        return 0;
    rest = (struct rest){data + BATCH_HEAD, (size_t)length};
    if (siphash(key, rest.at, rest.left) != checksum || !head_read(out, &rest))
        return -1;
    rc = entries_read(out, &rest);
    if (rc != 1)
        batch_clear(out);
    out->total = BATCH_HEAD + (size_t)length;
    return rc;
}

void batch_clear(struct batch *b)
{
    free(b->word);
    b->word = NULL;
    b->words = 0;
}

size_t batch_length(const char *data, size_t len)
{
    uint64_t length;

    return len < BATCH_HEAD || !hex(&length, data + LENGTH_AT, 8) ? len : BATCH_HEAD + (size_t)length;
}

size_t batch_find(const char *data, size_t len)
{
    const char *at = len == 0 ? NULL : memmem(data, len, magic, MAGIC);

    return at == NULL ? len : (size_t)(at - data);
}
