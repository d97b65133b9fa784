/*
 * batch.h - the octets of one batch of counts on its way to Redis: in the spool, and, word for word, as arguments of
 * the script that applies it (counts_apply_io.h). Pure.
 *
 *   "postern-batch 1 " LENGTH " " CHECKSUM "\n"   of what follows: 8 and 16 hex digits (SipHash under a key of zeros)
 *   lane, number, positions (a number), then for each of them its source and text; then entries
 *
 * each a netstring. Entries are words, too:
 *
 *   g DAY DOMAIN                         what follows is of that day and domain
 *   p ID POLICY SUCCESSFUL FAILED        a policy (counts.h) and its sessions; what follows is of it
 *   d DETAIL SESSIONS OTHER              a failure, and what it is counted under where there are too many
 *   l SESSIONS                           sessions under more policies than are kept
 *
 * A lane is a process that made batches, numbered from 1; the number 0 has no entries and is not for Redis.
 */
#ifndef POSTERN_BATCH_H
#define POSTERN_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "counts_text.h"
#include "domain.h"

#define BATCH_LANE_BUF     33 /* 32 hex digits */
#define BATCH_ENTRIES_MAX  1000
#define BATCH_OCTETS_MAX   524288  /* of entries in a batch that is made */
#define BATCH_READ_MAX     1048576 /* of one that is read */
#define BATCH_SOURCES_MAX  8
#define BATCH_SOURCE_MAX   31
#define BATCH_POSITION_MAX 511
#define BATCH_SESSIONS_MAX (UINT64_C(1) << 53) /* in one entry (J1) */
#define BATCH_HEAD         42

/* What was counted: of a policy, or of one detail of it; or sessions that are left out. */
struct batch_entry {
    int32_t day;
    const char *domain;          /* as counts_domain gives it */
    const char *id, *policy;     /* its text; id NULL: too many policies, successful is the sessions left out */
    uint64_t successful, failed; /* 0 in an entry of a detail */
    const char *detail, *other;  /* NULL: none */
    uint64_t sessions;           /* of the detail */
};

struct batch_position {
    char source[BATCH_SOURCE_MAX + 1];
    char position[BATCH_POSITION_MAX + 1];
};

/* --- making one --- */

struct batch_writer {
    struct buf body;
    size_t entries;
    int32_t day;
    char domain[DOMAIN_BUF], id[COUNTS_ID_BUF]; /* that the next words are of */
};

void batch_begin(struct batch_writer *w); /* an empty one; then batch_writer_clear */
void batch_writer_clear(struct batch_writer *w);

/* Returns false when it is full: nothing was added. Entries of one domain, and of one policy, should come together. */
bool batch_add(struct batch_writer *w, const struct batch_entry *entry);

/* Append it to out, and make w empty. */
void batch_end(struct buf *out, struct batch_writer *w, const char *lane, uint64_t number,
               const struct batch_position *position, size_t positions);

/* --- reading one --- */

struct batch_word {
    const char *data; /* borrowed from what was read */
    size_t len;
};

struct batch {
    char lane[BATCH_LANE_BUF];
    uint64_t number;
    struct batch_position position[BATCH_SOURCES_MAX];
    size_t positions;
    struct batch_word *word; /* entries: such as are described above, and no others */
    size_t words, groups;
    size_t total; /* octets that it took */
};

/*
 * Read foreign octets. Returns 1: *out is filled, and to be given to batch_clear; 0: there is not all of it; -1: it is
 * none, or broken; -2: no memory.
 */
int batch_read(struct batch *out, const char *data, size_t len);
void batch_clear(struct batch *b);

/* The octets of a batch that was made here. */
size_t batch_length(const char *data, size_t len);

/* Where the next thing that looks like a batch begins, or len. */
size_t batch_find(const char *data, size_t len);

#endif
