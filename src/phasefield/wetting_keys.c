/* Section wetting: boundaries between rigid grains that a second phase may wet. */
#include "evolve_impl.h"
#include "flow_impl.h"
#include "magtwin/error.h"
#include <math.h>
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

bool mt_wetting_given(const MtInput *in) {
  return mt_input_has(in, "wetting.energy");
}

static int count_pairs(const MtInput *in) {
  return mt_input_has(in, "wetting.pairs") ? mt_input_count(in, "wetting.pairs") : 0;
}

static PetscErrorCode check_pairs(const MtInput *in) {
  char path[64];
  for (int k = 0; k < count_pairs(in); k++) {
    snprintf(path, sizeof path, "wetting.pairs[%d].grains", k);
    if (mt_input_count(in, "%s", path) != 2) return mt_input_error(in, path, "must be the numbers of two grains");
  }
  return 0;
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
    grain[e] = (int)fmin(fmax(floor(mt_formula_value(f, x) + .5), -1e9), 1e9);
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
  if (!rc) rc = mt_wall_create(d, grain, energy_of, in, *wall, &area);
  PetscCall(PetscFree(grain));
  if (!rc && !(area > 0)) rc = mt_input_error(in, "wetting.energy", "has no boundary: there is one grain");
  return rc;
}
