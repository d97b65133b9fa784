/* flag_merge.c - see flag_merge.h. */
#include "flag_merge.h"

#include "flag_parameters.h"

#include <stdlib.h>
#include <string.h>

static void strip(struct flag_place *p)
{
    p->len = strlen(p->address);
    if (p->len < 2 || p->address[0] != '<')
        return;
    p->address++;
    p->len -= 2;
}

static int text_order(const struct flag_place *a, const struct flag_place *b)
{
    if (a->len != b->len)
        return a->len < b->len ? -1 : 1;
    return memcmp(a->address, b->address, a->len);
}

/* The same beside one another, those that stay before the others, each in the order of the message. */
static int order(const void *left, const void *right)
{
    const struct flag_place *a = left, *b = right;
    int text = text_order(a, b);

    if (text != 0)
        return text;
    if ((a->edit == NULL) != (b->edit == NULL))
        return a->edit == NULL ? -1 : 1;
    return a->recipient < b->recipient ? -1 : a->recipient > b->recipient;
}

static void drop(struct flag_place *p)
{
    free(p->edit->address);
    p->edit->address = NULL;
}

/* Places of one address. */
static void merge(struct flag_place place[], size_t count)
{
    struct flag_place *left = NULL;
    unsigned demands = 0; /* of those that stay */
    size_t stays = 0;

    for (; stays < count && place[stays].edit == NULL; stays++)
        demands |= place[stays].demands;
    for (size_t i = stays; i < count; i++) {
        if (stays > 0 && flag_notify_within(place[i].demands, demands)) {
            drop(&place[i]);
        } else if (left == NULL) {
            left = &place[i];
        } else {
            left->demands |= place[i].demands;
            drop(&place[i]);
        }
    }
}

void flag_merge(struct flag_place place[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        strip(&place[i]);
    qsort(place, count, sizeof(place[0]), order);
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from + 1; to < count && text_order(&place[from], &place[to]) == 0;)
            to++;
        merge(place + from, to - from);
    }
}
