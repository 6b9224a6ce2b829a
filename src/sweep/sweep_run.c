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

/* Our own points are looked after often, those of others, over a file system, seldom. */
static void nap(bool ours) {
  nanosleep(&(struct timespec){0, ours ? 20000000 : 500000000}, NULL);
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
static PetscErrorCode start(MtSweep *s, int i, bool retry, Slot *slot) {
  bool started;
  PetscErrorCode rc = mt_sweep_start(s, i, retry, &slot->process, &started);
  if (started) slot->point = i;
  return rc;
}

/* A program that ended by itself, but could not write so. */
static PetscErrorCode unwritten(const MtSweep *s, int i, int code) {
  char *folder = mt_sweep_folder(s, i);
  PetscErrorCode rc = mt_error(MT_ERR_DISK,
                               "point %d ended with exit code %d, but %s/exit_code could not be written: is the disk "
                               "full?  The point is run again next time",
                               i + 1, code, folder);
  free(folder);
  return rc;
}

/* `stopping`: what ended by the signal that we handed on waits for the next time. */
static PetscErrorCode finish(MtSweep *s, Slot *slot, bool stopping) {
  const int i = slot->point, code = slot->process.code;
  int recorded;
  char *folder = mt_sweep_folder(s, i);
  PetscErrorCode rc = mt_evaluation_started(folder, i + 1, code);
  if (!rc) rc = mt_sweep_look(s, i);
  if (!rc && stopping && s->point[i].state == MT_POINT_FAILED) rc = mt_sweep_forget(s, i);
  if (!rc && !stopping && code >= 0 && code < 128 && mt_process_state(folder, &recorded) == MT_PROCESS_NONE)
    rc = unwritten(s, i, code);
  free(folder);
  mt_process_free(&slot->process);
  slot->point = -1;
  if (!rc && (s->point[i].state == MT_POINT_DONE || s->point[i].state == MT_POINT_FAILED)) tell_point(s, i);
  return rc;
}

/* The table while points run: whole, but at most every second. */
static PetscErrorCode refresh_table(const MtSweep *s, double *last) {
  if (mt_wall() - *last < 1) return 0;
  PetscErrorCode rc = mt_sweep_table(s);
  *last = mt_wall();
  return rc;
}

static void hand_on(const MtSweep *s, const Slot *slot, int n) {
  for (int k = 0; k < n; k++)
    if (slot[k].point >= 0) mt_process_signal(&slot[k].process, s->command ? SIGTERM : SIGUSR1);
}

/* All points, on rank 0. */
static PetscErrorCode run_points(MtSweep *s, Slot *slot, bool *stopped) {
  PetscErrorCode rc = 0;
  bool stopping = false;
  double written = -1;
  for (int busy = 1; busy && !rc; nap(true)) {
    busy = 0;
    if (mt_stop_raised() && !stopping) {
      stopping = true;
      hand_on(s, slot, s->parallel);
    }
    for (int k = 0; k < s->parallel && !rc; k++) {
      if (slot[k].point >= 0 && !mt_process_runs(&slot[k].process)) {
        rc = finish(s, &slot[k], stopping);
        if (!rc) rc = refresh_table(s, &written);
      }
      int next = slot[k].point < 0 && !stopping ? waiting_point(s, 0) : -1;
      if (!rc && next >= 0) rc = start(s, next, false, &slot[k]);
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
  for (int i = 0; i < s->npoints && !rc && !count[MT_POINT_WAITING] && !count[MT_POINT_RUNNING]; i++)
    if (s->point[i].state == MT_POINT_FAILED) rc = mt_sweep_forget(s, i);
  for (int k = 0; k < s->parallel; k++) slot[k].point = -1;
  if (!rc) rc = run_points(s, slot, stopped);
  for (mt_sweep_count(s, count); !rc && !*stopped && count[MT_POINT_RUNNING]; mt_sweep_count(s, count)) {
    nap(false);
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

/* The point in the slot, or in another process, until it has ended; *handed: a signal was handed on, or given up for.
 */
static PetscErrorCode attend(MtSweep *s, int i, Slot *slot, bool *handed) {
  PetscErrorCode rc = 0;
  while (!rc && (slot->point >= 0 ? mt_process_runs(&slot->process) : s->point[i].state == MT_POINT_RUNNING)) {
    nap(slot->point >= 0);
    if (mt_stop_raised() && !*handed && slot->point >= 0) hand_on(s, slot, 1);
    *handed = *handed || mt_stop_raised();
    if (slot->point >= 0) continue;
    if (*handed) return 0;
    rc = start(s, i, false, slot); /* it may have ended, or been given up */
  }
  /* SLURM signals all processes of a task: what ends badly may have had it before us */
  for (int k = 0; !rc && k < 20 && slot->point >= 0 && slot->process.code != 0 && !mt_stop_raised(); k++)
    nanosleep(&(struct timespec){0, 50000000}, NULL);
  *handed = *handed || mt_stop_raised();
  return rc;
}

/* A task that SLURM has put back into the queue does not repeat what failed in it before. */
static bool first_start(void) {
  const char *restarts = getenv("SLURM_RESTART_COUNT");
  return !restarts || !strcmp(restarts, "") || !strcmp(restarts, "0");
}

static PetscErrorCode run_one(MtSweep *s, int i, int *code) {
  Slot slot = {.point = -1};
  bool handed = false;
  PetscErrorCode rc = start(s, i, first_start(), &slot);
  if (!rc && slot.point < 0 && s->point[i].state == MT_POINT_RUNNING)
    mt_log("point %d is run by another process: waiting for it", i + 1);
  const bool ended_before = slot.point < 0 && s->point[i].state != MT_POINT_RUNNING;
  if (!rc) rc = attend(s, i, &slot, &handed);
  if (!rc && slot.point >= 0) rc = finish(s, &slot, handed);
  mt_process_free(&slot.process);
  if (rc) return rc;
  if (ended_before) tell_point(s, i);
  *code = s->point[i].state == MT_POINT_DONE ? 0 : s->point[i].state == MT_POINT_FAILED ? 1 : MT_EXIT_RESUBMIT;
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
  if (s->compared >= 0) mt_sweep_tell_changes(s);
  return rc;
}
