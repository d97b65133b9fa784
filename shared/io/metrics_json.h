/* metrics_json.h - the numbers of /metrics as members of what a daemon says of itself (posternctl status). Pure. */
#ifndef POSTERN_METRICS_JSON_H
#define POSTERN_METRICS_JSON_H

#include <jansson.h>

#include "metrics_text.h"

/*
 * Add each metric, by its name without the prefix (of `skip` octets), unless the object has a member of that name. A
 * family with labels becomes an object of the values of its labels, with those that are not 0; it is left out when all
 * are.
 */
void metrics_json(json_t *object, const struct metric *m, size_t count, size_t rows, size_t skip);

#endif
