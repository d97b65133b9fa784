/* whole_file.h - files that are read, and replaced, as a whole. */
#ifndef POSTERN_WHOLE_FILE_H
#define POSTERN_WHOLE_FILE_H

#include "buf.h"
#include "err.h"

#include <sys/types.h>

/* Append all of a file to out, whose limit is the file's. Returns 1, 0 when there is none, or -1 with "PATH: reason".
 */
int whole_file_read(struct buf *out, const char *path, struct err *e);

/*
 * Write a new file and put it in the old one's place when it is safe on disk: a whole file or the old one, also when
 * the power fails. Mode 0640. For a folder of ours, where nobody else writes. Waits for the disk. Returns 0, or -1 with
 * errno.
 */
int whole_file_replace(const char *path, const char *data, size_t len);

/* What a file is to be; uid and gid (uid_t)-1 and (gid_t)-1: whoever writes it. */
struct whole_file_owner {
    mode_t mode;
    uid_t uid;
    gid_t gid;
};

#define WHOLE_FILE_FRESH ".postern-new" /* behind the name of a file that is being put */

/*
 * The same in a folder where others may write, and for any owner: what stands beside the file, of one that was killed
 * or planted there, is taken away, no link is followed, and until all of it is there nobody else can read it. name has
 * no slash; a link of that name is replaced. Returns 0, or -1 with errno: the old file is there, but where its folder
 * could not be synced the new one.
 */
int whole_file_put_at(int folder, const char *name, const char *data, size_t len, const struct whole_file_owner *owner);

/* The same by its path. */
int whole_file_put(const char *path, const char *data, size_t len, const struct whole_file_owner *owner);

/* Write all of it. Returns 0, or -1 with errno. */
int whole_file_write(int fd, const char *data, size_t len);

/* Wait until a file's name is safe on disk, which it is when its folder is. Returns 0, or -1 with errno. */
int whole_file_sync_name(const char *path);

#endif
