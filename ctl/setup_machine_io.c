/* setup_machine_io.c - see setup_machine_io.h. */
#include "setup_machine_io.h"

#include <arpa/inet.h>
#include <grp.h>
#include <libgen.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
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

bool machine_has_systemd(void)
{
    return access("/run/systemd/system", F_OK) == 0;
}

bool machine_has_unit(const char *unit)
{
    static const char *const folders[] = {"/etc/systemd/system", "/run/systemd/system", "/run/systemd/generator.late",
                                          "/usr/lib/systemd/system", "/lib/systemd/system"};
    char path[300];

    for (size_t i = 0; machine_has_systemd() && i < sizeof(folders) / sizeof(folders[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", folders[i], unit);
        if (access(path, F_OK) == 0)
            return true;
    }
    return false;
}

bool machine_port_is_free(unsigned port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    bool free_one;

    if (fd < 0)
        return false;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    free_one = bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
    close(fd);
    return free_one;
}

static bool in_group(const struct passwd *user, gid_t gid)
{
    gid_t groups[200];
    int count = 200;

    if (getgrouplist(user->pw_name, user->pw_gid, groups, &count) < 0)
        return false;
    for (int i = 0; i < count; i++)
        if (groups[i] == gid)
            return true;
    return false;
}

const char *machine_log_group(char out[300], const char *log, const char *user)
{
    const struct passwd *who = getpwnam(user);
    const struct group *group;
    struct stat st;

    out[0] = '\0';
    if (*log == '\0')
        return out;
    if (strcmp(log, "journal") == 0) {
        group = getgrnam("systemd-journal");
    } else {
        if (stat(log, &st) != 0 || (st.st_mode & S_IROTH) != 0)
            return out;
        group = (st.st_mode & S_IRGRP) != 0 && st.st_gid != 0 ? getgrgid(st.st_gid) : NULL;
    }
    if (who == NULL || group == NULL)
        return NULL;
    (void)snprintf(out, 300, "%s", in_group(who, group->gr_gid) ? "" : group->gr_name);
    return out;
}
