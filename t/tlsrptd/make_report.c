/*
 * make_report.c - for script tests: reads counts in words and writes the report.
 *     t/tlsrptd/make_report json|gzip|mail|id|left-out|record <DESCRIPTION
 * A line is a word and its value, in which %XX is an octet:
 *     day N, domain D, record TXT              of the counts, and of the policies that follow
 *     policy TYPE DOMAIN SUCCESSFUL FAILED     TYPE: tlsa, sts, none; then string TEXT and mx TEXT of it
 *     failure RESULT SESSIONS                  of the policy; then sending-ip, mx-name, mx-helo, receiving-ip,
 *                                              additional, reason TEXT of it
 *     failures RESULT COUNT OCTETS             so many, each with another reason of so many octets; the nth n sessions
 *     organization, contact, submitter TEXT    settings
 *     from, to, unique TEXT, now N             of the mail
 *     key FILE DOMAIN SELECTOR                 signs it
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ascii.h"
#include "dkim_key_io.h"
#include "report_mail.h"

#define LINE_BUF     200000
#define POLICIES_MAX 100
#define STRINGS_MAX  1000
#define KEYS_MAX     4
#define MAIL_ROOM    20000000

struct made {
    struct counts counts;
    struct counted_policy policy[POLICIES_MAX];
    const char *record;
    struct report_settings settings;
    struct report_mail mail;
    struct dkim_key key[KEYS_MAX];
};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "make_report: %s: %s\n", what, why);
    exit(1);
}

static void *grown(void *old, size_t size)
{
    void *made = realloc(old, size);

    if (made == NULL)
        die("memory", "none");
    return made;
}

/* A copy with its %XX decoded. */
static char *text_of(const char *value)
{
    char *made = grown(NULL, strlen(value) + 1), *at = made;

    for (; *value != '\0'; value++) {
        int octet = *value == '%' ? ascii_hex_pair(value + 1, strlen(value + 1)) : -1;

        *at++ = octet >= 0 ? (char)octet : *value;
        value += octet >= 0 ? 2 : 0;
    }
    *at = '\0';
    return made;
}

static void append(const char *const **list, size_t *count, const char *text)
{
    const char **made = malloc((*count + 1) * sizeof(*made));

    if (made == NULL)
        die("memory", "none");
    for (size_t i = 0; i < *count; i++)
        made[i] = (*list)[i];
    made[*count] = text;
    free((void *)*list);
    *list = made;
    (*count)++;
}

static struct counted_policy *policy_now(struct made *m)
{
    if (m->counts.policies == 0)
        die("a policy's line", "before a policy");
    return &m->policy[m->counts.policies - 1];
}

static struct counted_failure *failure_now(struct made *m)
{
    struct counted_policy *p = policy_now(m);

    if (p->failures == 0)
        die("a failure's line", "before a failure");
    return &p->failure[p->failures - 1];
}

static void policy_add(struct made *m, const char *value)
{
    char type[20], domain[LINE_BUF / 100];
    struct counted_policy *p;

    if (m->counts.policies == POLICIES_MAX)
        die(value, "too many policies");
    p = &m->policy[m->counts.policies++];
    p->record = m->record;
    if (sscanf(value, "%19s %1999s %" SCNu64 " %" SCNu64, type, domain, &p->successful, &p->failed) != 4)
        die(value, "not a policy");
    p->policy.type = strcmp(type, "tlsa") == 0  ? TLSRPT_POLICY_TLSA
                     : strcmp(type, "sts") == 0 ? TLSRPT_POLICY_STS
                                                : TLSRPT_POLICY_NONE;
    p->policy.domain = text_of(domain);
}

static struct counted_failure *failure_add(struct made *m, const char *result, uint64_t sessions)
{
    struct counted_policy *p = policy_now(m);
    struct counted_failure *f;

    if ((p->failures & (p->failures - 1)) == 0) /* doubled, and made at first */
        p->failure = grown(p->failure, (p->failures > 0 ? 2 * p->failures : 1) * sizeof(*p->failure));
    f = &p->failure[p->failures++];
    memset(f, 0, sizeof(*f));
    (void)tlsrpt_result_of_name(&f->failure.result, result);
    f->sessions = sessions;
    return f;
}

static void failures_add(struct made *m, const char *value)
{
    size_t count, octets;
    char result[40];

    if (sscanf(value, "%39s %zu %zu", result, &count, &octets) != 3 || octets < 8)
        die(value, "not failures");
    for (size_t i = 1; i <= count; i++) {
        struct counted_failure *f = failure_add(m, result, i);
        char *reason = grown(NULL, octets + 1);

        memset(reason, 'x', octets);
        snprintf(reason, octets + 1, "%zu", i);
        reason[strlen(reason)] = '-';
        reason[octets] = '\0';
        f->failure.reason = reason;
    }
}

static void key_add(struct made *m, const char *value)
{
    char path[500], domain[300], selector[300];
    struct err warning, e;
    EVP_PKEY *key;

    if (sscanf(value, "%499s %299s %299s", path, domain, selector) != 3 || m->mail.keys == KEYS_MAX)
        die(value, "not a key");
    if (dkim_key_read(&key, path, &warning, &e) != 0)
        die("key", e.text);
    m->key[m->mail.keys++] = (struct dkim_key){text_of(domain), text_of(selector), key};
}

