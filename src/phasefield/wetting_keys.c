/* Section wetting: boundaries between rigid grains that a second phase may wet. */
#include "evolve_impl.h"
#include "flow_impl.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

const MtKey mt_wetting_keys[] = {
    {.path = "wetting.energy",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_SURFACE,
     .def = "",
     .min = 0,
     .max = 1e6,
     .help = "Energy of a boundary between grains where it is dry, c = double_well.low; it is 0 where it is wet, c = "
             "double_well.high. Given: the boundaries of the mesh, or of grains by formula, are part of the energy."},
    {.path = "wetting.pairs",
     .type = MT_KEY_LIST,
     .def = "",
     .min = 0,
     .max = 100000,
     .help = "Boundaries of another energy."},
    {.path = "wetting.pairs[].grains",
     .type = MT_KEY_REALS,
     .min = 0,
     .max = 1e9,
     .help = "The numbers of two grains."},
    {.path = "wetting.pairs[].energy",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_SURFACE,
     .min = 0,
     .max = 1e6,
     .help = "Energy of the dry boundary between them."},
    {.path = "wetting.grains",
     .type = MT_KEY_STRING,
     .def = "",
     .help = "On a box: the number of the grain as a formula of x, y, z (nm) at the centre of an element. Boundaries "
             "follow "
             "the edges of elements: only planes along the cells have their true area."},
    {0},
};

static int count_pairs(const MtInput *in) {
  return mt_input_has(in, "wetting.pairs") ? mt_input_count(in, "wetting.pairs") : 0;
}

/* Which of the grains that wetting.pairs names are on this rank, there [2 pairs]. */
static PetscErrorCode find_grains(const MtInput *in, const MtDomain *d, const int *grain, int *there) {
  PetscInt n = d->ne, *sorted, at;
  PetscCall(PetscMalloc1(n, &sorted));
  for (PetscInt e = 0; e < n; e++) sorted[e] = grain[e];
  PetscCall(PetscSortRemoveDupsInt(&n, sorted));
  for (int k = 0; k < 2 * count_pairs(in); k++) {
    PetscCall(PetscFindInt((PetscInt)mt_input_real_at(in, k % 2, "wetting.pairs[%d].grains", k / 2), n, sorted, &at));
    there[k] = at >= 0;
  }
  return PetscFree(sorted);
}

/* A table may be of more grains than there are; or a number is mistyped. */
static PetscErrorCode warn_absent(const MtInput *in, const MtDomain *d, const int *grain) {
  const int n = count_pairs(in);
  int *there, absent = 0, first = 0;
  PetscCall(PetscCalloc1(2 * (size_t)n, &there));
  PetscCall(find_grains(in, d, grain, there));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, there, 2 * n, MPI_INT, MPI_MAX, d->comm));
  for (int k = n - 1; k >= 0; k--) {
    if (there[2 * k] && there[2 * k + 1]) continue;
    absent++;
    first = k + 1;
  }
  if (absent > 0)
    mt_warn("wetting.pairs: %d of %d have a grain that is not there, the first is entry %d", absent, n, first);
  return PetscFree(there);
}

bool mt_wetting_given(const MtInput *in) {
  return mt_input_has(in, "wetting.energy");
}

typedef struct {
  double grain[2]; /* ascending */
  int entry;
} Pair;

static int by_grains(const void *a, const void *b) {
  const Pair *x = a, *y = b;
  for (int k = 0; k < 2; k++)
    if (x->grain[k] != y->grain[k]) return x->grain[k] < y->grain[k] ? -1 : 1;
  return x->entry - y->entry;
}

static PetscErrorCode read_pair(const MtInput *in, int k, Pair *pair) {
  char path[64];
  snprintf(path, sizeof path, "wetting.pairs[%d].grains", k);
  if (mt_input_count(in, "%s", path) != 2) return mt_input_error(in, path, "must be the numbers of two grains");
  const double a = mt_input_real_at(in, 0, "%s", path), b = mt_input_real_at(in, 1, "%s", path);
  if (a == b || a != floor(a) || b != floor(b))
    return mt_input_error(in, path, "must be the numbers of two grains, is [%g, %g]", a, b);
  *pair = (Pair){.grain = {fmin(a, b), fmax(a, b)}, .entry = k};
  return 0;
}

