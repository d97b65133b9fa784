/*
 * replay.c - runs a fuzz target over the files of its corpus, as a TAP test: the corpus folder is t/fuzz/corpus/NAME
 * for the target fuzz_NAME. A missing or empty corpus is a failure. A target that finds a fault aborts, which the test
 * driver counts as one.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
    struct stat st;
    FILE *f = fopen(path, "rb");
    uint8_t *data;
    size_t got;

    if (f == NULL || fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode)) {
        if (f != NULL)
            fclose(f);
        return 0;
    }
    data = malloc(st.st_size == 0 ? 1 : (size_t)st.st_size); /* no octet more, so that reading past the end is seen */
    if (data == NULL)
        abort();
    got = fread(data, 1, (size_t)st.st_size, f);
    fclose(f);
    LLVMFuzzerTestOneInput(data, got);
    free(data);
    return 1;
}

int main(int argc, char **argv)
{
    char folder[4096], path[8192];
    const char *name = strrchr(argv[0], '/');
    struct dirent *entry;
    int count = 0;
    DIR *dir;

    (void)argc;
    name = name == NULL ? argv[0] : name + 1;
    name = strncmp(name, "fuzz_", 5) == 0 ? name + 5 : name;
    snprintf(folder, sizeof(folder), "%s/t/fuzz/corpus/%.*s", TOP_SRCDIR, (int)strcspn(name, "."), name);
    dir = opendir(folder);
    printf("1..1\n");
    fflush(stdout);
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        count += replay_file(path);
    }
    if (dir != NULL)
        closedir(dir);
    printf("%s 1 - %d files of %s\n", count > 0 ? "ok" : "not ok", count, folder + strlen(TOP_SRCDIR) + 1);
    return count > 0 ? 0 : 1;
}
