/* Easy axes of a labelled volume from a table of "label, ax, ay, az" lines, or orientations from "label, w, x, y, z".
 */
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include "magtwin/texttable.h"
#include "measured.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  MtTextTable text;
  int unknown; /* labels of the table that the volume does not have */
  MtLabels *l;
  int width;  /* numbers after the label: 3 an axis, 4 a quaternion; 0: not known yet */
  bool *seen; /* [ngrains] */
} Table;

enum { MOST = 5 }; /* numbers of a line */

static PetscErrorCode set_axis(Table *t, int64_t label, const double v[3]) {
  static const double z[3] = {0, 0, 1};
  const MtLabels *l = t->l;
  double norm = 0;
  for (int d = 0; d < t->width; d++) norm += v[d] * v[d];
  if (!(norm > 0) || !isfinite(norm))
    return mt_error(MT_ERR_INPUT, "%s:%lld: the %s of label %lld has no direction", t->text.path,
                    (long long)t->text.line, t->width == 4 ? "quaternion" : "axis", (long long)label);
  const int64_t *at = l->ngrains ? bsearch(&label, l->source, (size_t)l->ngrains, sizeof label, mt_compare_i64) : NULL;
  if (!at) {
    t->unknown++;
    return 0;
  }
  const ptrdiff_t g = at - l->source;
  if (t->seen[g])
    return mt_error(MT_ERR_INPUT, "%s:%lld: label %lld is given twice", t->text.path, (long long)t->text.line,
                    (long long)label);
  t->seen[g] = true;
  double *to = t->width == 4 ? l->orientation + 4 * g : l->axis + 3 * g;
  for (int d = 0; d < t->width; d++) to[d] = v[d] / sqrt(norm);
  if (t->width == 4) mt_quat_rotate(to, z, l->axis + 3 * g);
  return 0;
}

/* The numbers of a line, whatever signs are between them; up to one too many.  at: where they end, or where there is
 * none: then false. */
static bool take_numbers(const MtTextTable *line, double v[MOST + 1], int *n, const char **at) {
  static const char between[] = " \t,;";
  *n = 0;
  *at = line->text;
  for (int k = 0; k < line->n; k++) {
    *at = line->cell[k] + strspn(line->cell[k], between);
    while (**at && *n <= MOST) {
      char *end;
      v[*n] = strtod(*at, &end);
      if (end == *at || (*end && !strchr(between, *end))) return false;
      ++*n;
      *at = end + strspn(end, between);
    }
  }
  return true;
}

static PetscErrorCode take_line(Table *t) {
  double v[MOST + 1] = {0};
  int n;
  const char *at;
  const bool good = take_numbers(&t->text, v, &n, &at);
  const int width = t->width ? t->width : (n > 4 ? 4 : 3), column = (int)(at - t->text.text) + 1;
  const long long line = t->text.line;
  if (!good || n <= width)
    return mt_error(MT_ERR_INPUT, "%s:%lld:%d: expected %s", t->text.path, line, column,
                    width == 4 ? "5 numbers: label, w, x, y, z" : "4 numbers: label, ax, ay, az");
  if (n > width + 1)
    return mt_error(MT_ERR_INPUT, "%s:%lld:%d: more than %d numbers (label, %s)", t->text.path, line, column, width + 1,
                    width == 4 ? "w, x, y, z" : "ax, ay, az");
  if (v[0] != floor(v[0]) || fabs(v[0]) > 9e15)
    return mt_error(MT_ERR_INPUT, "%s:%lld:1: label %g is not a whole number", t->text.path, line, v[0]);
  t->width = width;
  return set_axis(t, (int64_t)v[0], v + 1);
}

static PetscErrorCode take_lines(Table *t) {
  for (bool first = true; mt_text_next(&t->text); first = false) {
    if (first && !strchr("+-.0123456789", *t->text.cell[0])) continue; /* names of the columns */
    PetscCall(take_line(t));
  }
  for (int g = 0; g < t->l->ngrains; g++)
    if (!t->seen[g])
      return mt_error(MT_ERR_INPUT, "%s: has no axis for label %lld", t->text.path, (long long)t->l->source[g]);
  if (t->unknown) mt_warn("%s: %d labels of the table do not occur in the volume", t->text.path, t->unknown);
  return 0;
}

static PetscErrorCode read_table(const char *path, MtLabels *l, int *width) {
  Table t = {.l = l, .seen = mt_calloc((size_t)l->ngrains + 1, sizeof(bool))};
  PetscErrorCode rc = mt_text_open(path, &t.text);
  if (!rc) rc = take_lines(&t);
  mt_text_close(&t.text);
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
