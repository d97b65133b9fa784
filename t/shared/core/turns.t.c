/* Tests of shared/core/turns.c: a table of moves, and what may never happen whatever the moves are. */
#include "turns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TURNS    600
#define PATIENCE 100

static const uint8_t secret[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

struct table_case {
    const char *name;
    size_t places, share;

    /*
     * Letters and digits name who joins: the letter is the owner. "+" gives all places that can be given and ends who
     * is overdue, "-x1" leaves, "@N" is the time. The expected text: who begins, "!" and who is ended, "?" and who was
     * refused, "~N" the time to look after each "+" when there is one.
     */
    const char *moves, *expected;
};

static const struct table_case cases[] = {
    {"in order", 3, 3, "a1 b1 c1 +", "a1 b1 c1"},
    {"owners take turns", 3, 3, "a1 a2 a3 b1 c1 +", "a1 b1 c1 ~100"},
    {"an owner has its share", 4, 2, "a1 a2 a3 + b1 +", "a1 a2 ~100 b1 ~100"},
    {"a place that is given up goes on", 2, 1, "a1 a2 b1 + -a1 +", "a1 b1 ~100 a2"},
    {"one that waits gives up", 1, 1, "a1 a2 + -a2 + -a1 +", "a1 ~100"},
    {"nobody waits: nobody gives way", 2, 2, "a1 a2 + @5000 +", "a1 a2"},
    {"a place is free: nobody gives way", 3, 3, "a1 a2 + @5000 b1 +", "a1 a2 b1"},
    {"the longest-standing gives way", 2, 2, "a1 + @50 a2 + @60 b1 + @99 + @100 + c1 + @149 + @150 +",
     "a1 a2 ~100 ~100 !a1 b1 ~150 ~150 !a2 c1"},
    {"not before its time", 1, 1, "@7 a1 + b1 + @106 + @107 +", "a1 ~107 ~107 !a1 b1"},
    {"within an owner that has its share", 9, 2, "a1 + @50 a2 + a3 b1 + @100 +", "a1 a2 b1 ~100 !a1 a3"},
    {"another owner's share is its own affair", 9, 1, "a1 b1 + a2 @100 +", "a1 b1 !a1 a2"},
    {"two owners that have their share", 9, 1, "a1 + @50 b1 + a2 b2 + @100 + @150 +", "a1 b1 ~100 !a1 a2 ~150 !b1 b2"},
    {"twice its share, no more", 9, 2, "a1 a2 a3 a4 a5 + a6 -a1 a7 +", "?a5 a1 a2 ~100 ?a6 a3 ~100"},
    {"one place", 1, 1, "a1 b1 c1 + @100 + @200 + @300 +", "a1 ~100 !a1 b1 ~200 !b1 c1"},
};

static struct turn turn[TURNS];
static char name[TURNS][8];

static void act(struct turns *t, int64_t now, char *out)
{
    struct turn *x;

    do {
        while ((x = turns_next(t, now)) != NULL)
            (void)sprintf(out + strlen(out), "%s ", (const char *)x->who);
        x = turns_overdue(t, now);
        if (x != NULL) {
            (void)sprintf(out + strlen(out), "!%s ", (const char *)x->who);
            turns_leave(t, x);
        }
    } while (x != NULL);
    if (turns_look(t) >= 0)
        (void)sprintf(out + strlen(out), "~%d ", (int)turns_look(t));
}

static struct turn *find(const char *word)
{
    for (size_t i = 0; i < TURNS; i++) {
        if (turn[i].who == NULL)
            turn[i].who = strcpy(name[i], word);
        if (strcmp(name[i], word) == 0)
            return &turn[i];
    }
    fail();
    return NULL;
}

static void test_moves(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct table_case *c = &cases[i];
        struct turns *t = turns_new(c->places, c->share, PATIENCE, secret);
        char moves[200], got[400] = "", owner[2] = "";
        int64_t now = 0;

        memset(turn, 0, sizeof(turn));
        strcpy(moves, c->moves);
        for (char *save, *word = strtok_r(moves, " ", &save); word != NULL; word = strtok_r(NULL, " ", &save)) {
            owner[0] = word[0];
            if (word[0] == '@')
                now = atoi(word + 1);
            else if (word[0] == '+')
                act(t, now, got);
            else if (word[0] == '-')
                turns_leave(t, find(word + 1));
            else if (turns_join(t, find(word), owner) == 0)
                (void)sprintf(got + strlen(got), "?%s ", word);
        }
        got[strlen(got) > 0 ? strlen(got) - 1 : 0] = '\0';
        if (strcmp(got, c->expected) != 0)
            fail_msg("%s: %s", c->name, got);
        for (size_t n = 0; n < TURNS; n++)
            if (turn[n].owner != NULL)
                turns_leave(t, &turn[n]);
        turns_free(t);
    }
}

