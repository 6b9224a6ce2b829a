/* Tables of numbers with a header, as the runs of this program write them. */
#include "landscape_impl.h"
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CELLS = 512 };

/* Cuts a line in place; blanks and quotes around cells go. */
static int split(char *line, char *cell[CELLS]) {
  int n = 0;
  line[strcspn(line, "\r\n")] = 0;
  for (char *s = line; s && n < CELLS;) {
    char *comma = strchr(s, ',');
    if (comma) *comma = 0;
    s += strspn(s, " \t\"");
    for (size_t k = strlen(s); k && strchr(" \t\"", s[k - 1]);) s[--k] = 0;
    cell[n++] = s;
    s = comma ? comma + 1 : NULL;
  }
  return n;
}

static PetscErrorCode add_row(MtCsv *csv, const char *path, int line, int n, char **cell) {
  if (n != csv->columns)
    return mt_error(MT_ERR_INPUT, "%s:%d: %d cells under a header of %d", path, line, n, csv->columns);
  csv->value = mt_realloc(csv->value, ((size_t)csv->rows + 1) * (size_t)n * sizeof *csv->value);
  for (int k = 0; k < n; k++) {
    char *end;
    double v = strtod(cell[k], &end);
    csv->value[(size_t)csv->rows * (size_t)n + (size_t)k] = end != cell[k] && !*end ? v : NAN; /* texts */
  }
  csv->rows++;
  return 0;
}

static PetscErrorCode read_lines(FILE *f, const char *path, MtCsv *csv) {
  char *line = NULL, *cell[CELLS];
  size_t room = 0;
  PetscErrorCode rc = 0;
  for (int number = 1; !rc && getline(&line, &room, f) >= 0; number++) {
    if (line[0] == '#' || !line[strspn(line, " \t\r\n")]) continue;
    const int n = split(line, cell);
    if (csv->columns) {
      rc = add_row(csv, path, number, n, cell);
      continue;
    }
    csv->columns = n;
    csv->name = mt_calloc((size_t)n, sizeof *csv->name);
    for (int k = 0; k < n; k++) snprintf(csv->name[k], sizeof csv->name[k], "%s", cell[k]);
  }
  free(line);
  return rc || csv->rows ? rc : mt_error(MT_ERR_INPUT, "%s: holds no rows", path);
}

PetscErrorCode mt_csv_read(MPI_Comm comm, const char *path, MtCsv *csv) {
  int rank;
  PetscErrorCode rc = 0;
  memset(csv, 0, sizeof *csv);
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (!rank) {
    FILE *f = fopen(path, "r");
    rc = f ? read_lines(f, path, csv) : mt_error(MT_ERR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
    if (f) fclose(f);
  }
  PetscCall(mt_agree_root(comm, rc));
  PetscCallMPI(MPI_Bcast(&csv->rows, 1, MPI_INT, 0, comm));
  PetscCallMPI(MPI_Bcast(&csv->columns, 1, MPI_INT, 0, comm));
  const size_t cells = (size_t)csv->rows * (size_t)csv->columns;
  if (rank) csv->name = mt_calloc((size_t)csv->columns, sizeof *csv->name);
  if (rank) csv->value = mt_malloc(cells * sizeof *csv->value);
  PetscCallMPI(MPI_Bcast(csv->name, csv->columns * MT_LAND_NAME, MPI_CHAR, 0, comm));
  PetscCallMPI(MPI_Bcast(csv->value, (int)cells, MPI_DOUBLE, 0, comm));
  return 0;
}

int mt_csv_column(const MtCsv *csv, const char *name) {
  for (int k = 0; k < csv->columns; k++)
    if (!strcmp(csv->name[k], name)) return k;
  return -1;
}

void mt_csv_free(MtCsv *csv) {
  free(csv->name);
  free(csv->value);
  memset(csv, 0, sizeof *csv);
}
