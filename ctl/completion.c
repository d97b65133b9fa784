/*
 * completion.c - both shells get the same code but for what stands in their heads: a walk over the words before the
 * cursor that finds the command, and small functions that offer words, options and files.
 */
#include "completion.h"

#include "list.h"
#include "options.h"

#include <string.h>

#define WORD_MAX 80

static const char bash_head[] =
    "# bash completion of posternctl; made by: posternctl completion bash\n"
    "_posternctl_words() { mapfile -t COMPREPLY < <(compgen -W \"$*\" -- \"$cur\"); }\n"
    "_posternctl_options() { _posternctl_words \"$@\"; }\n"
    "_posternctl_files() { compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); }\n"
    "_posternctl_dirs() { compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- \"$cur\"); }\n"
    "\n"
    "_posternctl()\n"
    "{\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} word way= verb= first= skip= only= i n=0\n"
    "    COMPREPLY=()\n"
    "    [[ $cur == '=' ]] && cur=\n"
    "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "        word=${COMP_WORDS[i]}\n";

static const char zsh_head[] =
    "#compdef posternctl\n"
    "# zsh completion of posternctl; made by: posternctl completion zsh\n"
    "_posternctl_words() { local -a all; all=(\"$@\"); _describe -t values value all; }\n"
    "_posternctl_options() { local -a all; all=(\"$@\"); _describe -o -t options option all; }\n"
    "_posternctl_files() { _files; }\n"
    "_posternctl_dirs() { _files -/; }\n"
    "\n"
    "_posternctl()\n"
    "{\n"
    "    local cur=$words[CURRENT] word way= verb= first= skip= only= i n=0\n"
    "    for ((i = 2; i < CURRENT; i++)); do\n"
    "        word=$words[i]\n";

static const char bash_foot[] = "complete -F _posternctl posternctl\n";

static const char zsh_foot[] = "if [[ $funcstack[1] == _posternctl ]]; then\n"
                               "    _posternctl \"$@\"\n"
                               "else\n"
                               "    compdef _posternctl posternctl\n"
                               "fi\n";

struct writer {
    struct buf *out;
    const struct command *table;
    bool described; /* words have a description behind them */
};

int completion_shell_by_name(enum completion_shell *out, const char *name)
{
    bool bash = strcmp(name, "bash") == 0;

    *out = bash ? COMPLETION_BASH : COMPLETION_ZSH;
    return bash || strcmp(name, "zsh") == 0 ? 0 : -1;
}

/* --- words --- */

/* " 'name:what it is'" or " name"; names have no character that acts in a shell. */
static void add_word(const struct writer *w, const char *name, size_t len, const char *help)
{
    if (!w->described || help == NULL) {
        buf_printf(w->out, " %.*s", (int)len, name);
        return;
    }
    buf_printf(w->out, " '%.*s:", (int)len, name);
    for (const char *c = help; *c != '\0'; c++)
        if (*c == '\'')
            buf_str(w->out, "'\\''");
        else
            buf_char(w->out, *c);
    buf_char(w->out, '\'');
}

static bool is_plain(const char *word, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (strchr("abcdefghijklmnopqrstuvwxyz0123456789-+", word[i]) == NULL)
            return false;
    return len > 0;
}

/* "handshake|later": words to choose from, not a name for something else. */
static bool is_choice(const char *arg, size_t len)
{
    for (size_t i = 0, n; i < len; i += n + 1) {
        n = strcspn(arg + i, "|");
        n = n < len - i ? n : len - i;
        if (!is_plain(arg + i, n))
            return false;
    }
    return len > 0;
}

static void add_lists(const struct writer *w)
{
    buf_str(w->out, "_posternctl_words");
    for (size_t i = 0; i < LISTS; i++)
        add_word(w, list_name((enum list_id)i), strlen(list_name((enum list_id)i)), NULL);
}

/* Is this word of the help a value, or the beginning of one? */
static bool is_value(enum list_id list, const char *word, size_t len)
{
    struct list_value value;
    char text[WORD_MAX];

    if (!is_plain(word, len) || len >= sizeof(text) - sizeof(" 1h"))
        return false;
    memcpy(text, word, len);
    memcpy(text + len, " 1h", sizeof(" 1h"));
    if (list_value_parse(&value, list, text, NULL) == 0)
        return true;
    text[len] = '\0';
    return list_value_parse(&value, list, text, NULL) == 0;
}

