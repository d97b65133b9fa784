/*
 * spool_io.h - a folder where batches (batch.h) wait until Redis has them for good. Files of batches, one after the
 * other ("00000001.batches"), each batch synced before it counts as safe; a file goes when all in it was forgotten.
 * Each file begins with the positions of the sources. One process at a time has the folder. What a crash or a power
 * failure cut off is passed over, and counted.
 *
 * Writing may fail, and work again later. What is written, synced and not forgotten comes back at the next start.
 */
#ifndef POSTERN_SPOOL_IO_H
#define POSTERN_SPOOL_IO_H

#include <stddef.h>
#include <stdint.h>

#include "batch.h"
#include "buf.h"
#include "err.h"

struct spool;
struct spool_file;

/* Where a batch is; file NULL: nowhere. */
struct spool_place {
    struct spool_file *file;
    int64_t offset;
    size_t len;
};

/* Called for each batch that is there, from the oldest; valid during the call. */
typedef void spool_found_fn(void *ctx, const struct batch *batch, const struct spool_place *place);

/*
 * The folder is made when it is not there. lane: of the process; max: octets. NULL with the reason in e; a disk that is
 * full is none: the spool fails then until there is room.
 */
struct spool *spool_open(const char *folder, const char *lane, int64_t max, spool_found_fn *fn, void *ctx,
                         struct err *e);
void spool_close(struct spool *s); /* NULL-safe; what is there stays */

/*
 * Append so many batches, one behind the other in octets; *place is where the first is. They are safe when it returns
 * 0; -1 with the reason in e: none of them is, and they are to be written again.
 */
int spool_write(struct spool *s, struct spool_place *place, const char *octets, size_t len, size_t batches,
                const struct batch_position *position, size_t positions, struct err *e);

/* Read a batch again. Returns 0, or -1 with the reason. */
int spool_read(struct spool *s, struct buf *out, const struct spool_place *place, struct err *e);

/* The batch is not needed any more. */
void spool_forget(struct spool *s, const struct spool_place *place);

/* The newest position of a source, on disk; NULL: none. */
const char *spool_position(const struct spool *s, const char *source);

int64_t spool_octets(const struct spool *s);  /* of all files */
uint64_t spool_broken(const struct spool *s); /* batches that were cut or broken, as far as can be told */

#endif
