/* A table of constants by composition: read from the input or a csv file, and interpolated.
 *
 * Between the points a cubic Hermite polynomial with the slopes of F. N. Fritsch and J. Butland, SIAM J. Sci. Stat.
 * Comput. 5 (1984) 300: monotone wherever the points are, so that no constant leaves the values around it; at the ends
 * the three-point formula, limited in the same sense (F. N. Fritsch and R. E. Carlson, SIAM J. Numer. Anal. 17 (1980)
 * 238). */
#include "composition.h"
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include "magtwin/texttable.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CELLS = 16, COMPOSITION = MT_NCOMPOSED, IGNORED = -1 };
static const double ROUNDING = 1e-9; /* of the table's width: beyond its ends by no more is on it */

static const struct {
  const char *name;
  MtDimension dim;
} column[MT_NCOMPOSED] = {{"Js", MT_DIM_FIELD}, {"K1", MT_DIM_ENERGY}, {"A", MT_DIM_EXCHANGE}};

void mt_composition_table_free(MtCompositionTable *t) {
  free(t->c);
  free(t->from);
  for (int k = 0; k < MT_NCOMPOSED; k++) {
    free(t->value[k]);
    free(t->slope[k]);
  }
  *t = (MtCompositionTable){0};
}

static double end_slope(double h0, double h1, double d0, double d1) {
  const double s = ((2 * h0 + h1) * d0 - h0 * d1) / (h0 + h1);
  if (s * d0 <= 0) return 0;
  return d0 * d1 < 0 && fabs(s) > 3 * fabs(d0) ? 3 * d0 : s;
}

static double inner_slope(double h0, double h1, double d0, double d1) {
  const double w0 = 2 * h1 + h0, w1 = h1 + 2 * h0;
  return d0 * d1 <= 0 ? 0 : (w0 + w1) / (w0 / d0 + w1 / d1);
}

static void smooth(int n, const double *x, const double *y, double *slope) {
  for (int i = 0; i < n; i++) {
    const int a = n < 3 ? 0 : i == 0 ? 0 : i == n - 1 ? n - 3 : i - 1;
    if (n < 3) {
      slope[i] = n < 2 ? 0 : (y[1] - y[0]) / (x[1] - x[0]);
      continue;
    }
    const double h0 = x[a + 1] - x[a], h1 = x[a + 2] - x[a + 1], d0 = (y[a + 1] - y[a]) / h0,
                 d1 = (y[a + 2] - y[a + 1]) / h1;
    slope[i] = i == 0       ? end_slope(h0, h1, d0, d1)
               : i == n - 1 ? end_slope(h1, h0, d1, d0)
                            : inner_slope(h0, h1, d0, d1);
  }
}

void mt_composition_table_smooth(MtCompositionTable *t) {
  for (int k = 0; k < MT_NCOMPOSED; k++) {
    if (!t->value[k]) continue;
    t->slope[k] = mt_realloc(t->slope[k], (size_t)t->n * sizeof *t->slope[k]);
    smooth(t->n, t->c, t->value[k], t->slope[k]);
  }
}

bool mt_composition_table_covers(const MtCompositionTable *t, double c) {
  const double slack = ROUNDING * (t->c[t->n - 1] - t->c[0]);
  return c >= t->c[0] - slack && c <= t->c[t->n - 1] + slack;
}

double mt_composition_table_at(const MtCompositionTable *t, MtComposed which, double c) {
  const double *y = t->value[which], *s = t->slope[which];
  int low = 0, high = t->n - 1;
  if (!(c > t->c[low])) return y[low];
  if (!(c < t->c[high])) return y[high];
  while (high - low > 1) {
    const int middle = (low + high) / 2;
    *(t->c[middle] <= c ? &low : &high) = middle;
  }
  const double h = t->c[high] - t->c[low], u = (c - t->c[low]) / h, v = 1 - u;
  return y[low] * v * v * (1 + 2 * u) + y[high] * u * u * (1 + 2 * v) + h * u * v * (s[low] * v - s[high] * u);
}

