/* Points to choose from: read from a table, or all of a small space. */
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include "magtwin/space.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { CELLS = 256 };

/* Line of comma-separated cells, cut in place; blanks and quotes around them go.  How many. */
static int split(char *line, char *cell[CELLS]) {
  int n = 0;
  line[strcspn(line, "\r\n")] = 0;
  for (char *s = line; s && n < CELLS;) {
    char *comma = strchr(s, ',');
    if (comma) *comma = 0;
    s += strspn(s, " \t\"");
    size_t k = strlen(s);
    while (k && strchr(" \t\"", s[k - 1])) s[--k] = 0;
    cell[n++] = s;
    s = comma ? comma + 1 : NULL;
  }
  return n;
}

static PetscErrorCode find_columns(const MtSpace *s, const char *path, int n, char **cell, int *column) {
  for (int i = 0; i < s->nvars; i++) {
    column[i] = -1;
    for (int k = 0; k < n; k++)
      if (!strcmp(cell[k], s->var[i].name)) column[i] = k;
    if (column[i] < 0) return mt_error(MT_ERR_INPUT, "%s:1: there is no column %s", path, s->var[i].name);
  }
  return 0;
}

static PetscErrorCode add_row(MtSpace *s, const char *path, int line, int n, char **cell, const int *column) {
  char why[200] = "";
  s->pool = mt_realloc(s->pool, sizeof *s->pool * (size_t)(s->npool + 1) * (size_t)s->nvars);
  double *x = s->pool + (size_t)s->npool * (size_t)s->nvars;
  for (int i = 0; i < s->nvars; i++) {
    if (column[i] >= n) return mt_error(MT_ERR_INPUT, "%s:%d: the line is too short", path, line);
    if (!mt_space_value(&s->var[i], cell[column[i]], &x[i], why))
      return mt_error(MT_ERR_INPUT, "%s:%d: %s", path, line, why);
  }
  s->npool++;
  return 0;
}

static PetscErrorCode read_rows(MtSpace *s, const char *path, FILE *f) {
  char *line = NULL, *cell[CELLS];
  size_t room = 0;
  PetscErrorCode rc = 0;
  int *column = mt_malloc(sizeof *column * (size_t)s->nvars);
  for (int number = 1; !rc && getline(&line, &room, f) >= 0; number++) {
    int n = split(line, cell);
    if (number == 1)
      rc = find_columns(s, path, n, cell, column);
    else if (n > 1 || cell[0][0])
      rc = add_row(s, path, number, n, cell, column);
  }
  free(line);
  free(column);
  return rc || s->npool ? rc : mt_error(MT_ERR_INPUT, "%s holds no points", path);
}

PetscErrorCode mt_space_read_pool(MPI_Comm comm, MtSpace *s, const char *path) {
  int rank;
  PetscErrorCode rc = 0;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) {
    FILE *f = fopen(path, "r");
    rc = f ? read_rows(s, path, f) : mt_error(MT_ERR_INPUT, "cannot read %s: %s", path, strerror(errno));
    if (f) fclose(f);
  }
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
