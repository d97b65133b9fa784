/* top.c - see top.h: the head, the numbers, and how the tables share the height. */
#include "top.h"

#include "member.h"
#include "print.h"
#include "top_rows.h"

#include <stdlib.h>
#include <string.h>

#define LINE_MAX_OCTETS 8000
#define TABLES          3

static const char *const program_name[TOP_PROGRAMS] = {"policyd", "stsd", "tlsrptd"};

void top_look_clear(struct top_look *look)
{
    for (size_t i = 0; i < TOP_PROGRAMS; i++) {
        json_decref(look->said[i].status);
        json_decref(look->said[i].activity);
    }
    memset(look, 0, sizeof(*look));
}

/* --- lines --- */

struct lines {
    struct buf *out;
    const struct top_screen *screen;
    size_t count;
};

static void add_line(struct lines *l, const char *text, enum tint tint)
{
    struct buf line;

    if (l->screen->height > 0 && l->count >= l->screen->height)
        return;
    l->count++;
    buf_init(&line, 4 * strlen(text) + 2);
    if (l->screen->width > 0)
        print_cut(&line, text, l->screen->width);
    else
        print_text(&line, text, strlen(text));
    if (!buf_ok(&line))
        l->out->failed = true;
    print_tinted(l->out, buf_text(&line), tint, l->screen->colour);
    buf_char(l->out, '\n');
    buf_clear(&line);
}

static void add_buf(struct lines *l, struct buf *line, enum tint tint)
{
    add_line(l, buf_text(line), tint);
    if (!buf_ok(line))
        l->out->failed = true;
    buf_clear(line);
}

/* --- the daemons --- */

static void add_daemon(struct lines *l, enum top_program program, const struct top_said *said)
{
    const json_t *s = said->status;
    struct buf line;

    if (said->unused)
        return;
    buf_init(&line, LINE_MAX_OCTETS);
    buf_printf(&line, "%-8s ", program_name[program]);
    if (s == NULL) {
        buf_printf(&line, "away: %s", said->why[0] != '\0' ? said->why : "no answer");
        add_buf(l, &line, TINT_BAD);
        return;
    }
    buf_str(&line, "up ");
    print_span(&line, member_number(s, "uptime"));
    buf_printf(&line, "   Redis %s", member_text(s, "redis"));
    if (program == TOP_POLICYD)
        buf_printf(&line, "   %lld connections, %lld domains in memory, %lld workers",
                   (long long)member_number(s, "connections"), (long long)member_number(s, "memory_entries"),
                   (long long)member_number(s, "workers"));
    else if (program == TOP_STSD)
        buf_printf(&line, "   %lld domains being worked on, %lld of these waiting",
                   (long long)member_number(s, "wanted"), (long long)member_number(s, "waiting"));
    if (said->why[0] != '\0')
        buf_printf(&line, "   %s", said->why);
    add_buf(l, &line, said->why[0] != '\0' || strcmp(member_text(s, "redis"), "down") == 0 ? TINT_WARN : TINT_NONE);
}

/* --- numbers that grow --- */

/* What came in between, a second; less than 0: not known. */
static double rate_of(int64_t before, int64_t now, int64_t ms)
{
    return ms <= 0 || now < before ? -1 : (double)(now - before) * 1000 / (double)ms;
}

static bool same_process(const json_t *before, const json_t *now)
{
    return before != NULL && member_number(before, "pid") == member_number(now, "pid");
}

static void add_count(struct buf *line, const char *name, int64_t n, double rate)
{
    buf_printf(line, "%s%s %lld", line->len > 10 ? ", " : "", name, (long long)n);
    if (rate >= 0)
        buf_printf(line, " (%.1f/s)", rate);
}

struct numbers {
    const json_t *before, *now; /* policyd's status */
    int64_t ms;                 /* between them; 0: there is no rate */
};

static void add_member(struct buf *line, const char *name, const struct numbers *n, const char *member)
{
    int64_t now = member_number(n->now, member);

    add_count(line, name, now, rate_of(member_number(n->before, member), now, n->ms));
}

static void add_requests(struct lines *l, const struct numbers *n)
{
    int64_t requests = member_number(n->now, "requests_total"), hits = member_number(n->now, "memory_hits_total");
    struct buf line;

    buf_init(&line, LINE_MAX_OCTETS);
    buf_str(&line, "requests  ");
    add_member(&line, "all", n, "requests_total");
    add_member(&line, "from memory", n, "memory_hits_total");
    if (requests > 0)
        buf_printf(&line, ", %lld%% of all", (long long)(100 * hits / requests));
    add_buf(l, &line, TINT_NONE);
    buf_init(&line, LINE_MAX_OCTETS);
    buf_str(&line, "misses    ");
    add_member(&line, "Redis", n, "from_redis_total");
    add_member(&line, "stsd", n, "from_stsd_total");
    add_member(&line, "old facts", n, "stale_total");
    add_member(&line, "held", n, "temporary_errors_total");
    add_count(&line, "now", member_number(n->now, "lookups"), -1);
    add_buf(l, &line, TINT_NONE);
}

