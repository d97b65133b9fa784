/* top_rows.c - see top_rows.h. Jansson's interface has no const, and its getters change nothing. */
#include "top_rows.h"

#include "member.h"
#include "print.h"

#include <stdlib.h>
#include <string.h>

#define LINES_MAX  ((size_t)4 << 20)
#define NAME_WIDE  40 /* columns of a name when there is no width */
#define NAME_LEAST 8
#define ROWS_MAX   4096 /* of all workers */

/* --- cells --- */

/* Text in so many columns, and a gap; a longer one is cut if there is a width. */
static void cell(struct top_rows *r, const char *text, size_t columns, bool cut)
{
    struct buf b;
    size_t wide;

    buf_init(&b, 4 * strlen(text) + 2);
    if (cut)
        print_cut(&b, text, columns);
    else
        print_text(&b, text, strlen(text));
    wide = print_width(buf_text(&b), b.len);
    buf_str(&r->line, buf_text(&b));
    buf_printf(&r->line, "%*s", (int)(wide < columns ? columns - wide : 0) + 2, "");
    buf_clear(&b);
}

/* A row ends without blanks. */
static void row_end(struct top_rows *r)
{
    while (r->line.len > 0 && r->line.data[r->line.len - 1] == ' ')
        r->line.data[--r->line.len] = '\0';
    buf_char(&r->line, '\n');
}

static void row_done(struct top_rows *r)
{
    row_end(r);
    r->count++;
}

/* The columns left for what has no width of its own, beside others that take so many with their gaps. */
static size_t columns_left(size_t width, size_t others)
{
    if (width == 0)
        return NAME_WIDE;
    return width > others + NAME_LEAST ? width - others : NAME_LEAST;
}

static void rows_init(struct top_rows *r)
{
    buf_init(&r->line, LINES_MAX);
    r->count = 0;
}

void top_rows_clear(struct top_rows *r)
{
    buf_clear(&r->line);
}

/* --- what is asked --- */

struct asked {
    const char *domain;
    const char *answer;
    double rate;
    int64_t asked, missed;
};

/* The same name at several workers is one. */
static void asked_add(struct asked *all, size_t *count, const json_t *entry, int64_t seconds)
{
    const char *domain = member_text(entry, "domain");
    size_t i = 0;

    while (i < *count && strcmp(all[i].domain, domain) != 0)
        i++;
    if (i == ROWS_MAX)
        return;
    if (i == *count)
        all[(*count)++] = (struct asked){.domain = domain, .answer = ""};
    all[i].asked += member_number(entry, "asked");
    all[i].missed += member_number(entry, "missed");
    all[i].rate += (double)member_number(entry, "asked") / (double)(seconds > 0 ? seconds : 1);
    if (all[i].answer[0] == '\0')
        all[i].answer = member_text(entry, "answer");
}

static int by_rate(const void *a, const void *b)
{
    const struct asked *x = a, *y = b;

    if (x->rate > y->rate || x->rate < y->rate)
        return x->rate < y->rate ? 1 : -1;
    return strcmp(x->domain, y->domain);
}

static size_t gather_asked(struct asked *all, const json_t *workers)
{
    size_t count = 0;

    for (size_t w = 0; w < json_array_size(workers); w++) {
        const json_t *one = json_array_get(workers, w), *list = json_object_get(one, "asked");

        for (size_t i = 0; i < json_array_size(list); i++)
            asked_add(all, &count, json_array_get(list, i), member_number(one, "seconds"));
    }
    qsort(all, count, sizeof(all[0]), by_rate);
    return count;
}

void top_rows_asked(struct top_rows *out, const struct top_look *now, size_t width)
{
    size_t name = columns_left(width, 32);
    struct asked *all = calloc(ROWS_MAX, sizeof(*all));
    size_t count;

    rows_init(out);
    cell(out, "ASKED NOW", name, width > 0);
    buf_printf(&out->line, "%8s  %8s  ANSWER\n", "A SECOND", "MISSED");
    if (all == NULL) {
        out->line.failed = true;
        return;
    }
    count = gather_asked(all, now->said[TOP_POLICYD].activity);
    for (size_t i = 0; i < count; i++) {
        cell(out, all[i].domain, name, width > 0);
        buf_printf(&out->line, "%8.1f  %7lld%%  ", all[i].rate,
                   all[i].asked > 0 ? (long long)(100 * all[i].missed / all[i].asked) : 0LL);
        cell(out, all[i].answer[0] != '\0' ? all[i].answer : "-", 10, width > 0);
        row_done(out);
    }
    free(all);
}

