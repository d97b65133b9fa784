/*
 * fuzz_maillog.c - a log, line by line. A line that is none of a log file is given as what one of four smtp processes,
 * qmgr or bounce said. Whatever stands in it, an attempt has its names, addresses and words in the form that is
 * promised.
 */
#include "ascii.h"
#include "maillog.h"
#include "recipe.h"

#define NOW 1795255200

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand_attempt(void *ctx, const struct tls_attempt *a)
{
    char form[DOMAIN_BUF], address[ADDRESS_BUF];

    (void)ctx;
    demand(domain_normalise(form, a->domain, strlen(a->domain), NULL) == 0 && domain_equal(form, a->domain));
    demand(a->host[0] == '\0' ||
           (domain_normalise(form, a->host, strlen(a->host), NULL) == 0 && domain_equal(form, a->host)));
    demand(a->address[0] == '\0' ||
           (address_normalise(address, a->address, strlen(a->address)) == 1 && strcmp(address, a->address) == 0));
    demand(a->sender[0] == '\0');
    demand(a->tls <= ATTEMPT_TLS && a->trust <= ATTEMPT_VERIFIED && a->fault <= ATTEMPT_FAULT_OTHER &&
           a->end <= ATTEMPT_MX_UNNAMED);
    demand(a->trust == ATTEMPT_TRUST_UNKNOWN || a->tls == ATTEMPT_TLS);
    demand(memchr(a->reason, '\0', sizeof(a->reason)) != NULL);
    for (const char *c = a->reason; *c != '\0'; c++)
        demand(ascii_is_visible(*c));
}

static void add_line(struct maillog *m, const char *line, size_t len, int64_t at)
{
    struct maillog_entry entry = {at, "postfix/smtp", 12, len > 0 ? line[0] % 4 : 0, line, len};

    if (maillog_entry_read(&entry, line, len, NOW)) {
        demand(entry.text + entry.text_len == line + len || len > MAILLOG_LINE_MAX);
        demand(maillog_ident_wanted(entry.ident, entry.ident_len) && entry.pid >= 0);
    } else if (len > 0 && line[0] == '!') {
        entry = (struct maillog_entry){at, "postfix/x/qmgr", 14, 1, line + 1, len - 1};
    } else if (len > 0 && line[0] == '?') {
        entry = (struct maillog_entry){at, "postfix/bounce", 14, 1, line + 1, len - 1};
    }
    maillog_add(m, &entry, demand_attempt, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct maillog *m = maillog_new("postfix", "r@us.example");
    const char *at = (const char *)data, *end;
    int64_t seconds = NOW;

    demand(m != NULL);
    while (size > 0) {
        end = memchr(at, '\n', size);
        add_line(m, at, end == NULL ? size : (size_t)(end - at), seconds++);
        size -= end == NULL ? size : (size_t)(end - at) + 1;
        at = end == NULL ? at : end + 1;
    }
    maillog_free(m);
    return 0;
}
