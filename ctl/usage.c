/* usage.c - finding a command in the table, and the help that the table gives. */
#include "usage.h"

#include "options.h"

#include <string.h>

static bool word_is(const char *word, const char *name, size_t len)
{
    return strlen(word) == len && memcmp(word, name, len) == 0;
}

/* How many words of the name these words are; 0: another name. */
static size_t name_matches(const char *name, char **word, size_t count)
{
    for (size_t used = 0; used < count; used++) {
        size_t len = strcspn(name, " ");

        if (!word_is(word[used], name, len))
            return 0;
        if (name[len] == '\0')
            return used + 1;
        name += len + 1;
    }
    return 0;
}

const struct command *command_find(const struct command *table, char **word, size_t count, size_t *used)
{
    for (const struct command *c = table; c->name != NULL; c++) {
        *used = name_matches(c->name, word, count);
        if (*used > 0)
            return c;
    }
    return NULL;
}

/* The name is the group's, or begins with its words. */
static bool is_in_group(const char *name, const char *group)
{
    size_t len = strlen(group);

    return strncmp(name, group, len) == 0 && (name[len] == ' ' || name[len] == '\0');
}

bool command_group(const struct command *table, const char *group)
{
    for (const struct command *c = table; c->name != NULL; c++)
        if (is_in_group(c->name, group) && c->name[strlen(group)] == ' ')
            return true;
    return false;
}

static void print_synopsis(FILE *to, const struct command *c)
{
    fprintf(to, "posternctl %s", c->name);
    for (const struct option_kind *o = option_kinds; o->name != NULL; o++)
        if (c->options & o->bit)
            fprintf(to, " [--%s%s%s]%s", o->name, o->arg != NULL ? " " : "", o->arg != NULL ? o->arg : "",
                    o->many ? "..." : "");
    fprintf(to, "%s%s\n", c->args[0] != '\0' ? " " : "", c->args);
}

/* These, a line each. */
static void print_options(FILE *to, uint64_t options)
{
    for (const struct option_kind *o = option_kinds; o->name != NULL; o++) {
        int width = (int)(strlen(o->name) + (o->arg != NULL ? strlen(o->arg) + 1 : 0));

        if (options & o->bit)
            fprintf(to, "      --%s%s%s%*s%s\n", o->name, o->arg != NULL ? " " : "", o->arg != NULL ? o->arg : "",
                    width < 24 ? 24 - width : 2, "", o->help);
    }
}

void usage_command(FILE *to, const struct command *c)
{
    fputs("usage: ", to);
    print_synopsis(to, c);
    fprintf(to, "       %s\n", c->summary);
    print_options(to, c->options);
}

size_t usage_list(FILE *to, const struct command *table, const char *group)
{
    size_t listed = 0;

    for (const struct command *c = table; c->name != NULL; c++) {
        if (group == NULL || is_in_group(c->name, group)) {
            int width = (int)(strlen(c->name) + strlen(c->args) + 1);
            fprintf(to, "  %s %s%*s%s\n", c->name, c->args, width < 36 ? 36 - width : 2, "", c->summary);
            listed++;
        }
    }
    return listed;
}

void usage_all(FILE *to, const struct command *table, const char *conf_file)
{
    fputs("usage: posternctl [-c FILE] [-V] [-h] COMMAND [OPTION...] [WORD...]\n\ncommands:\n", to);
    usage_list(to, table, NULL);
    fprintf(to,
            "\noptions, before or after the words:\n"
            "  -c, --config FILE             the configuration (%s)\n"
            "  -h, --help                    this text, or that of the command\n"
            "  -V, --version                 the version\n"
            "      --                        all that follows is words\n"
            "of some commands:\n",
            conf_file);
    print_options(to, UINT64_MAX);
    fprintf(to,
            "\nexit codes: 0 fine; 1 a negative answer, or the daemon is away; 2 wrong usage, or a file that cannot be "
            "read;\n            3 not now, perhaps later\n"
            "More: posternctl(1).\n");
}
