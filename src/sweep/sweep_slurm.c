/* A sweep as a job array of SLURM: the script. */
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/jobs.h"
#include "magtwin/log.h"
#include "sweep_impl.h"
#include <stdio.h>
#include <string.h>

/* Tasks of an array at most; SLURM's own bound, MaxArraySize, is 1001 where it has not been raised. */
enum { MAX_TASKS = 1000 };

/* Has the task a point that is not done? */
static bool task_has_work(const MtSweep *s, int task) {
  for (int i = task; i < s->npoints; i += MAX_TASKS)
    if (s->point[i].state != MT_POINT_DONE) return true;
  return false;
}

/* "1-3,7": the tasks with points that are not done, as SLURM takes them. */
static char *missing_tasks(const MtSweep *s) {
  const int n = s->npoints < MAX_TASKS ? s->npoints : MAX_TASKS;
  char *text = mt_text("%s", "");
  for (int i = 0; i < n; i++) {
    if (!task_has_work(s, i)) continue;
    int j = i;
    while (j + 1 < n && task_has_work(s, j + 1)) j++;
    char *more = i == j ? mt_text("%s%s%d", text, text[0] ? "," : "", i + 1)
                        : mt_text("%s%s%d-%d", text, text[0] ? "," : "", i + 1, j + 1);
    free(text);
    text = more;
    i = j;
  }
  return text;
}

/* The script, and the folder of its logs: SLURM makes none, and drops the log of a job that has none. */
static PetscErrorCode write_script(const MtSweep *s, const char *missing, const char *words) {
  char *path = mt_text("%s/sweep.slurm", s->folder), *logs = mt_text("%s/logs", s->folder);
  char *array = mt_text("%s%%%d", missing, s->parallel), *log = mt_text("%s/logs/%%A_%%a.log", s->folder);
  char *run = mt_text("sweep %s point", words), *points = mt_text("%d", s->npoints);
  const MtJobScript job = {
      .what = "The points of a sweep that are not done, as a job array; written by magtwin sweep ... slurm.  See also "
              "jobscripts/sweep.slurm.",
      .name = "magtwin-sweep",
      .array = array,
      .log = log,
      .words = run,
      .first = "SLURM_ARRAY_TASK_ID",
      .last = points,
      .step = MAX_TASKS,
      .itself = "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"};
  PetscErrorCode rc = mt_folder_make(logs);
  if (!rc) rc = mt_jobs_script(path, &job);
  if (!rc)
    mt_log("wrote %s for points %s%s; submit it: sbatch %s", path, missing,
           s->npoints > MAX_TASKS ? " and every thousandth from them" : "", path);
  free(array);
  free(log);
  free(run);
  free(points);
  free(path);
  free(logs);
  return rc;
}

PetscErrorCode mt_sweep_slurm(MPI_Comm comm, const MtSweep *s, int nwords, const char *const *words) {
  int rank;
  PetscErrorCode rc = 0;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) {
    char *command = NULL, *missing = missing_tasks(s);
    for (int i = 0; i < nwords; i++) mt_command_add(&command, words[i]);
    rc =
        missing[0] ? write_script(s, missing, command) : mt_error(MT_ERR_INPUT, "every point of %s is done", s->folder);
    free(command);
    free(missing);
  }
  return mt_agree_root(comm, rc);
}
