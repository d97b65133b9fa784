/*
 * fuzz_acme.c - what an authority has uacme tell its hook, and what uacme says: of the words none goes further that
 * could be more than a word in Redis, in DNS or in a path, and the complaint is one line.
 */
#include "acme_plan.h"
#include "text_demand.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_words(char *text, bool dns)
{
    static const char fine[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
    char *word[5];
    struct acme_challenge c;
    char host[DOMAIN_BUF];

    for (size_t i = 0; i < 5; i++) {
        size_t len = strcspn(text, "\n");

        word[i] = text;
        text += len + (text[len] == '\n' ? 1 : 0);
        word[i][len] = '\0';
    }
    if (acme_hook_read(&c, word, dns, NULL) != 1)
        return;
    demand(c.dns == dns && c.token[0] != '\0' && c.auth[0] != '\0');
    demand(strlen(c.token) <= ACME_TOKEN_MAX && strlen(c.auth) <= ACME_TOKEN_MAX);
    demand(c.token[strspn(c.token, fine)] == '\0' && strchr(c.token, '.') == NULL);
    demand(c.auth[strspn(c.auth, fine)] == '\0' && (strchr(c.auth, '.') != NULL) == !dns);
    demand(domain_normalise(host, c.host, strlen(c.host), NULL) == 0 && strcmp(host, c.host) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[4096], said[4096], out[300];

    if (size >= sizeof(text))
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    memcpy(said, text, size + 1);
    acme_complaint(out, sizeof(out), said);
    demand(strpbrk(out, "\r\n") == NULL);
    try_words(text, false);
    memcpy(text, said, size + 1);
    try_words(text, true);
    return 0;
}
