/* receiver_next.h - what a receiver has taken, handed on to a real MTA. */
#ifndef POSTERN_T_RECEIVER_NEXT_H
#define POSTERN_T_RECEIVER_NEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * Add MAIL or RCPT, as it came, to an envelope; MAIL begins a new one. REQUIRETLS, SIZE and what DSN has stay behind:
 * what the next one is to say of them has been seen already.
 */
void next_envelope_add(char *envelope, size_t size, const char *command);

/*
 * Deliver to ADDRESS:PORT in clear: the envelope, and the octets of a message from the file's beginning on, with dots
 * doubled and without the final one. reply: what it said to the message, or to the step that it refused, or 451.
 */
void next_deliver(char *reply, size_t size, const char *where, const char *envelope, FILE *message);

#endif
