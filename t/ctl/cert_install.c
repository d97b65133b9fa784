/* cert_install.c - CONF NAME: what a renewal does when live.pem of NAME has been replaced. Prints what it says. */
#include "cert_install_io.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    struct conf *conf = NULL;
    struct err e = {""};
    struct buf said;
    int rc;

    if (argc != 3 || conf_read(&conf, argv[1], &e) != 0) {
        fprintf(stderr, "%s\n", e.text);
        return 2;
    }
    buf_init(&said, 65536);
    rc = cert_install(conf, argv[2], &said, &e);
    fputs(buf_text(&said), stdout);
    if (rc != 0)
        fprintf(stderr, "%s\n", e.text);
    buf_clear(&said);
    conf_free(conf);
    return rc == 0 ? 0 : 1;
}
