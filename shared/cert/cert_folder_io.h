/* cert_folder_io.h - what the files of cert_store_io.h share. */
#ifndef POSTERN_CERT_FOLDER_IO_H
#define POSTERN_CERT_FOLDER_IO_H

#include "cert_store_io.h"

/* "live.pem" and so on. */
const char *cert_file_name(enum cert_file file);

/* The store, to be read. Returns a descriptor, or -1 with the reason and errno. */
int cert_folder_open(const char *folder, struct err *e);

/* The same, to be changed: refused where others than root and whoever runs this could put links into it. */
int cert_folder_open_own(const char *folder, struct err *e);

/* An entry of it. Returns a descriptor, or -1 with errno. */
int cert_entry_open(int store, const char *name);

#endif
