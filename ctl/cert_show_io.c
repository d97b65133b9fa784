/* cert_show_io.c - posternctl cert list, show, check and remove. */
#include "cert_live_io.h"
#include "cert_view.h"
#include "clock.h"
#include "member.h"
#include "output_io.h"
#include "print.h"

#include <string.h>

static int print(const struct ctl *ctl, json_t *json, struct buf *text)
{
    int rc = (ctl->options & CTL_JSON) != 0 ? output_json(json_incref(json)) : output_text(text);

    json_decref(json);
    buf_clear(text);
    return rc;
}

/* All certificates, or the one of the first word. */
static int read_entries(struct cert_entries *all, const struct ctl *ctl, const struct conf *conf)
{
    const char *name = ctl->word_count > 0 ? ctl->word[0] : NULL;
    static struct cert_entry one;
    struct err e = {""};
    int rc;

    if (name == NULL)
        rc = cert_entries_read(all, conf->certs.folder, &e) == 0 ? 1 : -1;
    else
        rc = cert_entry_read(&one, conf->certs.folder, name, &e);
    if (rc == 1 && name != NULL)
        *all = (struct cert_entries){&one, 1};
    if (rc == 0)
        report_error("%s: there is no such certificate; posternctl cert list shows those there are", name);
    else if (rc < 0)
        report_error("%s", e.text);
    return rc == 1 ? CTL_YES : rc == 0 ? CTL_NO : CTL_USAGE;
}

static void forget(struct cert_entries *all, const struct ctl *ctl)
{
    if (ctl->word_count == 0)
        cert_entries_clear(all);
    else
        cert_entry_clear(all->entry);
}

/* Only root, and policyd's user, can read keys: say so rather than that all are in trouble. */
static int with_entries(const struct ctl *ctl,
                        int (*run)(const struct ctl *, const struct conf *, struct cert_entries *))
{
    struct conf *conf = read_conf(ctl);
    struct cert_entries all = {NULL, 0};
    int rc;

    if (conf == NULL)
        return CTL_USAGE;
    rc = read_entries(&all, ctl, conf);
    if (rc == CTL_YES) {
        rc = run(ctl, conf, &all);
        forget(&all, ctl);
    }
    conf_free(conf);
    return rc;
}

static int list(const struct ctl *ctl, const struct conf *conf, struct cert_entries *all)
{
    json_t *rows = json_array();
    struct buf text;

    (void)conf;
    buf_init(&text, CTL_OUTPUT_MAX);
    for (size_t i = 0; i < all->count; i++)
        (void)json_array_append_new(rows, cert_list_json(&all->entry[i], now_seconds()));
    if (all->count > 0)
        cert_list_print(&text, all, now_seconds(), ctl->colour);
    else
        buf_str(&text, "no certificates yet: posternctl cert new, import, or acme\n");
    return print(ctl, json_pack("{s:o}", "certificates", rows), &text);
}

int run_cert_list(const struct ctl *ctl)
{
    return with_entries(ctl, list);
}

static int show(const struct ctl *ctl, const struct conf *conf, struct cert_entries *all)
{
    struct buf text;

    (void)conf;
    buf_init(&text, CTL_OUTPUT_MAX);
    cert_show_print(&text, all->entry, now_seconds(), ctl->colour);
    return print(ctl, cert_show_json(all->entry, now_seconds()), &text);
}

int run_cert_show(const struct ctl *ctl)
{
    return with_entries(ctl, show);
}

static int read_warn(int64_t *seconds, const struct ctl *ctl, const struct conf *conf)
{
    static const struct conf_option option = {"warn", CONF_SECONDS, "14d", 0, INT64_C(10) * 366 * 86400, 0, "", NULL};

    *seconds = conf->certs.warn_before;
    return read_option(seconds, &option, ctl->warn);
}

static int check(const struct ctl *ctl, const struct conf *conf, struct cert_entries *all)
{
    json_t *rows = json_array();
    struct buf text;
    int64_t warn;
    size_t bad = 0;
    int rc;

    if (read_warn(&warn, ctl, conf) != 0) {
        json_decref(rows);
        return CTL_USAGE;
    }
    buf_init(&text, CTL_OUTPUT_MAX);
    for (size_t i = 0; i < all->count; i++) {
        struct err why = {""};
        json_t *row = cert_list_json(&all->entry[i], now_seconds());

        cert_check(&why, &all->entry[i], warn, now_seconds());
        (void)json_object_set_new(row, "well", json_boolean(why.text[0] == '\0'));
        (void)json_object_set_new(row, "why", why.text[0] != '\0' ? harmless_string(why.text) : json_null());
        (void)json_array_append_new(rows, row);
        bad += why.text[0] != '\0';
        if (why.text[0] == '\0')
            continue;
        buf_printf(&text, "%s: ", all->entry[i].name);
        print_text(&text, why.text, strlen(why.text));
        buf_char(&text, '\n');
    }
    if (all->count == 0)
        buf_printf(&text, "no certificates in %s yet\n", conf->certs.folder);
    else if (bad == 0)
        buf_printf(&text, "%zu certificate%s, all is well\n", all->count, all->count == 1 ? "" : "s");
    rc = print(ctl, json_pack("{s:b, s:o}", "well", bad == 0, "certificates", rows), &text);
    return rc == CTL_YES && bad > 0 ? CTL_NO : rc;
}

int run_cert_check(const struct ctl *ctl)
{
    return with_entries(ctl, check);
}

/* CTL_YES: nobody is served it, or --force. */
static int may_remove(const struct cert_held *h)
{
    const struct cert_about *about = &h->entry.about;

    if ((h->ctl->options & CTL_FORCE) != 0 || !cert_is_shown(h))
        return CTL_YES;
    if (about->uses > 0)
        report_error("%s: %s%s uses it, and would not start again without it; posternctl cert use gives it another, "
                     "--force removes it all the same",
                     h->name, about->use[0], about->uses > 1 ? ", and others," : "");
    else
        report_error("%s: postern-policyd serves it to Postfix by host name (policyd.sni_listen), and its hosts would "
                     "show another one; --force removes it all the same",
                     h->name);
    return CTL_NO;
}

static int remove_entry(const struct cert_held *h)
{
    struct err e = {""};
    int rc;

    if (!h->known) {
        report_error("%s: there is no such certificate", h->name);
        return CTL_NO;
    }
    rc = may_remove(h);
    if (rc != CTL_YES)
        return rc;
    if (cert_entry_remove(h->folder, h->name, &e) == 0)
        return CTL_YES;
    report_error("%s", e.text);
    return CTL_NO;
}

int run_cert_remove(const struct ctl *ctl)
{
    struct cert_held h;
    int rc = cert_hold(&h, ctl, ctl->word[0]);

    if (rc == CTL_YES)
        rc = remove_entry(&h);
    cert_release(&h);
    return rc;
}
