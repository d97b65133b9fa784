/* attempt_judge.c - see attempt_judge.h. */
#include "attempt_judge.h"
