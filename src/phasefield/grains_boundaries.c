/* The law of boundaries from the input: orientations of the grains, and the table of pairs. */
#include "evolve_impl.h"
#include "grains_input.h"
#include "magtwin/error.h"
#include "magtwin/random.h"
#include "magtwin/texttable.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double WIDEST = 5; /* of energies, largest to least: below, boundaries get wide and slow to relax */

/* K. Shoemake, Graphics Gems III (1992) 124. */
static void random_orientations(uint64_t seed, int n, double *q) {
  MtRandom r;
  mt_random_seed(&r, mt_splitmix64(&seed));
  for (int k = 0; k < n; k++) {
    double sum = 0;
    for (int c = 0; c < 4; c++) q[4 * k + c] = mt_random_normal(&r);
    for (int c = 0; c < 4; c++) sum += q[4 * k + c] * q[4 * k + c];
    for (int c = 0; c < 4; c++) q[4 * k + c] /= sqrt(sum);
  }
}

static PetscErrorCode column_of(const MtInput *in, const char *key, const MtNumbers *t, const char *name, int *column) {
  *column = mt_numbers_column(t, name);
  return *column >= 0 ? 0 : mt_input_error(in, key, "has no column %s", name);
}

static PetscErrorCode take_orientations(const MtInput *in, const char *key, const MtNumbers *t, int n, double *q) {
  static const char *const NAME[4] = {"w", "x", "y", "z"};
  if (t->rows < n) return mt_input_error(in, key, "has %d grains, but there are %d", t->rows, n);
  for (int c = 0; c < 4; c++) {
    int column;
    PetscErrorCode rc = column_of(in, key, t, NAME[c], &column);
    if (rc) return rc;
    for (int k = 0; k < n; k++) q[4 * k + c] = t->value[(size_t)k * (size_t)t->columns + (size_t)column];
  }
  for (int k = 0; k < n; k++) {
    double sum = 0;
    for (int c = 0; c < 4; c++) sum += q[4 * k + c] * q[4 * k + c];
    if (!(fabs(sum - 1) < 1e-3)) return mt_input_error(in, key, "has no unit quaternion for grain %d", k);
    for (int c = 0; c < 4; c++) q[4 * k + c] /= sqrt(sum);
  }
  return 0;
}

static PetscErrorCode file_orientations(const MtDomain *d, const MtInput *in, int n, double *q) {
  static const char KEY[] = "phasefield.boundary.orientations";
  MtNumbers t = {0};
  PetscErrorCode rc = mt_numbers_read(d->comm, mt_input_string(in, KEY), &t);
  if (!rc) rc = take_orientations(in, KEY, &t, n, q);
  mt_numbers_free(&t);
  return rc;
}

PetscErrorCode mt_grain_growth_orientations(const MtDomain *d, const MtInput *in, int n, double *q) {
  const bool known = d->mesh && d->mesh->regions.orientation && n <= d->mesh->regions.ngrains;
  const double *measured = d->labels ? d->labels->orientation : known ? d->mesh->regions.orientation : NULL;
  if (mt_input_has(in, "phasefield.boundary.orientations")) return file_orientations(d, in, n, q);
  if (measured)
    memcpy(q, measured, (size_t)n * 4 * sizeof *q);
  else
    random_orientations((uint64_t)mt_input_int(in, "phasefield.seed"), n, q);
  return 0;
}

static PetscErrorCode read_shockley(const MtDomain *d, const MtInput *in, MtBoundaryLaw *law) {
  law->cutoff = mt_input_real(in, "phasefield.boundary.cutoff");
  law->lowest = law->energy * mt_input_real(in, "phasefield.boundary.lowest");
  if (strcmp(mt_input_string(in, "phasefield.boundary.mobility_law"), "humphreys") == 0)
    law->slowest = law->mobility * mt_input_real(in, "phasefield.boundary.slowest");
  law->orientation = malloc((size_t)law->ngrains * 4 * sizeof *law->orientation);
  if (!law->orientation) return mt_error(MT_ERR_FAIL, "out of memory for %d orientations", law->ngrains);
  return mt_grain_growth_orientations(d, in, law->ngrains, law->orientation);
}

typedef struct {
  int32_t pair[2];
  double energy, mobility;
} Line;

static int by_pair(const void *a, const void *b) {
  const Line *x = a, *y = b;
  if (x->pair[0] != y->pair[0]) return x->pair[0] < y->pair[0] ? -1 : 1;
  return (x->pair[1] > y->pair[1]) - (x->pair[1] < y->pair[1]);
}

