/* https_transfer_io.c - one HTTPS GET as a libcurl easy handle. */
#include "https_transfer_io.h"
#include "log.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEADER_OCTETS_MAX 65536  /* of one answer; the deadline alone would let a fast server send a lot */
#define TLS_OCTETS_MAX    262144 /* certificates (OpenSSL takes 100 KiB), chunk sizes and what else is around it */
#define CA_CACHE_SECONDS  600L   /* how long an exchanged CA file may go unseen */
#define URL_MAX           4096

static size_t on_body(char *data, size_t size, size_t n, void *ctx)
{
    struct https_transfer *t = ctx;
    size_t room = t->body.max - t->body.len;

    if (size * n > room) {
        t->too_large = true;
        return 0;
    }
    buf_add(&t->body, data, size * n);
    if (!buf_ok(&t->body))
        log_oom();
    return size * n;
}

static size_t on_header(char *data, size_t size, size_t n, void *ctx)
{
    static const char transfer_encoding[] = "Transfer-Encoding:";
    struct https_transfer *t = ctx;

    t->header_octets += size * n;
    if (size * n >= 5 && memcmp(data, "HTTP/", 5) == 0)
        t->headers_ended = false; /* another answer, after 100 Continue */
    else if (data[0] == '\r' || data[0] == '\n')
        t->headers_ended = true;
    else if (strncasecmp(data, transfer_encoding, sizeof(transfer_encoding) - 1) == 0)
        t->chunked = memmem(data, size * n, "chunked", strlen("chunked")) != NULL;
    t->too_many_headers = t->header_octets > HEADER_OCTETS_MAX;
    return t->too_many_headers ? 0 : size * n;
}

static size_t octets_max(const struct https_transfer *t)
{
    return t->body.max + HEADER_OCTETS_MAX + TLS_OCTETS_MAX;
}

/* OpenSSL: a record goes out or comes in; for one that comes in, its header and, when it is an alert, the alert. */
static void on_record(int out, int version, int type, const void *data, size_t len, SSL *ssl, void *ctx)
{
    const unsigned char *octet = data;
    struct https_transfer *t = ctx;

    (void)version;
    (void)ssl;
    if (!out && type == SSL3_RT_HEADER && len == SSL3_RT_HEADER_LENGTH)
        t->octets += len + (size_t)octet[3] * 256 + octet[4];
    if (!out && type == SSL3_RT_ALERT && len == 2 && octet[1] == SSL_AD_CLOSE_NOTIFY)
        t->tls_ended = true;
}

/* libcurl, now and then: go on? Much of what can come without end is shown to no other function. */
static int on_progress(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct https_transfer *t = ctx;

    (void)a;
    (void)b;
    (void)c;
    (void)d;
    return t->octets > octets_max(t);
}

/* libcurl would call a lack of descriptors a host that cannot be reached. */
static curl_socket_t on_open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *a)
{
    struct https_transfer *t = ctx;
    int fd = socket(a->family, a->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->protocol);

    (void)purpose;
    if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM))
        t->no_socket = errno;
    return fd < 0 ? CURL_SOCKET_BAD : fd;
}

/* libcurl looks at the CN when there is no dNSName; RFC 8461 3.3 does not. So OpenSSL checks the name too, without the
 * CN. */
static CURLcode on_ssl_ctx(CURL *easy, void *ssl_ctx, void *ctx)
{
    struct https_transfer *t = ctx;
    X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ssl_ctx);

    (void)easy;
    t->connected = true;
    SSL_CTX_set_msg_callback(ssl_ctx, on_record);
    SSL_CTX_set_msg_callback_arg(ssl_ctx, t);
    SSL_CTX_set_options(ssl_ctx, SSL_OP_NO_RENEGOTIATION); /* a host could ask for it for ever */
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(param, t->host, 0) == 1 ? CURLE_OK : CURLE_OUT_OF_MEMORY;
}

/* An option that libcurl does not take is a fault of the build or no memory; going on without it would be unsafe. */
static void option_check(CURLcode code)
{
    if (code != CURLE_OK) {
        log_error("https-option", "error=%s", curl_easy_strerror(code));
        abort();
    }
}

#define SET(easy, option, value) option_check(curl_easy_setopt(easy, option, value))

/* libcurl keeps the CA certificates that it has read, but not when there is a directory of them, too; so one file where
 * we can. */
