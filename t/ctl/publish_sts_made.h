/*
 * publish_sts_made.h - MX hosts and published policies out of a line of text, and what was said of them. All static,
 * for one test program each.
 */
#ifndef POSTERN_PUBLISH_STS_MADE_H
#define POSTERN_PUBLISH_STS_MADE_H

#include "dest.h"
#include "publish_verdict.h"
#include "published.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* needs some of the above */

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NOW      INT64_C(1795342500) /* 2026-11-22T10:15:00Z */
#define DAY      INT64_C(86400)

/* "mx1.example.com mx2.example.com"; "-temp", "-null", "-nodomain", "-none" */
static inline struct dest *facts(const char *hosts)
{
    struct dest *d = dest_new("example.com");
    char *copy = strdup(hosts), *rest = copy;

    assert_non_null(d);
    d->mx = strcmp(hosts, "-temp") == 0       ? DEST_MX_TEMP
            : strcmp(hosts, "-null") == 0     ? DEST_MX_NULL
            : strcmp(hosts, "-nodomain") == 0 ? DEST_MX_NODOMAIN
                                              : DEST_MX_LIST;
    for (char *h = hosts[0] == '-' ? NULL : strsep(&rest, " "); h != NULL; h = strsep(&rest, " "))
        assert_non_null(dest_add_host(d, h, 10));
    free(copy);
    return d;
}

/* "MODE MAX_AGE CHANGED HELD MX,MX" */
static inline bool published(struct published *out, const char *text)
{
    char mode[20], mx[200] = "", json[600], *c = mx;
    long long max_age, changed, held;
    struct err e = {""};
    int len;

    if (text == NULL)
        return false;
    assert_true(sscanf(text, "%19s %lld %lld %lld %199s", mode, &max_age, &changed, &held, mx) >= 4);
    len = snprintf(json, sizeof(json), "{\"v\":1,\"mode\":\"%s\",\"max_age\":%lld,\"mx\":[", mode, max_age);
    for (char *one = mx[0] != '\0' ? strsep(&c, ",") : NULL; one != NULL; one = strsep(&c, ","))
        len += snprintf(json + len, sizeof(json) - (size_t)len, "%s\"%s\"", one == mx ? "" : ",", one);
    len += snprintf(json + len, sizeof(json) - (size_t)len,
                    "],\"id\":\"before\",\"changed\":%lld,\"since\":%lld,\"held\":%lld,\"by\":\"old\"}",
                    (long long)NOW + changed, (long long)NOW + changed, held == 0 ? 0 : (long long)NOW + held);
    if (published_read(out, "example.com", json, (size_t)len, &e) != 0)
        fail_msg("%s: %s", json, e.text);
    return true;
}

/* "bad MX mx2.example.com|ok max_age" against what there is; words of each are told when it fails. */
static inline void expect(const struct verdicts *v, const char *want, const char *about)
{
    struct buf got;

    buf_init(&got, 10000);
    for (size_t i = 0; i < v->count; i++)
        buf_printf(&got, "%s%s %s", i > 0 ? "|" : "", verdict_level_name(v->line[i].level), v->line[i].what);
    if (strcmp(buf_text(&got), want) != 0) {
        for (size_t i = 0; i < v->count; i++)
            print_message("%s: %s\n", v->line[i].what, v->line[i].words);
        fail_msg("%s: %s", about, buf_text(&got));
    }
    buf_clear(&got);
}

#endif
