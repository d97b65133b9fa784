/* story.h - carries out a scenario line by line: statements in story.c, what they expect in expect.c. README.md has the
 * language. */
#ifndef POSTERN_T_STORY_H
#define POSTERN_T_STORY_H

#include "site.h"

#define MAILS_MAX 4000

/* One mail of the story. */
struct mail {
    struct strength strength;
    int64_t asked; /* by the node's clock */
    unsigned line;
    unsigned world; /* how often the world had changed */
    char text[120];
};

struct story {
    const struct script *script;
    size_t at; /* the line being carried out */
    struct trouble trouble;
    struct site site;
    bool expecting;    /* expectations count */
    struct node *node; /* of the last statement */
    char domain[DOMAIN_BUF];
    struct outcome outcome; /* of the last mail; text "" when the statement was none */
    struct mail *mail;
    size_t mails;
    unsigned world;      /* how often it has changed */
    bool faulty;         /* the fault has happened, before */
    size_t first_faulty; /* this mail was answered */
};

/* One telling: trouble, mails and how much was asked are in *s afterwards. meddle may be NULL. */
void story_tell(struct story *s, const struct script *script, bool expecting, bool reversed,
                const struct meddle *meddle);
void story_clear(struct story *s);

/* expect.c: the indented lines below the statement at s->at, which has just been carried out. */
void story_expect(struct story *s);

/* Is there an indented line below? Moves on to it. */
const char *story_indented(struct story *s);

#endif
