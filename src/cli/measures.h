/* What evaluations found, as tab-separated values: a line of names, then a row a run.  With a first line
 * "# command: ..." they are a table of report/results. */
#ifndef EV_CLI_MEASURES_H
#define EV_CLI_MEASURES_H

#include <stddef.h>

/* Evaluate the runs of those folders, all VQ-VAEs or none, on their test images, and print; nothing is
 * written into the folders.  data: another folder of images, or NULL.  Returns an exit status; messages
 * go to standard error, and the rows before a failure stay printed. */
int ev_measures_print(size_t count, char *const *folders, const char *data, size_t log_px_images);

#endif
