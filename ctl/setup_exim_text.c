/* setup_exim_text.c - see setup_exim_text.h. */
#include "setup_exim_text.h"

#include "ascii.h"
#include "next_line.h"

#include <stdio.h>
#include <string.h>

#define BEGIN "# >>> postern "
#define END   "# <<< postern "
#define SAYS  ": \"posternctl %s\" writes what is between these marks, and nothing else in there stays"
#define SETUP "setup exim"

static const struct {
    const char *name;
    const char *defines; /* how a line begins that only this part has */
} parts[SETUP_EXIM_PARTS] = {
    {"macros", "POSTERN_ASK_POLICY ="},
    {"routers", "postern_policy:"},
    {"transports", "postern_smtp:"},
    {"retry", "POSTERN_RELAYD_ADDRESS  "},
};

/* A block in a text, its marks with it. */
struct block {
    const char *from, *to;
};

const char *setup_exim_part_name(enum setup_exim_part part)
{
    return parts[part].name;
}

/* --- lines --- */

static bool is_mark(const char *line, const char *mark, const char *name)
{
    size_t len = strlen(mark), name_len = strlen(name);

    return strncmp(line, mark, len) == 0 && strncmp(line + len, name, name_len) == 0 &&
           !ascii_is_alnum(line[len + name_len]);
}

static const char *find_mark(const char *text, const char *mark, const char *name)
{
    for (const char *at = text; *at != '\0'; at = next_line(at))
        if (is_mark(at, mark, name))
            return at;
    return NULL;
}

/* Returns 1 (out), 0: there is none, -1: one mark is missing, or they are the wrong way round. */
static int find_block(struct block *out, const char *text, const char *name)
{
    const char *from = find_mark(text, BEGIN, name), *end = find_mark(text, END, name);

    if (from == NULL && end == NULL)
        return 0;
    if (from == NULL || end == NULL || end < from)
        return -1;
    *out = (struct block){from, next_line(end)};
    return 1;
}

/* Where "### NAME" stands first, the line of "#" above with it; NULL: nowhere. */
static const char *find_heading(const char *text, const char *name)
{
    const char *before = NULL;
    size_t len = strlen(name);

    for (const char *at = text; *at != '\0'; before = at, at = next_line(at)) {
        if (strncmp(at, "### ", 4) != 0 || strncmp(at + 4, name, len) != 0 || strcspn(at + 4 + len, "\r\n") != 0)
            continue;
        return before != NULL && *before == '#' && before[strspn(before, "#")] == '\n' ? before : at;
    }
    return NULL;
}

/* --- blocks --- */

struct named {
    const char *name, *by; /* by: the command that writes it */
};

static void add_block(struct buf *out, struct named n, const char *content)
{
    size_t len = strlen(content);

    buf_printf(out, BEGIN "%s" SAYS "\n", n.name, n.by);
    buf_add(out, content, len);
    if (len > 0 && content[len - 1] != '\n')
        buf_char(out, '\n');
    buf_printf(out, END "%s\n", n.name);
}

static void put_between(struct buf *out, const char *text, struct block old, struct named n, const char *content)
{
    buf_add(out, text, (size_t)(old.from - text));
    if (old.from > text && old.from[-1] != '\n')
        buf_char(out, '\n');
    add_block(out, n, content);
    buf_str(out, old.to);
}

enum setup_exim_put setup_exim_put(struct buf *out, const char *text, enum setup_exim_part part, const char *content,
                                   const char *anchor)
{
    const char *name = parts[part].name, *end = text + strlen(text), *place;
    enum setup_exim_put rc = SETUP_EXIM_PUT;
    struct block old = {end, end};
    struct buf without;
    int found = find_block(&old, text, name);

    if (found < 0)
        return SETUP_EXIM_BROKEN;
    buf_init(&without, out->max);
    buf_add(&without, text, (size_t)(old.from - text));
    buf_str(&without, old.to);
    place = anchor != NULL ? find_heading(buf_text(&without), anchor) : NULL;
    if (setup_exim_has(buf_text(&without), part))
        rc = SETUP_EXIM_FOREIGN;
    else if (anchor == NULL)
        put_between(out, text, old, (struct named){name, SETUP}, content);
    else if (place == NULL)
        rc = SETUP_EXIM_NO_PLACE;
    else
        put_between(out, buf_text(&without), (struct block){place, place}, (struct named){name, SETUP}, content);
    out->failed |= without.failed;
    buf_clear(&without);
    return rc;
}

enum setup_exim_put setup_exim_put_block(struct buf *out, const char *text, const char *name, const char *by,
                                         const char *content)
{
    const char *end = text + strlen(text);
    struct block old = {end, end};

    if (find_block(&old, text, name) < 0)
        return SETUP_EXIM_BROKEN;
    put_between(out, text, old, (struct named){name, by}, content);
    return SETUP_EXIM_PUT;
}

bool setup_exim_take_block(struct buf *out, const char *text, const char *name)
{
    struct block at;

    if (find_block(&at, text, name) != 1)
        return false;
    buf_add(out, text, (size_t)(at.from - text));
    buf_str(out, at.to);
    return buf_ok(out);
}

bool setup_exim_marked(const char *text, enum setup_exim_part part)
{
    return find_mark(text, BEGIN, parts[part].name) != NULL;
}

bool setup_exim_take(struct buf *out, const char *text)
{
    struct block at[SETUP_EXIM_PARTS];
    bool any = false;

    for (size_t i = 0; i < SETUP_EXIM_PARTS; i++) {
        int found = find_block(&at[i], text, parts[i].name);
        if (found < 0)
            return false;
        if (found == 0)
            at[i] = (struct block){NULL, NULL};
        any |= found == 1;
    }
    for (const char *line = text; *line != '\0'; line = next_line(line)) {
        bool ours = false;
        for (size_t i = 0; i < SETUP_EXIM_PARTS; i++)
            ours |= at[i].from != NULL && line >= at[i].from && line < at[i].to;
        if (!ours)
            buf_add(out, line, (size_t)(next_line(line) - line));
    }
    return any && buf_ok(out);
}

/* --- what is there --- */

static bool includes(const char *line, const char *name)
{
    const char *end = line + strcspn(line, "\r\n");
    char path[64];
    size_t len = (size_t)snprintf(path, sizeof(path), "/exim/%s", name);

    return strncmp(line, ".include", 8) == 0 && (size_t)(end - line) > len && strncmp(end - len, path, len) == 0;
}

bool setup_exim_has(const char *text, enum setup_exim_part part)
{
    for (const char *at = text; *at != '\0'; at = next_line(at))
        if (strncmp(at, parts[part].defines, strlen(parts[part].defines)) == 0 || includes(at, parts[part].name))
            return true;
    return false;
}

/* The next line that says something; NULL: there is none. */
static const char *next_said(const char *at)
{
    for (; *at != '\0'; at = next_line(at)) {
        const char *first = at + strspn(at, " \t\r");
        if (*first != '#' && *first != '\n' && *first != '\0')
            return at;
    }
    return NULL;
}

bool setup_exim_same(const char *a, const char *b)
{
    a = next_said(a);
    b = next_said(b);
    while (a != NULL && b != NULL) {
        size_t len = strcspn(a, "\n");
        if (strcspn(b, "\n") != len || strncmp(a, b, len) != 0)
            return false;
        a = next_said(next_line(a));
        b = next_said(next_line(b));
    }
    return a == NULL && b == NULL;
}