typedef struct {
  const char *path;
  int n;              /* columns */
  int what[CELLS];    /* MtComposed, COMPOSITION, IGNORED */
  double unit[CELLS]; /* factor to the canonical one */
} Header;

/* "Ms (kA/m)", "Ms_kA/m", "Js": Js and its factor. */
static PetscErrorCode name_column(Header *h, int k, const char *cell) {
  const size_t length = strcspn(cell, " _(["), gap = strspn(cell + length, " _([");
  char unit[32];
  snprintf(unit, sizeof unit, "%.*s", (int)strcspn(cell + length + gap, ")]"), cell + length + gap);
  h->what[k] = IGNORED;
  h->unit[k] = 1;
  if ((length == 1 && cell[0] == 'c') || (length == 11 && !strncmp(cell, "composition", 11))) h->what[k] = COMPOSITION;
  const bool Ms = length == 2 && !strncmp(cell, "Ms", 2);
  for (int w = 0; w < MT_NCOMPOSED; w++)
    if ((length == strlen(column[w].name) && !strncmp(cell, column[w].name, length)) || (w == MT_COMPOSED_JS && Ms))
      h->what[k] = w;
  if (h->what[k] == IGNORED)
    return mt_error(MT_ERR_INPUT, "%s: the first line has a column \"%s\"; known are composition, Js (or Ms), K1, A",
                    h->path, cell);
  for (int other = 0; other < k; other++)
    if (h->what[other] == h->what[k])
      return mt_error(MT_ERR_INPUT, "%s: columns %d and %d are the same constant", h->path, other + 1, k + 1);
  if (h->what[k] == COMPOSITION) return 0;
  const MtDimension dim = column[h->what[k]].dim;
  if (!*unit && Ms) return mt_error(MT_ERR_INPUT, "%s: the column Ms needs a unit, as \"Ms (kA/m)\"", h->path);
  if (*unit) h->unit[k] = mt_unit_factor(dim, unit);
  if (h->unit[k] > 0) return 0;
  return mt_error(MT_ERR_INPUT, "%s: \"%s\" is no unit of %s (%s)", h->path, unit, column[h->what[k]].name,
                  mt_unit_accepted(dim));
}

static PetscErrorCode read_header(Header *h, int n, char **name) {
  bool composition = false;
  h->n = n;
  if (n > CELLS) return mt_error(MT_ERR_INPUT, "%s: %d columns are too many", h->path, n);
  for (int k = 0; k < n; k++) {
    PetscErrorCode rc = name_column(h, k, name[k]);
    if (rc) return rc;
    composition = composition || h->what[k] == COMPOSITION;
  }
  if (composition && n > 1) return 0;
  return mt_error(MT_ERR_INPUT, "%s: the first line names no column composition, or no constant beside it", h->path);
}

static PetscErrorCode take_column(const Header *h, const MtNumbers *in, int k, MtCompositionTable *t) {
  double *a = mt_malloc((size_t)in->rows * sizeof *a);
  *(h->what[k] == COMPOSITION ? &t->c : &t->value[h->what[k]]) = a;
  for (int i = 0; i < in->rows; i++) {
    a[i] = h->unit[k] * in->value[(size_t)i * (size_t)in->columns + (size_t)k];
    if (isnan(a[i]))
      return mt_error(MT_ERR_INPUT, "%s: no number in column %d (%s) of row %d: the table has a gap", h->path, k + 1,
                      in->name[k], i + 1);
  }
  return 0;
}

static PetscErrorCode read_csv(MPI_Comm comm, const char *path, MtCompositionTable *t) {
  Header h = {.path = path};
  MtNumbers in = {0};
  PetscErrorCode rc = mt_numbers_read(comm, path, &in);
  if (!rc) rc = read_header(&h, in.columns, in.name);
  t->n = in.rows;
  for (int k = 0; k < h.n && !rc; k++) rc = take_column(&h, &in, k, t);
  mt_numbers_free(&in);
  return rc;
}

