/* cert_view.c - see cert_view.h. */
#include "cert_view.h"

#include "hex.h"
#include "list_line.h"
#include "member.h"
#include "print.h"
#include "table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DAY          86400
#define NAMES_WIDE   48
#define TITLE_WIDE   30
#define ISSUER_WIDE  40
#define HEX_BUF      (2 * CERT_DIGEST_LEN + 1)
#define WARN_DEFAULT (30 * INT64_C(86400)) /* colours of list and show */

/* Whole days until then, or since then; rounded down. */
static int64_t days_left(int64_t end, int64_t now)
{
    int64_t left = end - now;

    return left >= 0 ? left / DAY : -((-left + DAY - 1) / DAY);
}

/* --- list --- */

static enum tint tint_of(int64_t end, int64_t now)
{
    return end < now ? TINT_BAD : end - now < WARN_DEFAULT ? TINT_WARN : TINT_GOOD;
}

static void cell(struct table *t, enum tint tint, const char *text, size_t columns)
{
    struct buf cut;

    buf_init(&cut, 1024);
    print_cut(&cut, text, columns);
    table_add(t, tint, buf_text(&cut));
    buf_clear(&cut);
}

static void add_hosts(struct table *t, const struct cert_entry *entry)
{
    struct buf hosts;

    buf_init(&hosts, (size_t)CERT_NAMES_MAX * (DOMAIN_BUF + 2));
    for (size_t i = 0; i < entry->leaf.names; i++)
        buf_printf(&hosts, "%s%s", i == 0 ? "" : " ", entry->leaf.name[i]);
    cell(t, TINT_NONE, entry->leaf.names > 0 ? buf_text(&hosts) : "-", NAMES_WIDE);
    buf_clear(&hosts);
}

/* "2027-01-16 (60 d)" */
static void add_end(struct table *t, const struct cert_entry *entry, int64_t now)
{
    int64_t end = cert_chain_end(&entry->live);
    char text[32];

    if (entry->live.count == 0) {
        table_add(t, TINT_WARN, entry->trouble[0] != '\0' ? "unreadable" : "none yet");
        return;
    }
    list_time_format(text, end);
    text[strcspn(text, "T")] = '\0';
    table_addf(t, tint_of(end, now), end < now ? "%s (ended)" : "%s (%" PRId64 " d)", text, days_left(end, now));
}

static void add_use(struct table *t, const struct cert_about *about)
{
    struct buf use;

    buf_init(&use, 16384);
    for (size_t i = 0; i < about->uses; i++)
        buf_printf(&use, "%s%.*s", i == 0 ? "" : " ", (int)strcspn(about->use[i], ":"), about->use[i]);
    table_add(t, TINT_NONE, about->uses > 0 ? buf_text(&use) : "-");
    buf_clear(&use);
}

void cert_list_print(struct buf *out, const struct cert_entries *all, int64_t now, bool colour)
{
    static const char *const head[] = {"NAME", "HOSTS", "ISSUER", "KEY", "UNTIL", "USED BY", "TITLE"};
    struct table *t = table_new_headed(head, sizeof(head) / sizeof(head[0]));

    for (size_t i = 0; i < all->count; i++) {
        const struct cert_entry *entry = &all->entry[i];

        table_add(t, TINT_NONE, entry->name);
        add_hosts(t, entry);
        cell(t, TINT_NONE,
             entry->live.count == 0    ? "-"
             : entry->leaf.self_issued ? "itself"
                                       : entry->leaf.issuer,
             ISSUER_WIDE);
        table_add(t, TINT_NONE, entry->live.count == 0 ? "-" : entry->leaf.key);
        add_end(t, entry, now);
        add_use(t, &entry->about);
        cell(t, TINT_NONE, entry->about.title, TITLE_WIDE);
        table_end_row(t);
    }
    table_print(out, t, 0, colour);
    table_free(t);
}

static json_t *name_array(const struct cert_facts *f)
{
    json_t *array = json_array();

    for (size_t i = 0; i < f->names; i++)
        (void)json_array_append_new(array, json_string(f->name[i]));
    return array;
}