static PetscErrorCode check_pairs(const MtInput *in) {
  const int n = count_pairs(in);
  Pair *pair = calloc((size_t)n + 1, sizeof *pair);
  char path[64];
  PetscErrorCode rc = 0;
  if (!pair) abort();
  for (int k = 0; k < n && !rc; k++) rc = read_pair(in, k, &pair[k]);
  if (!rc) qsort(pair, (size_t)n, sizeof *pair, by_grains);
  for (int k = 1; k < n && !rc; k++) {
    if (pair[k].grain[0] != pair[k - 1].grain[0] || pair[k].grain[1] != pair[k - 1].grain[1]) continue;
    snprintf(path, sizeof path, "wetting.pairs[%d].grains", pair[k].entry);
    rc = mt_input_error(in, path, "has the grains %g and %g again", pair[k].grain[0], pair[k].grain[1]);
  }
  free(pair);
  return rc;
}

PetscErrorCode mt_wetting_check(const MtInput *in) {
  MtFormula *f = NULL;
  const bool box = mt_evolve_on_box(in),
             formula = mt_input_has(in, "wetting.grains") && *mt_input_string(in, "wetting.grains");
  if (!mt_wetting_given(in)) return 0;
  if (!mt_input_has(in, "phasefield.energy") || strcmp(mt_input_string(in, "phasefield.energy"), "double_well") != 0)
    return mt_input_error(in, "wetting.energy",
                          "needs phasefield.model cahn_hilliard or allen_cahn with a double well");
  if (box && !formula) return mt_input_error(in, "wetting.energy", "on a box needs wetting.grains");
  if (!box && formula)
    return mt_input_error(in, "wetting.grains", "is for a box; the grains here are those of the mesh");
  PetscErrorCode rc = mt_evolve_formula(in, "wetting.grains", &f);
  if (!rc && f && mt_formula_uses(f, MT_VAR_T))
    rc = mt_input_error(in, "wetting.grains", "depends on t, but the grains stay where they are");
  mt_formula_free(&f);
  return rc ? rc : check_pairs(in);
}

static double energy_of(const void *context, int a, int b) {
  const MtInput *in = context;
  for (int k = count_pairs(in) - 1; k >= 0; k--) {
    const double p = mt_input_real_at(in, 0, "wetting.pairs[%d].grains", k),
                 q = mt_input_real_at(in, 1, "wetting.pairs[%d].grains", k);
    if ((p == a && q == b) || (p == b && q == a)) return mt_input_real(in, "wetting.pairs[%d].energy", k);
  }
  return mt_input_real(in, "wetting.energy");
}

static PetscErrorCode grains_of_mesh(const MtDomain *d, int *grain) {
  const MtRegions *r = &d->mesh->regions;
  for (int i = 0; i < r->n; i++)
    if (!mt_region_is_grain(r->kind[i]) && r->kind[i] != MT_REGION_AIR)
      return mt_error(MT_ERR_INPUT,
                      "the mesh has the region \"%s\" between its grains: wetting is of grains that touch "
                      "(mesh.gb.thickness: 0)",
                      r->name[i]);
  for (PetscInt e = 0; e < d->ne; e++) grain[e] = r->grains[4 * d->region[e]];
  return 0;
}

static PetscErrorCode grains_of_formula(const MtInput *in, const MtDomain *d, int *grain) {
  MtFormula *f;
  PetscErrorCode rc = mt_evolve_formula(in, "wetting.grains", &f);
  for (PetscInt e = 0; e < d->ne && !rc; e++) {
    double corner[4][3], x[MT_NVARS] = {0};
    mt_domain_corners(d, e, corner);
    for (int k = 0; k <= d->dim; k++)
      for (int c = 0; c < 3; c++) x[c] += corner[k][c] / (d->dim + 1);
    const double number = floor(mt_formula_value(f, x) + .5);
    if (!(fabs(number) <= 1e9))
      rc = mt_error(MT_ERR_INPUT,
                    "wetting.grains is %g at (%.6g, %.6g, %.6g) nm: every element needs the number of a grain", number,
                    x[0], x[1], x[2]);
    grain[e] = rc ? 0 : (int)number;
  }
  mt_formula_free(&f);
  return rc;
}

PetscErrorCode mt_wetting_open(const MtInput *in, const MtDomain *d, double **wall) {
  int *grain;
  double area;
  *wall = NULL;
  if (!mt_wetting_given(in)) return 0;
  PetscCall(PetscMalloc1(d->ne, &grain));
  PetscCall(PetscMalloc1(d->n_owned, wall));
  PetscErrorCode rc = mt_agree(d->comm, d->mesh ? grains_of_mesh(d, grain) : grains_of_formula(in, d, grain));
  if (!rc) rc = warn_absent(in, d, grain);
  if (!rc) rc = mt_wall_create(d, grain, energy_of, in, *wall, &area);
  PetscCall(PetscFree(grain));
  if (!rc && !(area > 0)) rc = mt_input_error(in, "wetting.energy", "has no boundary: there is one grain");
  return rc;
}
