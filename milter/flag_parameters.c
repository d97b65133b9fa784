/* flag_parameters.c - see flag_parameters.h. */
#include "flag_parameters.h"

#include "ascii.h"
#include "orcpt.h"

#include <string.h>

static const struct {
    const char *word;
    unsigned demands;
} words[] = {
    {"NEVER", 0},
    {"SUCCESS", FLAG_NOTIFY_SUCCESS},
    {"FAILURE", FLAG_NOTIFY_FAILURE},
    {"DELAY", FLAG_NOTIFY_DELAY},
};

#define DEFAULT (FLAG_NOTIFY_FAILURE | FLAG_NOTIFY_DEFAULT)

/* Words that are none are what the MTA has to judge; alone they are as no NOTIFY. */
static unsigned demands_of(const char *value)
{
    unsigned demands = 0;
    bool known = false;

    for (size_t len; *value != '\0'; value += len + (value[len] == ',')) {
        len = strcspn(value, ",");
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
            if (len != strlen(words[i].word) || strncasecmp(value, words[i].word, len) != 0)
                continue;
            demands |= words[i].demands;
            known = true;
        }
    }
    return known ? demands : DEFAULT;
}

/* May it be one word of several between blanks? */
static bool is_word(const char *text)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++)
        if (!ascii_is_visible(text[i]) && (unsigned char)text[i] < 0x80)
            return false;
    return len <= FLAG_PARAMETER_MAX;
}

static bool is_named(const char *parameter, const char *name)
{
    size_t len = strlen(name);

    return strncasecmp(parameter, name, len) == 0 && is_word(parameter);
}

void flag_parameters_read(struct flag_parameters *out, const char *const *parameters)
{
    *out = (struct flag_parameters){.demands = DEFAULT};
    for (; parameters != NULL && *parameters != NULL; parameters++) {
        if (out->orcpt == NULL && is_named(*parameters, "ORCPT="))
            out->orcpt = *parameters;
        if (out->notify == NULL && is_named(*parameters, "NOTIFY="))
            out->notify = *parameters;
    }
    if (out->notify != NULL)
        out->demands = demands_of(out->notify + strlen("NOTIFY="));
}

bool flag_notify_within(unsigned a, unsigned b)
{
    return (a & ~b & ~(unsigned)FLAG_NOTIFY_DEFAULT) == 0;
}

static void notify_write(struct buf *out, unsigned demands)
{
    char before = '=';

    if ((demands & ~(unsigned)DEFAULT) == 0 && (demands & FLAG_NOTIFY_DEFAULT) != 0)
        return;
    if ((demands & FLAG_NOTIFY_DEFAULT) != 0)
        demands |= FLAG_NOTIFY_DELAY;
    buf_str(out, out->len > 0 ? " NOTIFY" : "NOTIFY");
    for (size_t i = 1; i < sizeof(words) / sizeof(words[0]); i++) {
        if ((demands & words[i].demands) == 0)
            continue;
        buf_char(out, before);
        buf_str(out, words[i].word);
        before = ',';
    }
}

void flag_parameters_write(struct buf *out, const struct flag_parameters *p, unsigned demands, const char *address)
{
    struct buf value;

    buf_init(&value, ORCPT_MAX);
    if (p->orcpt != NULL)
        buf_str(out, p->orcpt);
    else if (orcpt_make(&value, address, strlen(address), NULL) == 0)
        buf_printf(out, "ORCPT=%s", buf_text(&value));
    buf_clear(&value);
    if (demands != p->demands)
        notify_write(out, demands);
    else if (p->notify != NULL)
        buf_printf(out, "%s%s", out->len > 0 ? " " : "", p->notify);
}