/* Any moves: the bounds hold, nobody waits beside a free place, and nobody who has had its time stands in the way. */
static void test_any_moves(void **state)
{
    enum { PLACES = 10, SHARE = 3, OWNERS = 6, STEPS = 20000 };
    struct turns *t = turns_new(PLACES, SHARE, PATIENCE, secret);
    char out[TURNS * 16];
    unsigned seed = 7;

    (void)state;
    memset(turn, 0, sizeof(turn));
    for (int64_t step = 0; step < STEPS; step++) {
        size_t which = (size_t)rand_r(&seed) % 60;
        size_t held[OWNERS] = {0}, waiting[OWNERS] = {0}, places = 0;
        struct turn *x = &turn[which];
        char owner[2] = {(char)('a' + which % OWNERS), '\0'};

        x->who = name[which];
        if (x->owner != NULL)
            turns_leave(t, x);
        else
            (void)turns_join(t, x, owner);
        out[0] = '\0';
        act(t, step, out);
        for (size_t i = 0; i < 60; i++) {
            if (turn[i].owner == NULL)
                continue;
            (turn[i].placed ? held : waiting)[i % OWNERS]++;
            places += turn[i].placed;
        }
        assert_true(places <= PLACES);
        assert_null(turns_next(t, step));
        assert_null(turns_overdue(t, step));
        for (size_t i = 0; i < OWNERS; i++) {
            assert_true(held[i] <= SHARE && held[i] + waiting[i] <= (size_t)2 * SHARE);
            assert_true(waiting[i] == 0 || held[i] == SHARE || places == PLACES);
        }
        for (size_t i = 0; i < 60 && places == PLACES; i++)
            for (size_t k = 0; k < OWNERS; k++)
                assert_false(turn[i].owner != NULL && turn[i].placed && step - turn[i].since >= PATIENCE &&
                             waiting[k] > 0 && held[k] < SHARE);
    }
    for (size_t i = 0; i < TURNS; i++)
        if (turn[i].owner != NULL)
            turns_leave(t, &turn[i]);
    turns_free(t);
    turns_free(NULL);
}

/* Somebody who waits behind many of one other owner is the next but one. */
static void test_no_one_is_kept_out(void **state)
{
    struct turns *t = turns_new(300, 300, PATIENCE, secret);

    (void)state;
    memset(turn, 0, sizeof(turn));
    for (size_t i = 0; i < TURNS - 1; i++)
        assert_int_equal(turns_join(t, &turn[i], "hostile"), 1);
    assert_int_equal(turns_join(t, &turn[TURNS - 1], "good"), 1);
    assert_ptr_equal(turns_next(t, 0), &turn[0]);
    assert_ptr_equal(turns_next(t, 0), &turn[TURNS - 1]);
    for (size_t i = 0; i < TURNS; i++)
        turns_leave(t, &turn[i]);
    turns_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moves),
        cmocka_unit_test(test_any_moves),
        cmocka_unit_test(test_no_one_is_kept_out),
    };

    return cmocka_run_group_tests_name("turns", tests, NULL, NULL);
}
