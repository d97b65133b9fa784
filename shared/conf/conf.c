/*
 * conf.c - reading the configuration file. libconfuse does the syntax and counts the lines; every value passes through
 * take_value(), where its table row checks and stores it. libconfuse hands no context to its callbacks and keeps global
 * state, so there is one reader at a time.
 */
#include "conf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <confuse.h>

#include "conf_check.h"
#include "conf_name.h"
#include "conf_text.h"
#include "conf_value.h"

#define SECTIONS_MAX 8
#define OPTIONS_MAX  40

struct reader {
    struct conf *conf;
    const char *name;
    struct err *e;
    bool failed;
    unsigned seen[SECTIONS_MAX][OPTIONS_MAX]; /* the line where a key was set, 0: not */
};

static struct reader *reading;

static void *section_of(struct conf *c, const struct conf_section *s)
{
    return (char *)c + s->offset;
}

static int failed_at(struct reader *r, int line, const char *key)
{
    r->failed = true;
    return key == NULL ? err_prefix(r->e, "%s:%d", r->name, line) : err_prefix(r->e, "%s:%d: %s", r->name, line, key);
}

static void unknown_key(struct reader *r, cfg_t *cfg, const char *key)
{
    const struct conf_section *section = conf_section_find(cfg_name(cfg));
    const struct conf_option *like = section == NULL ? NULL : conf_option_like(section, key);

    if (section == NULL)
        err_set(r->e, "no such section; write redis, stsd, policyd, milter, relayd, tlsrptd or posternctl, and keys "
                      "within their braces");
    else if (like == NULL)
        err_set(r->e, "no such key in section %s; see postern.conf(5)", section->name);
    else
        err_set(r->e, "no such key in section %s; did you mean %s?", section->name, like->name);
    failed_at(r, cfg->line, key);
}

/* libconfuse has found an error. Only the first counts. */
static void take_error(cfg_t *cfg, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

static void take_error(cfg_t *cfg, const char *fmt, va_list ap)
{
    char text[ERR_MAX];

    if (reading == NULL || reading->failed)
        return;
    if (strcmp(fmt, "no such option '%s'") == 0) {
        unknown_key(reading, cfg, va_arg(ap, const char *));
        return;
    }
    if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
        text[0] = '\0';
    err_set(reading->e, "%s; write SECTION { KEY = VALUE ... }, lists as {\"A\", \"B\"}", text);
    failed_at(reading, cfg->line, NULL);
}

/* Is this the first value since the key? libconfuse has made room for the value already. */
static int begin_option(struct reader *r, const struct conf_section *s, const struct conf_option *o, int line,
                        unsigned nvalues)
{
    unsigned *seen = &r->seen[s - conf_sections][o - s->option];

    if (nvalues > 1)
        return 0;
    if (*seen != 0)
        return err_set(r->e, "set before on line %u; take one of them out", *seen);
    *seen = (unsigned)line;
    return conf_value_empty(section_of(r->conf, s), o) == 0 ? 0 : err_set(r->e, "out of memory");
}

static int take_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
    const struct conf_section *s = conf_section_find(cfg_name(cfg));
    const struct conf_option *o = s == NULL ? NULL : conf_option_find(s, cfg_opt_name(opt));

    if (reading == NULL || reading->failed)
        return -1;
    if (o == NULL) {
        err_set(reading->e, "keys stand within the braces of a section");
        return failed_at(reading, cfg->line, cfg_opt_name(opt));
    }
    if (begin_option(reading, s, o, cfg->line, cfg_opt_size(opt)) != 0 ||
        conf_value_set(section_of(reading->conf, s), o, value, reading->e) != 0)
        return failed_at(reading, cfg->line, o->name);
    *(const char **)result = value;
    return 0;
}

/* The line of a key, or of the end of its section when it was not set. */
static int line_of(const struct reader *r, const cfg_t *sec, const struct conf_section *s, const struct conf_option *o)
{
    unsigned seen = r->seen[s - conf_sections][o - s->option];

    return seen != 0 ? (int)seen : sec->line;
}

