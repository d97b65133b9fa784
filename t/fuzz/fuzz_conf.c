/*
 * fuzz_conf.c - any octets as a configuration file. What is accepted must be complete and within the limits of the
 * tables; what is refused must say where. libconfuse's parser gets what passes conf_text_clean().
 */
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "conf_value.h"

static void check(int ok)
{
    if (!ok)
        abort();
}

static void check_list(char *const *list, const struct conf_option *o)
{
    size_t n;

    check(list != NULL);
    for (n = 0; list[n] != NULL; n++)
        check(list[n][0] != '\0');
    check((int64_t)n >= o->min && (int64_t)n <= o->max);
}

static void check_option(const char *section, const struct conf_option *o)
{
    const void *member = section + o->offset;

    switch (o->kind) {
    case CONF_STRING:
    case CONF_ADDRESS:
    case CONF_FALLBACK:
    case CONF_CHOICE:
    case CONF_TAG:
    case CONF_HEADER:
    case CONF_NAME:
    case CONF_MAILBOX:
    case CONF_MAIL_WAY:
        check(*(char *const *)member != NULL);
        check((int64_t)strlen(*(char *const *)member) >= o->min && (int64_t)strlen(*(char *const *)member) <= o->max);
        break;
    case CONF_LIST:
    case CONF_ADDRESSES:
    case CONF_RESOLVERS:
    case CONF_RULES:
        check_list(*(char **const *)member, o);
        break;
    case CONF_BOOL:
        break;
    case CONF_NUMBER:
    case CONF_SECONDS:
    case CONF_MILLIS:
    case CONF_MODE:
        check(*(const int64_t *)member >= o->min && *(const int64_t *)member <= o->max);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct conf *c = NULL;
    struct err e = {""};
    const struct conf_section *s;
    const struct conf_option *o;

    if (conf_parse(&c, "F", (const char *)data, size, &e) != 0) {
        check(c == NULL);
        check(strncmp(e.text, "F:", 2) == 0 && e.text[2] >= '1' && e.text[2] <= '9');
        return 0;
    }
    check(c != NULL);
    for (s = conf_sections; s->name != NULL; s++)
        for (o = s->option; o->name != NULL; o++)
            check_option((const char *)c + s->offset, o);
    conf_free(c);
    return 0;
}
