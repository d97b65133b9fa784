/* postfix_conf.c - what postconf(1) prints: one line a parameter, one a service. */
#include "postfix_conf.h"

#include "ascii.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static size_t count_lines(struct postfix_printed p)
{
    size_t lines = 1;

    for (size_t i = 0; i < p.len; i++)
        lines += p.text[i] == '\n';
    return lines;
}

static int copy_text(char **out, struct postfix_printed p, struct err *e)
{
    if (p.len > POSTFIX_TEXT_MAX)
        return err_set(e, "postconf prints more than %zu octets", POSTFIX_TEXT_MAX);
    if (p.len > 0 && memchr(p.text, '\0', p.len) != NULL)
        return err_set(e, "a NUL in what postconf prints; look for it in main.cf and master.cf");
    *out = calloc(p.len + 1, 1);
    if (*out == NULL)
        return err_set(e, "no memory");
    if (p.len > 0)
        memcpy(*out, p.text, p.len);
    return 0;
}

/* Cut the line at *at off; *at is then behind it. NULL at the end. */
static char *next_line(char **at)
{
    char *line = *at;
    size_t len;

    if (line == NULL || *line == '\0')
        return NULL;
    len = strcspn(line, "\n");
    *at = line + len + (line[len] == '\n');
    line[len] = '\0';
    return line;
}

static char *skip_blanks(char *at)
{
    while (ascii_is_blank(*at))
        at++;
    return at;
}

/* "name = value", "name =", "SERVICE/TYPE/name = value" */
static int read_parameter(struct postfix_conf *c, char *line, bool of_service, struct err *e)
{
    struct postfix_parameter *p = &c->parameter[c->parameter_count];
    char *equals = strstr(line, " =");
    char *name = line;

    if (equals == NULL)
        return err_set(e, "postconf prints a line that is no parameter: \"%.100s\"", line);
    *equals = '\0';
    p->service = NULL;
    if (of_service) {
        name = strrchr(line, '/');
        if (name == NULL)
            return err_set(e, "postconf prints a line that is no parameter of a service: \"%.100s\"", line);
        *name++ = '\0';
        p->service = line;
    }
    p->name = name;
    p->value = skip_blanks(equals + 2);
    c->parameter_count++;
    return 0;
}

static int read_parameters(struct postfix_conf *c, char *text, bool of_service, struct err *e)
{
    char *line;

    while ((line = next_line(&text)) != NULL)
        if (*line != '\0' && read_parameter(c, line, of_service, e) != 0)
            return -1;
    return 0;
}

#define FIELDS 8 /* name, type, private, unprivileged, chroot, wakeup, maxproc, command */

static int read_service(struct postfix_conf *c, char *line, struct err *e)
{
    struct postfix_service *s = &c->service[c->service_count];
    char *field[FIELDS];
    char *at = line;
    size_t name_len, type_len;

    for (size_t i = 0; i < FIELDS; i++) {
        at = skip_blanks(at);
        field[i] = at;
        at += strcspn(at, " \t");
        if (at == field[i])
            return err_set(e, "postconf prints a line that is no service: \"%.100s\"", line);
        if (*at != '\0')
            *at++ = '\0';
    }
    name_len = strlen(field[0]);
    type_len = strlen(field[1]);
    char *id = malloc(name_len + type_len + 2);
    if (id == NULL)
        return err_set(e, "no memory");
    memcpy(id, field[0], name_len);
    id[name_len] = '/';
    memcpy(id + name_len + 1, field[1], type_len + 1);
    *s = (struct postfix_service){id, field[0], field[1], field[4], field[6], field[7]};
    c->service_count++;
    return 0;
}

static int read_services(struct postfix_conf *c, char *text, struct err *e)
{
    char *line;

    while ((line = next_line(&text)) != NULL)
        if (*line != '\0' && read_service(c, line, e) != 0)
            return -1;
    return 0;
}

