/*
 * rule_mail.h - a message, as it was received, made what rules see of it (rule_eval.h): header fields decoded, the body
 * taken apart, names of attachments, texts in UTF-8. Pure. The milter and `posternctl rules test` both use it.
 *
 *   headers   every field in its order, the value as header_decode has it, doubted when that is not sure of it
 *   body      the text of every part that is text, an attached file of text too, and of what could not be gone into
 *   attachment.type, attachment.name    of parts that are attachments (mime.h), messages within messages too
 *
 * message.cut says where something could have been hidden: all of it when fields were left out, as one of them could
 * have said what the body is made of; BODY and ATTACHMENTS when a limit was passed (mime_cut, but for its end), or a
 * multipart or message was not gone into; BODY when a text has an unknown charset or transfer encoding, or octets that
 * its charset does not have (enum mime_doubt); ATTACHMENTS when a name has.
 */
#ifndef POSTERN_RULE_MAIL_H
#define POSTERN_RULE_MAIL_H

#include "header_field.h"
#include "mime.h"
#include "rule_eval.h"

#define RULE_MAIL_DEPTH       20        /* multiparts and messages within one another */
#define RULE_MAIL_PARTS       500       /* of a message */
#define RULE_MAIL_TEXT        (4 << 20) /* octets of all texts together, in UTF-8 */
#define RULE_MAIL_CONVERSIONS 2000      /* of texts, names and runs of encoded words by the converter */
#define RULE_MAIL_WHY_MAX     100

/* Octets, which stay the caller's and must outlive the result. */
struct rule_mail_source {
    const struct header_field *field;
    size_t fields;
    bool fields_left_out; /* there are more than these */
    const char *body;     /* its first octets */
    size_t body_len;
    bool body_more;        /* there are more than these */
    bool shape_left_out;   /* and of them more than text may be missing: boundaries, headers of parts */
    int64_t size;          /* of the whole message; -1: unknown */
    mime_convert *convert; /* charsets that mime_charset.h does not know; NULL: none */
};

struct rule_mail {
    struct rule_message message; /* envelope and client are the caller's to set */
    struct rule_header *header;
    bool *doubted; /* NULL: no field is */
    struct rule_part *part;
    struct buf text; /* decoded values */
    struct mime mime;
    char charset_why[RULE_MAIL_WHY_MAX]; /* names the first charset that is not known */
};

/*
 * Read what a set of rules needs (bits of enum rule_need), and leave out the rest. That the body has more octets than
 * these does not count as cut: rules are about its first octets. The work is linear in the octets. Returns 0, and
 * rule_mail_clear frees it; or -1 without memory, and nothing is to free. message points into *out, which may not move.
 */
int rule_mail_read(struct rule_mail *out, const struct rule_mail_source *source, unsigned need);

void rule_mail_clear(struct rule_mail *mail); /* safe on a cleared one */

#endif