static json_t *number_if(bool known, int64_t number)
{
    return known ? json_integer(number) : json_null();
}

json_t *cert_list_json(const struct cert_entry *entry, int64_t now)
{
    const struct cert_about *about = &entry->about;
    bool live = entry->live.count > 0;
    int64_t end = cert_chain_end(&entry->live);
    const char *trouble = entry->trouble[0] != '\0' ? entry->trouble : about->trouble;

    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name", entry->name, "title",
                     string_or_null(about->title), "source", string_or_null(about->source), "hosts",
                     name_array(&entry->leaf), "issuer", string_or_null(entry->leaf.issuer), "key",
                     string_or_null(entry->leaf.key), "not_before", number_if(live, entry->leaf.not_before),
                     "not_after", number_if(live, end), "days_left", number_if(live, days_left(end, now)), "use",
                     string_array(about->use, about->uses), "trouble",
                     trouble[0] != '\0' ? harmless_string(trouble) : json_null());
}

/* --- show --- */

static void add_row(struct table *t, const char *what, enum tint tint, const char *text)
{
    table_add(t, TINT_HEAD, what);
    table_add(t, tint, text);
    table_end_row(t);
}

static void add_time(struct table *t, const char *what, enum tint tint, int64_t when, int64_t now)
{
    struct buf text;

    buf_init(&text, 128);
    print_time(&text, when, now);
    add_row(t, what, tint, buf_text(&text));
    buf_clear(&text);
}

static void add_facts(struct table *t, const struct cert_facts *f, int64_t now)
{
    char hex[HEX_BUF], tlsa[HEX_BUF + 8];

    add_row(t, "issued by", TINT_NONE, f->self_issued ? "itself" : f->issuer);
    for (size_t i = 0; i < f->names; i++)
        add_row(t, i == 0 ? "for" : "", TINT_NONE, f->name[i]);
    if (f->odd_names > 0)
        add_row(t, "", TINT_WARN, "and names that are none, which are left out here");
    add_row(t, "key", TINT_NONE, f->key);
    add_time(t, "from", f->not_before > now ? TINT_BAD : TINT_NONE, f->not_before, now);
    add_time(t, "until", tint_of(f->not_after, now), f->not_after, now);
    add_row(t, "serial", TINT_NONE, f->serial);
    hex_write(hex, f->sha256, sizeof(f->sha256));
    add_row(t, "SHA-256", TINT_NONE, hex);
    hex_write(hex, f->spki_sha256, sizeof(f->spki_sha256));
    snprintf(tlsa, sizeof(tlsa), "%s 1 1 %s", f->ca ? "2" : "3", hex);
    add_row(t, "TLSA", TINT_NONE, tlsa);
}

static void show_one(struct buf *out, X509 *cert, bool leaf, int64_t now, bool colour)
{
    struct table *t = table_new(2);
    struct cert_facts f;
    struct err e = {""};

    buf_char(out, '\n');
    if (cert_facts_read(&f, cert, &e) != 0) {
        buf_printf(out, "%s\n", e.text);
    } else {
        f.ca = f.ca && !leaf; /* TLSA of our own server: 3 1 1 */
        print_tinted(out, f.subject, TINT_HEAD, colour);
        buf_char(out, '\n');
        add_facts(t, &f, now);
        table_print(out, t, 2, colour);
    }
    cert_facts_clear(&f);
    table_free(t);
}

static void add_about(struct table *t, const struct cert_entry *entry, int64_t now)
{
    const struct cert_about *about = &entry->about;
    struct buf title;

    buf_init(&title, CERT_PEM_MAX);
    print_text(&title, about->title, strlen(about->title));
    if (about->title[0] != '\0')
        add_row(t, "title", TINT_NONE, buf_text(&title));
    buf_clear(&title);
    if (about->source[0] != '\0')
        add_row(t, "source", TINT_NONE, about->source);
    if (about->created > 0)
        add_time(t, "since", TINT_NONE, about->created, now);
    for (size_t i = 0; i < about->uses; i++)
        add_row(t, i == 0 ? "used by" : "", TINT_NONE, about->use[i]);
    if (entry->trouble[0] != '\0')
        add_row(t, "trouble", TINT_BAD, entry->trouble);
    if (about->trouble[0] != '\0')
        add_row(t, "trouble", TINT_BAD, about->trouble);
    if (entry->live.count == 0 && entry->trouble[0] == '\0')
        add_row(t, "certificate", TINT_WARN, "none yet");
}

