/*
 * list.h - the operator's lists: which there are, what the entries of each may say, and finding the entry that goes for
 * a destination or a client. Pure. Entries live in Redis as JSON (list_entry_*), one hash a list, the pattern being the
 * field.
 */
#ifndef POSTERN_LIST_H
#define POSTERN_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "fallback.h"
#include "list_pattern.h"
#include "tls_level.h"

#define LIST_COMMENT_MAX 400
#define LIST_AUTHOR_MAX  64
#define LIST_VALUE_MAX   120
#define LIST_JSON_MAX    4096                  /* octets of an entry */
#define LIST_TIME_MAX    INT64_C(253402300799) /* 9999-12-31T23:59:59Z: what list_line.h can write */

enum list_id {
    LIST_EXCLUDE,         /* no STARTTLS to these */
    LIST_ONLY,            /* STARTTLS only to these; everything else plain, `exclude` is ignored then */
    LIST_REQUIRE,         /* TLS required, at the level of the entry */
    LIST_STS_EXCLUDE,     /* MTA-STS is ignored for these */
    LIST_PROTOCOLS,       /* TLS versions and cipher grade */
    LIST_SMTPS,           /* implicit TLS, port 465 */
    LIST_INBOUND_EXCLUDE, /* clients to which STARTTLS is not offered */
    LIST_INBOUND_REQUIRE, /* clients that must use STARTTLS */
    LIST_LOCAL,           /* our own domains */
    LIST_FALLBACK,        /* what to do when TLS fails */
    LIST_REQUIRETLS,      /* what Postfix 3.11 does with REQUIRETLS mail to these */
    LISTS
};

/* What an entry says, as far as its list has values. */
struct list_value {
    enum tls_level level;    /* require */
    char protocols[72];      /* protocols: Postfix's list, such as ">=TLSv1.2" or "!TLSv1:!TLSv1.1"; "": any */
    char ciphers[8];         /* protocols: "medium", "high", or "" */
    enum fallback_mode mode; /* fallback */
    int64_t seconds;         /* fallback, plain-for */
};

const char *list_name(enum list_id list); /* "exclude", "sts-exclude", …: as in the key list:NAME */

/* Returns 0, or -1 with the names that there are. */
int list_by_name(enum list_id *out, const char *name, struct err *e);

/* Patterns of clients, not of destinations. */
bool list_is_inbound(enum list_id list);

/* One line about what values the entries of a list have, for people; NULL: none. */
const char *list_value_help(enum list_id list);

/*
 * Read a value: require: "encrypt", "verify", "secure", "dane-only"; protocols: "PROTOCOLS [ciphers=GRADE]" as Postfix
 * 3.7 takes them (postconf(5) smtp_tls_mandatory_protocols); fallback: "hold", "plain", "alternate", "alternate-any",
 * "plain-for 1h"; requiretls: a word of smtp_requiretls_policy (Postfix 3.11): "enforce", "opportunistic+starttls",
 * "opportunistic"; the others: "". Returns 0, or -1 with what is wrong in e.
 */
int list_value_parse(struct list_value *out, enum list_id list, const char *text, struct err *e);

/*
 * The versions that such PROTOCOLS allow: bits of LIST_TLS_1_0 and so on. SSL is never among them. 0 with what is wrong
 * in e: text is none, or allows none.
 */
enum { LIST_TLS_1_0 = 4, LIST_TLS_1_1 = 8, LIST_TLS_1_2 = 16, LIST_TLS_1_3 = 32 };
unsigned list_versions(const char *text, size_t len, struct err *e);

/* An entry; one block of memory, free with free(). */
struct list_entry {
    struct list_value value;
    int64_t created;
    int64_t expires;        /* 0: never */
    bool override;          /* may weaken what a destination publishes */
    enum list_form form;    /* of the pattern */
    const char *pattern;    /* in its one form */
    const char *value_text; /* as it was written */
    const char *author;
    const char *comment;
};

struct list_entry_in {
    const char *value;
    const char *author;
    const char *comment;
    int64_t created;
    int64_t expires;
    bool override;
};

/*
 * A new entry. Text is checked: printable UTF-8 on one line, the limits above (blanks before a comment are dropped);
 * values as above; override only where it means something (exclude, sts-exclude); networks and names as the list wants
 * them. NULL with the reason in e.
 */
struct list_entry *list_entry_new(enum list_id list, const struct list_pattern *pattern, const struct list_entry_in *in,
                                  struct err *e);

/* {"v":1,"value":…,"by":…,"comment":…,"created":…,"expires":…,"override":true}; members that say nothing are left out.
 */
void list_entry_to_json(struct buf *out, const struct list_entry *entry);

/* Read one from Redis: foreign text, every member is checked. NULL with the member and the reason in e. */
struct list_entry *list_entry_from_json(enum list_id list, const char *pattern, size_t pattern_len, const char *json,
                                        size_t json_len, struct err *e);

/* The entry holds at this time. */
bool list_entry_live(const struct list_entry *entry, int64_t now);

/* --- a list, indexed --- */

struct list;

struct list *list_new(const uint8_t secret[16]); /* see cache.h; NULL without memory */
void list_free(struct list *l);                  /* NULL-safe */
void list_shrink(struct list *l, size_t by);     /* drop that many entries, whichever: for who frees it in portions */
size_t list_count(const struct list *l);         /* entries, expired ones too */

/* Put an entry, the list's own from now on; one of the same pattern goes. Returns 0, or -1 without memory. */
int list_put(struct list *l, struct list_entry *entry);

/*
 * The entry for a name, most specific first: the name itself, then .parent from the longest on. For a next hop in
 * brackets: list_match_nexthop, with the name or address inside. Expired entries are passed over. Allocates nothing;
 * NULL: none.
 */
const struct list_entry *list_match_name(const struct list *l, const char *name, int64_t now);
const struct list_entry *list_match_nexthop(const struct list *l, const char *inside, int64_t now);

/* The entry for an address, longest prefix first. */
const struct list_entry *list_match_address(const struct list *l, const struct list_address *a, int64_t now);

/* An entry holds at this time. An entry that list_put has replaced counts as if it were still there. */
bool list_holds(const struct list *l, int64_t now);

/* When the next entry expires, INT64_MAX: none will. The same goes for replaced entries. Takes no long walk. */
int64_t list_next_expiry(const struct list *l, int64_t now);

/* Walk, in no order: *cursor starts as NULL; NULL at the end. */
const struct list_entry *list_next(const struct list *l, const void **cursor);

#endif
