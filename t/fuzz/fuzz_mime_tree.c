/*
 * fuzz_mime_tree.c - messages built from a recipe: multiparts and messages within one another, with boundaries that
 * begin like others or are others with "--" behind them, missing ends, texts in all charsets and transfer encodings,
 * names in all ways of writing them. The parts that are read must be those that were written.
 */
#include "buf.h"
#include "mime.h"
#include "text_demand.h"

#define DEPTH_MAX 6
#define PARTS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct written {
    const char *type;
    struct buf text;
    const char *name;
    bool is_text;
    size_t depth;
};

struct tree {
    struct recipe in;
    struct buf out;
    const char *eol;
    const char *open[DEPTH_MAX]; /* boundaries */
    size_t opens;
    size_t depth;
    struct written part[PARTS_MAX];
    size_t parts;
};

static void put_line(struct tree *t, const char *line)
{
    buf_str(&t->out, line);
    buf_str(&t->out, t->eol);
}

/* --- boundaries --- */

static bool is_boundary_of(const char *line, const char *boundary)
{
    size_t len = strlen(line);

    while (len > 0 && (line[len - 1] == ' ' || line[len - 1] == '\t'))
        len--;
    return strncmp(line, "--", 2) == 0 && len >= 2 + strlen(boundary) &&
           strncmp(line + 2, boundary, strlen(boundary)) == 0 &&
           (len == 2 + strlen(boundary) || (len == 4 + strlen(boundary) && strncmp(line + len - 2, "--", 2) == 0));
}

static bool is_boundary(const struct tree *t, const char *line, size_t opens)
{
    for (size_t i = 0; i < opens; i++)
        if (is_boundary_of(line, t->open[i]))
            return true;
    return false;
}

/* The end of the innermost may be missing when a line of those around it cannot be taken for its own. */
static bool may_lack_end(const struct tree *t)
{
    char line[100];

    for (size_t i = 0; i + 1 < t->opens; i++)
        for (int last = 0; last < 2; last++) {
            (void)snprintf(line, sizeof(line), "--%s%s", t->open[i], last != 0 ? "--" : "");
            if (is_boundary_of(line, t->open[t->opens - 1]))
                return false;
        }
    return true;
}

static void put_boundary(struct tree *t, bool last)
{
    static const char *const padding[] = {"", "", "", " ", "\t ", "  "};

    buf_printf(&t->out, "--%s%s%s%s", t->open[t->opens - 1], last ? "--" : "", padding[take(&t->in) % 6], t->eol);
}

/* --- texts --- */

static const struct {
    const char *name;
    const char *octets, *text;
} charsets[] = {
    {"", "plain", "plain"},
    {"utf-8", "gr\303\274n \342\202\254", "gr\303\274n \342\202\254"},
    {"ISO-8859-1", "gr\374n", "gr\303\274n"},
    {"\"iso-8859-15\"", "\244", "\342\202\254"},
    {"Windows-1252 (c)", "\200", "\342\202\254"},
    {"us-ascii", "a=b", "a=b"},
};

static void put_base64(struct buf *out, const struct buf *octets, const char *eol)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < octets->len; i += 3) {
        size_t n = octets->len - i < 3 ? octets->len - i : 3;
        uint32_t bits = 0;

        for (size_t k = 0; k < 3; k++)
            bits = bits << 8 | (k < n ? (unsigned char)octets->data[i + k] : 0);
        for (size_t k = 0; k < 4; k++)
            buf_char(out, k <= n ? digits[bits >> (18 - 6 * k) & 63] : '=');
        if (i % 57 == 54)
            buf_str(out, eol);
    }
}

static void put_quoted(struct buf *out, const struct buf *octets, const char *eol)
{
    for (size_t i = 0; i < octets->len; i++) {
        unsigned char c = (unsigned char)octets->data[i];

        if (c == '\n' || c == '\r' || (c >= 'a' && c <= 'z'))
            buf_char(out, (char)c);
        else
            buf_printf(out, "=%02X", c);
        if (i % 30 == 29)
            buf_printf(out, "=%s", eol);
    }
}

