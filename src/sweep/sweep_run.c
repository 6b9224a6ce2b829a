/* Running a sweep (sweep.h).  Rank 0 starts and watches the points; the others sleep. */
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include "magtwin/run.h"
#include "sweep_impl.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct {
  int point; /* -1: empty */
  MtProcess process;
} Slot;

static void nap(void) {
  nanosleep(&(struct timespec){0, 20000000}, NULL);
}

/* The whole file, "" if there is none; the caller frees. */
static char *file_text(const char *path) {
  char *text = mt_text("%s", "");
  size_t n = 0, got;
  FILE *f = fopen(path, "r");
  do {
    text = mt_realloc(text, n + 65536 + 1);
    got = f ? fread(text + n, 1, 65536, f) : 0;
    n += got;
  } while (got == 65536);
  text[n] = 0;
  if (f) fclose(f);
  return text;
}

/* The file in the folder must hold this text, or not be there yet. */
static PetscErrorCode keep_text(const MtSweep *s, const char *name, const char *text, const char *what) {
  char *path = mt_text("%s/%s", s->folder, name), *old = file_text(path);
  PetscErrorCode rc = 0;
  if (!old[0])
    rc = mt_file_write(path, text);
  else if (strcmp(old, text))
    rc = mt_error(MT_ERR_INPUT, "%s holds a sweep with %s (%s): choose another output.folder", s->folder, what, path);
  free(path);
  free(old);
  return rc;
}

PetscErrorCode mt_sweep_open(MPI_Comm comm, MtSweep *s) {
  int rank;
  PetscErrorCode rc = 0;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) {
    char *points = mt_sweep_points_text(s), *base = s->input ? file_text(s->input) : NULL;
    rc = keep_text(s, "points.csv", points, "other points");
    if (!rc && base) rc = keep_text(s, "base.yaml", base, "another base input");
    if (!rc) rc = mt_sweep_look_all(s);
    free(points);
    free(base);
  }
  return mt_agree_root(comm, rc);
}

static PetscErrorCode check_point(MtSweep *s, int i, MtRunCheck check) {
  const int n = s->space.nvars;
  char **words = mt_evaluation_overrides(&s->evaluator, s->point[i].x);
  words = mt_realloc(words, sizeof *words * (size_t)(n + 2));
  words[n] = mt_text("output.folder=%s", s->folder);
  words[n + 1] = s->point[i].seed >= 0 ? mt_text("%s=%lld", s->seed_key, (long long)s->point[i].seed) : NULL;
  PetscErrorCode rc = check(s->subcommand, s->input, n + 1 + (words[n + 1] != NULL), words);
  for (int k = 0; k < n + 2; k++) free(words[k]);
  free(words);
  return rc;
}

/* The first point with the smallest (sign 1) or largest (-1) value of an axis. */
static int extreme_point(const MtSweep *s, int axis, double sign) {
  int best = 0;
  for (int i = 1; i < s->npoints; i++)
    if (sign * s->point[i].x[axis] < sign * s->point[best].x[axis]) best = i;
  return best;
}

PetscErrorCode mt_sweep_check_runs(MtSweep *s, MtRunCheck check) {
  PetscErrorCode rc = 0;
  if (!s->input || !s->npoints) return 0;
  rc = check_point(s, 0, check);
  for (int k = 0; k < 2 * s->space.nvars && !rc; k++) {
    const int i = extreme_point(s, k / 2, k % 2 ? -1 : 1);
    if (i > 0) rc = check_point(s, i, check);
  }
  return rc;
}

static void tell_point(const MtSweep *s, int i) {
  const MtPoint *p = &s->point[i];
  int count[MT_POINT_STATES];
  mt_sweep_count(s, count);
  mt_log("point %d %s%s%s  (%d of %d done, %d failed)", i + 1, mt_point_names[p->state], p->reason ? ": " : "",
         p->reason ? p->reason : "", count[MT_POINT_DONE], s->npoints, count[MT_POINT_FAILED]);
}

/* The next point to start; -1. */
static int waiting_point(const MtSweep *s, int from) {
  for (int i = from; i < s->npoints; i++)
    if (s->point[i].state == MT_POINT_WAITING) return i;
  return -1;
}

/* Another process (a task of a job array) may have it by now: then it is left to that. */
static PetscErrorCode start(MtSweep *s, int i, Slot *slot) {
  PetscErrorCode rc = mt_sweep_look(s, i);
  if (rc || s->point[i].state != MT_POINT_WAITING) return rc;
  rc = mt_sweep_start(s, i, &slot->process);
  if (rc) return rc;
  slot->point = i;
  s->point[i].state = MT_POINT_RUNNING;
  return 0;
}

