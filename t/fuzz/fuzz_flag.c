/*
 * fuzz_flag.c - a message and its recipients, pieces of addresses or any octets, with parameters: flag_demand.h says
 * what must hold.
 */
#include "flag_demand.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LONG (ADDRESS_TAG_MAX - 20) /* octets that bring an address near its limit */

static const char *const piece[] = {"",
                                    "u",
                                    "v",
                                    "+",
                                    "requiretls",
                                    "tlsoptional",
                                    "+requiretls",
                                    "+tlsoptional",
                                    "+REQUIREtls",
                                    "+TLSOptional",
                                    "\"",
                                    "\\",
                                    "@d.test",
                                    "@ours.test",
                                    "@[192.0.2.1]",
                                    "@",
                                    "%",
                                    "!",
                                    " ",
                                    "<",
                                    ">",
                                    "@a.test:",
                                    "\303\274",
                                    "\377",
                                    "-tls",
                                    "=notls",
                                    "\r",
                                    "(",
                                    ")",
                                    ",",
                                    ";"};

static const char *const word[] = {"NOTIFY=NEVER",
                                   "NOTIFY=SUCCESS",
                                   "notify=failure,delay",
                                   "NOTIFY=SUCCESS,FAILURE,DELAY",
                                   "ORCPT=rfc822;x@y.test",
                                   "orcpt=rfc822;u+2Brequiretls@d.test",
                                   "RRVS=x",
                                   "NOTIFY=NEVER X",
                                   "ORCPT=a\tb"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ADDRESS      4000
#define PARAMETERS   3

static void address_make(char out[ADDRESS], struct recipe *r)
{
    unsigned shape = take(r);
    size_t len = 0;

    if ((shape & 1) == 0)
        out[len++] = '<';
    for (unsigned n = take(r) % 12; n > 0; n--) {
        unsigned what = take(r);
        const char *text = what < 200 ? piece[what % COUNT(piece)] : "";

        if (what >= 250)
            len += (size_t)snprintf(out + len, ADDRESS - len, "%0*d", (int)(LONG + take(r) % 24 - len % 200), 0);
        else if (what >= 200)
            out[len++] = (char)(take(r) | 1); /* no NUL */
        len += (size_t)snprintf(out + len, ADDRESS - len, "%s", text);
        if (len > 2 * ADDRESS_TAG_MAX)
            break;
    }
    if ((shape & 2) == 0)
        len += (size_t)snprintf(out + len, ADDRESS - len, "@%s", (shape & 4) == 0 ? "d.test" : "ours.test");
    snprintf(out + len, ADDRESS - len, "%s", (shape & 1) == 0 ? ">" : "");
}

static void parameters_make(const char *out[PARAMETERS + 1], struct recipe *r)
{
    size_t n = 0;

    for (unsigned choices = take(r); n < PARAMETERS && choices > 0; choices /= COUNT(word) + 1)
        if (choices % (COUNT(word) + 1) > 0)
            out[n++] = word[choices % (COUNT(word) + 1) - 1];
    out[n] = NULL;
}

/* "-tls" is the end of "=notls" but for what stands before it. */
static struct flag_options options_make(unsigned choices)
{
    struct flag_options o = {{'+', "requiretls"}, {'+', "tlsoptional"}, (choices & 1) == 0};

    if ((choices & 0x80) == 0)
        return o;
    o.requiretls = (struct address_tag){'-', "tls"};
    o.optional = (struct address_tag){'=', "notls"};
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char address[FLAG_DEMAND_MAX][ADDRESS];
    const char *parameter[FLAG_DEMAND_MAX][PARAMETERS + 1];
    struct flag_recipient recipient[FLAG_DEMAND_MAX];
    struct recipe r = {data, size};
    unsigned choices = take(&r);
    struct flag_options o = options_make(choices);
    struct rule rule = {.name = "r", .action = (enum rule_action)((choices >> 3) % RULE_ACTIONS)};
    struct flag_message m = {.recipient = recipient, .rule = (choices & 0x40) != 0 ? &rule : NULL};

    m.mail_requiretls = (choices & 2) != 0;
    m.no = (choices & 4) != 0 ? TLS_REQUIRED_NO : TLS_REQUIRED_NONE;
    for (; m.recipients < FLAG_DEMAND_MAX && r.left > 0; m.recipients++) {
        address_make(address[m.recipients], &r);
        parameters_make(parameter[m.recipients], &r);
        recipient[m.recipients] = (struct flag_recipient){address[m.recipients], parameter[m.recipients]};
    }
    (void)flag_try(&o, &m);
    return 0;
}
