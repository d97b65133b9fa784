/* datagram_io.c - see datagram_io.h. */
#include "datagram_io.h"
