/*
 * scenario.t.c - tells every scenario of this folder (README.md), or those named, and says with file and line what is
 * not as expected. Each is told as it is written, with all results in reverse order, and once for every question in it
 * with that question failing: then no answer may be weaker than the truth, or than what was known before.
 */
#include "story.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER    TOP_SRCDIR "/t/scenario"
#define FILES_MAX 200
#define PATH_BUF  1024
#define ERR_BUF   900
/* Of a long scenario only some questions, evenly spread, are made to fail: so many are asked in all tellings together.
 */
#define ASKED_IN_ALL 12000

static unsigned points, failed;

static void point(const struct script *script, const char *what, const char *why)
{
    points++;
    if (why[0] != '\0')
        failed++;
    printf("%sok %u - %s: %s\n", why[0] != '\0' ? "not " : "", points, script->name, what);
    if (why[0] != '\0')
        printf("# %s\n", why);
}

/* --- faults --- */

/* What was known demands more than this answer. */
static bool forgets(const struct floor *floor, const struct mail *mail)
{
    return mail->asked < floor->until && weaker(&mail->strength, &floor->strength);
}

/* The first mail that is answered more weakly because of the fault, in words. */
static void judge(char *why, size_t size, const struct story *truth, const struct story *s)
{
    const struct meddle *m = &s->site.gather.meddle;
    const struct floor *floor = &s->site.floor;
    size_t i = s->faulty ? s->first_faulty : s->mails;
    unsigned world = i < s->mails ? s->mail[i].world : 0;
    bool known = true; /* the truth has not become weaker than what was known */

    why[0] = '\0';
    for (; i < s->mails && i < truth->mails; i++) {
        const struct mail *mail = &s->mail[i], *true_one = &truth->mail[i];

        known = known && !forgets(floor, true_one);
        if ((known && forgets(floor, mail)) ||
            (floor->blank && !m->fetch && mail->world == world && weaker(&mail->strength, &true_one->strength))) {
            (void)snprintf(why, size,
                           "%s:%u: with a fault at question %zu (%s) the answer is \"%s\", without it \"%s\"",
                           s->script->name, mail->line, m->at, m->question, mail->text, true_one->text);
            return;
        }
    }
}

static bool tell_fault(const struct script *script, const struct story *truth, const struct meddle *meddle, char *why,
                       size_t size)
{
    struct story s;
    bool hit;

    story_tell(&s, script, false, false, meddle);
    hit = s.site.gather.meddle.hit;
    (void)snprintf(why, size, "%s", s.trouble.text);
    if (hit && !in_trouble(&s.trouble))
        judge(why, size, truth, &s);
    story_clear(&s);
    return hit;
}

static void tell_faults(const struct script *script, const struct story *truth)
{
    size_t count = truth->site.gather.questions, step = count * count / ASKED_IN_ALL + 1, told = 0;
    char why[ERR_BUF] = "", what[80];

    for (size_t at = 0; at < count && why[0] == '\0'; at += step) {
        for (int kind = MEDDLE_FAIL; kind <= MEDDLE_CUT && why[0] == '\0'; kind++) {
            struct meddle meddle = {.kind = (enum meddle_kind)kind, .at = at};

            told += tell_fault(script, truth, &meddle, why, sizeof(why)) ? 1 : 0;
        }
    }
    (void)snprintf(what, sizeof(what), "with one fault at a time (%zu)", told);
    point(script, what, why);
}

/* --- scenarios --- */

static void read_or_bail(struct script *script, const char *path)
{
    if (script_read(script, path) == 0 && script->count > 0)
        return;
    printf("Bail out! no such file, or nothing in it: %s\n", path);
    exit(1);
}

static void tell(const char *path)
{
    struct script script;
    struct story s, reversed;
    char what[80];

    read_or_bail(&script, path);
    story_tell(&s, &script, true, false, NULL);
    (void)snprintf(what, sizeof(what), "as it is written (%zu questions, %zu orders)", s.site.gather.questions,
                   s.site.gather.orders);
    point(&script, what, s.trouble.text);
    if (!in_trouble(&s.trouble)) {
        story_tell(&reversed, &script, true, true, NULL);
        point(&script, "results in reverse order", reversed.trouble.text);
        story_clear(&reversed);
        tell_faults(&script, &s);
    }
    story_clear(&s);
    script_clear(&script);
}

/* A scenario with a mistake, which its first line `says` what must be said about it. */
static void tell_broken(const char *path)
{
    struct script script;
    struct story s;
    char want[ERR_BUF], why[2 * ERR_BUF] = "";

    read_or_bail(&script, path);
    story_tell(&s, &script, true, false, NULL);
    (void)snprintf(want, sizeof(want), "%s:%s", script.name, script.line[0].text + strlen("says "));
    if (strncmp(s.trouble.text, want, strlen(want)) != 0)
        (void)snprintf(why, sizeof(why), "it says \"%s\"", s.trouble.text);
    point(&script, "its mistake is found", why);
    story_clear(&s);
    script_clear(&script);
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Tell the scenarios of a folder, by name. */
static void tell_folder(const char *folder, void (*tell_one)(const char *path))
{
    char *paths[FILES_MAX];
    DIR *dir = opendir(folder);
    struct dirent *entry;
    size_t count = 0;

    while (dir != NULL && (entry = readdir(dir)) != NULL && count < FILES_MAX) {
        const char *dot = strrchr(entry->d_name, '.');

        if (dot == NULL || strcmp(dot, ".scn") != 0)
            continue;
        paths[count] = malloc(PATH_BUF);
        if (paths[count] == NULL)
            abort();
        (void)snprintf(paths[count++], PATH_BUF, "%s/%s", folder, entry->d_name);
    }
    if (dir != NULL)
        (void)closedir(dir);
    qsort(paths, count, sizeof(*paths), compare);
    for (size_t i = 0; i < count; i++) {
        tell_one(paths[i]);
        free(paths[i]);
    }
    if (count == 0)
        failed++;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        tell(argv[i]);
    if (argc == 1) {
        tell_folder(FOLDER, tell);
        tell_folder(FOLDER "/broken", tell_broken);
    }
    printf("1..%u\n", points);
    return failed == 0 ? 0 : 1;
}
