/* report_settings_io.c - see report_settings_io.h. */
#include "report_settings_io.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "dkim_key_io.h"
#include "log.h"

static int add_key(struct report_identity *out, const char *path, const char *selector, struct err *e)
{
    struct err warning = {""};
    EVP_PKEY *key;

    if (path[0] == '\0')
        return 0;
    if (dkim_key_read(&key, path, &warning, e) != 0)
        return -1;
    if (warning.text[0] != '\0')
        log_warning("dkim-key", "file=%s warning=%s", path, warning.text);
    out->key[out->keys++] = (struct dkim_key){.domain = out->submitter, .selector = selector, .key = key};
    return 0;
}

int report_identity_read(struct report_identity *out, const struct conf_tlsrptd *conf, struct err *e)
{
    const char *at = strrchr(conf->contact, '@');

    memset(out, 0, sizeof(*out));
    if (at == NULL)
        return 0;
    if (domain_normalise(out->submitter, at + 1, strlen(at + 1), e) != 0)
        return err_prefix(e, "contact");
    out->settings =
        (struct report_settings){.organization = conf->organization[0] != '\0' ? conf->organization : out->submitter,
                                 .contact = conf->contact,
                                 .submitter = out->submitter};
    out->from = conf->from[0] != '\0' ? conf->from : conf->contact;
    if (add_key(out, conf->rsa_key, conf->rsa_selector, e) == 0 &&
        add_key(out, conf->ed25519_key, conf->ed25519_selector, e) == 0)
        return 0;
    report_identity_clear(out);
    return -1;
}

void report_identity_clear(struct report_identity *i)
{
    for (size_t k = 0; k < i->keys; k++)
        EVP_PKEY_free(i->key[k].key);
    memset(i, 0, sizeof(*i));
}

int report_authorities_check(const char *ca_file, struct err *e)
{
    if (ca_file[0] == '\0' || access(ca_file, R_OK) == 0)
        return 0;
    return err_set(e, "ca_file: %s: %s; certificates of https: destinations cannot be checked", ca_file,
                   strerror(errno));
}

int report_settings_check(const struct conf_tlsrptd *conf, struct err *e)
{
    struct report_identity identity;

    if (report_authorities_check(conf->ca_file, e) != 0 || report_identity_read(&identity, conf, e) != 0)
        return -1;
    report_identity_clear(&identity);
    return 0;
}
