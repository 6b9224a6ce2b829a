/* A sweep: the same run, or command, at many points laid out beforehand; one folder a point, one table.
 *
 * In the folder of the results: points.csv (what was laid out), base.yaml (the input of the runs as it was then) or
 * evaluation.txt (the command), points/0001/ (see process.h: exit_code, running.lock, output; starts: who ran it and
 * when; claim.lock: held while it is looked at to be started), results.csv, results.h5.  What a point's folder holds
 * is its status; nothing else is remembered, so that a sweep killed anywhere is continued by running it again, by any
 * number of processes after one another, or by the tasks of a job array at the same time.
 */
#ifndef MAGTWIN_SWEEP_H
#define MAGTWIN_SWEEP_H

#include "magtwin/campaign.h"

extern const MtKey mt_sweep_keys[];

typedef struct MtSweep MtSweep; /* opaque */

/* Lays out the points of section sweep; folder: of the results (copied).  MT_ERR_INPUT for a rule between keys, or
 * where no point satisfies the constraints.  Not collective (the same on every rank); free with mt_sweep_destroy. */
PetscErrorCode mt_sweep_create(const MtInput *in, const char *folder, MtSweep **s);
void mt_sweep_destroy(MtSweep **s);
/* Would the runs be accepted?  Asks for the first point, and for one with the smallest and one with the largest value
 * of every axis.  Collective. */
PetscErrorCode mt_sweep_check_runs(MtSweep *s, MtRunCheck check);
/* MT_ERR_INPUT, with the line, where the folder holds a sweep with other points, another base input or command; else
 * keeps these.  Collective. */
PetscErrorCode mt_sweep_open(MPI_Comm comm, MtSweep *s);

/* Runs what is missing, several at a time.  Where nothing is, those that failed are run once more.  *stopped: by a
 * signal, after handing it on.  MT_ERR_INPUT where another process runs the sweep.  Collective; rank 0 works. */
PetscErrorCode mt_sweep_run(MPI_Comm comm, MtSweep *s, MtJson *json, bool *stopped);
/* Runs point `number` (from 1) alone, unless it is done, and gives its exit code; for a task of a job array.  One that
 * another process runs is waited for.  One that has failed is run again, but not by a task that SLURM started again
 * (SLURM_RESTART_COUNT).  Collective. */
PetscErrorCode mt_sweep_point(MPI_Comm comm, MtSweep *s, int number, int *code);
/* Prints counts and what failed, and writes the table anew.  Collective. */
PetscErrorCode mt_sweep_status(MPI_Comm comm, MtSweep *s);
/* Writes sweep.slurm, a job array of the points that are not done, at most 1000 tasks; words: input file and overrides.
 * Collective. */
PetscErrorCode mt_sweep_slurm(MPI_Comm comm, const MtSweep *s, int nwords, const char *const *words);

#endif
