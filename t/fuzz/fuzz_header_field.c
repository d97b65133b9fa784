/*
 * fuzz_header_field.c - a block of header fields, and each value in all ways that values are read: on one line, without
 * comments, decoded, as parameters, as TLS-Required. What was unfolded stays as it is; what comes out decoded is text;
 * only what has nothing but "no" outside of comments says TLS-Required: No.
 */
#include "ascii.h"
#include "header_field.h"
#include "mime_param.h"
#include "text_demand.h"
#include "tls_required.h"

#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand_line(const struct buf *line)
{
    const char *text = buf_text(line);

    demand(buf_ok(line) && strlen(text) == line->len && strpbrk(text, "\r\n") == NULL);
    demand(line->len == 0 || (!ascii_is_blank(text[0]) && !ascii_is_blank(text[line->len - 1])));
}

/* The octets outside of comments, each of these a blank, read by somebody else. */
static bool says_no(const char *line)
{
    char rest[4] = "";
    size_t n = 0, depth = 0;

    for (; *line != '\0'; line++) {
        bool comment = depth > 0 || *line == '(';

        if (*line == '\\' && depth > 0 && line[1] != '\0')
            line++;
        else if (*line == '(')
            depth++;
        else if (*line == ')' && depth > 0)
            depth--;
        if (n < 3 && (n == 1 || (!comment && !ascii_is_blank(*line))))
            rest[n++] = comment ? ' ' : *line;
    }
    return depth == 0 && strcasecmp(rest, "no") == 0;
}

static void try_params(const char *text, size_t len)
{
    static const char *const names[] = {"filename", "name", "charset", "x"};
    struct buf out, octets;

    buf_init(&octets, len);
    mime_value_word(&octets, text, len);
    demand(buf_ok(&octets));
    buf_init(&out, 3 * len);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        buf_reset(&out);
        buf_reset(&octets);
        demand((mime_param(&out, text, len, names[i], NULL) != 0) ==
               (mime_param_octets(&octets, text, len, names[i]) != 0));
        demand(buf_ok(&out) && buf_ok(&octets));
        demand_text(buf_text(&out), out.len);
    }
    buf_clear(&out);
    buf_clear(&octets);
}

static void try_value(const char *value, size_t len)
{
    struct buf line, again, out;

    buf_init(&line, len);
    buf_init(&again, len);
    buf_init(&out, 3 * len);
    header_unfold(&line, value, len);
    demand_line(&line);
    header_unfold(&again, buf_text(&line), line.len);
    demand(again.len == line.len && strcmp(buf_text(&again), buf_text(&line)) == 0);
    header_decode(&out, value, len, NULL);
    demand(buf_ok(&out));
    demand_text(buf_text(&out), out.len);
    demand((tls_required_read(value, len) == TLS_REQUIRED_NO) == says_no(buf_text(&line)));
    try_params(buf_text(&line), line.len);
    buf_reset(&again);
    if (header_uncomment(&again, value, len) == 0) {
        demand_line(&again);
        try_params(buf_text(&again), again.len);
    }
    buf_clear(&line);
    buf_clear(&again);
    buf_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *block = (const char *)data, *behind = block;
    struct header_field f;
    size_t pos = 0;

    while (header_field_next(&f, &pos, block, size) == 1) {
        demand(f.name == behind && f.name_len > 0 && memchr(f.name, ':', f.name_len) == NULL);
        demand(f.value > f.name + f.name_len && f.value + f.value_len <= block + pos);
        behind = block + pos;
        try_value(f.value, f.value_len);
    }
    demand(pos <= size && pos - (size_t)(behind - block) <= 2);
    try_value(block, size);
    return 0;
}
