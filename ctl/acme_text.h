/* acme_text.h - certificates by ACME, as JSON and as text for people. Pure. */
#ifndef POSTERN_ACME_TEXT_H
#define POSTERN_ACME_TEXT_H

#include <jansson.h>

#include "acme_entry_io.h"
#include "acme_renew_io.h"

/* What a run has done; why: it could not go on at all, "" else. */
json_t *acme_renewal_json(const char *name, const struct acme_renewal *r, const char *why);

/* How one stands. */
json_t *acme_entry_json(const struct acme_entry *a);

/* Arrays of these. Errors stick in out. */
void acme_renewals_print(struct buf *out, const json_t *rows, int64_t now, bool colour);
void acme_entries_print(struct buf *out, const json_t *rows, int64_t now, bool colour);

#endif
