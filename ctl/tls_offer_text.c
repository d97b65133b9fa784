/* tls_offer_text.c - see tls_offer.h: for people and for programs. */
#include "tls_offer.h"

#include "print.h"
#include "table.h"

/* --- for people --- */

static void print_versions(struct buf *out, const struct tls_offer *o, bool colour)
{
    static const char *const head[] = {"VERSION", "OFFERED", "WHY NOT"};
    struct table *t = table_new_headed(head, 3);

    for (size_t i = 0; i < TLS_OFFER_VERSIONS; i++) {
        const struct tls_offer_version *v = &o->version[i];

        table_add(t, TINT_NONE, v->name);
        table_add(t, v->pinned && v->usable ? TINT_GOOD : TINT_NONE, v->pinned && v->usable ? "yes" : "no");
        table_add(t, TINT_NONE, !v->pinned ? "the pin does not have it" : v->why);
    }
    table_print(out, t, 0, colour);
    table_free(t);
}

static void print_suites(struct buf *out, const struct tls_offer *o, bool colour)
{
    static const char *const head[] = {"SUITE", "SINCE", "KEY EXCHANGE", "CERTIFICATE", "BITS"};
    struct table *t = o->suites > 0 ? table_new_headed(head, 5) : NULL;

    if (o->suites == 0)
        return;
    for (size_t i = 0; i < o->suites; i++) {
        const struct tls_offer_suite *s = &o->suite[i];

        table_add(t, TINT_NONE, s->name);
        table_add(t, TINT_NONE, s->since);
        table_add(t, TINT_NONE, s->key_exchange);
        table_add(t, TINT_NONE, s->authentication);
        table_addf(t, TINT_NONE, "%d", s->bits);
    }
    buf_char(out, '\n');
    table_print(out, t, 0, colour);
    table_free(t);
}

void tls_offer_print(struct buf *out, const struct tls_offer *o, bool colour)
{
    buf_printf(out, "%s, security level %d\n", o->library, o->security_level);
    if (o->postfix[0] != '\0')
        buf_printf(out, "Postfix  %s\n", o->postfix);
    if (o->exim[0] != '\0')
        buf_printf(out, "Exim     tls_require_ciphers = %s\n", o->exim);
    buf_char(out, '\n');
    print_versions(out, o, colour);
    print_suites(out, o, colour);
    if (o->groups > 0)
        buf_str(out, "\nGroups ");
    for (size_t i = 0; i < o->groups; i++)
        buf_printf(out, " %s", o->group[i]);
    if (o->groups > 0)
        buf_char(out, '\n');
}

/* --- for programs --- */

static json_t *json_versions(const struct tls_offer *o)
{
    json_t *all = json_array();

    for (size_t i = 0; i < TLS_OFFER_VERSIONS; i++) {
        const struct tls_offer_version *v = &o->version[i];

        (void)json_array_append_new(all,
                                    json_pack("{s:s, s:b, s:b, s:b, s:s}", "version", v->name, "pinned", v->pinned,
                                              "usable", v->usable, "offered", v->pinned && v->usable, "why", v->why));
    }
    return all;
}

static json_t *json_suites(const struct tls_offer *o)
{
    json_t *all = json_array();

    for (size_t i = 0; i < o->suites; i++) {
        const struct tls_offer_suite *s = &o->suite[i];

        (void)json_array_append_new(all, json_pack("{s:s, s:s, s:s, s:s, s:s, s:i}", "name", s->name, "standard_name",
                                                   s->standard, "since", s->since, "key_exchange", s->key_exchange,
                                                   "authentication", s->authentication, "bits", s->bits));
    }
    return all;
}

json_t *tls_offer_json(const struct tls_offer *o)
{
    json_t *groups = json_array();

    for (size_t i = 0; i < o->groups; i++)
        (void)json_array_append_new(groups, json_string(o->group[i]));
    return json_pack("{s:s, s:i, s:s, s:s, s:o, s:o, s:o}", "library", o->library, "security_level", o->security_level,
                     "postfix", o->postfix, "exim", o->exim, "versions", json_versions(o), "suites", json_suites(o),
                     "groups", groups);
}