/* The values of a list that its help names, as far as they are words, each once. Returns how many. */
static size_t add_values_of(const struct writer *w, enum list_id list)
{
    const char *help = list_value_help(list), *last = "";
    size_t count = 0, last_len = 0;

    for (size_t len; help != NULL && *help != '\0'; help += len + strspn(help + len, " ,")) {
        len = strcspn(help, " ,");
        if (!is_value(list, help, len) || (len == last_len && memcmp(help, last, len) == 0))
            continue;
        add_word(w, help, len, NULL);
        last = help;
        last_len = len;
        count++;
    }
    return count;
}

static void add_values(const struct writer *w)
{
    buf_str(w->out, "case $first in\n");
    for (size_t i = 0; i < LISTS; i++) {
        struct buf line;

        buf_init(&line, w->out->max);
        if (add_values_of(&(struct writer){&line, w->table, w->described}, (enum list_id)i) > 0)
            buf_printf(w->out, "        %s) _posternctl_words%s ;;\n", list_name((enum list_id)i), buf_text(&line));
        buf_clear(&line);
    }
    buf_str(w->out, "        esac");
}

/* What is offered where the usage has such a word; false: nothing. */
static bool add_offer(const struct writer *w, const char *arg, size_t len)
{
    if (len >= 4 && memmem(arg, len, "FILE", 4) != NULL) {
        buf_str(w->out, "_posternctl_files");
    } else if (len == 3 && memcmp(arg, "DIR", 3) == 0) {
        buf_str(w->out, "_posternctl_dirs");
    } else if (len == 4 && memcmp(arg, "LIST", 4) == 0) {
        add_lists(w);
    } else if (len == 5 && memcmp(arg, "VALUE", 5) == 0) {
        add_values(w);
    } else if (is_choice(arg, len)) {
        buf_str(w->out, "_posternctl_words");
        for (size_t n; len > 0; arg += n, len -= n) {
            n = strcspn(arg, "|");
            n = n < len ? n : len;
            add_word(w, arg, n, NULL);
            n += n < len ? 1 : 0;
        }
    } else {
        return false;
    }
    return true;
}

/* --- the parts --- */

static void write_walk(const struct writer *w)
{
    buf_str(w->out, "        if [[ -n $skip ]]; then\n"
                    "            [[ $word == '=' ]] || skip=\n"
                    "            continue\n"
                    "        fi\n"
                    "        if [[ -z $only ]]; then\n"
                    "            case $word in\n"
                    "            --) only=1; continue ;;\n"
                    "            -c|--config");
    for (const struct option_kind *o = option_kinds; o->name != NULL; o++)
        if (o->arg != NULL)
            buf_printf(w->out, "|--%s", o->name);
    buf_str(w->out, ") skip=$word; continue ;;\n"
                    "            -*) continue ;;\n"
                    "            esac\n"
                    "        fi\n"
                    "        if [[ -n $verb ]]; then\n"
                    "            ((n++)) || first=$word\n"
                    "            continue\n"
                    "        fi\n"
                    "        way=\"${way:+$way }$word\"\n"
                    "        case $way in\n"
                    "        ");
    for (const struct command *c = w->table; c->name != NULL; c++)
        buf_printf(w->out, "%s'%s'", c == w->table ? "" : "|", c->name);
    buf_str(w->out, ") verb=$way ;;\n"
                    "        esac\n"
                    "    done\n");
}

static void write_option_values(const struct writer *w)
{
    buf_str(w->out, "    case $skip in\n"
                    "    '') ;;\n"
                    "    -c|--config) _posternctl_files; return ;;\n");
    for (const struct option_kind *o = option_kinds; o->name != NULL; o++) {
        struct buf line;

        buf_init(&line, w->out->max);
        if (o->arg != NULL && add_offer(&(struct writer){&line, w->table, w->described}, o->arg, strlen(o->arg)))
            buf_printf(w->out, "    --%s) %s; return ;;\n", o->name, buf_text(&line));
        buf_clear(&line);
    }
    buf_str(w->out, "    *) return ;;\n"
                    "    esac\n");
}

