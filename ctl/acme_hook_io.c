/* acme_hook_io.c - posternctl cert acme hook: what uacme(1) runs to have a challenge put where the authority looks
 * (RFC 8555 8.3, 8.4): into Redis, from where stsd serves it, or into DNS. */
#include "acme_dns_io.h"
#include "acme_plan.h"
#include "ctl.h"
#include "output_io.h"
#include "redis_ask_io.h"

#include "conf.h"

#include <stdio.h>
#include <string.h>

#define CHALLENGE_SECONDS "3600"
#define CHALLENGE_TTL     5 /* a wildcard and its domain have one name, one behind the other */
#define KEY_BUF           (64 + ACME_TOKEN_MAX + 16)

/* acme:TOKEN, for an hour at most. */
static int into_redis(const struct ctl *ctl, const struct conf *conf, const struct acme_challenge *c, struct err *e)
{
    struct redis_ask *redis = open_redis(ctl, conf);
    char key[KEY_BUF];
    const char *const set[] = {"SET", key, c->auth, "EX", CHALLENGE_SECONDS};
    const char *const del[] = {"DEL", key};
    int rc = -1;

    if (redis == NULL)
        return err_set(e, "without Redis the challenge cannot be served");
    if (redis_key(redis_ask_redis(redis), key, sizeof(key), "acme", c->token) == 0)
        err_set(e, "the token is too long");
    else if (c->method == ACME_HOOK_BEGIN)
        rc = redis_ask(redis, NULL, NULL, 5, set, NULL, e);
    else
        rc = redis_ask(redis, NULL, NULL, 2, del, NULL, e);
    redis_ask_close(redis);
    return rc;
}

static int into_dns(const struct conf *conf, const struct acme_challenge *c, struct err *e)
{
    char name[DOMAIN_BUF + sizeof("_acme-challenge.")];

    if (conf->certs.dns_hook[0] == '\0')
        return err_set(e, "certs.dns_hook is not set");
    (void)snprintf(name, sizeof(name), "_acme-challenge.%s", c->host);
    if (c->method != ACME_HOOK_BEGIN)
        return acme_dns_hook(conf, "del", name, "TXT", CHALLENGE_TTL, c->auth, e);
    if (acme_dns_hook(conf, "add", name, "TXT", CHALLENGE_TTL, c->auth, e) != 0)
        return -1;
    acme_dns_wait(conf, name, c->auth);
    return 0;
}

int run_cert_acme_hook(const struct ctl *ctl)
{
    struct conf *conf = read_conf(ctl);
    struct acme_challenge c;
    struct err e = {""};
    int rc;

    if (conf == NULL)
        return CTL_USAGE;
    rc = acme_hook_read(&c, ctl->word, (ctl->options & CTL_DNS) != 0, &e);
    if (rc == 1)
        rc = (c.dns ? into_dns(conf, &c, &e) : into_redis(ctl, conf, &c, &e)) == 0 ? 1 : -1;
    if (rc < 0)
        report_error("challenge for %.253s: %s", ctl->word[2], e.text);
    conf_free(conf);
    return rc == 1 ? CTL_YES : CTL_NO;
}