static void set_ca(CURL *easy, const char *ca_file)
{
    const char *file = ca_file;

    if (file == NULL || file[0] == '\0')
        file = curl_version_info(CURLVERSION_NOW)->cainfo;
    if (file != NULL && (file == ca_file || access(file, R_OK) == 0)) {
        SET(easy, CURLOPT_CAINFO, file);
        SET(easy, CURLOPT_CAPATH, NULL);
    }
    SET(easy, CURLOPT_CA_CACHE_TIMEOUT, CA_CACHE_SECONDS);
}

static void set_tls(struct https_transfer *t, const char *ca_file)
{
    set_ca(t->easy, ca_file);
    SET(t->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(t->easy, CURLOPT_SSL_VERIFYPEER, 1L);
    SET(t->easy, CURLOPT_SSL_VERIFYHOST, 2L);
    SET(t->easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
    SET(t->easy, CURLOPT_SSL_CTX_FUNCTION, on_ssl_ctx);
    SET(t->easy, CURLOPT_SSL_CTX_DATA, t);
}

/* What libcurl would do of its own accord and we do not want. */
static void set_limits(CURL *easy, const struct https_options *options)
{
    SET(easy, CURLOPT_PROTOCOLS_STR, "https");
    SET(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(easy, CURLOPT_HTTP09_ALLOWED, 0L);
    SET(easy, CURLOPT_FOLLOWLOCATION, 0L);
    SET(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(easy, CURLOPT_PROXY, "");
    SET(easy, CURLOPT_NOPROXY, "*");
    SET(easy, CURLOPT_NOSIGNAL, 1L);
    SET(easy, CURLOPT_FRESH_CONNECT, 1L);
    SET(easy, CURLOPT_FORBID_REUSE, 1L);
    /* The caller keeps the deadline; this makes libcurl share the time out among the addresses. */
    SET(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)options->timeout_ms);
    SET(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)options->max_octets);
}

static void set_request(struct https_transfer *t, const struct https_options *options, const char *path)
{
    struct buf url;

    buf_init(&url, URL_MAX);
    buf_printf(&url, "https://%s:%d%s", t->host, options->port, path);
    if (!buf_ok(&url))
        log_oom();
    SET(t->easy, CURLOPT_URL, buf_text(&url));
    buf_clear(&url);
    SET(t->easy, CURLOPT_RESOLVE, t->resolve);
    SET(t->easy, CURLOPT_ERRORBUFFER, t->error);
    SET(t->easy, CURLOPT_WRITEFUNCTION, on_body);
    SET(t->easy, CURLOPT_WRITEDATA, t);
    SET(t->easy, CURLOPT_HEADERFUNCTION, on_header);
    SET(t->easy, CURLOPT_HEADERDATA, t);
    SET(t->easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    SET(t->easy, CURLOPT_OPENSOCKETDATA, t);
    SET(t->easy, CURLOPT_NOPROGRESS, 0L);
    SET(t->easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    SET(t->easy, CURLOPT_XFERINFODATA, t);
    if (options->user_agent != NULL && options->user_agent[0] != '\0')
        SET(t->easy, CURLOPT_USERAGENT, options->user_agent);
}

/* "HOST:PORT:ADDRESS,[ADDRESS]": libcurl asks nobody else. */
static struct curl_slist *resolve_build(const char *host, int port, const char *const *addresses, size_t count)
{
    struct curl_slist *list;
    struct buf b;
    size_t i;

    buf_init(&b, SIZE_MAX / 2);
    buf_printf(&b, "%s:%d:", host, port);
    for (i = 0; i < count; i++) {
        buf_str(&b, i > 0 ? "," : "");
        buf_str(&b, strchr(addresses[i], ':') != NULL ? "[" : "");
        buf_str(&b, addresses[i]);
        buf_str(&b, strchr(addresses[i], ':') != NULL ? "]" : "");
    }
    list = buf_ok(&b) ? curl_slist_append(NULL, buf_text(&b)) : NULL;
    buf_clear(&b);
    if (list == NULL)
        log_oom();
    return list;
}

/*
 * Each transfer knows its own host only. In the cache that a multi handle shares, libcurl looks at every host asked for
 * in the last minute whenever a transfer ends.
 */
static CURLSH *share_new(void)
{
    CURLSH *share = curl_share_init();

    if (share == NULL || curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS) != CURLSHE_OK)
        log_oom();
    return share;
}

void https_transfer_init(struct https_transfer *t, const struct https_options *options, const char *host,
                         const char *path, const char *const *addresses, size_t count)
{
    memset(t, 0, sizeof(*t));
    buf_init(&t->body, options->max_octets);
    t->host = must_have(strdup(host));
    t->easy = must_have(curl_easy_init());
    t->resolve = resolve_build(host, options->port, addresses, count);
    t->names = share_new();
    SET(t->easy, CURLOPT_SHARE, t->names);
    SET(t->easy, CURLOPT_PRIVATE, t);
    set_tls(t, options->ca_file);
    set_limits(t->easy, options);
    set_request(t, options, path);
}

void https_transfer_clear(struct https_transfer *t)
{
    curl_easy_cleanup(t->easy);
    (void)curl_share_cleanup(t->names);
    curl_slist_free_all(t->resolve);
    buf_clear(&t->body);
    free(t->host);
    memset(t, 0, sizeof(*t));
}

/* It has run into a limit: says which. */
static bool over_limit(char why[HTTPS_WHY_MAX], const struct https_transfer *t, CURLcode code)
{
    /* libcurl gathers a line until it is whole; of one that is too long for it, it says that memory lacks. */
    bool line = code == CURLE_OUT_OF_MEMORY && t->octets > HEADER_OCTETS_MAX;
    bool trailer = strcmp(t->error, "Out of memory in chunked-encoding") == 0;

    if (t->too_large || code == CURLE_FILESIZE_EXCEEDED)
        (void)snprintf(why, HTTPS_WHY_MAX, "larger than %zu octets", t->body.max);
    else if (t->too_many_headers || line)
        (void)snprintf(why, HTTPS_WHY_MAX, "headers larger than %d octets", HEADER_OCTETS_MAX);
    else if (trailer)
        (void)snprintf(why, HTTPS_WHY_MAX, "the line of a trailer is too long");
    else if (t->octets > octets_max(t))
        (void)snprintf(why, HTTPS_WHY_MAX, "more than %zu octets with all that is around it", octets_max(t));
    else
        return false;
    return true;
}

/*
 * libcurl takes a connection that is cut for one that ends: a body without length would be whole wherever somebody on
 * the way cuts it (RFC 9112 9.8), and headers would be an answer without body.
 */
static bool cut_short(char why[HTTPS_WHY_MAX], const struct https_transfer *t)
{
    curl_off_t len = -1;

    (void)curl_easy_getinfo(t->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &len);
    if (!t->headers_ended)
        (void)snprintf(why, HTTPS_WHY_MAX, "the answer ended within its headers");
    else if (len < 0 && !t->chunked && !t->tls_ended)
        (void)snprintf(why, HTTPS_WHY_MAX, "the connection was cut, and the answer said no length");
    else
        return false;
    return true;
}

enum https_outcome https_transfer_outcome(char why[HTTPS_WHY_MAX], const struct https_transfer *t, CURLcode code)
{
    const char *words = t->error[0] != '\0' ? t->error : curl_easy_strerror(code);

    why[0] = '\0';
    if (code == CURLE_OK)
        return cut_short(why, t) ? HTTPS_FAILED : HTTPS_ANSWERED;
    if (over_limit(why, t, code))
        return HTTPS_FAILED;
    if (https_transfer_lacks_socket(t)) {
        (void)snprintf(why, HTTPS_WHY_MAX, "no socket: %s", strerror(t->no_socket));
        return HTTPS_UNTRIED;
    }
    (void)snprintf(why, HTTPS_WHY_MAX, "%s", words);
    switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
        return HTTPS_UNTRUSTED;
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT:
        return HTTPS_UNTRIED;
    default:
        return HTTPS_FAILED;
    }
}

bool https_transfer_lacks_socket(const struct https_transfer *t)
{
    return !t->connected && t->no_socket != 0;
}

const char *https_transfer_stage(const struct https_transfer *t)
{
    curl_off_t secured = 0;

    if (!t->connected)
        return "connecting";
    (void)curl_easy_getinfo(t->easy, CURLINFO_APPCONNECT_TIME_T, &secured);
    if (secured == 0)
        return "in the TLS handshake";
    return t->header_octets == 0 ? "waiting for the answer" : "receiving the answer";
}
