/* setup_apply_internal.h - what the files of setup_apply share. */
#ifndef POSTERN_SETUP_APPLY_INTERNAL_H
#define POSTERN_SETUP_APPLY_INTERNAL_H

#include "setup_apply_io.h"
#include "setup_daemons_io.h"

/* A run of --apply: what is there to put back. */
struct applying {
    const struct setup_folder *folder;
    const struct setup_server *server;
    const struct setup_request *r;
    const struct setup_plan *plan;
    struct setup_manifest m;               /* as it is to be */
    struct setup_file *was;                /* of each file of m, just before; of those not changed now, empty */
    bool *changing;                        /* the same */
    size_t *step_done;                     /* of each step of the plan the number of its part in m, from 1; 0: none */
    size_t made;                           /* steps of the plan that are behind */
    enum setup_news news[SETUP_DAEMONS];   /* for Postern's own daemons */
    struct conf *conf;                     /* postern.conf as it is afterwards; NULL: it is not changed */
    struct buf conf_text;                  /* its text */
    bool local, daemons_told, server_told; /* begun */
    struct buf *said;
};

/* Is it one that --apply makes? */
static inline bool apply_is_needed(const struct setup_step *s)
{
    return s->state == SETUP_NEEDED && s->kind != SETUP_NOTE;
}

/* setup_apply_io.c: have the mail server take it up, when it runs. Returns 0, or -1 with the reason. */
int apply_tell_server(struct applying *a, struct err *e);

/*
 * setup_keep_io.c: copies of the files that are to be changed, and each step that is taken back by itself, with what
 * was there before, in the manifest. Nothing is changed yet. Returns 0, or -1 with the reason.
 */
int apply_keep(struct applying *a, struct err *e);

/*
 * setup_put_back_io.c: all as it was before this run, and the manifest of before too; where that cannot be done wholly
 * the manifest of this run stays, so that --undo can be tried. What came of it goes before the reason that is in e.
 */
void apply_put_back(struct applying *a, struct err *e);

#endif
