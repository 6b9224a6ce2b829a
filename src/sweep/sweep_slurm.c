/* A sweep as a job array of SLURM: the script. */
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/log.h"
#include "sweep_impl.h"
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

static const char job_script[] =
    "#!/usr/bin/env bash\n"
    "# The points of a sweep that are not done, as a job array; written by magtwin sweep ... slurm.  See also "
    "jobscripts/sweep.slurm.\n"
    "# Knobs, here or on the command line of sbatch (which wins); --ntasks is the number of ranks of sweep.launcher:\n"
    "#SBATCH --job-name=magtwin-sweep\n"
    "#SBATCH --array=%s%%%d\n"
    "#SBATCH --ntasks=1\n"
    "#SBATCH --cpus-per-task=1\n"
    "#SBATCH --time=24:00:00\n"
    "# B: to this script, 300 s before the end; a checkpoint must fit into that\n"
    "#SBATCH --signal=B:USR1@300\n"
    "#SBATCH --requeue\n"
    "#SBATCH --open-mode=append\n"
    "#SBATCH --chdir=\"%s\"\n"
    "#SBATCH --output=\"%s/logs/%%A_%%a.log\"\n"
    "# Knobs of the environment:\n"
    "#   MAGTWIN           the executable                      (the one that wrote this)\n"
    "#   MAGTWIN_MODULES   modules to load                     (none)\n"
    "set -u\n"
    "if [ -n \"${MAGTWIN_MODULES:-}\" ]; then module load $MAGTWIN_MODULES; fi\n"
    "export OMP_NUM_THREADS=1\n"
    "export SLURM_WAIT=${SLURM_WAIT:-60} # srun: when a rank is gone, the others are ended after so many seconds\n"
    "interrupted= child=\n"
    "# magtwin hands it to the run; the signal also ends `wait`, which is then called again\n"
    "trap 'interrupted=1; [ -z \"$child\" ] || kill -USR1 \"$child\" 2>/dev/null' USR1 TERM\n"
    "run() {\n"
    "  \"${MAGTWIN:-$magtwin}\" sweep %s point \"$1\" &\n"
    "  child=$!\n"
    "  wait \"$child\"\n"
    "  code=$?\n"
    "  while [ -n \"$interrupted\" ]; do\n"
    "    interrupted=\n"
    "    wait \"$child\"\n"
    "    code=$?\n"
    "  done\n"
    "}\n"
    "magtwin=%s rc=0 points=%d\n"
    "# task 3 runs point 3; of a sweep that is longer than arrays may be also 1003, 2003, ...\n"
    "for ((point = SLURM_ARRAY_TASK_ID; point <= points && rc != 75; point += %d)); do\n"
    "  run \"$point\"\n"
    "  if [ \"$code\" -eq 75 ] || [ \"$rc\" -eq 0 ]; then rc=$code; fi\n"
    "done\n"
    "# 75: stopped after a checkpoint, back into the queue under the same number\n"
    "if [ \"$rc\" -eq 75 ]; then scontrol requeue \"${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}\"; fi\n"
    "exit \"$rc\"\n";

/* The script, and the folder of its logs: SLURM makes none, and drops the log of a job that has none. */
static PetscErrorCode write_script(const MtSweep *s, const char *missing, const char *words) {
  char here[PATH_MAX] = "", *program = NULL, *path = mt_text("%s/sweep.slurm", s->folder);
  char *logs = mt_text("%s/logs", s->folder);
  PetscErrorCode rc =
      getcwd(here, sizeof here) ? mt_folder_make(logs) : mt_error(MT_ERR_INPUT, "there is no folder here");
  mt_command_add(&program, mt_program_path());
  char *text = mt_text(job_script, missing, s->parallel, here, s->folder, words, program, s->npoints, (int)MAX_TASKS);
  if (!rc) rc = mt_file_write(path, text);
  if (!rc)
    mt_log("wrote %s for points %s%s; submit it: sbatch %s", path, missing,
           s->npoints > MAX_TASKS ? " and every thousandth from them" : "", path);
  free(program);
  free(path);
  free(logs);
  free(text);
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