/* Lists that were written as {} come without a value. */
static int finish_lists(struct reader *r, cfg_t *cfg)
{
    const struct conf_section *s;
    const struct conf_option *o;

    for (s = conf_sections; s->name != NULL; s++) {
        cfg_t *sec = cfg_getsec(cfg, s->name);

        for (o = s->option; o->name != NULL; o++) {
            const cfg_opt_t *opt = cfg_getopt(sec, o->name);

            if (opt->nvalues == 0 && (opt->flags & CFGF_MODIFIED) != 0 &&
                conf_value_empty(section_of(r->conf, s), o) != 0)
                return err_set(r->e, "out of memory");
            if (conf_value_complete(section_of(r->conf, s), o, r->e) != 0)
                return failed_at(r, line_of(r, sec, s, o), o->name);
        }
    }
    return 0;
}

/* The error is about this key. */
static int whole_failed(struct reader *r, cfg_t *cfg, const struct conf_section *s, const char *key)
{
    return failed_at(r, line_of(r, cfg_getsec(cfg, s->name), s, conf_option_find(s, key)), key);
}

static int check_tags(struct reader *r, cfg_t *cfg)
{
    const struct conf_milter *m = &r->conf->milter;
    const struct conf_section *s = conf_section_find("milter");

    if (strcasecmp(m->tag, m->optional_tag) != 0)
        return 0;
    err_set(r->e, "\"%s\" is the value of tag as well; give each a word of its own", m->optional_tag);
    return whole_failed(r, cfg, s, "optional_tag");
}

static int check_reporter(struct reader *r, cfg_t *cfg)
{
    const struct conf_tlsrptd *t = &r->conf->tlsrptd;
    const struct conf_section *s = conf_section_find("tlsrptd");

    if (t->contact[0] == '\0' || t->from[0] == '\0' || conf_mailbox_is_within(t->from, t->contact))
        return 0;
    err_set(r->e,
            "\"%.*s\" is in another domain than contact, so receivers take it for another reporter; "
            "write an address in the domain of contact, or below it",
            CONF_SHOWN, t->from);
    return whole_failed(r, cfg, s, "from");
}

/* The answers hold private keys, and file permissions alone keep others from asking. */
static int check_sni(struct reader *r, cfg_t *cfg)
{
    const struct conf_section *s = conf_section_find("policyd");

    for (char *const *a = r->conf->policyd.sni_listen; *a != NULL; a++) {
        if (strncmp(*a, "unix:", sizeof("unix:") - 1) == 0)
            continue;
        err_set(
            r->e,
            "\"%.*s\" is a network address, where anybody could ask for private keys; write a unix socket that only "
            "Postfix can reach, such as \"unix:/var/spool/postfix/postern/sni.sock\"",
            CONF_SHOWN, *a);
        return whole_failed(r, cfg, s, "sni_listen");
    }
    return 0;
}

/* What several values together may not be. */
static int check_whole(struct reader *r, cfg_t *cfg)
{
    return check_tags(r, cfg) == 0 && check_sni(r, cfg) == 0 ? check_reporter(r, cfg) : -1;
}

/* The tables in libconfuse's terms. Everything is a text to it, so that one function gets to see every value with its
 * line. */
static void fill_options(cfg_opt_t top[SECTIONS_MAX + 1], cfg_opt_t sub[SECTIONS_MAX][OPTIONS_MAX + 1])
{
    size_t i;
    size_t j;

    for (i = 0; i < SECTIONS_MAX && conf_sections[i].name != NULL; i++) {
        const struct conf_option *o = conf_sections[i].option;

        for (j = 0; j < OPTIONS_MAX && o[j].name != NULL; j++) {
            sub[i][j].name = o[j].name;
            sub[i][j].type = CFGT_STR;
            sub[i][j].flags = CFGF_NODEFAULT | (conf_kind_is_list(o[j].kind) ? CFGF_LIST : CFGF_NONE);
            sub[i][j].parsecb = take_value;
        }
        top[i].name = conf_sections[i].name;
        top[i].type = CFGT_SEC;
        top[i].subopts = sub[i];
    }
}

