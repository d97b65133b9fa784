/*
 * fuzz_exim_request.c - what somebody writes to policyd's listener for Exim. The first line is read as a request; what
 * is behind it is given as the text of an answer, a value or a reason. Whatever it is, the answer is one line, whose
 * words Exim reads as they are meant: a value is never another word, and nothing unknown is a policy.
 */
#include "exim_answer.h"
#include "exim_extract.h"
#include "recipe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct address_tag requiretls = {'+', "requiretls"}, optional = {'+', "tlsoptional"};

#define ROOM 300000

static char value[ROOM];

static bool in_words(const char *words, const char *word, size_t len)
{
    const char *at = words;

    for (; (at = strstr(at, word)) != NULL && at != words; at++)
        if (at[-1] == ' ' && (at[len] == ' ' || at[len] == '\0'))
            return true;
    return false;
}

/* One line, of words that stand there once and are none but these; the first is status. */
static void demand_line(const struct buf *out, const char *words)
{
    const char *at = buf_text(out);
    struct exim_word w = {.value = value};
    char key[32], seen[200] = " ";

    demand(buf_ok(out) && out->len > 0 && strlen(at) == out->len && strchr(at, '\n') == at + out->len - 1);
    demand(strncmp(at, "status=", 7) == 0);
    while (exim_word(&w, &at)) {
        demand(w.key_len > 0 && w.key_len < sizeof(key) && w.key[w.key_len] == '=');
        snprintf(key, sizeof(key), "%.*s", (int)w.key_len, w.key);
        demand(in_words(words, key, w.key_len) && !in_words(seen, key, w.key_len));
        snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%s ", key);
    }
}

static bool says(const struct buf *out, const char *key, const char *want)
{
    return exim_extract(value, key, buf_text(out)) != NULL && strcmp(value, want) == 0;
}

/* The text as it is read: without controls, else the same. */
static void demand_text(const struct buf *out, const char *key, const char *text)
{
    demand(exim_extract(value, key, buf_text(out)) != NULL && strlen(value) == strlen(text));
    for (size_t i = 0; text[i] != '\0'; i++) {
        bool control = (unsigned char)text[i] < 0x20 || text[i] == 0x7f;

        demand(value[i] == (control ? '?' : text[i]));
    }
}

static void demand_texts(struct buf *out, const char *text)
{
    buf_reset(out);
    exim_answer_list(out, text);
    demand_line(out, " status found value ");
    demand_text(out, "value", text);
    buf_reset(out);
    exim_answer_temp(out, text);
    demand_line(out, " status why ");
    demand_text(out, "why", text);
    buf_reset(out);
    exim_answer_bad(out, text);
    demand_line(out, " status why ");
    demand_text(out, "why", text);
}

/* The level is the word that stands there, and "default" only where nothing was found. */
static void demand_policy(struct buf *out, const struct exim_policy *policy, const char *host)
{
    bool ok, found = policy->len >= 3 && memcmp(policy->text, "OK ", 3) == 0;
    bool none = policy->len >= 8 && memcmp(policy->text, "NOTFOUND", 8) == 0;

    buf_reset(out);
    exim_answer_policy(out, policy);
    demand_line(out, " status why level mx sni protocols ciphers gnutls transport ");
    ok = says(out, "status", "ok");
    demand(ok ? found || none : says(out, "status", "temp"));
    if (ok && found) {
        demand(exim_extract(value, "level", buf_text(out)) != NULL);
        demand(strlen(value) <= policy->len - 3 && memcmp(policy->text + 3, value, strlen(value)) == 0);
        demand(strcmp(value, "secure") != 0 || exim_extract(value, "mx", buf_text(out)) != NULL);
        demand((exim_extract(value, "protocols", buf_text(out)) == NULL &&
                exim_extract(value, "ciphers", buf_text(out)) == NULL) ==
               (exim_extract(value, "gnutls", buf_text(out)) == NULL));
    } else if (ok) {
        demand(says(out, "level", "default"));
    }
    buf_reset(out);
    exim_answer_mx(out, policy, host);
    demand_line(out, " status why mx ");
    demand(ok == says(out, "status", "ok"));
    demand(!ok || says(out, "mx", "yes") || says(out, "mx", "no"));
}

static void demand_name(const char *name)
{
    char again[DOMAIN_BUF];

    demand(domain_normalise(again, name, strlen(name), NULL) == 0 && strcmp(again, name) == 0);
}

static void demand_request(struct buf *out, const struct exim_request *req, const char *text, size_t len)
{
    struct exim_policy policy = {.text = text, .len = len, .domain = req->hop.name};
    enum exim_route route;

    if (req->verb == EXIM_POLICY || req->verb == EXIM_MX) {
        demand(req->hop.kind == NEXTHOP_DOMAIN && req->hop.port == 0);
        demand_name(req->hop.name);
        if (req->verb == EXIM_MX)
            demand_name(req->host);
        demand_policy(out, &policy, req->verb == EXIM_MX ? req->host : req->hop.name);
    } else if (req->verb == EXIM_LIST) {
        demand((unsigned)req->list < LISTS && req->key_len > 0);
    } else {
        route = exim_request_route(req, &requiretls, &optional);
        demand(req->domain_len > 0 && req->domain > req->key && req->domain[-1] == '@');
        if (address_tag_has(&requiretls, req->key, req->key_len, NULL) == 1)
            demand(route == EXIM_ROUTE_REQUIRETLS);
        if (address_tag_has(&optional, req->key, req->key_len, NULL) == 1)
            demand(route != EXIM_ROUTE_NONE);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct exim_request req;
    struct err e = {""};
    ssize_t line = exim_request_line(text, size, &e);
    char *rest;
    struct buf out;

    demand((line < 0) == (e.text[0] != '\0') && (line <= 0 || text[line - 1] == '\n'));
    demand(line != 0 || (size <= EXIM_REQUEST_MAX && memchr(text, '\n', size) == NULL));
    if (line <= 0 || size > ROOM / 3)
        return 0;
    rest = malloc(size - (size_t)line + 1);
    demand(rest != NULL);
    memcpy(rest, text + line, size - (size_t)line);
    rest[size - (size_t)line] = '\0';
    buf_init(&out, ROOM);
    if (exim_request_parse(&req, text, (size_t)line - 1, &e) == 0)
        demand_request(&out, &req, rest, size - (size_t)line);
    else
        demand_texts(&out, e.text);
    demand_texts(&out, rest);
    buf_clear(&out);
    free(rest);
    return 0;
}
