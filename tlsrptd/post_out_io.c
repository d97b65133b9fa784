/* post_out_io.c - see post_out_io.h. */
#include "post_out_io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "log.h"
#include "post_address.h"

#define CA_CACHE_SECONDS 600L

struct post_out {
    struct curl_loop *loop;
    struct curl_run run;
    CURL *easy;
    struct curl_slist *headers;
    bool anywhere;
    bool closed_address; /* one was passed over */
    size_t headers_read, body_read;
    char error[CURL_ERROR_SIZE];
    post_out_fn *fn;
    void *ctx;
};

static void post_out_free(struct post_out *p)
{
    curl_easy_cleanup(p->easy);
    curl_slist_free_all(p->headers);
    free(p);
}

void post_out_cancel(struct post_out *p)
{
    curl_loop_remove(p->loop, p->easy);
    post_out_free(p);
}

static size_t on_body(char *data, size_t size, size_t n, void *ctx)
{
    struct post_out *p = ctx;

    (void)data;
    p->body_read += size * n;
    return p->body_read > POST_OUT_ANSWER_MAX ? 0 : size * n;
}

static size_t on_header(char *data, size_t size, size_t n, void *ctx)
{
    struct post_out *p = ctx;

    (void)data;
    p->headers_read += size * n;
    return p->headers_read > POST_OUT_ANSWER_MAX ? 0 : size * n;
}

/* It is asked for each address that the name has, and for no other. */
static curl_socket_t on_open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *a)
{
    struct post_out *p = ctx;
    int fd;

    if (purpose != CURLSOCKTYPE_IPCXN || (!p->anywhere && !post_address_is_public(&a->addr, a->addrlen))) {
        p->closed_address = true;
        return CURL_SOCKET_BAD;
    }
    fd = socket(a->family, a->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->protocol);
    return fd < 0 ? CURL_SOCKET_BAD : fd;
}

/* Returns what is wrong in why, or NULL: it was taken. Once the status is there, how the rest ends is of no interest.
 */
static const char *outcome(char *why, size_t cap, const struct post_out *p, CURLcode code)
{
    long status = 0;
    bool rest = code == CURLE_WRITE_ERROR && p->body_read > POST_OUT_ANSWER_MAX;

    (void)curl_easy_getinfo(p->easy, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_OK || rest) {
        if (status >= 200 && status <= 299)
            return NULL;
        (void)snprintf(why, cap, "HTTP status %ld%s", status,
                       status >= 300 && status <= 399 ? ", and redirects are not followed" : "");
    } else if (p->headers_read > POST_OUT_ANSWER_MAX) {
        (void)snprintf(why, cap, "headers larger than %d octets", POST_OUT_ANSWER_MAX);
    } else if (p->closed_address && code == CURLE_COULDNT_CONNECT) {
        (void)snprintf(why, cap, "its address is not a public one; reports are not sent there (post_anywhere)");
    } else {
        (void)snprintf(why, cap, "%s", p->error[0] != '\0' ? p->error : curl_easy_strerror(code));
    }
    return why;
}

static void on_done(void *ctx, CURL *easy, CURLcode code)
{
    struct post_out *p = ctx;
    post_out_fn *fn = p->fn;
    void *fn_ctx = p->ctx;
    char words[CURL_ERROR_SIZE + 64];
    const char *why = outcome(words, sizeof(words), p, code);

    (void)easy;
    post_out_free(p);
    fn(fn_ctx, why);
}

static void set_tls(CURL *easy, const char *ca_file)
{
    if (ca_file != NULL && ca_file[0] != '\0') {
        CURL_SET(easy, CURLOPT_CAINFO, ca_file);
        CURL_SET(easy, CURLOPT_CAPATH, NULL);
    }
    CURL_SET(easy, CURLOPT_CA_CACHE_TIMEOUT, CA_CACHE_SECONDS);
    CURL_SET(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    CURL_SET(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    CURL_SET(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    CURL_SET(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
}

/* What libcurl would do of its own accord and we do not want. */
static void set_limits(CURL *easy, const struct post_out_options *options)
{
    CURL_SET(easy, CURLOPT_PROTOCOLS_STR, "https");
    CURL_SET(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    CURL_SET(easy, CURLOPT_HTTP09_ALLOWED, 0L);
    CURL_SET(easy, CURLOPT_FOLLOWLOCATION, 0L);
    CURL_SET(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    CURL_SET(easy, CURLOPT_PROXY, "");
    CURL_SET(easy, CURLOPT_NOPROXY, "*");
    CURL_SET(easy, CURLOPT_NOSIGNAL, 1L);
    CURL_SET(easy, CURLOPT_PATH_AS_IS, 1L);
    CURL_SET(easy, CURLOPT_FRESH_CONNECT, 1L);
    CURL_SET(easy, CURLOPT_FORBID_REUSE, 1L);
    CURL_SET(easy, CURLOPT_TIMEOUT_MS, (long)options->timeout_ms);
    CURL_SET(easy, CURLOPT_QUICK_EXIT, 1L); /* else its end waits for the thread that still asks DNS */
    if (options->user_agent != NULL && options->user_agent[0] != '\0')
        CURL_SET(easy, CURLOPT_USERAGENT, options->user_agent);
}

static void set_request(struct post_out *p, const char *uri, const char *body, size_t len)
{
    char *url = must_have(strndup(uri, strcspn(uri, "#")));

    CURL_SET(p->easy, CURLOPT_URL, url);
    free(url);
    CURL_SET(p->easy, CURLOPT_POST, 1L);
    CURL_SET(p->easy, CURLOPT_POSTFIELDS, body);
    CURL_SET(p->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
    CURL_SET(p->easy, CURLOPT_HTTPHEADER, p->headers);
    CURL_SET(p->easy, CURLOPT_ERRORBUFFER, p->error);
    CURL_SET(p->easy, CURLOPT_WRITEFUNCTION, on_body);
    CURL_SET(p->easy, CURLOPT_WRITEDATA, p);
    CURL_SET(p->easy, CURLOPT_HEADERFUNCTION, on_header);
    CURL_SET(p->easy, CURLOPT_HEADERDATA, p);
    CURL_SET(p->easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    CURL_SET(p->easy, CURLOPT_OPENSOCKETDATA, p);
}

struct post_out *post_out_start(struct curl_loop *loop, const struct post_out_options *options, const char *uri,
                                const char *body, size_t len, post_out_fn *fn, void *ctx)
{
    struct post_out *p = must_have(calloc(1, sizeof(*p)));
    struct curl_slist *headers = must_have(curl_slist_append(NULL, "Content-Type: " POST_OUT_CONTENT));

    *p = (struct post_out){.loop = loop,
                           .run = {on_done, p},
                           .headers = must_have(curl_slist_append(headers, "Expect:")),
                           .anywhere = options->anywhere,
                           .fn = fn,
                           .ctx = ctx};
    p->easy = must_have(curl_easy_init());
    set_tls(p->easy, options->ca_file);
    set_limits(p->easy, options);
    set_request(p, uri, body, len);
    curl_loop_add(loop, p->easy, &p->run);
    return p;
}