void cert_show_print(struct buf *out, const struct cert_entry *entry, int64_t now, bool colour)
{
    struct table *t = table_new(2);

    print_tinted(out, entry->name, TINT_HEAD, colour);
    buf_char(out, '\n');
    add_about(t, entry, now);
    table_print(out, t, 2, colour);
    table_free(t);
    for (size_t i = 0; i < entry->live.count; i++)
        show_one(out, entry->live.cert[i], i == 0, now, colour);
}

static json_t *facts_json(X509 *cert)
{
    char sha256[HEX_BUF], spki[HEX_BUF];
    struct cert_facts f;
    json_t *one;

    if (cert_facts_read(&f, cert, NULL) != 0)
        return json_null();
    hex_write(sha256, f.sha256, sizeof(f.sha256));
    hex_write(spki, f.spki_sha256, sizeof(f.spki_sha256));
    one = json_pack("{s:s, s:s, s:s, s:I, s:I, s:b, s:b, s:s, s:o, s:I, s:s, s:s}", "subject", f.subject, "issuer",
                    f.issuer, "serial", f.serial, "not_before", (json_int_t)f.not_before, "not_after",
                    (json_int_t)f.not_after, "ca", f.ca, "self_issued", f.self_issued, "key", f.key, "hosts",
                    name_array(&f), "odd_hosts", (json_int_t)f.odd_names, "sha256", sha256, "spki_sha256", spki);
    cert_facts_clear(&f);
    return one;
}

json_t *cert_show_json(const struct cert_entry *entry, int64_t now)
{
    json_t *root = cert_list_json(entry, now), *chain = json_array();

    for (size_t i = 0; i < entry->live.count; i++)
        (void)json_array_append_new(chain, facts_json(entry->live.cert[i]));
    (void)json_object_set_new(root, "chain", chain);
    return root;
}

/* --- check --- */

static void renewal(char out[200], const struct cert_entry *entry)
{
    if (entry->about.host_count > 0)
        snprintf(out, 200, "posternctl cert acme should have renewed it: its trouble is in posternctl cert show %s",
                 entry->name);
    else if (entry->leaf.self_issued)
        snprintf(out, 200, "make another: posternctl cert new %s", entry->name);
    else
        snprintf(out, 200, "have it renewed: posternctl cert new %s --csr, then cert import", entry->name);
}

void cert_check(struct err *out, const struct cert_entry *entry, int64_t warn, int64_t now)
{
    int64_t end = cert_chain_end(&entry->live);
    struct err why = {""};
    char act[200];

    out->text[0] = '\0';
    renewal(act, entry);
    if (entry->trouble[0] != '\0')
        err_set(out, "%s; %s", entry->trouble,
                entry->trouble_errno == EACCES ? "look as root, or as the user of postern-policyd"
                : entry->about_unread          ? "mend that file, or write it anew: posternctl cert import with --force"
                                               : "posternctl cert import puts another in its place");
    else if (entry->live.count == 0 && entry->about.trouble[0] != '\0')
        err_set(out, "nothing is issued yet: %s", entry->about.trouble);
    else if (entry->live.count == 0)
        return; /* a request, or a first order, waits */
    else if (cert_chain_judge(&entry->live, NULL, NULL, now, &why) != CERT_GOOD)
        err_set(out, "%.120s; %s", why.text, act);
    else if (end - now < warn)
        err_set(out, "ends in %" PRId64 " days; %s", days_left(end, now), act);
    else if (entry->about.trouble[0] != '\0')
        err_set(out, "%s", entry->about.trouble);
}
