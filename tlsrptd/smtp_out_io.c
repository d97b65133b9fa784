/* smtp_out_io.c - see smtp_out_io.h. */
#include "smtp_out_io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

#define TIMEOUT_MS 60000L

struct smtp_out {
    struct curl_loop *loop;
    struct curl_run run;
    CURL *easy;
    struct curl_slist *to;
    struct buf message;
    size_t sent;
    char error[CURL_ERROR_SIZE];
    smtp_out_fn *fn;
    void *ctx;
};

static size_t on_read(char *out, size_t size, size_t n, void *ctx)
{
    struct smtp_out *s = ctx;
    size_t left = s->message.len - s->sent;
    size_t len = size * n < left ? size * n : left;

    if (len > 0)
        memcpy(out, s->message.data + s->sent, len);
    s->sent += len;
    return len;
}

static void smtp_out_free(struct smtp_out *s)
{
    curl_easy_cleanup(s->easy);
    curl_slist_free_all(s->to);
    buf_clear(&s->message);
    free(s);
}

void smtp_out_cancel(struct smtp_out *s)
{
    curl_loop_remove(s->loop, s->easy);
    smtp_out_free(s);
}

static void on_done(void *ctx, CURL *easy, CURLcode code)
{
    struct smtp_out *s = ctx;
    smtp_out_fn *fn = s->fn;
    void *fn_ctx = s->ctx;
    char why[CURL_ERROR_SIZE + 40] = "";
    long reply = 0;

    (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &reply);
    if (code != CURLE_OK)
        (void)snprintf(why, sizeof(why), "%s%s%.0ld", s->error[0] != '\0' ? s->error : curl_easy_strerror(code),
                       reply > 0 ? ", last reply " : "", reply);
    smtp_out_free(s);
    fn(fn_ctx, code != CURLE_OK ? why : NULL);
}

static void set_options(struct smtp_out *s, const char *url, const char *from)
{
    CURL_SET(s->easy, CURLOPT_URL, url);
    CURL_SET(s->easy, CURLOPT_PROTOCOLS_STR, "smtp");
    CURL_SET(s->easy, CURLOPT_PROXY, "");
    CURL_SET(s->easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    CURL_SET(s->easy, CURLOPT_NOSIGNAL, 1L);
    CURL_SET(s->easy, CURLOPT_TIMEOUT_MS, TIMEOUT_MS);
    CURL_SET(s->easy, CURLOPT_USE_SSL, (long)CURLUSESSL_NONE);
    CURL_SET(s->easy, CURLOPT_FRESH_CONNECT, 1L);
    CURL_SET(s->easy, CURLOPT_FORBID_REUSE, 1L);
    CURL_SET(s->easy, CURLOPT_MAIL_FROM, from);
    CURL_SET(s->easy, CURLOPT_MAIL_RCPT, s->to);
    CURL_SET(s->easy, CURLOPT_UPLOAD, 1L);
    CURL_SET(s->easy, CURLOPT_READFUNCTION, on_read);
    CURL_SET(s->easy, CURLOPT_READDATA, s);
    CURL_SET(s->easy, CURLOPT_ERRORBUFFER, s->error);
}

struct smtp_out *smtp_out_start(struct curl_loop *loop, const char *server, const char *from, const char *to,
                                struct buf *message, smtp_out_fn *fn, void *ctx)
{
    struct smtp_out *s = must_have(calloc(1, sizeof(*s)));
    char url[300];

    *s = (struct smtp_out){.loop = loop, .run = {on_done, s}, .message = *message, .fn = fn, .ctx = ctx};
    buf_init(message, message->max);
    s->easy = must_have(curl_easy_init());
    s->to = must_have(curl_slist_append(NULL, to));
    (void)snprintf(url, sizeof(url), "smtp://%s/", server);
    set_options(s, url, from);
    curl_loop_add(loop, s->easy, &s->run);
    return s;
}
