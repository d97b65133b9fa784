/* setup.c - a plan, step by step. */
#include "setup.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOTE_MAX 2000
#define GROW     32

char **setup_words_copy(const char *const words[])
{
    size_t count = 0;
    char **copy;

    while (words != NULL && words[count] != NULL)
        count++;
    copy = words != NULL ? calloc(count + 1, sizeof(*copy)) : NULL;
    for (size_t i = 0; copy != NULL && i < count; i++) {
        copy[i] = strdup(words[i]);
        if (copy[i] == NULL) {
            setup_words_free(copy);
            return NULL;
        }
    }
    return copy;
}

void setup_words_free(char **words)
{
    for (char **w = words; w != NULL && *w != NULL; w++)
        free(*w);
    free(words);
}

/* A new step; NULL: there is no room. */
static struct setup_step *add_step(struct setup_plan *p, enum setup_kind kind, enum setup_state state)
{
    struct setup_step *more;

    if (p->count >= SETUP_STEPS_MAX) {
        p->out_of_memory = true;
        return NULL;
    }
    if (p->count % GROW == 0) {
        more = realloc(p->step, (p->count + GROW) * sizeof(*more));
        if (more == NULL) {
            p->out_of_memory = true;
            return NULL;
        }
        p->step = more;
    }
    p->step[p->count] = (struct setup_step){.kind = kind, .state = state};
    return &p->step[p->count++];
}

static char *copy_text(struct setup_plan *p, const char *text)
{
    char *copy = text != NULL ? strdup(text) : NULL;

    p->out_of_memory |= text != NULL && copy == NULL;
    return copy;
}

static char **copy_words(struct setup_plan *p, const char *const words[])
{
    char **copy = setup_words_copy(words);

    p->out_of_memory |= words != NULL && copy == NULL;
    return copy;
}

void setup_command(struct setup_plan *p, enum setup_state state, const struct setup_command *command)
{
    struct setup_step *s = add_step(p, SETUP_COMMAND, state);

    if (s == NULL)
        return;
    s->what = copy_text(p, command->what);
    s->path = copy_text(p, command->path);
    s->daemon = copy_text(p, command->daemon);
    s->argv = copy_words(p, command->argv);
    s->undo = copy_words(p, command->undo);
    s->shows = copy_words(p, command->shows);
}

void setup_file(struct setup_plan *p, enum setup_state state, const char *what, const char *path, unsigned mode,
                const char *text)
{
    struct setup_step *s = add_step(p, SETUP_FILE, state);

    if (s == NULL)
        return;
    s->what = copy_text(p, what);
    s->path = copy_text(p, path);
    s->mode = mode;
    s->text = copy_text(p, text);
}

void setup_conf(struct setup_plan *p, enum setup_state state, const char *what, const char *section, const char *key,
                const char *value)
{
    struct setup_step *s = add_step(p, SETUP_CONF, state);

    if (s == NULL)
        return;
    s->what = copy_text(p, what);
    s->section = copy_text(p, section);
    s->key = copy_text(p, key);
    s->value = copy_text(p, value);
}

void setup_local(struct setup_plan *p, enum setup_state state, const char *domain)
{
    struct setup_step *s = add_step(p, SETUP_LOCAL, state);

    if (s == NULL)
        return;
    s->what = copy_text(p, "a domain of this mail server");
    s->domain = copy_text(p, domain);
}

void setup_note(struct setup_plan *p, enum setup_state state, const char *what)
{
    struct setup_step *s = add_step(p, SETUP_NOTE, state);

    if (s != NULL)
        s->what = copy_text(p, what);
}

void setup_notef(struct setup_plan *p, enum setup_state state, const char *fmt, ...)
{
    char text[NOTE_MAX];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    setup_note(p, state, text);
}

void setup_reload(struct setup_plan *p, const char *const argv[])
{
    setup_words_free(p->reload);
    p->reload = copy_words(p, argv);
}

int setup_plan_finish(const struct setup_plan *p, struct err *e)
{
    if (!p->out_of_memory)
        return 0;
    if (p->count >= SETUP_STEPS_MAX)
        return err_set(e, "the plan has more than %d steps", SETUP_STEPS_MAX);
    return err_set(e, "no memory");
}

void setup_step_clear(struct setup_step *s)
{
    setup_words_free(s->argv);
    setup_words_free(s->undo);
    setup_words_free(s->shows);
    free(s->what);
    free(s->daemon);
    free(s->path);
    free(s->text);
    free(s->section);
    free(s->key);
    free(s->value);
    free(s->domain);
}

void setup_plan_clear(struct setup_plan *p)
{
    for (size_t i = 0; i < p->count; i++)
        setup_step_clear(&p->step[i]);
    free(p->step);
    setup_words_free(p->reload);
    *p = (struct setup_plan){.server = p->server};
}

size_t setup_plan_count(const struct setup_plan *p, enum setup_state state)
{
    size_t count = 0;

    for (size_t i = 0; i < p->count; i++)
        count += p->step[i].state == state && (p->step[i].kind != SETUP_NOTE || state == SETUP_CLASH);
    return count;
}
