/* setup_keys.h - settings of postern.conf and keys that any mail server's plan has. Pure. */
#ifndef POSTERN_SETUP_KEYS_H
#define POSTERN_SETUP_KEYS_H

#include "conf.h"
#include "setup.h"

enum { SETUP_RSA, SETUP_ED25519, SETUP_KEYS };

/* What the machine has of keys. Texts are the caller's. */
struct setup_keys {
    const char *conf_file, *key_folder;
    bool key_folder_there, key_there[SETUP_KEYS];
    const char *group; /* of tlsrptd's user; "": there is none such */
};

/* postern.conf: set, as a text in quotes, unless it is something already; now: what it is. */
void setup_conf_text(struct setup_plan *p, const char *what, const char *section, const char *key, const char *now,
                     const char *wanted);

/* Keys that sign TLS reports, and the settings that name them. */
void setup_keys(struct setup_plan *p, const struct conf_tlsrptd *t, const struct setup_keys *keys);

#endif
