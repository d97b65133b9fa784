/* workers.c - see workers.h. Jansson's interface has no const, and its getters change nothing. */
#include "workers.h"

#include <string.h>

static void add_domain(json_t *all, const json_t *entry, size_t worker)
{
    json_t *domains = json_object_get(all, "domains");
    json_t *copy = json_copy((json_t *)entry);

    if (domains == NULL) {
        domains = json_array();
        json_object_set_new(all, "domains", domains);
    }
    json_object_set_new(copy, "worker", json_integer((json_int_t)worker));
    json_array_append_new(domains, copy);
}

static void add_member(json_t *all, const char *name, const json_t *value, size_t worker)
{
    const json_t *before = json_object_get(all, name);

    if (json_is_integer(value))
        json_object_set_new(all, name, json_integer(json_integer_value(before) + json_integer_value(value)));
    else if (json_is_boolean(value))
        json_object_set_new(all, name, json_boolean(json_is_true(before) || json_is_true(value)));
    else if (json_is_array(value) && before == NULL)
        json_object_set_new(all, name, json_array());
    for (size_t i = 0; i < json_array_size(value); i++)
        add_domain(all, json_array_get(value, i), worker);
}

void workers_add(json_t *all, const json_t *one, size_t worker)
{
    if (json_object_get(one, "domain") != NULL) {
        add_domain(all, one, worker);
        return;
    }
    for (void *i = json_object_iter((json_t *)one); i != NULL; i = json_object_iter_next((json_t *)one, i))
        add_member(all, json_object_iter_key(i), json_object_iter_value(i), worker);
}
