/* What the folder of a point tells: waiting, running, done, failed and why. */
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/memory.h"
#include "sweep_impl.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *const mt_point_names[MT_POINT_STATES] = {"waiting", "running", "done", "failed"};

char *mt_sweep_folder(const MtSweep *s, int i) {
  return mt_text("%s/points/%04d", s->folder, i + 1);
}

PetscErrorCode mt_sweep_forget(MtSweep *s, int i) {
  char *folder = mt_sweep_folder(s, i), *code = mt_text("%s/exit_code", folder);
  PetscErrorCode rc = mt_starts_retry(folder);
  if (!rc) unlink(code);
  free(folder);
  free(code);
  if (rc) return rc;
  free(s->point[i].reason);
  s->point[i].reason = NULL;
  s->point[i].state = MT_POINT_WAITING;
  return 0;
}

/* Of a run that is done. */
static int ranks_of(const char *folder) {
  const MtNumber ranks = {"ranks", "ranks"};
  double n = 0;
  char *reason = NULL;
  if (mt_evaluation_result(folder, 0, 1, &ranks, &n, &reason)) mt_error_clear();
  free(reason);
  return n >= 1 ? (int)n : 0;
}

PetscErrorCode mt_sweep_look(MtSweep *s, int i) {
  MtPoint *p = &s->point[i];
  char *folder = mt_sweep_folder(s, i), *reason = NULL;
  int code = -1;
  PetscErrorCode rc = 0;
  MtProcessState state = mt_process_state(folder, &code);
  mt_starts_read(folder, &p->record);
  if (state == MT_PROCESS_RUNNING)
    p->state = MT_POINT_RUNNING;
  else if (state == MT_PROCESS_ENDED && (code < 0 || code > 255)) {
    p->state = MT_POINT_FAILED;
    reason = mt_text("its exit_code holds %d, which is none", code);
  } else if (!mt_evaluation_to_start(state, code)) {
    rc = mt_evaluation_result(folder, code, s->nnumbers, s->number, p->y, &reason);
    p->state = reason ? MT_POINT_FAILED : MT_POINT_DONE;
    if (!rc && !reason && !s->command) p->record.ranks = ranks_of(folder);
  } else {
    if (state == MT_PROCESS_NONE) reason = mt_starts_reason(&p->record);
    p->state = reason ? MT_POINT_FAILED : MT_POINT_WAITING;
  }
  free(p->reason);
  p->reason = reason;
  free(folder);
  return rc;
}

PetscErrorCode mt_sweep_look_all(MtSweep *s) {
  PetscErrorCode rc = 0;
  for (int i = 0; i < s->npoints && !rc; i++)
    if (s->point[i].state != MT_POINT_DONE) rc = mt_sweep_look(s, i);
  return rc;
}

/* Under the lock `claim` of the folder: nobody else looks at or starts this point meanwhile. */
static PetscErrorCode start_claimed(MtSweep *s, int i, bool retry, const char *folder, MtProcess *p, bool *started) {
  const MtPoint *point = &s->point[i];
  char *seed = NULL;
  const char *more[] = {NULL, NULL};
  int code = 0;
  PetscErrorCode rc = mt_sweep_look(s, i);
  if (!rc && retry && point->state == MT_POINT_FAILED) rc = mt_sweep_forget(s, i);
  if (rc || point->state != MT_POINT_WAITING) return rc;
  rc = mt_starts_add(folder, mt_process_state(folder, &code) == MT_PROCESS_ENDED);
  if (point->seed >= 0) more[0] = seed = mt_text("%s=%lld", s->seed_key, (long long)point->seed);
  if (!rc) rc = mt_evaluation_start(&s->evaluator, point->x, more, folder, p);
  *started = !rc;
  if (!rc) s->point[i].state = MT_POINT_RUNNING;
  free(seed);
  return rc;
}

PetscErrorCode mt_sweep_start(MtSweep *s, int i, bool retry, MtProcess *p, bool *started) {
  char *folder = mt_sweep_folder(s, i), *path = mt_text("%s/claim.lock", folder), owner[200];
  bool locked = false;
  MtLock lock = {-1};
  *started = false;
  PetscErrorCode rc = mt_folder_make(folder);
  if (!rc) rc = mt_lock_take(path, false, &lock, &locked, owner);
  if (!rc && !locked) s->point[i].state = MT_POINT_RUNNING; /* another process starts it */
  if (locked) rc = start_claimed(s, i, retry, folder, p, started);
  mt_lock_free(&lock);
  free(folder);
  free(path);
  return rc;
}

void mt_sweep_count(const MtSweep *s, int count[MT_POINT_STATES]) {
  memset(count, 0, sizeof(int) * MT_POINT_STATES);
  for (int i = 0; i < s->npoints; i++) count[s->point[i].state]++;
}