static void failure_word(struct made *m, const char *word, const char *value)
{
    struct tlsrpt_failure *f;
    char result[40];
    uint64_t sessions;

    if (strcmp(word, "failure") == 0) {
        if (sscanf(value, "%39s %" SCNu64, result, &sessions) != 2)
            die(value, "not a failure");
        (void)failure_add(m, result, sessions);
        return;
    }
    f = &failure_now(m)->failure;
    if (strcmp(word, "sending-ip") == 0)
        f->sending_ip = text_of(value);
    else if (strcmp(word, "mx-name") == 0)
        f->mx_name = text_of(value);
    else if (strcmp(word, "mx-helo") == 0)
        f->mx_helo = text_of(value);
    else if (strcmp(word, "receiving-ip") == 0)
        f->receiving_ip = text_of(value);
    else if (strcmp(word, "additional") == 0)
        f->additional = text_of(value);
    else if (strcmp(word, "reason") == 0)
        f->reason = text_of(value);
    else
        die(word, "is no word");
}

static void counts_word(struct made *m, const char *word, const char *value)
{
    struct tlsrpt_policy *p;

    if (strcmp(word, "day") == 0) {
        m->counts.day = (int32_t)strtol(value, NULL, 10);
    } else if (strcmp(word, "domain") == 0) {
        snprintf(m->counts.domain, sizeof(m->counts.domain), "%s", value);
    } else if (strcmp(word, "record") == 0) {
        m->record = text_of(value);
    } else if (strcmp(word, "policy") == 0) {
        policy_add(m, value);
    } else if (strcmp(word, "string") == 0) {
        p = &policy_now(m)->policy;
        append(&p->string, &p->strings, text_of(value));
    } else if (strcmp(word, "mx") == 0) {
        p = &policy_now(m)->policy;
        append(&p->mx, &p->mx_count, text_of(value));
    } else if (strcmp(word, "failures") == 0) {
        failures_add(m, value);
    } else {
        failure_word(m, word, value);
    }
}

static void word_take(struct made *m, const char *word, const char *value)
{
    const struct {
        const char *word, **place;
    } texts[] = {
        {"organization", &m->settings.organization},
        {"contact", &m->settings.contact},
        {"submitter", &m->settings.submitter},
        {"from", &m->mail.from},
        {"to", &m->mail.to},
        {"unique", &m->mail.unique},
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (strcmp(word, texts[i].word) == 0) {
            *texts[i].place = text_of(value);
            return;
        }
    if (strcmp(word, "now") == 0)
        m->mail.now = strtoll(value, NULL, 10);
    else if (strcmp(word, "key") == 0)
        key_add(m, value);
    else
        counts_word(m, word, value);
}

static void description_read(struct made *m)
{
    static char line[LINE_BUF];

    while (fgets(line, sizeof(line), stdin) != NULL) {
        char *blank;

        line[strcspn(line, "\n")] = '\0';
        blank = strchr(line, ' ');
        if (blank != NULL)
            *blank++ = '\0';
        if (line[0] != '\0')
            word_take(m, line, blank != NULL ? blank : "");
    }
    m->counts.policy = m->policy;
    m->mail.key = m->key;
}

static void report_write(const char *what, const struct report *r, const struct made *m)
{
    struct err e = {""};
    struct buf mail;

    buf_init(&mail, MAIL_ROOM);
    if (strcmp(what, "json") == 0)
        buf_add(&mail, buf_text(&r->json), r->json.len);
    else if (strcmp(what, "gzip") == 0)
        buf_add(&mail, buf_text(&r->gzip), r->gzip.len);
    else if (strcmp(what, "id") == 0)
        buf_printf(&mail, "%s\n%s\n", r->id, r->file_name);
    else if (strcmp(what, "left-out") == 0)
        buf_printf(&mail, "%zu\n", r->left_out);
    else if (strcmp(what, "record") == 0 && m->mail.keys > 0 && dkim_record(&mail, m->key[0].key, &e) == 0)
        buf_char(&mail, '\n');
    else if (strcmp(what, "mail") != 0)
        die(what, "is nothing that can be made");
    else if (report_mail_build(&mail, r, &m->mail, &e) != 0)
        die("mail", e.text);
    fwrite(buf_text(&mail), 1, mail.len, stdout);
    buf_clear(&mail);
}

int main(int argc, char **argv)
{
    static struct made m = {.settings = {"", "", ""}, .mail = {.from = "", .to = "", .unique = ""}, .record = ""};
    struct err e = {""};
    struct report r;

    if (argc != 2) {
        fprintf(stderr, "usage: make_report json|gzip|mail|id|left-out|record <DESCRIPTION\n");
        return 2;
    }
    description_read(&m);
    if (report_build(&r, &m.counts, m.record, &m.settings, &e) != 0)
        die("report", e.text);
    report_write(argv[1], &r, &m);
    report_clear(&r);
    return 0;
}
