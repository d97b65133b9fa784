/*
 * fuzz_conf_edit.c - postern.conf is edited: the first octet says which setting. What conf_parse takes it still takes,
 * the setting is what it was set to, every other one is as before; and taken out it is not set.
 */
#include "conf.h"
#include "conf_edit.h"
#include "recipe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
    const char *section, *key, *value;
} settings[] = {
    {"tlsrptd", "log", "\"journal\""},
    {"stsd", "tlsrpt", "\"unix:/x\""},
    {"policyd", "exim_listen", "{\"unix:/x\", \"unix:/y\"}"},
    {"milter", "delimiter", "\"-\""},
};
#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

static bool parses(const char *text, size_t len)
{
    struct conf *conf;

    if (conf_parse(&conf, "x", text, len, NULL) != 0)
        return false;
    conf_free(conf);
    return true;
}

static void demand_same(const struct buf *before, const char *text, size_t len, size_t which)
{
    struct buf was, is;

    for (size_t i = 0; i < SETTINGS; i++) {
        if (i == which)
            continue;
        buf_init(&was, CONF_FILE_MAX);
        buf_init(&is, CONF_FILE_MAX);
        demand(conf_edit_get(&was, text, len, settings[i].section, settings[i].key) ==
               conf_edit_get(&is, buf_text(before), before->len, settings[i].section, settings[i].key));
        demand(strcmp(buf_text(&was), buf_text(&is)) == 0);
        buf_clear(&was);
        buf_clear(&is);
    }
}

static void try_text(const char *text, size_t len, size_t which)
{
    const char *section = settings[which].section, *key = settings[which].key;
    struct buf set, unset, value;

    buf_init(&set, 2 * CONF_FILE_MAX);
    buf_init(&unset, 2 * CONF_FILE_MAX);
    buf_init(&value, CONF_FILE_MAX);
    demand(conf_edit_set(&set, text, len, section, key, settings[which].value, NULL) == 0);
    demand(conf_edit_unset(&unset, text, len, section, key, NULL) == 0);
    if (parses(text, len)) {
        demand(parses(buf_text(&set), set.len) && parses(buf_text(&unset), unset.len));
        demand(conf_edit_get(&value, buf_text(&set), set.len, section, key) == 1);
        demand(strcmp(buf_text(&value), settings[which].value) == 0);
        demand(conf_edit_get(&value, buf_text(&unset), unset.len, section, key) == 0);
        demand_same(&set, text, len, which);
        demand_same(&unset, text, len, which);
    }
    buf_clear(&set);
    buf_clear(&unset);
    buf_clear(&value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0)
        try_text((const char *)data + 1, size - 1, data[0] % SETTINGS);
    return 0;
}
