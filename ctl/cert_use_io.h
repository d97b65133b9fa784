/* cert_use_io.h - the mail servers that can use a certificate of the store, each a line of a table. */
#ifndef POSTERN_CERT_USE_IO_H
#define POSTERN_CERT_USE_IO_H

#include <limits.h>

#include "cert_use.h"
#include "conf.h"
#include "setup_server.h"

/* What there is of one. */
struct cert_server_facts {
    char dir[PATH_MAX];    /* of its configuration, without symbolic links */
    char host[DOMAIN_BUF]; /* its own name, in its one form; "": it has none that is one */
    struct cert_where where;
};

struct cert_server {
    struct setup_server setup;
    const char *program;  /* that is looked for to see whether it is installed */
    const char *usual;    /* folder of its configuration */
    const char *marks[3]; /* files of which one is in such a folder; ends with NULL */

    /* Read its configuration. Returns 0, or -1 with the reason. */
    int (*look)(struct cert_server_facts *out, const char *config_dir, struct err *e);

    /* Have it take up what was changed. Returns 0, or -1 with the reason. */
    int (*reload)(struct buf *said, const char *dir, struct err *e);

    /* Path of the copy of an entry's live.pem that it reads; NULL: it reads live.pem itself. */
    void (*copy)(char out[PATH_MAX], const char *dir, const char *name);
};

/* Postfix, Exim; ends with a NULL setup.name. */
extern const struct cert_server cert_servers[];
const struct cert_server *cert_server_by_name(const char *name, size_t len); /* NULL: there is none */

/* cert_use_postfix_io.c */
int cert_postfix_plan(struct setup_plan *out, const struct setup_request *r, struct err *e);
int cert_postfix_look(struct cert_server_facts *out, const char *config_dir, struct err *e);
int cert_postfix_reload(struct buf *said, const char *dir, struct err *e);

/* cert_use_exim_io.c */
int cert_exim_plan(struct setup_plan *out, const struct setup_request *r, struct err *e);
int cert_exim_look(struct cert_server_facts *out, const char *config_dir, struct err *e);
int cert_exim_reload(struct buf *said, const char *dir, struct err *e);
void cert_exim_copy(char out[PATH_MAX], const char *dir, const char *name);
bool cert_exim_copied(const char *copy, const char *live); /* they are the same */

/* Take away the copies of other entries than keep (NULL: all), and the folder when it is empty. */
void cert_exim_tidy(const char *dir, const char *keep);

/* cert_install_io.c: a setup_server.works: does it serve r->cert? One that does not run is said, and taken for good. */
int cert_works_postfix(struct buf *said, const struct setup_request *r, struct err *e);
int cert_works_exim(struct buf *said, const struct setup_request *r, struct err *e);

/* One server of about.use, "postfix:/etc/postfix"; else as cert_install. */
int cert_install_one(const struct conf *conf, const char *name, const char *use, const uint8_t sha256[CERT_DIGEST_LEN],
                     struct buf *said, struct err *e);

#endif
