/* cert_view.h - certificates of the store for people and programs: list, show and check. Pure. */
#ifndef POSTERN_CERT_VIEW_H
#define POSTERN_CERT_VIEW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "cert_store_io.h"

/* One line each. */
void cert_list_print(struct buf *out, const struct cert_entries *all, int64_t now, bool colour);

/* {"name", "title", "source", "hosts", "issuer", "key", "not_before", "not_after", "days_left", "use", "trouble"}; of a
 * member that is not known, null. json_decref; NULL without memory. */
json_t *cert_list_json(const struct cert_entry *entry, int64_t now);

/* Every certificate of the chain. */
void cert_show_print(struct buf *out, const struct cert_entry *entry, int64_t now, bool colour);
json_t *cert_show_json(const struct cert_entry *entry, int64_t now);

/* What has to be done with it, in a sentence: something ends within so many seconds, or is wrong. "" when all is well.
 */
void cert_check(struct err *out, const struct cert_entry *entry, int64_t warn, int64_t now);

#endif
