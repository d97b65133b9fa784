/* list_value.c - the lists' names, and what the values of their entries may say. */
#include "list.h"

#include <stdio.h>
#include <string.h>

static const struct list_kind {
    const char *name;
    bool inbound;
    const char *value_help;
} kinds[LISTS] = {
    [LIST_EXCLUDE] = {"exclude", false, NULL},
    [LIST_ONLY] = {"only", false, NULL},
    [LIST_REQUIRE] = {"require", false, "encrypt, verify, secure or dane-only"},
    [LIST_STS_EXCLUDE] = {"sts-exclude", false, NULL},
    [LIST_PROTOCOLS] = {"protocols", false, "TLS versions, such as >=TLSv1.2 or TLSv1.2, and perhaps ciphers=high"},
    [LIST_SMTPS] = {"smtps", false, NULL},
    [LIST_INBOUND_EXCLUDE] = {"inbound-exclude", true, NULL},
    [LIST_INBOUND_REQUIRE] = {"inbound-require", true, NULL},
    [LIST_LOCAL] = {"local", false, NULL},
    [LIST_FALLBACK] = {"fallback", false,
                       "hold, plain, alternate, alternate-any or plain-for TIME, such as plain-for 1h"},
    [LIST_REQUIRETLS] = {"requiretls", false, "enforce, opportunistic+starttls or opportunistic"},
};

/* The versions that Postfix 3.7 knows, oldest first; SSLv2 it takes with "!" or alone, but not as a bound. */
static const char *const versions[] = {"SSLv2", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"};
#define VERSIONS (sizeof(versions) / sizeof(versions[0]))

const char *list_name(enum list_id list)
{
    return (unsigned)list < LISTS ? kinds[list].name : "?";
}

int list_by_name(enum list_id *out, const char *name, struct err *e)
{
    char all[200] = "";

    for (size_t i = 0; i < LISTS; i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            *out = (enum list_id)i;
            return 0;
        }
        snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", i == 0 ? "" : ", ", kinds[i].name);
    }
    return err_set(e, "there is no list \"%.40s\"; there are %s", name, all);
}

bool list_is_inbound(enum list_id list)
{
    return kinds[list].inbound;
}

const char *list_value_help(enum list_id list)
{
    return kinds[list].value_help;
}

static int parse_level(struct list_value *out, const char *text, struct err *e)
{
    static const enum tls_level levels[] = {LEVEL_ENCRYPT, LEVEL_VERIFY, LEVEL_SECURE, LEVEL_DANE_ONLY};

    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        if (strcmp(text, tls_level_name(levels[i])) == 0) {
            out->level = levels[i];
            return 0;
        }
    }
    return err_set(e, "\"%.40s\" is no level: %s", text, kinds[LIST_REQUIRE].value_help);
}

/* --- protocols --- */

/* Returns the index, or -1. The case counts: Postfix logs and main.cf have it so. */
static int version_find(const char *text, size_t len)
{
    for (size_t i = 0; i < VERSIONS; i++)
        if (strlen(versions[i]) == len && strncmp(versions[i], text, len) == 0)
            return (int)i;
    return -1;
}

struct version_set {
    unsigned named;    /* bits: TLSv1.2 */
    unsigned excluded; /* !TLSv1.2 */
    int least;         /* >=TLSv1.2 */
    int most;          /* <=TLSv1.2 */
};

/* Postfix: bounds and exclusions go together; a name alone means only what is named. */
static unsigned version_bits(const struct version_set *s)
{
    unsigned bits = s->named != 0 ? s->named : (1U << VERSIONS) - 1;

    bits &= ~s->excluded;
    for (int i = 0; i < (int)VERSIONS; i++)
        if (i < s->least || i > s->most)
            bits &= ~(1U << i);
    return bits;
}

static int version_word(struct version_set *s, const char *word, size_t len, struct err *e)
{
    size_t sign =
        len > 2 && (strncmp(word, ">=", 2) == 0 || strncmp(word, "<=", 2) == 0) ? 2 : len > 0 && word[0] == '!';
    int version = version_find(word + sign, len - sign);

    if (version < 0 || (version == 0 && sign == 2))
        return err_set(
            e, "\"%.*s\" is no TLS version: SSLv3, TLSv1, TLSv1.1, TLSv1.2 or TLSv1.3, with >=, <= or ! before it",
            (int)(len < 40 ? len : 40), word);
    if (sign == 0)
        s->named |= 1U << version;
    else if (word[0] == '!')
        s->excluded |= 1U << version;
    else if (word[0] == '>')
        s->least = version;
    else
        s->most = version;
    return 0;
}

