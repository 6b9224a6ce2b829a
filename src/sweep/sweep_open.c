/* Opening the folder of a sweep: what it holds must be this sweep; would its runs be accepted? */
#include "magtwin/error.h"
#include "magtwin/kept.h"
#include "magtwin/memory.h"
#include "sweep_impl.h"
#include <string.h>

static PetscErrorCode keep(const MtSweep *s, const char *name, const char *text, const char *what, const char *source) {
  return mt_kept_same(s->folder, name, text, "a sweep", what, source);
}

static bool nothing_ended(MtSweep *s) {
  int count[MT_POINT_STATES];
  if (mt_sweep_look_all(s)) return mt_error_clear(), false;
  mt_sweep_count(s, count);
  return !count[MT_POINT_DONE] && !count[MT_POINT_FAILED];
}

/* A command that could not be started is mended: no point has come of the other. */
static PetscErrorCode keep_command(MtSweep *s) {
  char *what = s->command
                   ? mt_text("%s\n", s->command)
                   : mt_text("magtwin %s%s%s\n", s->before ? s->before : "", s->before ? ", " : "", s->subcommand);
  if (mt_kept_differs(s->folder, "evaluation.txt", what) && nothing_ended(s))
    mt_kept_forget(s->folder, "evaluation.txt");
  PetscErrorCode rc = keep(s, "evaluation.txt", what, "another command", "the input");
  free(what);
  return rc;
}

/* One process at a time: two sweeps begun in an empty folder together are one, or the second is refused. */
static PetscErrorCode keep_all(MtSweep *s) {
  char *path = mt_text("%s/open.lock", s->folder), owner[200];
  char *points = mt_sweep_points_text(s), *base = s->input ? mt_kept_file(s->input) : NULL;
  bool locked;
  MtLock lock;
  PetscErrorCode rc = mt_lock_take(path, true, &lock, &locked, owner);
  if (!rc) rc = keep(s, "points.csv", points, "other points", "the input");
  if (!rc && base) rc = keep(s, "base.yaml", base, "another base input", s->input);
  if (!rc) rc = keep_command(s);
  mt_lock_free(&lock);
  free(path);
  free(points);
  free(base);
  return rc;
}

PetscErrorCode mt_sweep_open(MPI_Comm comm, MtSweep *s) {
  int rank;
  PetscErrorCode rc = 0;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) {
    rc = keep_all(s);
    if (!rc) rc = mt_sweep_look_all(s);
  }
  return mt_agree_root(comm, rc);
}

static PetscErrorCode check_point(MtSweep *s, int i, MtRunCheck check) {
  const int n = s->space.nvars;
  char **words = mt_evaluation_overrides(&s->evaluator, s->point[i].x);
  words = mt_realloc(words, sizeof *words * (size_t)(n + 2));
  words[n] = mt_text("output.folder=%s", s->folder);
  words[n + 1] = s->point[i].seed >= 0 ? mt_text("%s=%lld", s->seed_key, (long long)s->point[i].seed) : NULL;
  PetscErrorCode rc = s->before ? check(s->before, s->input, n + 1 + (words[n + 1] != NULL), words) : 0;
  if (!rc) rc = check(s->subcommand, s->input, n + 1 + (words[n + 1] != NULL), words);
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
