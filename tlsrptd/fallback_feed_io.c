/* fallback_feed_io.c - see fallback_feed_io.h. */
#include "fallback_feed_io.h"