/* Lines: words of the charset, and such as look like boundaries. */
static void make_lines(struct tree *t, struct buf *octets, struct buf *text, unsigned charset, bool plain)
{
    static const char *const lines[] = {"",      "--", "-- ", "--a", "--ab--", "--abc", " --a", "Content-Type: x/y",
                                        "--a--x"};

    for (unsigned i = take(&t->in) % 8; i > 0; i--) {
        unsigned n = take(&t->in) % 16;
        bool word = n >= sizeof(lines) / sizeof(lines[0]) || (plain && is_boundary(t, lines[n], t->opens));

        buf_str(octets, word ? charsets[charset].octets : lines[n]);
        buf_str(text, word ? charsets[charset].text : lines[n]);
        if (i > 1) {
            buf_str(octets, t->eol);
            buf_char(text, '\n');
        }
    }
}

static void put_content(struct tree *t, struct written *w, unsigned charset, unsigned transfer)
{
    struct buf octets;

    buf_init(&octets, 10000);
    make_lines(t, &octets, &w->text, charset, transfer == 0);
    if (transfer == 0)
        buf_add(&t->out, buf_text(&octets), octets.len);
    else if (transfer == 1)
        put_base64(&t->out, &octets, t->eol);
    else
        put_quoted(&t->out, &octets, t->eol);
    buf_clear(&octets);
}

/* --- names --- */

static const struct {
    const char *field; /* %s: a line end */
    const char *name;
} names[] = {
    {"", NULL},
    {"Content-Disposition: attachment; filename=a.txt%s", "a.txt"},
    {"Content-Disposition:%s attachment;%s filename=\"a \\\"b;\\\\.txt\"%s", "a \"b;\\.txt"},
    {"content-disposition: inline; filename*=utf-8'en'%%E2%%82%%AC%%20.p12; filename=no%s", "\342\202\254 .p12"},
    {"Content-Disposition: attachment; filename*1=\"b%%\"; filename*2*=%%FC;%s filename*0*=iso-8859-1''%%FC%s",
     "\303\274b%\303\274"},
    {"Content-Disposition: attachment; filename=\"=?utf-8?b?4oKs?=%s =?utf-8?q?=2Epdf?=\"%s", "\342\202\254.pdf"},
    {"Content-Disposition: attachment%s", NULL},
    {"X-Other: name=x%s", NULL},
};

static const char *put_name(struct tree *t)
{
    unsigned n = take(&t->in) % (sizeof(names) / sizeof(names[0]));

    for (const char *c = names[n].field; *c != '\0'; c++) {
        if (*c != '%') {
            buf_char(&t->out, *c);
            continue;
        }
        buf_str(&t->out, *++c == 's' ? t->eol : "%");
    }
    return names[n].name;
}

/* --- what a message is made of --- */

static struct written *part_new(struct tree *t, const char *type)
{
    struct written *w = &t->part[t->parts++];

    *w = (struct written){.type = type, .depth = t->depth};
    buf_init(&w->text, 10000);
    w->name = put_name(t);
    return w;
}

static void put_leaf(struct tree *t, bool in_digest)
{
    static const char *const transfers[] = {"8bit", "BASE64", "Quoted-Printable"};
    static const char *const types[] = {"text/plain", "text/html", "application/pdf"};
    unsigned n = take(&t->in), charset = n % 6, transfer = n / 6 % 3, type = n / 18 % 3;
    struct written *w = part_new(t, types[type]);

    w->is_text = type < 2;
    if (in_digest || type > 0 || charset > 0)
        buf_printf(&t->out, "Content-Type: %s%s%s%s", type == 0 ? "TEXT/Plain" : types[type],
                   charset > 0 ? ";\n\tcharset=" : "", charsets[charset].name, t->eol);
    if (transfer > 0 || n > 200)
        buf_printf(&t->out, "Content-Transfer-Encoding: %s%s", transfers[transfer], t->eol);
    put_line(t, "");
    put_content(t, w, charset, transfer);
}

