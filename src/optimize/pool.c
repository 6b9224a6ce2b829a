/* Points to choose from: read from a table, or all of a small space. */
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include "magtwin/space.h"
#include "magtwin/texttable.h"
#include <string.h>

static PetscErrorCode find_columns(const MtSpace *s, const MtTextTable *t, int *column) {
  for (int i = 0; i < s->nvars; i++) PetscCall(mt_text_need_column(t, s->var[i].name, &column[i]));
  return 0;
}

static PetscErrorCode add_row(MtSpace *s, const MtTextTable *t, const int *column) {
  char why[200] = "";
  s->pool = mt_realloc(s->pool, sizeof *s->pool * (size_t)(s->npool + 1) * (size_t)s->nvars);
  double *x = s->pool + (size_t)s->npool * (size_t)s->nvars;
  for (int i = 0; i < s->nvars; i++) {
    if (column[i] >= t->n) return mt_error(MT_ERR_INPUT, "%s:%lld: the line is too short", t->path, (long long)t->line);
    if (!mt_space_value(&s->var[i], t->cell[column[i]], &x[i], why))
      return mt_error(MT_ERR_INPUT, "%s:%lld: %s", t->path, (long long)t->line, why);
  }
  s->npool++;
  return 0;
}

static PetscErrorCode read_rows(MtSpace *s, const char *path) {
  MtTextTable t;
  PetscErrorCode rc = mt_text_open(path, &t);
  int *column = mt_calloc((size_t)s->nvars, sizeof *column);
  if (!rc && mt_text_next(&t)) rc = find_columns(s, &t, column);
  while (!rc && mt_text_next(&t)) rc = add_row(s, &t, column);
  mt_text_close(&t);
  free(column);
  return rc || s->npool ? rc : mt_error(MT_ERR_INPUT, "%s holds no points", path);
}

PetscErrorCode mt_space_read_pool(MPI_Comm comm, MtSpace *s, const char *path) {
  int rank;
  PetscErrorCode rc = 0;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) rc = read_rows(s, path);
  rc = mt_agree_root(comm, rc);
  if (rc) return rc;
  PetscCallMPI(MPI_Bcast(&s->npool, 1, MPI_INT, 0, comm));
  if (rank) s->pool = mt_malloc(sizeof *s->pool * (size_t)s->npool * (size_t)s->nvars);
  PetscCallMPI(MPI_Bcast(s->pool, s->npool * s->nvars, MPI_DOUBLE, 0, comm));
  return 0;
}

/* The next point of the grid of whole numbers; false after the last. */
static bool next_point(const MtSpace *s, double *x) {
  for (int i = 0; i < s->nvars; i++) {
    if (++x[i] <= s->var[i].max) return true;
    x[i] = s->var[i].min;
  }
  return false;
}

void mt_space_enumerate(MtSpace *s, int limit) {
  double points = 1;
  if (s->npool) return;
  for (int i = 0; i < s->nvars; i++) {
    if (s->var[i].type == MT_VAR_REAL) return;
    points *= s->var[i].max - s->var[i].min + 1;
  }
  if (points > limit) return;
  double *x = mt_malloc(sizeof *x * (size_t)s->nvars);
  s->pool = mt_malloc(sizeof *s->pool * (size_t)points * (size_t)s->nvars);
  for (int i = 0; i < s->nvars; i++) x[i] = s->var[i].min;
  do {
    if (mt_space_contains(s, x, NULL))
      memcpy(s->pool + (size_t)s->npool++ * (size_t)s->nvars, x, sizeof *x * (size_t)s->nvars);
  } while (next_point(s, x));
  free(x);
}
