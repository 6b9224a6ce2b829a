/* Whole tables of numbers: read on one rank, the same on all. */
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include "magtwin/texttable.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* name[] from the texts that stand one behind another at name[0]. */
static void set_names(MtNumbers *t, char *text) {
  for (int k = 0; k < t->columns; k++) {
    t->name[k] = text;
    text += strlen(text) + 1;
  }
}

static int names_length(const MtNumbers *t) {
  size_t length = 0;
  for (int k = 0; k < t->columns; k++) length += strlen(t->name[k]) + 1;
  return (int)length;
}

static void take_names(MtNumbers *t, const MtTextTable *line) {
  size_t length = 0;
  t->columns = line->n;
  for (int k = 0; k < line->n; k++) length += strlen(line->cell[k]) + 1;
  t->name = mt_calloc((size_t)line->n, sizeof *t->name);
  char *p = t->name[0] = mt_malloc(length); /* a line has a cell */
  for (int k = 0; k < line->n; k++) p = stpcpy(p, line->cell[k]) + 1;
  set_names(t, t->name[0]);
}

static PetscErrorCode add_row(MtNumbers *t, const MtTextTable *line, int *room) {
  if (line->n != t->columns)
    return mt_error(MT_ERR_INPUT, "%s:%lld: %d cells under a first line of %d", line->path, (long long)line->line,
                    line->n, t->columns);
  if (t->rows == *room) {
    *room = 2 * *room + 16;
    t->value = mt_realloc(t->value, (size_t)*room * (size_t)t->columns * sizeof *t->value);
  }
  double *row = t->value + (size_t)t->rows++ * (size_t)t->columns;
  for (int k = 0; k < t->columns; k++)
    if (!mt_text_number(line->cell[k], &row[k]) || !isfinite(row[k])) row[k] = NAN;
  return 0;
}

static PetscErrorCode read_root(const char *path, MtNumbers *t) {
  MtTextTable line;
  int room = 0;
  PetscErrorCode rc = mt_text_open(path, &line);
  if (!rc && mt_text_next(&line)) take_names(t, &line);
  while (!rc && mt_text_next(&line)) rc = add_row(t, &line, &room);
  mt_text_close(&line);
  return rc || t->rows ? rc : mt_error(MT_ERR_INPUT, "%s: holds no rows", path);
}

static PetscErrorCode share(MPI_Comm comm, int rank, MtNumbers *t) {
  int size[3] = {t->rows, t->columns, rank ? 0 : names_length(t)};
  PetscCallMPI(MPI_Bcast(size, 3, MPI_INT, 0, comm));
  t->rows = size[0], t->columns = size[1];
  if (rank) {
    t->name = mt_calloc((size_t)t->columns, sizeof *t->name);
    t->name[0] = mt_malloc((size_t)size[2]);
    t->value = mt_malloc((size_t)t->rows * (size_t)t->columns * sizeof *t->value);
  }
  PetscCallMPI(MPI_Bcast(t->name[0], size[2], MPI_CHAR, 0, comm));
  if (rank) set_names(t, t->name[0]);
  const size_t all = (size_t)t->rows * (size_t)t->columns, most = 1 << 28; /* numbers of a message */
  for (size_t i = 0; i < all; i += most)
    PetscCallMPI(MPI_Bcast(t->value + i, (int)(all - i < most ? all - i : most), MPI_DOUBLE, 0, comm));
  return 0;
}

PetscErrorCode mt_numbers_read(MPI_Comm comm, const char *path, MtNumbers *t) {
  int rank;
  *t = (MtNumbers){0};
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscErrorCode rc = mt_agree_root(comm, rank ? 0 : read_root(path, t));
  if (!rc) return share(comm, rank, t);
  mt_numbers_free(t);
  return rc;
}

int mt_numbers_column(const MtNumbers *t, const char *name) {
  for (int k = 0; k < t->columns; k++)
    if (!strcmp(t->name[k], name)) return k;
  return -1;
}

void mt_numbers_free(MtNumbers *t) {
  if (t->name) free(t->name[0]);
  free(t->name);
  free(t->value);
  *t = (MtNumbers){0};
}
