/* judge_io.h - what becomes of a message: the rules are asked, the flags planned, and the MTA told. */
#ifndef POSTERN_JUDGE_IO_H
#define POSTERN_JUDGE_IO_H

#include "session_io.h"

/* At the end of a message. What the callback returns; whatever goes wrong here puts the message off. */
sfsistat judge_message(SMFICTX *ctx, struct session *s, struct present *present);

#endif
