/* report_signed_io.c - see report_signed_io.h. */
#include "report_signed_io.h"

#include "dkim_key_io.h"
#include "report_mail.h"
#include "tlsrpt_record.h"

#include <stdlib.h>
#include <string.h>

/* The first address of a mail, and how many there are. */
static size_t mail_addresses(char first[RUA_ADDRESS_BUF], const char *record)
{
    struct tlsrpt_record *r = malloc(sizeof(*r));
    char address[RUA_ADDRESS_BUF];
    size_t count = 0;

    if (r != NULL && tlsrpt_record_parse(r, record, strlen(record), NULL) == 1)
        for (size_t i = 0; i < r->rua_count; i++)
            if (rua_mailto_address(address, r->rua[i], strlen(r->rua[i]), NULL) == 0 && count++ == 0)
                memcpy(first, address, sizeof(address));
    free(r);
    return count;
}

static int key_add(struct dkim_key key[2], size_t *count, const struct report *r, const char *path,
                   const char *selector, struct err *e)
{
    struct err warning;

    if (path[0] == '\0')
        return 0;
    if (dkim_key_read(&key[*count].key, path, &warning, e) != 0)
        return -1;
    key[*count].domain = r->submitter;
    key[*count].selector = selector;
    ++*count;
    return 0;
}

int report_signed(struct buf *out, size_t *mails, const struct report *r, const char *record,
                  const struct conf_tlsrptd *conf, const char *unique, int64_t now, struct err *e)
{
    char to[RUA_ADDRESS_BUF] = "";
    struct dkim_key key[2] = {{0}};
    struct report_mail mail = {
        .from = conf->from[0] != '\0' ? conf->from : conf->contact, .to = to, .key = key, .now = now, .unique = unique};
    int rc = 0;

    *mails = mail_addresses(to, record);
    if (*mails == 0)
        return 0;
    if (key_add(key, &mail.keys, r, conf->rsa_key, conf->rsa_selector, e) != 0 ||
        key_add(key, &mail.keys, r, conf->ed25519_key, conf->ed25519_selector, e) != 0 ||
        report_mail_build(out, r, &mail, e) != 0)
        rc = -1;
    for (size_t i = 0; i < mail.keys; i++)
        EVP_PKEY_free(key[i].key);
    return rc;
}