static double *copy_list(const MtInput *in, const char *path, int n) {
  double *a = mt_malloc((size_t)n * sizeof *a);
  for (int k = 0; k < n; k++) a[k] = mt_input_real_at(in, k, "%s", path);
  return a;
}

static PetscErrorCode read_lists(const MtInput *in, const char *entry, MtCompositionTable *t) {
  char path[96];
  snprintf(path, sizeof path, "%s.c", entry);
  if (!mt_input_has(in, "%s", path)) return mt_input_error(in, entry, "needs either file, or c with Js, K1 or A");
  t->n = mt_input_count(in, "%s", path);
  if (t->n < 1) return mt_input_error(in, path, "is empty");
  t->c = copy_list(in, path, t->n);
  for (int k = 0; k < MT_NCOMPOSED; k++) {
    snprintf(path, sizeof path, "%s.%s", entry, column[k].name);
    if (!mt_input_has(in, "%s", path)) continue;
    if (mt_input_count(in, "%s", path) != t->n)
      return mt_input_error(in, path, "has %d values, but there are %d compositions", mt_input_count(in, "%s", path),
                            t->n);
    t->value[k] = copy_list(in, path, t->n);
  }
  return 0;
}

/* Rules between the values, however they came. */
static PetscErrorCode check(const MtCompositionTable *t, bool easy_plane) {
  const double *Js = t->value[MT_COMPOSED_JS], *A = t->value[MT_COMPOSED_A], *K1 = t->value[MT_COMPOSED_K1];
  if (!Js && !A && !t->value[MT_COMPOSED_K1])
    return mt_error(MT_ERR_INPUT, "%s: the table has neither Js nor K1 nor A", t->from);
  for (int i = 1; i < t->n; i++)
    if (!(t->c[i] > t->c[i - 1]))
      return mt_error(MT_ERR_INPUT, "%s: compositions must ascend, but %g follows %g", t->from, t->c[i], t->c[i - 1]);
  for (int i = 0; i < t->n; i++) {
    if (Js && Js[i] < 0) return mt_error(MT_ERR_INPUT, "%s: Js must be >= 0 T, is %g", t->from, Js[i]);
    if (A && (A[i] < 0 || (Js && Js[i] > 0 && !(A[i] > 0))))
      return mt_error(MT_ERR_INPUT, "%s: A must be > 0 J/m where Js > 0, is %g at composition %g", t->from, A[i],
                      t->c[i]);
    if (K1 && K1[i] < 0 && !easy_plane)
      return mt_error(MT_ERR_INPUT,
                      "%s: K1 is %g J/m3 at composition %g: below 0 the axis is the hardest direction and the plane "
                      "across it easy; if that is meant, say easy_plane: true in the entry of the table",
                      t->from, K1[i], t->c[i]);
  }
  return 0;
}

PetscErrorCode mt_composition_table_read(MPI_Comm comm, const MtInput *in, int i, MtCompositionTable *t) {
  char entry[64], from[192];
  *t = (MtCompositionTable){.nearest =
                                !strcmp(mt_input_string(in, "materials.composition.tables[%d].beyond", i), "nearest")};
  snprintf(entry, sizeof entry, "materials.composition.tables[%d]", i);
  const bool file = mt_input_has(in, "%s.file", entry);
  const char *path = file ? mt_input_string(in, "%s.file", entry) : mt_input_path(in);
  if (file && mt_input_has(in, "%s.c", entry)) return mt_input_error(in, entry, "has both file and c");
  snprintf(from, sizeof from, file ? "%s" : "%s: %s", path, entry);
  t->from = strcpy(mt_malloc(strlen(from) + 1), from);
  PetscErrorCode rc = file ? read_csv(comm, path, t) : read_lists(in, entry, t);
  if (!rc) rc = check(t, mt_input_bool(in, "%s.easy_plane", entry));
  if (!rc) mt_composition_table_smooth(t);
  return rc;
}
