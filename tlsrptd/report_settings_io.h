/* report_settings_io.h - who reports, and with which keys, out of the configuration, and the authorities. */
#ifndef POSTERN_REPORT_SETTINGS_IO_H
#define POSTERN_REPORT_SETTINGS_IO_H

#include "conf.h"
#include "dkim.h"
#include "domain.h"
#include "err.h"
#include "report.h"

#define REPORT_KEYS_MAX 2

struct report_identity {
    struct report_settings settings; /* borrows from conf, and from submitter */
    const char *from;                /* so does this */
    char submitter[DOMAIN_BUF];      /* "" without a contact: nothing is reported */
    struct dkim_key key[REPORT_KEYS_MAX];
    size_t keys;
};

/* Reads the keys; what is doubtful with them is logged. Returns 0, or -1 with the reason, nothing to clear. *out stays
 * where it is, and conf is there until it is cleared. */
int report_identity_read(struct report_identity *out, const struct conf_tlsrptd *conf, struct err *e);
void report_identity_clear(struct report_identity *i);

/* Without authorities every POST would fail: -1 with the reason when the file, "" for the system's, cannot be read. */
int report_authorities_check(const char *ca_file, struct err *e);

/* Whether the keys and the authorities can be read. Returns 0, or -1 with the reason. */
int report_settings_check(const struct conf_tlsrptd *conf, struct err *e);

#endif
