/* Tests of relayd/transaction.c: stories of which each event is a word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "transaction.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 *   +a@x   a recipient, -R  one that is refused here with R
 *   ?     DATA        [n  domain n may have the message    .  the end of the message
 *   n:m=R  domain n's answer R to its recipient m     ]n=R  domain n refuses DATA    n=R  what domain n says of the
 * message !R     the message is broken                      >     354, if it may be said
 *
 * Answers R are 2, 4, 5 and a letter. Behind each word the replies whose turn has come are read.
 */
static const struct row {
    const char *name, *events, *want;
    size_t domains;
} rows[] = {
    {"one", "+a@x 0:0=2a ? [0 > . 0=2b", "2a > 2b ", 1},
    {"nothing is answered", "+a@x +b@y", "", 2},
    {"answers in another order", "+a@x +b@y +c@x 0:1=2c 1:0=2b 0:0=2a", "2a 2b 2c ", 2},
    {"domains in any case, with a final dot or in UTF-8",
     "+a@x.test +b@X.TEST +c@xn--bcher-kva.test +d@b\xc3\xbc"
     "cher.test",
     "", 2},
    {"literals", "+a@[127.0.0.1] +b@[127.0.0.1] +c@[IPv6:::1] +d@[ipv6:::1]", "", 2},
    {"an answer that comes twice", "+a@x +b@x 0:0=2a 0:0=5b 0:1=2c", "2a 2c ", 1},
    {"refused here, in its place", "+a@x -5a +b@x 0:1=2c 0:0=2b ? [0 > . 0=2d", "2b 5a 2c > 2d 2d ", 1},
    {"refused here alone", "-5a -5b", "5a 5b ", 0},
    {"only those that were taken", "+a@x +b@y +c@x 0:0=2a 1:0=5b 0:1=4c ? [0 > . 0=2d", "2a 5b 4c > 2d ", 2},
    {"final replies in order", "+a@x +b@y +c@x 0:0=2a 1:0=2b 0:1=2c ? [1 [0 > . 1=5e 0=2d", "2a 2b 2c > 2d 5e 2d ", 2},
    {"not before all have answered DATA", "+a@x +b@y 0:0=2a 1:0=2b ? [1 > [0 >", "2a 2b > ", 2},
    {"one refuses DATA", "+a@x +b@y 0:0=2a 1:0=2b ? ]0=4c [1 > . 1=2d", "2a 2b > 4c 2d ", 2},
    {"all refuse DATA", "+a@x +b@y 0:0=2a 1:0=2b ? ]0=4c ]1=5d > .", "2a 2b > 4c 5d ", 2},
    {"lost in the message", "+a@x +b@y 0:0=2a 1:0=2b ? [0 [1 > 0=4c . 1=2d", "2a 2b > 4c 2d ", 2},
    {"taken before its end", "+a@x 0:0=2a ? [0 > 0=2c .", "2a > 451 ", 1},
    {"broken, whatever was said", "+a@x +b@y 0:0=2a 1:0=2b ? [0 ]1=4d > !5e .", "2a 2b > 5e 5e ", 2},
};

static struct transaction *fresh(void)
{
    struct transaction *t = transaction_new("MAIL FROM:<a@b>", strlen("MAIL FROM:<a@b>"));

    assert_non_null(t);
    assert_string_equal(t->mail.path.at, "<a@b>");
    return t;
}

static void add(struct transaction *t, const char *address)
{
    char line[200];
    const struct transaction_domain *d;

    snprintf(line, sizeof(line), "RCPT TO:<%s>", address);
    d = transaction_rcpt(t, line, strlen(line));
    assert_non_null(d);
    assert_int_equal(d->rcpt[d->count - 1], t->count - 1);
    memset(line, 'x', sizeof(line)); /* the transaction has its own copy */
    assert_memory_equal(t->rcpt[t->count - 1]->command.path.at + 1, address, strlen(address));
}

static void play(struct transaction *t, const char *word, struct buf *got)
{
    const char *answer = strchr(word, '=');
    struct transaction_domain *d = NULL;

    if (strchr("01", word[0]) != NULL)
        d = t->domain[word[0] - '0'];
    else if (strchr("[]", word[0]) != NULL)
        d = t->domain[word[1] - '0'];
    if (word[0] == '+')
        add(t, word + 1);
    else if (word[0] == '-')
        assert_int_equal(transaction_refuse(t, word + 1), 0);
    else if (word[0] == '?')
        transaction_ask_data(t);
    else if (word[0] == '[' || word[0] == ']')
        assert_int_equal(transaction_data_answer(t, d, answer == NULL ? NULL : answer + 1), 0);
    else if (word[0] == '>')
        buf_str(got, transaction_may_feed(t) ? "> " : "");
    else if (word[0] == '.')
        transaction_end(t);
    else if (word[0] == '!')
        assert_int_equal(transaction_break(t, word + 1), 0);
    else if (word[1] == ':')
        assert_int_equal(transaction_rcpt_answer(t, d, (size_t)(word[2] - '0'), answer + 1), 0);
    else
        assert_int_equal(transaction_done(t, d, answer + 1), 0);
}

/* The replies, which have no ends here, with blanks between them; of one in words the code. */
static void note(struct buf *got, const char *replies)
{
    if (strncmp(replies, "451 ", 4) == 0)
        buf_str(got, "451 ");
    else
        for (size_t i = 0; i < strlen(replies); i++)
            buf_printf(got, "%c%s", replies[i], i % 2 == 0 ? "" : " ");
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct transaction *t = fresh();
        char events[256], *rest = NULL;
        struct buf got;

        buf_init(&got, 1000);
        snprintf(events, sizeof(events), "%s", rows[i].events);
        for (char *word = strtok_r(events, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
            struct buf replies;

            buf_init(&replies, 1000);
            play(t, word, &got);
            (void)transaction_replies(&replies, t);
            note(&got, buf_text(&replies));
            buf_clear(&replies);
        }
        if (strcmp(buf_text(&got), rows[i].want) != 0)
            fail_msg("%s: %s", rows[i].name, buf_text(&got));
        assert_int_equal(t->domains, rows[i].domains);
        buf_clear(&got);
        transaction_free(t);
    }
}

/* As many recipients and domains as there may be. */
static void test_many(void **state)
{
    struct transaction *t = fresh();
    char address[64], event[16];
    struct buf got;

    (void)state;
    for (int i = 0; i < TRANSACTION_RCPTS_MAX; i++) {
        snprintf(address, sizeof(address), "a%d@d%d.test", i, i % 500);
        add(t, address);
    }
    assert_int_equal(t->domains, 500);
    assert_int_equal(transaction_waiting(t), TRANSACTION_RCPTS_MAX);
    for (size_t i = TRANSACTION_RCPTS_MAX; i-- > 0;) {
        snprintf(event, sizeof(event), "2%c", (char)('a' + i % 26));
        assert_int_equal(transaction_rcpt_answer(t, t->domain[i % 500], i / 500, event), 0);
    }
    assert_int_equal(transaction_waiting(t), 0);
    assert_int_equal(t->taken, TRANSACTION_RCPTS_MAX);
    buf_init(&got, 10000);
    assert_true(transaction_replies(&got, t));
    assert_int_equal(got.len, 2 * TRANSACTION_RCPTS_MAX);
    assert_memory_equal(buf_text(&got), "2a2b2c", 6);
    buf_clear(&got);
    transaction_free(t);
    assert_null(transaction_new("nonsense", 8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_many),
    };

    return cmocka_run_group_tests_name("transaction", tests, NULL, NULL);
}
