/* What the folder of a point tells: waiting, running, done, failed and why. */
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include "sweep_impl.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Starts without an end after which a point counts as one that kills its machine. */
enum { MAX_STARTS = 3 };

const char *const mt_point_names[MT_POINT_STATES] = {"waiting", "running", "done", "failed"};

char *mt_sweep_folder(const MtSweep *s, int i) {
  return mt_text("%s/points/%04d", s->folder, i + 1);
}

/* Starts so far: the length of a file that grows by one byte each. */
static long starts(const char *folder) {
  char *path = mt_text("%s/starts", folder);
  FILE *f = fopen(path, "r");
  long n = 0;
  while (f && getc(f) != EOF) n++;
  if (f) fclose(f);
  free(path);
  return n;
}

static void count_start(const char *folder) {
  char *path = mt_text("%s/starts", folder);
  FILE *f = fopen(path, "a");
  if (f) putc('.', f);
  if (f) fclose(f);
  free(path);
}

void mt_sweep_forget(MtSweep *s, int i) {
  char *folder = mt_sweep_folder(s, i), *code = mt_text("%s/exit_code", folder), *count = mt_text("%s/starts", folder);
  unlink(code);
  unlink(count);
  free(folder);
  free(code);
  free(count);
  free(s->point[i].reason);
  s->point[i].reason = NULL;
  s->point[i].state = MT_POINT_WAITING;
}

PetscErrorCode mt_sweep_look(MtSweep *s, int i) {
  MtPoint *p = &s->point[i];
  char *folder = mt_sweep_folder(s, i), *reason = NULL;
  int code = -1;
  PetscErrorCode rc = 0;
  MtProcessState state = mt_process_state(folder, &code);
  if (state == MT_PROCESS_RUNNING)
    p->state = MT_POINT_RUNNING;
  else if (state == MT_PROCESS_ENDED && code != MT_EXIT_RESUBMIT) {
    rc = mt_evaluation_result(folder, code, s->nnumbers, s->number, p->y, &reason);
    p->state = reason ? MT_POINT_FAILED : MT_POINT_DONE;
  } else if (state == MT_PROCESS_NONE && starts(folder) >= MAX_STARTS) {
    p->state = MT_POINT_FAILED;
    reason = mt_text("started %d times and killed each time", MAX_STARTS);
  } else
    p->state = MT_POINT_WAITING;
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

PetscErrorCode mt_sweep_start(const MtSweep *s, int i, MtProcess *p) {
  const MtPoint *point = &s->point[i];
  char *folder = mt_sweep_folder(s, i), *seed = NULL;
  const char *more[] = {NULL, NULL};
  if (point->seed >= 0) more[0] = seed = mt_text("%s=%lld", s->seed_key, (long long)point->seed);
  PetscErrorCode rc = mt_evaluation_start(&s->evaluator, point->x, more, folder, p);
  if (!rc) count_start(folder);
  free(folder);
  free(seed);
  return rc;
}

void mt_sweep_count(const MtSweep *s, int count[MT_POINT_STATES]) {
  memset(count, 0, sizeof(int) * MT_POINT_STATES);
  for (int i = 0; i < s->npoints; i++) count[s->point[i].state]++;
}