/* The program's own, which every command takes. */
static void add_own_options(const struct writer *w)
{
    add_word(w, "--config", strlen("--config"), "the configuration");
    add_word(w, "--help", strlen("--help"), "the usage");
    add_word(w, "--version", strlen("--version"), "the version");
}

static void write_options(const struct writer *w)
{
    buf_str(w->out, "    if [[ $cur == -* && -z $only ]]; then\n"
                    "        case $verb in\n");
    for (const struct command *c = w->table; c->name != NULL; c++) {
        if (c->options == 0)
            continue;
        buf_printf(w->out, "        '%s') _posternctl_options", c->name);
        for (const struct option_kind *o = option_kinds; o->name != NULL; o++) {
            char name[WORD_MAX] = "--";

            strncat(name, o->name, sizeof(name) - 3);
            if (c->options & o->bit)
                add_word(w, name, strlen(name), o->help);
        }
        add_own_options(w);
        buf_str(w->out, " ;;\n");
    }
    buf_str(w->out, "        *) _posternctl_options");
    add_own_options(w);
    buf_str(w->out, " ;;\n"
                    "        esac\n"
                    "        return\n"
                    "    fi\n");
}

/* The words of the usage, one after the other; a rule in quotes is one that nobody can guess. */
static void write_arguments(const struct writer *w, const struct command *c)
{
    const char *arg = c->args;

    for (size_t n = 0, len; *arg != '\0' && *arg != '\''; arg += len + strspn(arg + len, " ]."), n++) {
        struct buf line;

        arg += strspn(arg, "[");
        len = strcspn(arg, " ].");
        buf_init(&line, w->out->max);
        if (add_offer(&(struct writer){&line, w->table, w->described}, arg, len))
            buf_printf(w->out, "    '%s:%zu') %s ;;\n", c->name, n, buf_text(&line));
        buf_clear(&line);
    }
}

/* Of the names that begin with these words: the one that comes next, each once. */
static void write_next_words(const struct writer *w, const char *way, size_t len)
{
    const char *last = "";
    size_t last_len = 0;

    buf_printf(w->out, "        '%.*s') _posternctl_words", (int)len, way);
    for (const struct command *c = w->table; c->name != NULL; c++) {
        size_t begin = len > 0 ? len + 1 : 0;
        size_t n;

        if (strncmp(c->name, way, len) != 0 || (len > 0 && c->name[len] != ' '))
            continue;
        n = strcspn(c->name + begin, " ");
        if (n == last_len && memcmp(c->name + begin, last, n) == 0)
            continue;
        last = c->name + begin;
        last_len = n;
        add_word(w, last, n, last[n] == '\0' ? c->summary : NULL);
    }
    buf_str(w->out, " ;;\n");
}

/* Is it the first of the table with these words in front? */
static bool is_first(const struct writer *w, const struct command *c, size_t len)
{
    for (const struct command *i = w->table; i != c; i++)
        if (strncmp(i->name, c->name, len + 1) == 0)
            return false;
    return true;
}

static void write_names(const struct writer *w)
{
    buf_str(w->out, "    :*)\n"
                    "        case $way in\n");
    write_next_words(w, "", 0);
    for (const struct command *c = w->table; c->name != NULL; c++)
        for (const char *end = strchr(c->name, ' '); end != NULL; end = strchr(end + 1, ' '))
            if (is_first(w, c, (size_t)(end - c->name)))
                write_next_words(w, c->name, (size_t)(end - c->name));
    buf_str(w->out, "        esac ;;\n");
}

void completion_write(struct buf *out, const struct command *table, enum completion_shell shell)
{
    const struct writer w = {out, table, shell == COMPLETION_ZSH};

    buf_str(out, shell == COMPLETION_BASH ? bash_head : zsh_head);
    write_walk(&w);
    write_option_values(&w);
    write_options(&w);
    buf_str(out, "    case $verb:$n in\n");
    for (const struct command *c = table; c->name != NULL; c++)
        write_arguments(&w, c);
    write_names(&w);
    buf_str(out, "    esac\n"
                 "}\n");
    buf_str(out, shell == COMPLETION_BASH ? bash_foot : zsh_foot);
}
