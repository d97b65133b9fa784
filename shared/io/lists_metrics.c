/* lists_metrics.c - see lists_metrics.h. */
#include "lists_metrics.h"

static bool is_current(const struct operator_lists_state *state)
{
    return state->source == OPERATOR_LISTS_NONE ||
           (state->source == OPERATOR_LISTS_REDIS && state->verdict == LISTS_STAMP_ADOPT &&
            state->read_problem[0] == '\0');
}

void lists_metrics(struct metric *place, const struct operator_lists *lists)
{
    struct operator_lists_state state;
    struct metric *rest = place + LISTS + LISTS;

    operator_lists_state(&state, lists);
    for (size_t i = 0; i < LISTS; i++) {
        place[i].value = state.list[i].entries;
        place[LISTS + i].value = state.list[i].bad != 0 || state.list[i].problem[0] == '\0' ? state.list[i].bad : 1;
    }
    rest[0].value = is_current(&state) ? 1 : 0;
    rest[1].value = (uint64_t)state.since;
}