int postfix_conf_read(struct postfix_conf *out, struct postfix_printed parameters, struct postfix_printed services,
                      struct postfix_printed overrides, struct err *e)
{
    *out = (struct postfix_conf){.service_count = 0};
    if (copy_text(&out->text[0], parameters, e) == 0 && copy_text(&out->text[1], services, e) == 0 &&
        copy_text(&out->text[2], overrides, e) == 0) {
        out->parameter = calloc(count_lines(parameters) + count_lines(overrides), sizeof(*out->parameter));
        out->service = calloc(count_lines(services), sizeof(*out->service));
        if (out->parameter == NULL || out->service == NULL)
            err_set(e, "no memory");
        else if (read_parameters(out, out->text[0], false, e) == 0 && read_services(out, out->text[1], e) == 0 &&
                 read_parameters(out, out->text[2], true, e) == 0)
            return 0;
    }
    postfix_conf_free(out);
    return -1;
}

void postfix_conf_free(struct postfix_conf *c)
{
    for (size_t i = 0; c->service != NULL && i < c->service_count; i++)
        free((char *)c->service[i].id);
    for (size_t i = 0; i < 3; i++)
        free(c->text[i]);
    free(c->service);
    free(c->parameter);
    *c = (struct postfix_conf){.service_count = 0};
}

static const char *find_value(const struct postfix_conf *c, const char *service, const char *name)
{
    for (size_t i = 0; i < c->parameter_count; i++) {
        const struct postfix_parameter *p = &c->parameter[i];
        if ((service == NULL) == (p->service == NULL) && strcmp(p->name, name) == 0 &&
            (service == NULL || strcmp(p->service, service) == 0))
            return p->value;
    }
    return NULL;
}

const char *postfix_value(const struct postfix_conf *c, const struct postfix_service *service, const char *name)
{
    const char *value = service != NULL ? find_value(c, service->id, name) : NULL;

    if (value == NULL)
        value = find_value(c, NULL, name);
    return value != NULL ? value : "";
}

const struct postfix_service *postfix_transport(const struct postfix_conf *c, const char *name)
{
    for (size_t i = 0; i < c->service_count; i++)
        if (strcmp(c->service[i].name, name) == 0 && strcmp(c->service[i].type, "unix") == 0)
            return &c->service[i];
    return NULL;
}

const struct postfix_service *postfix_program(const struct postfix_conf *c, const struct postfix_service *after,
                                              const char *command)
{
    for (size_t i = after != NULL ? (size_t)(after - c->service) + 1 : 0; i < c->service_count; i++)
        if (strcmp(c->service[i].command, command) == 0)
            return &c->service[i];
    return NULL;
}

bool postfix_in_chroot(const struct postfix_conf *c, const struct postfix_service *service)
{
    if (strcmp(service->chroot, "-") == 0)
        return postfix_value(c, NULL, "compatibility_level")[0] == '0';
    return service->chroot[0] == 'y';
}

static bool separates(char c)
{
    return ascii_is_blank(c) || c == ',' || c == '\r' || c == '\n';
}

bool postfix_word(const char **at, const char **word, size_t *len)
{
    const char *p = *at;
    size_t depth = 0;

    while (separates(*p))
        p++;
    *word = p;
    for (; *p != '\0' && (depth > 0 || !separates(*p)); p++) {
        depth += *p == '{';
        depth -= *p == '}' && depth > 0;
    }
    *at = p;
    *len = (size_t)(p - *word);
    return *len > 0;
}

bool postfix_list_has(const char *list, const char *word)
{
    const char *found;
    size_t len;

    while (postfix_word(&list, &found, &len))
        if (len == strlen(word) && strncasecmp(found, word, len) == 0)
            return true;
    return false;
}

long long postfix_seconds(const char *text)
{
    static const char units[] = "smhdw";
    static const long long seconds[] = {1, 60, 3600, 86400, 604800};
    long long n = 0;
    const char *unit;

    if (!ascii_is_digit(*text))
        return -1;
    for (; ascii_is_digit(*text); text++)
        n = n < 100000000 ? 10 * n + (*text - '0') : n;
    if (*text == '\0')
        return n;
    unit = strchr(units, *text);
    return unit != NULL && text[1] == '\0' ? n * seconds[unit - units] : -1;
}

long postfix_number(const char *text)
{
    long n = 0;

    for (; ascii_is_digit(*text); text++)
        n = n < 100000 ? 10 * n + (*text - '0') : 1000000;
    return n;
}
