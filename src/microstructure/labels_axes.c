/* Easy axes of a labelled volume from a table of "label, ax, ay, az" lines, or orientations from "label, w, x, y, z".
 */
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
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
  int width;  /* numbers after the label: 3 an axis, 4 a quaternion; 0: not known yet */
  bool *seen; /* [ngrains] */
} Table;

static PetscErrorCode set_axis(Table *t, int64_t label, const double v[3]) {
  static const double z[3] = {0, 0, 1};
  const MtLabels *l = t->l;
  double norm = 0;
  for (int d = 0; d < t->width; d++) norm += v[d] * v[d];
  if (!(norm > 0) || !isfinite(norm))
    return mt_error(MT_ERR_INPUT, "%s:%d: the %s of label %lld has no direction", t->path, t->line,
                    t->width == 4 ? "quaternion" : "axis", (long long)label);
  const int64_t *at = l->ngrains ? bsearch(&label, l->source, (size_t)l->ngrains, sizeof label, mt_compare_i64) : NULL;
  if (!at) {
    t->unknown++;
    return 0;
  }
  const ptrdiff_t g = at - l->source;
  if (t->seen[g]) return mt_error(MT_ERR_INPUT, "%s:%d: label %lld is given twice", t->path, t->line, (long long)label);
  t->seen[g] = true;
  double *to = t->width == 4 ? l->orientation + 4 * g : l->axis + 3 * g;
  for (int d = 0; d < t->width; d++) to[d] = v[d] / sqrt(norm);
  if (t->width == 4) mt_quat_rotate(to, z, l->axis + 3 * g);
  return 0;
}

static PetscErrorCode parse_line(Table *t, char *line) {
  const char *blank = " \t\r\n,;";
  double v[5];
  char *p = line;
  int n = 0;
  for (; n < 5; n++) {
    char *end;
    p += strspn(p, blank);
    if (n == 4 && !*p && t->width != 4) break;
    v[n] = strtod(p, &end);
    if (end == p || (*end && !strchr(blank, *end)))
      return mt_error(MT_ERR_INPUT, "%s:%d:%d: expected %s", t->path, t->line, (int)(p - line) + 1,
                      t->width == 4 ? "5 numbers: label, w, x, y, z" : "4 numbers: label, ax, ay, az");
    p = end;
  }
  if (!t->width) t->width = n - 1;
  if (p[strspn(p, blank)] || n != t->width + 1)
    return mt_error(MT_ERR_INPUT, "%s:%d:%d: more than %d numbers (label, %s)", t->path, t->line, (int)(p - line) + 1,
                    t->width + 1, t->width == 4 ? "w, x, y, z" : "ax, ay, az");
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

static PetscErrorCode read_table(const char *path, MtLabels *l, int *width) {
  Table t = {.path = path, .l = l, .seen = calloc((size_t)l->ngrains + 1, sizeof(bool))};
  FILE *f = fopen(path, "r");
  PetscErrorCode rc = f ? parse_file(&t, f) : mt_error(MT_ERR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
  if (f) fclose(f);
  free(t.seen);
  *width = t.width;
  return rc;
}

PetscErrorCode mt_labels_axes_csv(MPI_Comm comm, const char *path, MtLabels *l) {
  int rank, width = 0;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscErrorCode rc = 0;
  l->orientation = mt_malloc((4 * (size_t)l->ngrains + 1) * sizeof *l->orientation);
  if (!rank) rc = read_table(path, l, &width);
  PetscCall(mt_agree_root(comm, rc));
  PetscCallMPI(MPI_Bcast(&width, 1, MPI_INT, 0, comm));
  PetscCallMPI(MPI_Bcast(l->axis, 3 * l->ngrains, MPI_DOUBLE, 0, comm));
  if (width == 4) {
    PetscCallMPI(MPI_Bcast(l->orientation, 4 * l->ngrains, MPI_DOUBLE, 0, comm));
  } else {
    free(l->orientation);
    l->orientation = NULL;
  }
  return 0;
}
