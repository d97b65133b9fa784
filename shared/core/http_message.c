/* http_message.c - see http_message.h. What is not clearly a request is none, so that no proxy reads it otherwise. */
#include "http_message.h"

#include "ascii.h"

#include <stdio.h>
#include <strings.h>
#include <time.h>

#define YEAR_9999_END 253402300799

/* --- requests --- */

/* tchar of RFC 9110 5.6.2 */
static bool is_token(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!ascii_is_alnum(s.at[i]) && (s.at[i] == '\0' || strchr("!#$%&'*+-.^_`|~", s.at[i]) == NULL))
            return false;
    return s.len > 0;
}

static bool is_visible(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!ascii_is_visible(s.at[i]))
            return false;
    return s.len > 0;
}

/* A line ends with LF, perhaps with CR before it (RFC 9112 2.2). Returns false when none is whole. */
static bool take_line(struct span *line, struct span *rest)
{
    if (!span_take_until(rest, line, '\n'))
        return false;
    if (line->len > 0 && line->at[line->len - 1] == '\r')
        line->len--;
    return true;
}

static bool equal_caseless(struct span s, const char *word)
{
    return s.len == strlen(word) && strncasecmp(s.at, word, s.len) == 0;
}

/* "http://HOST/PATH": what a proxy may send (RFC 9112 3.2.2); its host counts, not the field's. */
static void take_authority(struct http_request *out, struct span *target)
{
    static const char scheme[] = "http://";
    size_t len = 0;

    if (target->len < strlen(scheme) || strncasecmp(target->at, scheme, strlen(scheme)) != 0)
        return;
    span_skip(target, strlen(scheme));
    while (len < target->len && target->at[len] != '/' && target->at[len] != '?')
        len++;
    out->host = (struct span){target->at, len};
    span_skip(target, len);
    if (target->len == 0)
        *target = SPAN("/");
}

static bool read_request_line(struct http_request *out, struct span line, bool *host_wanted)
{
    struct span method, target, path;

    if (!span_take_until(&line, &method, ' ') || !span_take_until(&line, &target, ' '))
        return false;
    if (!is_token(method) || !is_visible(target) || !span_take(&line, SPAN("HTTP/1.")) || line.len != 1 ||
        !ascii_is_digit(line.at[0]))
        return false;
    *host_wanted = line.at[0] != '0';
    out->method = span_is(method, "GET") ? HTTP_GET : span_is(method, "HEAD") ? HTTP_HEAD : HTTP_OTHER;
    take_authority(out, &target);
    if (target.at[0] != '/' && target.at[0] != '?' && !span_is(target, "*") && out->method != HTTP_OTHER)
        return false;
    path = target;
    out->path = span_take_until(&target, &path, '?') ? path : target;
    return true;
}

static bool read_field(struct span line, struct span *host, unsigned *hosts)
{
    struct span name;

    if (memchr(line.at, '\0', line.len) != NULL || memchr(line.at, '\r', line.len) != NULL ||
        !span_take_until(&line, &name, ':') || !is_token(name))
        return false;
    if (!equal_caseless(name, "Host"))
        return true;
    while (line.len > 0 && ascii_is_blank(line.at[0]))
        span_skip(&line, 1);
    while (line.len > 0 && ascii_is_blank(line.at[line.len - 1]))
        line.len--;
    *host = line;
    (*hosts)++;
    return line.len == 0 || is_visible(line);
}

enum http_read http_request_read(struct http_request *out, const char *text, size_t len)
{
    struct span rest = {text, len < HTTP_REQUEST_MAX ? len : HTTP_REQUEST_MAX}, line, host = SPAN("");
    enum http_read more = len < HTTP_REQUEST_MAX ? HTTP_MORE : HTTP_BAD;
    bool host_wanted = false;
    unsigned hosts = 0;

    *out = (struct http_request){.method = HTTP_OTHER, .path = SPAN(""), .host = SPAN("")};
    if (!take_line(&line, &rest))
        return more;
    if (!read_request_line(out, line, &host_wanted))
        return HTTP_BAD;
    while (take_line(&line, &rest)) {
        if (line.len > 0) {
            if (!read_field(line, &host, &hosts))
                return HTTP_BAD;
            continue;
        }
        if (out->host.len == 0)
            out->host = host;
        return hosts > 1 || (hosts == 0 && host_wanted) ? HTTP_BAD : HTTP_REQUEST;
    }
    return more;
}

int http_host_name(char out[DOMAIN_BUF], struct span host)
{
    size_t len = host.len;

    while (len > 0 && ascii_is_digit(host.at[len - 1]))
        len--;
    if (len > 0 && host.at[len - 1] == ':')
        host.len = len - 1;
    if (is_visible(host) && domain_normalise(out, host.at, host.len, NULL) == 0)
        return 0;
    out[0] = '\0';
    return -1;
}

/* --- answers --- */

void http_date(char out[HTTP_DATE_BUF], int64_t when)
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t t = (time_t)(when < 0 || when > YEAR_9999_END ? 0 : when);
    struct tm tm = {.tm_mday = 1};
    unsigned year;

    (void)gmtime_r(&t, &tm);
    year = (unsigned)tm.tm_year + 1900;
    (void)snprintf(out, HTTP_DATE_BUF, "%s, %02u %s %04u %02u:%02u:%02u GMT", days[tm.tm_wday % 7],
                   (unsigned)tm.tm_mday % 100, months[tm.tm_mon % 12], year % 10000, (unsigned)tm.tm_hour % 100,
                   (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
}

static const char *reason(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 503:
        return "Service Unavailable";
    default:
        return "Bad Request";
    }
}

void http_answer_head(struct buf *out, const struct http_answer *answer, int64_t now)
{
    char date[HTTP_DATE_BUF];

    http_date(date, now);
    buf_printf(out, "HTTP/1.1 %d %s\r\nDate: %s\r\n", answer->status, reason(answer->status), date);
    if (answer->status == 405)
        buf_str(out, "Allow: GET, HEAD\r\n");
    buf_printf(out, "Content-Type: %s\r\nContent-Length: %zu\r\n", answer->type, answer->body.len);
    buf_str(out, answer->fields == NULL ? "" : answer->fields);
    buf_str(out, "Connection: close\r\n\r\n");
}