static PetscErrorCode take_line(const MtInput *in, const char *key, const double *value, const int column[4], int row,
                                Line *line) {
  const double a = value[column[0]], b = value[column[1]];
  line->energy = value[column[2]];
  line->mobility = value[column[3]];
  if (!(a >= 0 && b >= 0 && a != b && a < 1e9 && b < 1e9 && a == floor(a) && b == floor(b)))
    return mt_input_error(in, key, "has no pair of grains in line %d of its numbers", row + 1);
  if (!(line->energy > 0 && line->mobility > 0))
    return mt_input_error(in, key, "must have energy and mobility > 0, but those of grains %g and %g are %g and %g", a,
                          b, line->energy, line->mobility);
  line->pair[0] = (int32_t)fmin(a, b);
  line->pair[1] = (int32_t)fmax(a, b);
  return 0;
}

static PetscErrorCode take_table(const MtInput *in, const char *key, const MtNumbers *t, Line *line) {
  static const char *const NAME[4] = {"a", "b", "energy", "mobility"};
  int column[4];
  PetscErrorCode rc = t->rows > 0 ? 0 : mt_input_error(in, key, "is empty");
  for (int c = 0; c < 4 && !rc; c++) rc = column_of(in, key, t, NAME[c], &column[c]);
  for (int k = 0; k < t->rows && !rc; k++)
    rc = take_line(in, key, t->value + (size_t)k * (size_t)t->columns, column, k, line + k);
  if (rc) return rc;
  qsort(line, (size_t)t->rows, sizeof *line, by_pair);
  for (int k = 1; k < t->rows; k++)
    if (by_pair(line + k - 1, line + k) == 0)
      return mt_input_error(in, key, "has the grains %d and %d twice", line[k].pair[0], line[k].pair[1]);
  return 0;
}

static PetscErrorCode keep_table(const MtInput *in, const char *key, int n, const Line *line, MtBoundaryLaw *law) {
  law->npairs = n;
  law->pair = malloc((size_t)n * 2 * sizeof *law->pair);
  law->pair_energy = malloc((size_t)n * sizeof *law->pair_energy);
  law->pair_mobility = malloc((size_t)n * sizeof *law->pair_mobility);
  if (!law->pair || !law->pair_energy || !law->pair_mobility)
    return mt_error(MT_ERR_FAIL, "out of memory for %d pairs of grains", n);
  law->energy = 0;
  law->lowest = INFINITY;
  for (int k = 0; k < n; k++) {
    memcpy(law->pair + 2 * k, line[k].pair, sizeof line[k].pair);
    law->pair_energy[k] = line[k].energy;
    law->pair_mobility[k] = line[k].mobility;
    law->mobility = fmax(law->mobility, line[k].mobility);
    law->energy = fmax(law->energy, line[k].energy);
    law->lowest = fmin(law->lowest, line[k].energy);
  }
  if (law->energy <= WIDEST * law->lowest) return 0;
  return mt_input_error(in, key, "has energies from %g to %g J/m2: they may differ by a factor of %g", law->lowest,
                        law->energy, WIDEST);
}

static PetscErrorCode read_table(const MtDomain *d, const MtInput *in, MtBoundaryLaw *law) {
  static const char KEY[] = "phasefield.boundary.table";
  MtNumbers t = {0};
  Line *line = NULL;
  PetscErrorCode rc = mt_numbers_read(d->comm, mt_input_string(in, KEY), &t);
  if (!rc && !(line = calloc((size_t)t.rows + 1, sizeof *line)))
    rc = mt_error(MT_ERR_FAIL, "out of memory for %d pairs of grains", t.rows);
  if (!rc) rc = take_table(in, KEY, &t, line);
  if (!rc) rc = keep_table(in, KEY, t.rows, line, law);
  free(line);
  mt_numbers_free(&t);
  return rc;
}

PetscErrorCode mt_grain_growth_law(const MtDomain *d, const MtInput *in, int ngrains, MtBoundaryLaw *law) {
  const char *kind = mt_input_string(in, "phasefield.boundary.law");
  PetscErrorCode rc = 0;
  *law = (MtBoundaryLaw){.kind = MT_BOUNDARY_TABLE, .ngrains = ngrains};
  if (strcmp(kind, "table") == 0) {
    rc = read_table(d, in, law);
  } else {
    const bool constant = strcmp(kind, "constant") == 0;
    law->kind = constant ? MT_BOUNDARY_CONSTANT : MT_BOUNDARY_READ_SHOCKLEY;
    law->lowest = law->energy = mt_input_real(in, "phasefield.boundary.energy");
    law->mobility = mt_input_real(in, "phasefield.boundary.mobility");
    if (!constant) rc = read_shockley(d, in, law);
  }
  return mt_agree(d->comm, rc);
}
