/* log_source_io.c - see log_source_io.h. */
#include "log_source_io.h"
