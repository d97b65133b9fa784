/* setup_sendmail_mc.c - Postern's lines in a sendmail.mc, and what a sendmail.cf says; see setup_sendmail.h. */
#include "setup_sendmail.h"

#include "next_line.h"

#include <stdio.h>
#include <string.h>

#define BEGIN "dnl >>> postern"
#define END   "dnl <<< postern"
#define SAYS  ": \"posternctl setup sendmail\" writes what is between these marks"

static bool begins(const char *line, const char *with)
{
    return strncmp(line, with, strlen(with)) == 0;
}

/* --- the lines --- */

/* m4 knows these, or they would end the quotation. */
static bool is_plain(const char *text)
{
    return strpbrk(text, "`'(),\n\r#") == NULL;
}

/* "inet:127.0.0.1:8461" becomes host and port; false: it is none such, or several ports or addresses. */
static bool read_inet(char host[300], char port[16], const char *listen)
{
    const char *colon = strrchr(listen, ':'), *at = listen + 5;
    size_t len;

    if (!begins(listen, "inet:") || colon < at || strlen(colon + 1) >= 16)
        return false;
    len = (size_t)(colon - at);
    if (len > 2 && *at == '[') {
        at++;
        len -= 2;
    }
    if (len == 0 || len >= 300 || memchr(at, '-', len) != NULL)
        return false;
    memcpy(host, at, len);
    host[len] = '\0';
    (void)snprintf(port, 16, "%s", colon + 1);
    return true;
}

/* A listener as Sendmail writes it: inet:8461@127.0.0.1, inet6:8461@::1, local:/run/postern/x.sock */
static bool write_socket(char out[400], const char *listen)
{
    char host[300], port[16];

    if (begins(listen, "unix:"))
        return snprintf(out, 400, "local:%s", listen + 5) < 400;
    return read_inet(host, port, listen) &&
           snprintf(out, 400, "%s:%s@%s", strchr(host, ':') != NULL ? "inet6" : "inet", port, host) < 400;
}

static void add_line(struct setup_sendmail_lines *out, const char *text)
{
    if (out->count < SETUP_SENDMAIL_LINES)
        (void)snprintf(out->line[out->count++], sizeof(out->line[0]), "%s", text);
}

static void define(struct setup_sendmail_lines *out, const char *name, const char *value, const char *by_default)
{
    char line[600];

    (void)snprintf(line, sizeof(line), "define(`%s', `%s')dnl", name, value);
    if (strcmp(value, by_default) != 0)
        add_line(out, line);
}

/* By TCP on loopback if it listens there. */
static bool find_socket(char out[400], char *const *listen)
{
    for (char *const *l = listen; *l != NULL; l++)
        if (begins(*l, "inet:") && write_socket(out, *l))
            return true;
    for (char *const *l = listen; *l != NULL; l++)
        if (write_socket(out, *l))
            return true;
    return false;
}

/* Sendmail's mailers for LMTP go by TCP: "[127.0.0.1] 8689". */
static bool find_relayd(char out[400], char *const *listen)
{
    char host[300], port[16];

    for (char *const *l = listen; *l != NULL; l++)
        if (read_inet(host, port, *l))
            return snprintf(out, 400, strchr(host, ':') != NULL ? "[IPv6:%s] %s" : "[%s] %s", host, port) < 400;
    return false;
}

int setup_sendmail_lines(struct setup_sendmail_lines *out, const struct conf *postern, const char *include,
                         struct err *e)
{
    char policyd[400], milter[400], relayd[400], line[600];

    out->count = 0;
    if (!find_socket(policyd, postern->policyd.listen))
        return err_set(e, "policyd.listen in postern.conf has nothing that Sendmail could ask");
    if (!write_socket(milter, postern->milter.listen))
        return err_set(e, "milter.listen in postern.conf is nothing that Sendmail could go to");
    if (!find_relayd(relayd, postern->relayd.listen))
        return err_set(e, "relayd.listen in postern.conf has no inet: address, and Sendmail goes to no other");
    if (!is_plain(policyd) || !is_plain(milter) || !is_plain(relayd) || !is_plain(include) || strlen(include) > 500)
        return err_set(e, "%s, or an address in listen, cannot be written in m4", include);
    add_line(out, BEGIN SAYS);
    define(out, "POSTERN_POLICYD", policyd, "inet:8461@127.0.0.1");
    define(out, "POSTERN_MILTER", milter, "inet:8463@127.0.0.1");
    define(out, "POSTERN_RELAYD", relayd, "[127.0.0.1] 8689");
    (void)snprintf(line, sizeof(line), "include(`%s')dnl", include);
    add_line(out, line);
    add_line(out, END);
    return 0;
}

/* --- sendmail.mc --- */

/* An include of postern.m4, and no comment. */
static bool includes(const char *line)
{
    const char *at = line + strspn(line, " \t"), *name;

    name = begins(at, "include(") ? strstr(at, "postern.m4") : NULL;
    return name != NULL && name < at + strcspn(at, "\n");
}

/* Append mc without our lines. Returns 0, or -1: one of the marks is missing. */
static int take_lines(struct buf *out, const char *mc)
{
    bool inside = false;

    for (const char *at = mc; *at != '\0'; at = next_line(at)) {
        if (begins(at, inside ? BEGIN : END))
            return -1;
        if (begins(at, inside ? END : BEGIN))
            inside = !inside;
        else if (!inside)
            buf_add(out, at, (size_t)(next_line(at) - at));
    }
    return inside ? -1 : 0;
}

static bool has_include(const char *mc)
{
    for (const char *at = mc; *at != '\0'; at = next_line(at))
        if (includes(at))
            return true;
    return false;
}

int setup_sendmail_mc(struct buf *out, const char *mc, struct setup_sendmail_lines *lines)
{
    if (take_lines(out, mc) != 0)
        return -1;
    if (lines == NULL)
        return 0;
    if (has_include(buf_text(out)))
        lines->count = 0;
    if (lines->count > 0 && out->len > 0 && out->data[out->len - 1] != '\n')
        buf_char(out, '\n');
    for (size_t i = 0; i < lines->count; i++)
        buf_printf(out, "%s\n", lines->line[i]);
    return 0;
}

void setup_sendmail_m4(const char *out[5], const char *mc, const char *file)
{
    size_t n = 0;

    if (strstr(mc, "m4/cf.m4") == NULL) {
        out[n++] = "-D_CF_DIR_=/usr/share/sendmail/cf/";
        out[n++] = "/usr/share/sendmail/cf/m4/cf.m4";
    }
    out[n++] = file;
    out[n] = NULL;
}

/* --- sendmail.cf --- */

bool setup_sendmail_option(struct buf *out, const char *cf, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = cf; *at != '\0'; at = next_line(at))
        if (begins(at, "O ") && strncmp(at + 2, name, len) == 0 && at[2 + len] == '=') {
            buf_add(out, at + 3 + len, strcspn(at + 3 + len, "\n"));
            return true;
        }
    return false;
}
