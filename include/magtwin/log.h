/* What a person reads while the program runs.  Only rank 0 of MPI_COMM_WORLD prints.  Not collective, unless said. */
#ifndef MAGTWIN_LOG_H
#define MAGTWIN_LOG_H

#include <stdbool.h>

/* One line on stdout. */
void mt_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* One line "warning: ..." on stderr; also kept, and written to summary.json under "warnings". */
void mt_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Warnings so far on this rank, and the text of one, 0 <= i < count. */
int mt_warn_count(void);
const char *mt_warn_text(int i);

/* true: lines and warnings are dropped from now on, where work is done once more that has said all already. */
void mt_log_hush(bool hush);

/* A progress line: rewritten in place on a terminal; elsewhere printed whole at most every few seconds.
 * mt_progress_end leaves the last one standing and starts a new line. */
void mt_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));
void mt_progress_end(void);

/* Seconds as "3 m 20 s"; returns buf. */
const char *mt_duration(double seconds, char buf[32]);

#endif