/* `stopping`: what ended by the signal that we handed on waits for the next time. */
static PetscErrorCode finish(MtSweep *s, Slot *slot, bool stopping) {
  const int i = slot->point;
  PetscErrorCode rc = mt_sweep_look(s, i);
  if (!rc && stopping && s->point[i].state == MT_POINT_FAILED) mt_sweep_forget(s, i);
  mt_process_free(&slot->process);
  slot->point = -1;
  if (rc) return rc;
  if (s->point[i].state == MT_POINT_DONE || s->point[i].state == MT_POINT_FAILED) tell_point(s, i);
  return mt_sweep_table(s);
}

static void hand_on(const MtSweep *s, const Slot *slot) {
  for (int k = 0; k < s->parallel; k++)
    if (slot[k].point >= 0) mt_process_signal(&slot[k].process, s->command ? SIGTERM : SIGUSR1);
}

/* All points, on rank 0. */
static PetscErrorCode run_points(MtSweep *s, Slot *slot, bool *stopped) {
  PetscErrorCode rc = 0;
  bool stopping = false;
  for (int busy = 1; busy && !rc; nap()) {
    busy = 0;
    if (mt_stop_raised() && !stopping) {
      stopping = true;
      hand_on(s, slot);
    }
    for (int k = 0; k < s->parallel && !rc; k++) {
      if (slot[k].point >= 0 && !mt_process_runs(&slot[k].process)) rc = finish(s, &slot[k], stopping);
      int next = slot[k].point < 0 && !stopping ? waiting_point(s, 0) : -1;
      if (!rc && next >= 0) rc = start(s, next, &slot[k]);
      busy += slot[k].point >= 0 || next >= 0;
    }
  }
  *stopped = stopping;
  return rc;
}

/* Points that others run still are waited for; with nothing missing those that failed get another try. */
static PetscErrorCode run_all(MtSweep *s, bool *stopped) {
  int count[MT_POINT_STATES];
  Slot *slot = mt_calloc((size_t)s->parallel, sizeof *slot);
  PetscErrorCode rc = mt_sweep_look_all(s);
  mt_sweep_count(s, count);
  for (int i = 0; i < s->npoints && !count[MT_POINT_WAITING] && !count[MT_POINT_RUNNING]; i++)
    if (s->point[i].state == MT_POINT_FAILED) mt_sweep_forget(s, i);
  for (int k = 0; k < s->parallel; k++) slot[k].point = -1;
  if (!rc) rc = run_points(s, slot, stopped);
  for (mt_sweep_count(s, count); !rc && !*stopped && count[MT_POINT_RUNNING]; mt_sweep_count(s, count)) {
    nap();
    rc = mt_sweep_look_all(s);
    if (!rc && waiting_point(s, 0) >= 0) rc = run_points(s, slot, stopped); /* given up by others */
    *stopped = *stopped || mt_stop_raised();
  }
  if (!rc) rc = mt_sweep_table(s);
  for (int k = 0; k < s->parallel; k++) mt_process_free(&slot[k].process);
  free(slot);
  return rc;
}

static PetscErrorCode run_locked(MtSweep *s, bool *stopped) {
  char *path = mt_text("%s/run.lock", s->folder), owner[200] = "";
  bool locked;
  MtLock lock;
  PetscErrorCode rc = mt_lock_take(path, false, &lock, &locked, owner);
  free(path);
  if (rc) return rc;
  if (!locked)
    return mt_error(MT_ERR_INPUT, "%s is run by another process (%s)", s->folder, owner[0] ? owner : "unknown");
  rc = run_all(s, stopped);
  mt_lock_free(&lock);
  return rc;
}

PetscErrorCode mt_sweep_run(MPI_Comm comm, MtSweep *s, MtJson *json, bool *stopped) {
  int rank, done[1 + MT_POINT_STATES] = {0};
  PetscErrorCode rc = 0;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  *stopped = false;
  if (rank == 0) {
    rc = run_locked(s, stopped);
    done[0] = *stopped;
    mt_sweep_count(s, done + 1);
  }
  PetscCall(mt_wait_root(comm, 1 + MT_POINT_STATES, done));
  rc = mt_agree_root(comm, rc);
  *stopped = done[0];
  mt_json_object(json, "counts");
  mt_json_int(json, "points", s->npoints);
  for (int k = 0; k < MT_POINT_STATES; k++) mt_json_int(json, mt_point_names[k], done[1 + k]);
  mt_json_end(json);
  return rc;
}