static void put_entity(struct tree *t, bool in_digest);

/* As an entity does, it ends in no line end. */
static void put_multipart(struct tree *t)
{
    static const char *const boundaries[] = {"a", "ab", "a--", "--a", "abc", "a b", "=_x", "ab--", "", "(a)"};
    unsigned n = take(&t->in), count = take(&t->in) % 4;
    const char *boundary = n % 10 == 8 ? "a----" : boundaries[n % 10];
    bool digest = n / 10 % 2 == 1;

    buf_printf(&t->out, "Content-Type: multipart/%s; %sboundary=\"%s\"%s%s", digest ? "digest" : "mixed",
               n % 3 == 0 ? "x=\"boundary=y;\"; " : "", boundary, t->eol, t->eol);
    t->open[t->opens++] = boundary;
    t->depth++;
    if (n > 128)
        put_line(t, "preamble");
    for (unsigned i = 0; i < count && t->parts + 2 < PARTS_MAX; i++) {
        put_boundary(t, false);
        put_entity(t, digest);
        buf_str(&t->out, t->eol);
    }
    if (n % 4 != 3 || !may_lack_end(t)) {
        put_boundary(t, true);
        if (n > 192 && !is_boundary(t, "--abx", t->opens - 1))
            buf_str(&t->out, "--abx");
    } else if (count > 0) {
        t->out.len -= strlen(t->eol); /* what the last part ends with is that of the boundary around */
    }
    t->opens--;
    t->depth--;
}

static void put_message(struct tree *t, bool in_digest)
{
    struct written *w = part_new(t, "message/rfc822");

    (void)w;
    if (!in_digest || take(&t->in) % 2 == 1)
        put_line(t, "Content-Type: message/rfc822 (mail)");
    put_line(t, "");
    put_line(t, "Subject: within");
    t->depth++;
    put_entity(t, false);
    t->depth--;
}

static void put_entity(struct tree *t, bool in_digest)
{
    unsigned kind = t->depth < DEPTH_MAX && t->parts + 2 < PARTS_MAX ? take(&t->in) % 4 : 0;

    if (kind == 1 || kind == 2)
        put_multipart(t);
    else if (kind == 3)
        put_message(t, in_digest);
    else
        put_leaf(t, in_digest);
}

static void demand_part(const struct mime_part *got, const struct written *w)
{
    demand(strcmp(got->type, w->type) == 0);
    demand(got->depth == w->depth && !got->guessed);
    demand((got->name == NULL) == (w->name == NULL));
    demand(w->name == NULL || strcmp(got->name, w->name) == 0);
    demand((got->text != NULL) == w->is_text);
    demand(!w->is_text || strcmp(got->text, buf_text(&w->text)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct mime_limits limits = {DEPTH_MAX + 1, PARTS_MAX, 100000, false};
    struct tree t = {.in = {data, size}};
    struct header_field field[8];
    size_t count = 0, pos = 0;
    struct mime got;

    t.eol = take(&t.in) % 2 == 0 ? "\r\n" : "\n";
    buf_init(&t.out, 1 << 20);
    put_entity(&t, false);
    while (count < 8 && header_field_next(&field[count], &pos, t.out.data, t.out.len) == 1)
        count++;
    demand(mime_read(&got, field, count, t.out.data + pos, t.out.len - pos, false, &limits, NULL) == 0);
    demand(got.cut == MIME_WHOLE && got.count == t.parts);
    for (size_t i = 0; i < got.count; i++) {
        demand_part(&got.part[i], &t.part[i]);
        buf_clear(&t.part[i].text);
    }
    mime_clear(&got);
    buf_clear(&t.out);
    return 0;
}
