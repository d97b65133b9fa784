/* setup_machine_io.c - see setup_machine_io.h. */
#include "setup_machine_io.h"

#include <grp.h>
#include <libgen.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool machine_resolver_is_near(bool *trusted)
{
    char line[512], server[256];
    FILE *in = fopen("/etc/resolv.conf", "re");
    bool near = false, far = false, trust = false;

    while (in != NULL && fgets(line, sizeof(line), in) != NULL) {
        if (sscanf(line, " nameserver %255s", server) == 1) {
            if (strncmp(server, "127.", 4) == 0 || strcmp(server, "::1") == 0)
                near = true;
            else
                far = true;
        }
        trust |= strncmp(line, "options", 7) == 0 && strstr(line, "trust-ad") != NULL;
    }
    if (in != NULL)
        fclose(in);
    if (trusted != NULL)
        *trusted = trust;
    return near && !far;
}

void machine_keys(struct setup_keys *out, char folder[PATH_MAX], char group[300], const char *conf_file,
                  const char *user)
{
    static const char *const names[SETUP_KEYS] = {"rsa", "ed25519"};
    const struct passwd *who = getpwnam(user);
    const struct group *theirs = who != NULL ? getgrgid(who->pw_gid) : NULL;
    char path[PATH_MAX + 32], copy[PATH_MAX];

    *out = (struct setup_keys){.conf_file = conf_file, .key_folder = folder, .group = group};
    (void)snprintf(group, 300, "%s", theirs != NULL ? theirs->gr_name : "");
    (void)snprintf(copy, sizeof(copy), "%s", conf_file);
    (void)snprintf(folder, PATH_MAX, "%.4000s/keys", dirname(copy));
    out->key_folder_there = access(folder, F_OK) == 0;
    for (size_t i = 0; i < SETUP_KEYS; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s.pem", folder, names[i]);
        out->key_there[i] = access(path, F_OK) == 0;
    }
}