unsigned list_versions(const char *text, size_t len, struct err *e)
{
    struct version_set set = {.least = 0, .most = (int)VERSIONS - 1};
    const unsigned tls = version_bits(&set) & ~0x3U;
    size_t at = 0;

    while (at <= len) {
        size_t word = at;

        while (word < len && text[word] != ':' && text[word] != ' ')
            word++;
        if (version_word(&set, text + at, word - at, e) != 0)
            return 0;
        at = word + 1;
    }
    if ((version_bits(&set) & tls) == 0)
        (void)err_set(e, "\"%.*s\" leaves no TLS version", (int)len, text);
    return version_bits(&set) & tls;
}

static int parse_versions(struct list_value *out, const char *text, size_t len, struct err *e)
{
    if (len >= sizeof(out->protocols))
        return err_set(e, "the list of TLS versions is longer than %zu octets", sizeof(out->protocols) - 1);
    if (list_versions(text, len, e) == 0)
        return -1;
    memcpy(out->protocols, text, len);
    out->protocols[len] = '\0';
    return 0;
}

static int parse_protocols(struct list_value *out, const char *text, struct err *e)
{
    size_t len = strcspn(text, " ");
    const char *rest = text + len + strspn(text + len, " ");

    if (strncmp(text, "ciphers=", 8) == 0) {
        rest = text;
    } else if (parse_versions(out, text, len, e) != 0) {
        return -1;
    }
    if (*rest == '\0')
        return 0;
    if (strcmp(rest, "ciphers=medium") != 0 && strcmp(rest, "ciphers=high") != 0)
        return err_set(e, "\"%.40s\": behind the TLS versions only ciphers=medium or ciphers=high may stand", rest);
    snprintf(out->ciphers, sizeof(out->ciphers), "%s", rest + strlen("ciphers="));
    return 0;
}

/* --- fallback --- */

/* "90s", "15m", "1h", "7d". Returns -1 for anything else, for 0, and for more than fallback states live. */
static int64_t parse_seconds(const char *text)
{
    static const char units[] = "smhd";
    static const int64_t seconds[] = {1, 60, 3600, 86400};
    int64_t n = 0;
    const char *unit;
    size_t digits = strspn(text, "0123456789");

    if (digits == 0 || digits > 8 || text[digits] == '\0' || text[digits + 1] != '\0')
        return -1;
    unit = strchr(units, text[digits]);
    for (size_t i = 0; i < digits; i++)
        n = n * 10 + (text[i] - '0');
    n = unit == NULL ? 0 : n * seconds[unit - units];
    return n > 0 && n <= FALLBACK_STATE_TTL ? n : -1;
}

static int parse_fallback(struct list_value *out, const char *text, struct err *e)
{
    static const char plain_for[] = "plain-for ";

    for (size_t i = 0; i < FALLBACK_PLAIN_FOR; i++) {
        if (strcmp(text, fallback_mode_name((enum fallback_mode)i)) == 0) {
            out->mode = (enum fallback_mode)i;
            return 0;
        }
    }
    if (strncmp(text, plain_for, sizeof(plain_for) - 1) != 0)
        return err_set(e, "\"%.40s\" is no fallback mode: %s", text, kinds[LIST_FALLBACK].value_help);
    out->mode = FALLBACK_PLAIN_FOR;
    out->seconds = parse_seconds(text + sizeof(plain_for) - 1);
    if (out->seconds < 0)
        return err_set(e, "\"%.40s\" is no time from 1s to 30d, such as 90s, 15m, 1h or 7d",
                       text + sizeof(plain_for) - 1);
    return 0;
}

/* The word itself is what Postfix wants to hear: it stays in value_text. */
static int parse_requiretls(const char *text, struct err *e)
{
    static const char *const words[] = {"enforce", "opportunistic+starttls", "opportunistic"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(text, words[i]) == 0)
            return 0;
    return err_set(e, "\"%.40s\" is not what Postfix does with REQUIRETLS mail: %s", text,
                   kinds[LIST_REQUIRETLS].value_help);
}

int list_value_parse(struct list_value *out, enum list_id list, const char *text, struct err *e)
{
    memset(out, 0, sizeof(*out));
    if (text[0] == '\0' && kinds[list].value_help != NULL)
        return err_set(e, "a value is missing: %s", kinds[list].value_help);
    switch (list) {
    case LIST_REQUIRE:
        return parse_level(out, text, e);
    case LIST_PROTOCOLS:
        return parse_protocols(out, text, e);
    case LIST_FALLBACK:
        return parse_fallback(out, text, e);
    case LIST_REQUIRETLS:
        return parse_requiretls(text, e);
    default:
        return text[0] == '\0' ? 0 : err_set(e, "entries of the list %s have no value", kinds[list].name);
    }
}
