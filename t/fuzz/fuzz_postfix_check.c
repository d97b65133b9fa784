/*
 * fuzz_postfix_check.c - what postconf prints, and a table that it names. A NUL parts the four texts. Whatever they
 * are, each finding says where, what, why and what to do.
 */
#include "postfix_check.h"
#include "recipe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_text(void *ctx, const char *path, struct buf *out, struct err *e)
{
    const struct postfix_printed *table = ctx;

    (void)path;
    (void)e;
    buf_add(out, table->text, table->len);
    return 0;
}

static struct postfix_printed next_text(const uint8_t **data, size_t *size)
{
    const uint8_t *end = *size > 0 ? memchr(*data, '\0', *size) : NULL;
    struct postfix_printed text = {(const char *)*data, end != NULL ? (size_t)(end - *data) : *size};

    *data += text.len + (end != NULL);
    *size -= text.len + (end != NULL);
    return text;
}

static void demand_findings(const struct postfix_findings *f)
{
    demand(f->count <= POSTFIX_FINDINGS_MAX);
    for (size_t i = 0; i < f->count; i++) {
        const struct postfix_finding *g = &f->item[i];
        demand(g->kind < POSTFIX_FINDING_KINDS && g->where[0] != '\0');
        demand(postfix_finding_name(g->kind) != NULL && postfix_finding_why(g->kind) != NULL);
        demand(postfix_finding_remedy(g->kind) != NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct postfix_finding items[POSTFIX_FINDINGS_MAX];
    struct postfix_findings found = {.item = items};
    struct postfix_printed text[4];
    struct postfix_conf postfix;
    struct conf *postern = conf_default();
    struct err e = {""};

    for (size_t i = 0; i < 4; i++)
        text[i] = next_text(&data, &size);
    if (postfix_conf_read(&postfix, text[0], text[1], text[2], &e) == 0) {
        demand(e.text[0] == '\0');
        demand(postfix_check(&found, &postfix, postern, read_text, &text[3], &e) == 0);
        demand_findings(&found);
        postfix_conf_free(&postfix);
    } else {
        demand(e.text[0] != '\0');
    }
    conf_free(postern);
    return 0;
}
