/*
 * setup.h - what a mail server needs so that it goes by Postern: a plan, which a pure planner makes of the server's own
 * configuration (setup_postfix.h, setup_exim.h, setup_sendmail.h) and of Postern's. A plan is shown (setup_text.h),
 * carried out, and taken back (setup_apply_io.h); nothing here knows which server it is for.
 */
#ifndef POSTERN_SETUP_H
#define POSTERN_SETUP_H

#include "err.h"

#include <stdbool.h>
#include <stddef.h>

enum setup_state {
    SETUP_THERE,  /* as it should be; of a note: to know, and no more */
    SETUP_NEEDED, /* would be made; of a note: to be done by hand */
    SETUP_CLASH   /* the operator has something else there, which only he can decide about; nothing is applied then */
};

enum setup_kind {
    SETUP_COMMAND, /* run a program, such as postconf -e NAME=VALUE */
    SETUP_FILE,    /* a file is to have this content */
    SETUP_CONF,    /* a setting of postern.conf (conf_edit.h) */
    SETUP_LOCAL,   /* an entry of the list `local` */
    SETUP_NOTE     /* nothing to do here, but to know or to do by hand: a DNS record, a resolver */
};

/* All texts are the plan's own; those that the kind does not have are NULL. Lists of words end with NULL. */
struct setup_step {
    enum setup_kind kind;
    enum setup_state state;
    char *what;   /* one line for people: what for, or what is in the way */
    char **argv;  /* COMMAND: argv[0] is looked for as program_output does; "posternctl" is this program */
    char **undo;  /* COMMAND: what takes it back when the file at `path` was edited since; NULL: nothing to take back */
    char **shows; /* COMMAND: prints what was made. It is taken back only while this prints the same; NULL: always */
    char *daemon; /* COMMAND: the daemon of Postern's, "tlsrptd", that takes it up when it is restarted; NULL: none */
    char *path;   /* FILE; COMMAND: the file that it changes, kept before and put back by --undo; NULL: none */
    char *text;   /* FILE: all of it */
    unsigned mode; /* FILE: its permissions when it is new; an existing file keeps its own, owner and group too */
    char *section, *key, *value; /* CONF; value as it would be written in the file */
    char *domain;                /* LOCAL */
};

#define SETUP_STEPS_MAX 1000
#define SETUP_FILE_MAX  ((size_t)4 << 20)

struct setup_plan {
    const char *server; /* "postfix", "exim", "sendmail"; static */
    struct setup_step *step;
    size_t count;
    char **reload;      /* command at the end, and after --undo, so that the server takes all of it up; NULL: none */
    bool out_of_memory; /* the first step that could not be added: setup_plan_finish reports it */
};

/* A command as a planner gives it; what the step above has, texts of the caller's. NULL: none, but for what and argv.
 */
struct setup_command {
    const char *what, *path, *daemon;
    const char *const *argv, *const *undo, *const *shows;
};

/* Texts are copied. A step that cannot be added for want of memory, or beyond SETUP_STEPS_MAX, sets out_of_memory. */
void setup_command(struct setup_plan *p, enum setup_state state, const struct setup_command *command);
void setup_file(struct setup_plan *p, enum setup_state state, const char *what, const char *path, unsigned mode,
                const char *text);
void setup_conf(struct setup_plan *p, enum setup_state state, const char *what, const char *section, const char *key,
                const char *value);
void setup_local(struct setup_plan *p, enum setup_state state, const char *domain);
void setup_note(struct setup_plan *p, enum setup_state state, const char *what);
void setup_notef(struct setup_plan *p, enum setup_state state, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void setup_reload(struct setup_plan *p, const char *const argv[]);

/* Returns 0, or -1 with the reason when not every step could be added. */
int setup_plan_finish(const struct setup_plan *p, struct err *e);

void setup_plan_clear(struct setup_plan *p);
void setup_step_clear(struct setup_step *s); /* what it holds */

/* How many steps are in that state. A note counts only as a clash: to do it by hand is not for --apply. */
size_t setup_plan_count(const struct setup_plan *p, enum setup_state state);

/* Copy a list of words that ends with NULL; NULL: no memory, or there was none. setup_words_free takes NULL. */
char **setup_words_copy(const char *const words[]);
void setup_words_free(char **words);

#endif
