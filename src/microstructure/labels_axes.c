/* Easy axes of a labelled volume from a table of "label, ax, ay, az" lines. */
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "measured.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  const char *path;
  int line, unknown; /* unknown: labels of the table that the volume does not have */
  MtLabels *l;
  bool *seen; /* [ngrains] */
} Table;

static PetscErrorCode set_axis(Table *t, int64_t label, const double v[3]) {
  const MtLabels *l = t->l;
  const double norm = sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
  if (!(norm > 0) || !isfinite(norm))
    return mt_error(MT_ERR_INPUT, "%s:%d: the axis of label %lld has no direction", t->path, t->line, (long long)label);
  const int64_t *at = l->ngrains ? bsearch(&label, l->source, (size_t)l->ngrains, sizeof label, mt_compare_i64) : NULL;
  if (!at) {
    t->unknown++;
    return 0;
  }
  const ptrdiff_t g = at - l->source;
  if (t->seen[g]) return mt_error(MT_ERR_INPUT, "%s:%d: label %lld is given twice", t->path, t->line, (long long)label);
  t->seen[g] = true;
  for (int d = 0; d < 3; d++) l->axis[3 * g + d] = v[d] / norm;
  return 0;
}

static PetscErrorCode parse_line(Table *t, char *line) {
  const char *blank = " \t\r\n,;";
  double v[4];
  char *p = line;
  for (int i = 0; i < 4; i++) {
    char *end;
    p += strspn(p, blank);
    v[i] = strtod(p, &end);
    if (end == p || (*end && !strchr(blank, *end)))
      return mt_error(MT_ERR_INPUT, "%s:%d:%d: expected 4 numbers: label, ax, ay, az", t->path, t->line,
                      (int)(p - line) + 1);
    p = end;
  }
  if (p[strspn(p, blank)])
    return mt_error(MT_ERR_INPUT, "%s:%d:%d: more than 4 numbers (label, ax, ay, az)", t->path, t->line,
                    (int)(p - line) + 1);
  if (v[0] != floor(v[0]) || fabs(v[0]) > 9e15)
    return mt_error(MT_ERR_INPUT, "%s:%d:1: label %g is not a whole number", t->path, t->line, v[0]);
  return set_axis(t, (int64_t)v[0], v + 1);
}

static PetscErrorCode parse_file(Table *t, FILE *f) {
  char line[512];
  while (fgets(line, sizeof line, f)) {
    t->line++;
    const char *p = line + strspn(line, " \t\r\n");
    if (!*p || *p == '#') continue;
    if (t->line == 1 && !strchr("+-.0123456789", *p)) continue; /* names of the columns */
    PetscCall(parse_line(t, line));
  }
  for (int g = 0; g < t->l->ngrains; g++)
    if (!t->seen[g])
      return mt_error(MT_ERR_INPUT, "%s: has no axis for label %lld", t->path, (long long)t->l->source[g]);
  if (t->unknown) mt_warn("%s: %d labels of the table do not occur in the volume", t->path, t->unknown);
  return 0;
}

static PetscErrorCode read_table(const char *path, MtLabels *l) {
  Table t = {.path = path, .l = l, .seen = calloc((size_t)l->ngrains + 1, sizeof(bool))};
  FILE *f = fopen(path, "r");
  PetscErrorCode rc = f ? parse_file(&t, f) : mt_error(MT_ERR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
  if (f) fclose(f);
  free(t.seen);
  return rc;
}

PetscErrorCode mt_labels_axes_csv(MPI_Comm comm, const char *path, MtLabels *l) {
  int rank;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscErrorCode rc = 0;
  if (!rank) rc = read_table(path, l);
  PetscCall(mt_agree_root(comm, rc));
  PetscCallMPI(MPI_Bcast(l->axis, 3 * l->ngrains, MPI_DOUBLE, 0, comm));
  return 0;
}
