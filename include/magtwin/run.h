/* What every run has: phases with wall time, memory, a stop flag from signals, an output folder, summary.json. */
#ifndef MAGTWIN_RUN_H
#define MAGTWIN_RUN_H

#include "magtwin/input.h"
#include "magtwin/json.h"
#include <petscsys.h>
#include <stdbool.h>

/* Wall and processor time by phase; phases nest, each is counted whole.  Not collective. */
void mt_phase_begin(const char *name);
void mt_phase_end(const char *name);
double mt_wall(void); /* seconds since the start of the program */

/* USR1, TERM, INT set a flag; all ranks agree on it here.  True when the run should write a checkpoint and end with
 * MT_EXIT_RESUBMIT.  Collective on comm. */
void mt_stop_install(void);
bool mt_stop_agreed(MPI_Comm comm);
bool mt_stop_raised(void); /* on this rank; not collective */
/* A line for stderr at the moment TERM comes, of at most 1 kB: mpirun kills its ranks soon after it, whatever they do,
 * and then it is the last word.  Not collective: for one rank. */
void mt_stop_last_words(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What a refusal may suggest: is there --force; the results (names separated by blanks) that --resume of the subcommand
 * that wrote them continues (not copied).  Set once by main; before that neither is suggested.  Not collective. */
void mt_output_ways(bool force, const char *resumable);
/* The output folder: made if missing, checked for writing.  If it already holds a result (one of `markers`, names
 * separated by blanks, exists) and neither force nor resume: MT_ERR_INPUT and nothing is touched.  Collective. */
PetscErrorCode mt_output_open(MPI_Comm comm, const char *folder, const char *markers, bool force, bool resume);

/* Starts/ends `folder`/summary.json: program, version, command line, input (canonical), ranks, library versions; at the
 * end phases (max over ranks), peak memory per rank (min, max), warnings.  In between the caller adds groups to the
 * object it gets
 * ("counts", "results" with units).  The file is written by rank 0 at the end, atomically.  Collective. */
PetscErrorCode mt_summary_begin(MPI_Comm comm, const char *subcommand, const MtInput *in, MtJson **json);
/* Before a run writes into `folder`: a summary of the same subcommand is removed, so that none stands beside new
 * results that it does not describe; one of another subcommand is kept as summary_<subcommand>.json.  Collective. */
PetscErrorCode mt_summary_clear(MPI_Comm comm, const char *folder, const char *subcommand);
PetscErrorCode mt_summary_end(MPI_Comm comm, const char *folder, MtJson **json);

/* Command line as given, for provenance; set once by main. */
void mt_run_set_command(int argc, char **argv);
const char *mt_run_command(void); /* "" before that; the arguments separated by blanks */
const char *mt_version(void);

#endif