static PetscErrorCode run_one(MtSweep *s, int i, int *code) {
  Slot slot = {.point = -1};
  bool handed = false;
  PetscErrorCode rc = mt_sweep_look(s, i);
  if (!rc && s->point[i].state == MT_POINT_FAILED) mt_sweep_forget(s, i);
  if (!rc && s->point[i].state == MT_POINT_RUNNING)
    rc = mt_error(MT_ERR_INPUT, "point %d is run by another process", i + 1);
  if (!rc && s->point[i].state == MT_POINT_WAITING) rc = start(s, i, &slot);
  while (!rc && slot.point >= 0 && mt_process_runs(&slot.process)) {
    nap();
    if (mt_stop_raised() && !handed) mt_process_signal(&slot.process, s->command ? SIGTERM : SIGUSR1);
    handed = handed || mt_stop_raised();
  }
  if (!rc) rc = mt_sweep_look(s, i);
  mt_process_free(&slot.process);
  if (rc) return rc;
  tell_point(s, i);
  *code = s->point[i].state == MT_POINT_DONE ? 0 : s->point[i].state == MT_POINT_WAITING ? MT_EXIT_RESUBMIT : 1;
  return 0;
}

PetscErrorCode mt_sweep_point(MPI_Comm comm, MtSweep *s, int number, int *code) {
  int rank;
  PetscErrorCode rc = 0;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (number < 1 || number > s->npoints)
    return mt_error(MT_ERR_INPUT, "there is no point %d; this sweep has %d", number, s->npoints);
  if (rank == 0) rc = run_one(s, number - 1, code);
  PetscCall(mt_wait_root(comm, 1, code));
  return mt_agree_root(comm, rc);
}

PetscErrorCode mt_sweep_status(MPI_Comm comm, MtSweep *s) {
  int rank, count[MT_POINT_STATES];
  PetscErrorCode rc = 0;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) rc = mt_sweep_table(s);
  rc = mt_agree_root(comm, rc);
  mt_sweep_count(s, count);
  mt_log("%s: %d points: %d done, %d failed, %d running, %d waiting; results.csv is up to date", s->folder, s->npoints,
         count[MT_POINT_DONE], count[MT_POINT_FAILED], count[MT_POINT_RUNNING], count[MT_POINT_WAITING]);
  for (int i = 0; i < s->npoints; i++)
    if (s->point[i].state == MT_POINT_FAILED) mt_log("  point %d failed: %s", i + 1, s->point[i].reason);
  return rc;
}

/* "1-3,7": the points that are not done, as SLURM takes them. */
static char *missing_points(const MtSweep *s) {
  char *text = mt_text("%s", "");
  for (int i = 0; i < s->npoints; i++) {
    if (s->point[i].state == MT_POINT_DONE) continue;
    int j = i;
    while (j + 1 < s->npoints && s->point[j + 1].state != MT_POINT_DONE) j++;
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
    "# The points of a sweep that are not done, as a job array; written by magtwin sweep ... slurm.\n"
    "# Knobs, here or on the command line of sbatch; the launcher of the runs is sweep.launcher in the input.\n"
    "#SBATCH --job-name=magtwin-sweep\n"
    "#SBATCH --array=%s%%%d\n"
    "#SBATCH --ntasks=1\n"
    "#SBATCH --time=24:00:00\n"
    "#SBATCH --signal=B:USR1@300\n"
    "#SBATCH --requeue\n"
    "#SBATCH --open-mode=append\n"
    "#SBATCH --output=%s/slurm-%%A_%%a.log\n"
    "set -u\n"
    "export OMP_NUM_THREADS=1\n"
    "%s point \"$SLURM_ARRAY_TASK_ID\" &\n"
    "child=$!\n"
    "interrupted=\n"
    "trap 'interrupted=1; kill -USR1 \"$child\" 2>/dev/null' USR1 TERM\n"
    "wait \"$child\"\n"
    "rc=$?\n"
    "while [ -n \"$interrupted\" ]; do\n"
    "  interrupted=\n"
    "  wait \"$child\"\n"
    "  rc=$?\n"
    "done\n"
    "# 75: stopped after a checkpoint, back into the queue under the same number\n"
    "if [ \"$rc\" -eq 75 ]; then scontrol requeue \"${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}\"; fi\n"
    "exit \"$rc\"\n";

PetscErrorCode mt_sweep_slurm(MPI_Comm comm, const MtSweep *s, int nwords, const char *const *words) {
  int rank;
  PetscErrorCode rc = 0;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) {
    char *command = NULL, *missing = missing_points(s), *path = mt_text("%s/sweep.slurm", s->folder);
    mt_command_add(&command, mt_program_path());
    mt_command_add(&command, "sweep");
    for (int i = 0; i < nwords; i++) mt_command_add(&command, words[i]);
    char *text = mt_text(job_script, missing, s->parallel, s->folder, command);
    rc = missing[0] ? mt_file_write(path, text) : mt_error(MT_ERR_INPUT, "every point of %s is done", s->folder);
    if (!rc) mt_log("wrote %s for points %s; submit it: sbatch %s", path, missing, path);
    free(command);
    free(missing);
    free(path);
    free(text);
  }
  return mt_agree_root(comm, rc);
}
