/* acme_text.c - see acme_text.h. */
#include "acme_text.h"
#include "member.h"
#include "print.h"

#include <string.h>

/* The lines of a text as an array of strings. It may be foreign, and cut within a character. */
static json_t *lines_json(const struct buf *text)
{
    json_t *lines = json_array();
    struct buf line;

    buf_init(&line, 4 * text->len + 1);
    for (const char *at = buf_text(text); *at != '\0';) {
        size_t len = strcspn(at, "\n");

        buf_reset(&line);
        print_text(&line, at, len);
        (void)json_array_append_new(lines, json_string(buf_text(&line)));
        at += len + (at[len] == '\n');
    }
    buf_clear(&line);
    return lines;
}

/* A time, or null. */
static json_t *time_json(int64_t at)
{
    return at != 0 ? json_integer(at) : json_null();
}

json_t *acme_renewal_json(const char *name, const struct acme_renewal *r, const char *why)
{
    const char *trouble = why[0] != '\0' ? why : buf_text(&r->trouble);

    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "name", name, "state",
                     why[0] != '\0' ? "failed" : r->state, "trouble", harmless_string(trouble), "due",
                     time_json(r->due), "until", time_json(r->until), "done", lines_json(&r->did), "publish",
                     lines_json(&r->wanted), "withdraw", lines_json(&r->spare));
}

json_t *acme_entry_json(const struct acme_entry *a)
{
    const struct cert_about *about = &a->entry.about;
    const char *trouble = about->trouble[0] != '\0' ? about->trouble : a->entry.trouble;
    const char *state = trouble[0] != '\0' ? "failed" : a->waits ? "waits" : a->has_live ? "good" : "new";

    return json_pack("{s:s, s:s, s:s, s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "name", a->entry.name, "title",
                     about->title, "state", state, "trouble", harmless_string(trouble), "challenge", about->challenge,
                     "key", about->key_type, "hosts", string_array(about->host, about->host_count), "due",
                     time_json(acme_entry_due(a)), "ends", time_json(a->has_live ? a->entry.leaf.not_after : 0),
                     "tried", time_json(about->tried), "tlsa_seen", time_json(about->tlsa_seen), "pending_since",
                     time_json(about->pending_since));
}

/* --- text --- */

static void print_lines(struct buf *out, const json_t *lines, const char *head)
{
    const json_t *line;
    size_t i;

    if (json_array_size(lines) > 0 && head != NULL)
        buf_printf(out, "  %s\n", head);
    json_array_foreach(lines, i, line)
    {
        buf_str(out, head != NULL ? "    " : "  ");
        print_text(out, json_string_value(line), json_string_length(line));
        buf_char(out, '\n');
    }
}

static void print_when(struct buf *out, const char *what, const json_t *at, int64_t now)
{
    if (!json_is_integer(at))
        return;
    buf_printf(out, "  %s ", what);
    print_time(out, json_integer_value(at), now);
    buf_char(out, '\n');
}

static enum tint tint_of(const char *state)
{
    if (strcmp(state, "failed") == 0)
        return TINT_BAD;
    return strcmp(state, "waits") == 0 || strcmp(state, "new") == 0 ? TINT_WARN : TINT_GOOD;
}

static void print_head(struct buf *out, const json_t *row, bool colour)
{
    const char *name = json_string_value(json_object_get(row, "name"));
    const char *state = json_string_value(json_object_get(row, "state"));
    const char *trouble = json_string_value(json_object_get(row, "trouble"));

    print_text(out, name, strlen(name));
    buf_str(out, ": ");
    print_tinted(out, state, tint_of(state), colour);
    buf_char(out, '\n');
    if (trouble[0] != '\0') {
        buf_str(out, "  ");
        print_text(out, trouble, strlen(trouble));
        buf_char(out, '\n');
    }
}

static bool is_failed(const json_t *row)
{
    return strcmp(json_string_value(json_object_get(row, "state")), "failed") == 0;
}

void acme_renewals_print(struct buf *out, const json_t *rows, int64_t now, bool colour)
{
    const json_t *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        print_head(out, row, colour);
        print_lines(out, json_object_get(row, "done"), NULL);
        print_lines(out, json_object_get(row, "publish"), "publish, beside the records that are there:");
        print_lines(out, json_object_get(row, "withdraw"), "take out:");
        print_when(out, "goes on", json_object_get(row, "until"), now);
        if (is_failed(row) && !json_is_integer(json_object_get(row, "until")))
            buf_printf(out,
                       "  tried again by the timer, in an hour, or a day after the authority has refused; at once by "
                       "posternctl cert acme renew %s --force\n",
                       json_string_value(json_object_get(row, "name")));
        print_when(out, "due", json_object_get(row, "due"), now);
    }
}

void acme_entries_print(struct buf *out, const json_t *rows, int64_t now, bool colour)
{
    const json_t *row;
    size_t i;

    if (json_array_size(rows) == 0)
        buf_str(out, "no certificates by ACME; posternctl cert acme new NAME HOST makes one\n");
    json_array_foreach(rows, i, row)
    {
        print_head(out, row, colour);
        print_lines(out, json_object_get(row, "hosts"), "for");
        print_when(out, "ends", json_object_get(row, "ends"), now);
        print_when(out, "due", json_object_get(row, "due"), now);
        print_when(out, "waits since", json_object_get(row, "pending_since"), now);
        print_when(out, "last asked for", json_object_get(row, "tried"), now);
    }
}
