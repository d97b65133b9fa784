/* err.h - one sentence that tells a person what went wrong. */
#ifndef POSTERN_ERR_H
#define POSTERN_ERR_H

#define ERR_MAX 256

/* Owned by the caller, normally on its stack; "" means that nothing was said. */
struct err {
    char text[ERR_MAX];
};

/*
 * Write the sentence, cut at ERR_MAX - 1 octets; control bytes in it become '?', so that foreign text may be an
 * argument, and so may e->text itself. e may be NULL. Always returns -1, so that `return err_set(e, "...")` reads well.
 */
int err_set(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Put "prefix: " before the sentence that is there, e.g. the name of the file it is about. Always returns -1. */
int err_prefix(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
