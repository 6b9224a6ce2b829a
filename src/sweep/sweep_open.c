/* Opening the folder of a sweep: what it holds must be this sweep; would its runs be accepted? */
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/memory.h"
#include "sweep_impl.h"
#include <stdio.h>
#include <string.h>

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

/* The line that begins at `at`, cut to be shown. */
static void first_line(const char *at, char line[64]) {
  snprintf(line, 64, "%.*s", (int)strcspn(at, "\r\n"), at);
}

/* Where two texts part. */
static PetscErrorCode refuse(const MtSweep *s, const char *path, const char *old, const char *text, const char *what) {
  const char *a = old, *b = text;
  char was[64], is[64];
  int number = 1;
  for (const char *p = old, *q = text; *p && *p == *q; p++, q++)
    if (*p == '\n') a = p + 1, b = q + 1, number++;
  first_line(a, was);
  first_line(b, is);
  return mt_error(MT_ERR_INPUT,
                  "%s holds a sweep with %s: choose another output.folder (line %d of %s is \"%s\", now it is \"%s\")",
                  s->folder, what, number, path, was, is);
}

/* The file in the folder must hold this text, or not be there yet. */
static PetscErrorCode keep_text(const MtSweep *s, const char *name, const char *text, const char *what) {
  char *path = mt_text("%s/%s", s->folder, name), *old = file_text(path);
  PetscErrorCode rc = 0;
  if (!old[0])
    rc = mt_file_write(path, text);
  else if (strcmp(old, text))
    rc = refuse(s, path, old, text, what);
  free(path);
  free(old);
  return rc;
}

/* One process at a time: two sweeps begun in an empty folder together are one, or the second is refused. */
static PetscErrorCode keep_all(const MtSweep *s) {
  char *path = mt_text("%s/open.lock", s->folder), owner[200];
  char *points = mt_sweep_points_text(s), *base = s->input ? file_text(s->input) : NULL;
  char *what = s->command ? mt_text("%s\n", s->command) : mt_text("magtwin %s\n", s->subcommand);
  bool locked;
  MtLock lock;
  PetscErrorCode rc = mt_lock_take(path, true, &lock, &locked, owner);
  if (!rc) rc = keep_text(s, "points.csv", points, "other points");
  if (!rc && base) rc = keep_text(s, "base.yaml", base, "another base input");
  if (!rc) rc = keep_text(s, "evaluation.txt", what, "another command");
  mt_lock_free(&lock);
  free(path);
  free(points);
  free(base);
  free(what);
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
