/* text_demand.h - text that was made fit to be read: UTF-8, and no NUL in it. */
#ifndef POSTERN_T_TEXT_DEMAND_H
#define POSTERN_T_TEXT_DEMAND_H

#include "recipe.h"
#include "utf8.h"

static inline void demand_text(const char *text, size_t len)
{
    demand(text != NULL && strlen(text) == len);
    for (size_t i = 0, octets; i < len; i += octets) {
        octets = utf8_measure(text + i, len - i);
        demand(octets > 0);
    }
}

#endif
