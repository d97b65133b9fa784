/* report_job_io.c - see report_job_io.h. */
#include "report_job_io.h"