/* --- what is slow --- */

static void slow_row(struct top_rows *out, const json_t *entry, const char *doing, const char *what, size_t name,
                     size_t width)
{
    struct buf text;
    size_t rest = width == 0 ? 0 : width > name + 12 ? width - name - 12 : 1;

    cell(out, member_text(entry, "domain"), name, width > 0);
    buf_printf(&out->line, "%8.1f  ", (double)member_number(entry, "ms") / 1000);
    buf_init(&text, 1000);
    buf_printf(&text, "%s%.300s", doing, what);
    if (member_number(entry, "ago") > 0) {
        buf_str(&text, ", ");
        print_span(&text, member_number(entry, "ago"));
        buf_str(&text, " ago");
    }
    cell(out, buf_text(&text), rest, width > 0);
    buf_clear(&text);
    row_done(out);
}

static bool is_in(const json_t *list, const char *domain)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(member_text(json_array_get(list, i), "domain"), domain) == 0)
            return true;
    return false;
}

/* Those under way at policyd that stsd does not have, as it is away, or as they have not come so far. */
static void slow_at_policyd(struct top_rows *out, const struct top_look *now, const json_t *at_stsd, size_t name,
                            size_t width)
{
    const json_t *workers = now->said[TOP_POLICYD].activity;

    for (size_t w = 0; w < json_array_size(workers); w++) {
        const json_t *list = json_object_get(json_array_get(workers, w), "looking_up");

        for (size_t i = 0; i < json_array_size(list); i++) {
            const json_t *entry = json_array_get(list, i);

            if (!is_in(at_stsd, member_text(entry, "domain")))
                slow_row(out, entry, "policyd waits for ", member_text(entry, "waits"), name, width);
        }
    }
}

void top_rows_slow(struct top_rows *out, const struct top_look *now, size_t width)
{
    const json_t *stsd = json_array_get(now->said[TOP_STSD].activity, 0);
    const json_t *under_way = json_object_get(stsd, "under_way"), *ended = json_object_get(stsd, "slowest");
    size_t name = width == 0 ? NAME_WIDE : columns_left(width * 3 / 5, 10);

    rows_init(out);
    cell(out, "SLOWEST", name, width > 0);
    buf_printf(&out->line, "%8s  WAITS FOR, OR ITS END\n", "SECONDS");
    for (size_t i = 0; i < json_array_size(under_way); i++)
        slow_row(out, json_array_get(under_way, i), "waits for ", member_text(json_array_get(under_way, i), "waits"),
                 name, width);
    slow_at_policyd(out, now, under_way, name, width);
    for (size_t i = 0; i < json_array_size(ended); i++)
        slow_row(out, json_array_get(ended, i), "", member_text(json_array_get(ended, i), "end"), name, width);
}

/* --- what fails --- */

void top_rows_failing(struct top_rows *out, const struct top_look *now, size_t width)
{
    const json_t *list = json_object_get(json_array_get(now->said[TOP_TLSRPTD].activity, 0), "failing");
    size_t left = columns_left(width, 50), name = width == 0 ? NAME_WIDE : left;
    size_t host = 0;
    struct buf ago;

    if (width >= 100) { /* room for the host, too */
        name = left / 2;
        host = left - name - 2;
    }
    rows_init(out);
    cell(out, "TLS FAILS", name, width > 0);
    buf_printf(&out->line, "%8s  %6s  ", "FAILURES", "AGO");
    cell(out, "RESULT", 30, false);
    buf_str(&out->line, width == 0 || host > 0 ? "HOST" : "");
    row_end(out);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i);

        buf_init(&ago, 100);
        print_span(&ago, member_number(entry, "ago"));
        cell(out, member_text(entry, "domain"), name, width > 0);
        buf_printf(&out->line, "%8lld  %6s  ", (long long)member_number(entry, "failures"), buf_text(&ago));
        cell(out, member_text(entry, "result"), 30, width > 0);
        if (width == 0 || host > 0)
            cell(out, member_text(entry, "host"), host, width > 0);
        row_done(out);
        buf_clear(&ago);
    }
}
