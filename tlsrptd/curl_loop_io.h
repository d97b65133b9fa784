/*
 * curl_loop_io.h - transfers of libcurl on the event loop (its multi interface), for what is sent seldom: few at a
 * time. Names are looked up on libcurl's threads.
 */
#ifndef POSTERN_CURL_LOOP_IO_H
#define POSTERN_CURL_LOOP_IO_H

#include <curl/curl.h>
#include <event2/event.h>

#include "err.h"

struct curl_loop;

/* NULL with the reason in e. */
struct curl_loop *curl_loop_new(struct event_base *base, struct err *e);
void curl_loop_free(struct curl_loop *l); /* NULL-safe; all transfers must have been removed */

/* Run it. It must have a time limit of its own. fn is called once, later, with the transfer removed, and may do what it
 * likes, but free the loop. Uses CURLOPT_PRIVATE. */
typedef void curl_loop_fn(void *ctx, CURL *easy, CURLcode code);
struct curl_run {
    curl_loop_fn *fn;
    void *ctx;
};
void curl_loop_add(struct curl_loop *l, CURL *easy, struct curl_run *run); /* run: kept by the caller until fn */
void curl_loop_remove(struct curl_loop *l, CURL *easy);

/* An option that libcurl does not take is a fault of the build, or no memory; it would be unsafe to go on. */
void curl_option_check(CURLcode code);
#define CURL_SET(easy, option, value) curl_option_check(curl_easy_setopt(easy, option, value))

#endif
