/* lmtp_parameter.h - what lmtp_command.c and lmtp_parameter.c have between them. */
#ifndef POSTERN_LMTP_PARAMETER_H
#define POSTERN_LMTP_PARAMETER_H

#include "lmtp_command.h"

void lmtp_blanks_skip(struct smtp_text *rest);

/* Read all parameters of MAIL or RCPT; rest is empty, or begins with a blank. Returns 0, or -1 with the reply. */
int lmtp_parameters_read(struct lmtp_command *out, struct smtp_text *rest, struct smtp_refusal *r);

#endif