static void add_answers(struct lines *l, const struct numbers *n)
{
    static const char *const levels[] = {"dane-only", "dane",    "secure", "verify", "encrypt",
                                         "may",       "default", "none",   "temp"};
    const json_t *then = json_object_get(n->before, "answers_total"), *all = json_object_get(n->now, "answers_total");
    struct buf line;

    buf_init(&line, LINE_MAX_OCTETS);
    buf_str(&line, "answers   ");
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        int64_t now = member_number(all, levels[i]);

        if (now > 0)
            add_count(&line, levels[i], now, rate_of(member_number(then, levels[i]), now, n->ms));
    }
    if (line.len <= 10)
        buf_str(&line, "none yet");
    add_buf(l, &line, TINT_NONE);
}

static void add_numbers(struct lines *l, const struct top_look *before, const struct top_look *now)
{
    struct numbers n = {before->said[TOP_POLICYD].status, now->said[TOP_POLICYD].status, 0};

    if (n.now == NULL)
        return;
    if (before->ms > 0 && same_process(n.before, n.now))
        n.ms = now->ms - before->ms;
    add_requests(l, &n);
    add_answers(l, &n);
}

/* --- the tables --- */

/* Rows for each: one after the other gets one more, until all have what they want or the height is used up. */
static void share(size_t rows[TABLES], const struct top_rows table[TABLES], size_t height)
{
    bool more = true;

    memset(rows, 0, TABLES * sizeof(rows[0]));
    while (more) {
        more = false;
        for (size_t i = 0; i < TABLES; i++) {
            if (rows[i] < table[i].count && height > 0) {
                rows[i]++;
                height--;
                more = true;
            }
        }
    }
}

/* The head and so many rows. */
static void add_table(struct lines *l, const struct top_rows *table, size_t rows, const char *instead)
{
    char *text = strdup(buf_text(&table->line)), *at = text;

    if (text == NULL || !buf_ok(&table->line)) {
        l->out->failed = true;
        free(text);
        return;
    }
    for (size_t i = 0; i <= rows && at != NULL; i++)
        add_line(l, strsep(&at, "\n"), i == 0 ? TINT_HEAD : TINT_NONE);
    if (table->count == 0)
        add_line(l, instead, TINT_NONE);
    free(text);
}

/* What stands in place of rows. */
static const char *no_rows(const struct top_said *said)
{
    if (said->unused)
        return "not in use";
    if (said->status == NULL)
        return "not known: the daemon is away";
    return json_array_size(said->activity) == 0 ? "not known: the daemon does not say" : "none";
}

static void add_tables(struct lines *l, const struct top_look *now)
{
    static const enum top_program of[TABLES] = {TOP_POLICYD, TOP_STSD, TOP_TLSRPTD};
    size_t width = l->screen->width, height = l->screen->height, used = l->count;
    struct top_rows table[TABLES];
    size_t rows[TABLES];

    top_rows_asked(&table[0], now, width);
    top_rows_slow(&table[1], now, width);
    top_rows_failing(&table[2], now, width);
    for (size_t i = 0; i < TABLES; i++)
        used += table[i].count == 0 ? 3 : 2; /* an empty line, the head, and perhaps a word in place of rows */
    share(rows, table, height == 0 ? SIZE_MAX : height > used ? height - used : 0);
    for (size_t i = 0; i < TABLES; i++) {
        add_line(l, "", TINT_NONE);
        add_table(l, &table[i], rows[i], no_rows(&now->said[of[i]]));
        top_rows_clear(&table[i]);
    }
}

void top_print(struct buf *out, const struct top_look *before, const struct top_look *now,
               const struct top_screen *screen)
{
    struct lines l = {out, screen, 0};

    add_line(&l, screen->title, TINT_HEAD);
    for (enum top_program i = 0; i < TOP_PROGRAMS; i++)
        add_daemon(&l, i, &now->said[i]);
    add_numbers(&l, before, now);
    add_tables(&l, now);
}

/* --- JSON --- */

static json_t *said_json(const struct top_said *said)
{
    if (said->unused)
        return json_null();
    return json_pack("{sO? sO? ss}", "status", said->status, "activity", said->activity, "why", said->why);
}

static bool only_grows(const char *name)
{
    size_t len = strlen(name), end = strlen("_total");

    return len > end && strcmp(name + len - end, "_total") == 0;
}

static json_t *rates_json(const struct top_look *before, const struct top_look *now)
{
    json_t *then = before->said[TOP_POLICYD].status, *status = now->said[TOP_POLICYD].status;
    json_t *rates = json_object();

    if (status == NULL || before->ms == 0 || !same_process(then, status))
        return rates;
    for (void *i = json_object_iter(status); i != NULL; i = json_object_iter_next(status, i)) {
        const char *name = json_object_iter_key(i);
        double rate = rate_of(member_number(then, name), member_number(status, name), now->ms - before->ms);

        if (only_grows(name) && json_is_integer(json_object_iter_value(i)) && rate >= 0)
            json_object_set_new(rates, name, json_real(rate));
    }
    return rates;
}

json_t *top_json(const struct top_look *before, const struct top_look *now)
{
    double seconds = before->ms > 0 ? (double)(now->ms - before->ms) / 1000 : 0;

    return json_pack("{so so so sf so}", "policyd", said_json(&now->said[TOP_POLICYD]), "stsd",
                     said_json(&now->said[TOP_STSD]), "tlsrptd", said_json(&now->said[TOP_TLSRPTD]), "seconds", seconds,
                     "rates", rates_json(before, now));
}
