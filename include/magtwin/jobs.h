/* Jobs of SLURM: their script, submitting one, and what is in the queue, by SLURM's own programs (sbatch, squeue).
 * Rank 0 alone; nothing here is collective. */
#ifndef MAGTWIN_JOBS_H
#define MAGTWIN_JOBS_H

#include <petscsys.h>
#include <stdbool.h>

/* A script that runs `magtwin words NUMBER` for one number or several, hands USR1 and TERM on, goes back into the queue
 * where one ends with MT_EXIT_RESUBMIT (but not after TERM, of scancel), and ends with the exit code of the first that
 * is not 0. */
typedef struct {
  const char *what;   /* one line: what the jobs do */
  const char *name;   /* of the job */
  const char *array;  /* "1-8%2"; NULL: no array */
  const char *log;    /* pattern of sbatch; NULL: given on its command line */
  const char *words;  /* of magtwin, quoted, before the number */
  const char *first;  /* number, as the shell reads it: "SLURM_ARRAY_TASK_ID", "$1" */
  const char *last;   /* and the last one */
  int step;           /* from one number of the job to its next */
  const char *itself; /* the job, as scontrol requeue takes it */
} MtJobScript;
/* Writes it for jobs that work in the folder this process is in.  MT_ERR_INPUT where that is gone, codes of
 * mt_file_write. */
PetscErrorCode mt_jobs_script(const char *path, const MtJobScript *j);

bool mt_jobs_possible(void); /* are SLURM's programs there? */

/* The jobs of this user that are waiting, running or going back into the queue. */
typedef struct {
  char *text; /* owned: lines "number name" */
} MtJobs;
/* Asks SLURM; false, and jobs as before, where it does not answer (it is down, or there is none), *why then its words;
 * the caller frees. */
bool mt_jobs_list(MtJobs *jobs, char **why);
long mt_jobs_find(const MtJobs *jobs, const char *name); /* number of the job of this name, 0: none */
void mt_jobs_free(MtJobs *jobs);                         /* a zeroed struct is fine */
/* Submits `script word` under a name, its log in `log`; options: further ones of sbatch, as the shell reads them.
 * *number of the job.  MT_ERR_FAIL with sbatch's words. */
PetscErrorCode mt_jobs_submit(const char *script, const char *word, const char *name, const char *log,
                              const char *options, long *number);

#endif
