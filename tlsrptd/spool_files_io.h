/* spool_files_io.h - the folder of the spool, its lock and its files. Private to spool_io.c. */
#ifndef POSTERN_SPOOL_FILES_IO_H
#define POSTERN_SPOOL_FILES_IO_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

#define SPOOL_FOLDER_BUF 1024
#define SPOOL_NAME_BUF   32
#define SPOOL_FILE_MAX   134217728 /* octets of a file that is read */

/* "00000001.batches" */
void spool_file_name(char out[SPOOL_NAME_BUF], uint64_t number);

/* Make the folder when it is not there, and open it. Returns a descriptor, or -1 with the reason. */
int spool_folder_open(const char *folder, struct err *e);

/* Returns the descriptor that holds the lock, or -1 with the reason: another process has it. */
int spool_folder_lock(int folder_fd, const char *folder, struct err *e);

/* Numbers of the files, sorted; *number to be freed, also after -1 (reason in e). */
int spool_files_list(const char *folder, uint64_t **number, size_t *count, struct err *e);

/* Read a file. Returns a descriptor for more reads, or -1 with the reason. */
int spool_file_load(int folder_fd, uint64_t number, struct buf *out, struct err *e);

/* A new one. Returns a descriptor, or -1 with errno. */
int spool_file_make(int folder_fd, uint64_t number);

/* Write at the end of what is good, and sync; read a part. Both return 0, or -1 with errno. */
int spool_file_write(int fd, int64_t offset, const char *octets, size_t len);
int spool_file_read(int fd, int64_t offset, size_t len, struct buf *out);

#endif
