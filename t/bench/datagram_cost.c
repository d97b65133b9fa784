/*
 * datagram_cost.c - what reading a datagram costs when it is new, and when it is known (datagram_memory.c), without
 * any socket.
 *     datagram_cost FILE [ROUNDS]       a datagram a line
 */
#include "datagram_memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LINES_MAX 1000

static double seconds(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static double cost(char *const *line, size_t lines, size_t rounds, size_t entries)
{
    struct datagram_memory *m = datagram_memory_new(entries, (size_t)1 << 25, (const uint8_t *)"0123456789abcdef");
    double begun = seconds();

    for (size_t i = 0; m != NULL && i < rounds * lines; i++)
        if (datagram_memory_read(m, line[i % lines], strlen(line[i % lines]), NULL) == NULL)
            exit(1);
    begun = (seconds() - begun) / (double)(rounds * lines) * 1e6;
    datagram_memory_free(m);
    return begun;
}

int main(int argc, char **argv)
{
    FILE *f = argc < 2 ? NULL : fopen(argv[1], "r");
    size_t lines = 0, rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 5000, cap, octets = 0;
    char *line[LINES_MAX];
    ssize_t len;

    while (f != NULL && lines < LINES_MAX) {
        line[lines] = NULL;
        cap = 0;
        len = getline(&line[lines], &cap, f);
        if (len <= 0)
            break;
        line[lines][len - 1] = '\0';
        octets += (size_t)len - 1;
        lines++;
    }
    if (lines == 0)
        return 2;
    printf("  a datagram of %zu octets on average: %.2f us when it is new, %.2f us when it is known\n", octets / lines,
           cost(line, lines, rounds / 10 + 1, 1), cost(line, lines, rounds, LINES_MAX));
    return 0;
}
