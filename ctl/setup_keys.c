/* setup_keys.c - see setup_keys.h. */
#include "setup_keys.h"

#include <stdio.h>

void setup_conf_text(struct setup_plan *p, const char *what, const char *section, const char *key, const char *now,
                     const char *wanted)
{
    char value[1100];

    (void)snprintf(value, sizeof(value), "\"%.1000s\"", *now != '\0' ? now : wanted);
    setup_conf(p, *now != '\0' ? SETUP_THERE : SETUP_NEEDED, what, section, key, value);
}

static void plan_command(struct setup_plan *p, bool there, const char *what, const char *const argv[])
{
    setup_command(p, there ? SETUP_THERE : SETUP_NEEDED, &(struct setup_command){.what = what, .argv = argv});
}

static void plan_key(struct setup_plan *p, const struct setup_keys *keys, size_t i)
{
    static const char *const type[SETUP_KEYS] = {"rsa", "ed25519"}, *const key[SETUP_KEYS] = {"rsa_key", "ed25519_key"};
    bool there = keys->key_there[i];
    char path[4200];

    (void)snprintf(path, sizeof(path), "%s/%s.pem", keys->key_folder, type[i]);
    plan_command(
        p, there, "a key that signs reports; its DNS record is printed then",
        (const char *[]){"posternctl", "-c", keys->conf_file, "report", "key", "new", "--type", type[i], path, NULL});
    if (*keys->group != '\0') {
        plan_command(p, there, "tlsrptd may read it", (const char *[]){"chgrp", keys->group, path, NULL});
        plan_command(p, there, "and nobody else", (const char *[]){"chmod", "640", path, NULL});
    }
    setup_conf_text(p, "TLS reports are signed", "tlsrptd", key[i], "", path);
}

void setup_keys(struct setup_plan *p, const struct conf_tlsrptd *t, const struct setup_keys *keys)
{
    if (*t->rsa_key != '\0')
        setup_conf_text(p, "TLS reports are signed", "tlsrptd", "rsa_key", t->rsa_key, "");
    if (*t->ed25519_key != '\0')
        setup_conf_text(p, "TLS reports are signed", "tlsrptd", "ed25519_key", t->ed25519_key, "");
    if (*t->rsa_key == '\0' && *t->ed25519_key == '\0') {
        plan_command(p, keys->key_folder_there, "keys that sign reports",
                     (const char *[]){"install", "-d", "-m", "750", "-g", *keys->group != '\0' ? keys->group : "0",
                                      keys->key_folder, NULL});
        plan_key(p, keys, SETUP_RSA);
        plan_key(p, keys, SETUP_ED25519);
    }
    setup_note(p, SETUP_NEEDED,
               "publish the DNS records of the keys, which sign reports: \"posternctl report key check\" says whether "
               "they are, and prints their names");
}