static int read_text(struct reader *r, const char *text)
{
    cfg_opt_t top[SECTIONS_MAX + 1] = {{0}};
    cfg_opt_t sub[SECTIONS_MAX][OPTIONS_MAX + 1] = {{{0}}};
    cfg_t *cfg;
    int rc = -1;

    fill_options(top, sub);
    cfg = cfg_init(top, CFGF_NONE);
    if (cfg == NULL)
        return err_set(r->e, "out of memory");
    cfg_set_error_function(cfg, take_error);
    reading = r;
    if (cfg_parse_buf(cfg, text) == CFG_SUCCESS && !r->failed) {
        rc = finish_lists(r, cfg) == 0 ? check_whole(r, cfg) : -1;
    } else if (!r->failed) {
        err_set(r->e, "this cannot be read");
        failed_at(r, cfg->line, NULL);
    }
    reading = NULL;
    cfg_free(cfg);
    return rc;
}

int conf_parse(struct conf **out, const char *name, const char *text, size_t len, struct err *e)
{
    struct reader r = {.name = name, .e = e};
    char *copy = malloc(len + 1);
    unsigned line;
    int rc = -1;

    r.conf = conf_default();
    if (copy == NULL || r.conf == NULL) {
        err_set(e, "out of memory");
        goto out;
    }
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (conf_text_clean(copy, len, &line, e) != 0) {
        failed_at(&r, (int)line, NULL);
        goto out;
    }
    rc = read_text(&r, copy);
    if (rc == 0) {
        *out = r.conf;
        r.conf = NULL;
    }
out:
    conf_free(r.conf);
    free(copy);
    return rc;
}

/* The whole file, at most CONF_FILE_MAX octets. */
static int read_file(char **text, size_t *len, const char *path, struct err *e)
{
    FILE *f = fopen(path, "re");
    int rc = -1;

    if (f == NULL)
        return err_set(e, "%s: %s", path, strerror(errno));
    *text = malloc(CONF_FILE_MAX + 1);
    if (*text == NULL) {
        err_set(e, "out of memory");
        goto out;
    }
    *len = fread(*text, 1, CONF_FILE_MAX + 1, f);
    if (ferror(f))
        err_set(e, "%s: %s", path, strerror(errno));
    else if (*len > CONF_FILE_MAX)
        err_set(e, "%s: larger than %d octets, which is no configuration", path, CONF_FILE_MAX);
    else
        rc = 0;
out:
    fclose(f);
    return rc;
}

int conf_read(struct conf **out, const char *path, struct err *e)
{
    char *text = NULL;
    size_t len = 0;
    int rc = read_file(&text, &len, path, e);

    if (rc == 0 && text != NULL)
        rc = conf_parse(out, path, text, len, e);
    free(text);
    return rc;
}

struct conf *conf_default(void)
{
    struct conf *c = calloc(1, sizeof(*c));
    const struct conf_section *s;
    const struct conf_option *o;

    if (c == NULL)
        return NULL;
    for (s = conf_sections; s->name != NULL; s++) {
        for (o = s->option; o->name != NULL; o++) {
            if (conf_value_default(section_of(c, s), o, NULL) != 0) {
                conf_free(c);
                return NULL;
            }
        }
    }
    return c;
}

struct conf_redis conf_redis_for(const struct conf *conf, const struct conf_login *login)
{
    struct conf_redis redis = conf->redis;

    if (login->username[0] != '\0')
        redis.username = login->username;
    if (login->password[0] != '\0')
        redis.password = login->password;
    return redis;
}

void conf_free(struct conf *c)
{
    const struct conf_section *s;
    const struct conf_option *o;

    if (c == NULL)
        return;
    for (s = conf_sections; s->name != NULL; s++)
        for (o = s->option; o->name != NULL; o++)
            conf_value_clear(section_of(c, s), o);
    free(c);
}
