/* acme_plan.c - see acme_plan.h. */
#include "acme_plan.h"

#include <stdio.h>
#include <string.h>

#define DAY  INT64_C(86400)
#define WEEK (7 * DAY)

int64_t acme_due(int64_t not_before, int64_t not_after, int64_t renew_before)
{
    int64_t third = not_after > not_before ? (not_after - not_before) / 3 : 0;

    return not_after - (renew_before < third ? renew_before : third);
}

/* Since then so long has passed; a time from the future, as after a clock was set back, is long ago. */
static bool passed(int64_t since, int64_t seconds, int64_t now)
{
    return since > now || now - since >= seconds;
}

int64_t acme_try_after(const struct cert_about *a, int64_t now)
{
    return a->refused[0] == '\0' || passed(a->tried, DAY, now) ? 0 : a->tried + DAY;
}

bool acme_tell(const struct cert_about *a, int64_t not_after, int64_t now)
{
    bool soon = not_after != 0 && not_after - now < WEEK;

    return a->trouble[0] != '\0' && (a->told == 0 || passed(a->told, soon ? DAY : WEEK, now));
}

/* base64url (RFC 4648 5) without padding, and one dot where there are two parts. */
static bool is_token(const char *s, size_t dots)
{
    size_t len = strlen(s), seen = 0;

    if (len == 0 || len > ACME_TOKEN_MAX || s[0] == '.' || s[len - 1] == '.')
        return false;
    for (; *s != '\0'; s++)
        if (*s == '.')
            seen++;
        else if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", *s) == NULL)
            return false;
    return seen == dots;
}

int acme_hook_read(struct acme_challenge *out, char *const word[5], bool dns, struct err *e)
{
    static const char *const methods[] = {"begin", "done", "failed"};
    size_t method = 0;

    while (method < 3 && strcmp(word[0], methods[method]) != 0)
        method++;
    if (method == 3)
        return err_set(e, "\"%.40s\": there are begin, done and failed", word[0]);
    if (strcmp(word[1], dns ? "dns-01" : "http-01") != 0)
        return 0;
    *out = (struct acme_challenge){.method = (enum acme_hook)method, .dns = dns, .token = word[3], .auth = word[4]};
    if (domain_normalise(out->host, word[2], strlen(word[2]), e) != 0)
        return err_prefix(e, "\"%.100s\" is no host name", word[2]);
    if (!is_token(word[3], 0))
        return err_set(e, "\"%.100s\" is no token", word[3]);
    if (!is_token(word[4], out->dns ? 0 : 1))
        return err_set(e, "\"%.100s\" is no key authorization", word[4]);
    return 1;
}

#define DETAIL "\"detail\": \""

/* The authority's own words, up to the end of their line; *len 0: it has said none. */
static const char *detail_of(const char *said, size_t *len)
{
    const char *from = strstr(said, DETAIL);

    *len = 0;
    if (from == NULL)
        return said;
    from += strlen(DETAIL);
    *len = strcspn(from, "\r\n");
    while (*len > 0 && (from[*len - 1] == ',' || from[*len - 1] == '"'))
        (*len)--;
    return from;
}

/* What our own hook says goes before what uacme makes of it. */
static const char *line_of(const char *said)
{
    static const char *const names[] = {"posternctl: ", "uacme: "};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *line = strstr(said, names[i]);

        if (line != NULL)
            return line + strlen(names[i]);
    }
    return said;
}

void acme_complaint(char *out, size_t size, const char *said)
{
    size_t len;
    const char *from = detail_of(said, &len), *line = line_of(said);

    if (len > 0)
        (void)snprintf(out, size, "the authority says: %.*s", (int)len, from);
    else
        (void)snprintf(out, size, "%.*s", (int)strcspn(line, "\r\n"), line);
}
