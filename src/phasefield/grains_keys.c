/* The keys of grain growth, and the law of boundaries taken from them. */
#include "evolve_impl.h"
#include "grains_input.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include <math.h>
#include <string.h>

#define GROWTH "phasefield.model=grain_growth"

const MtKey mt_grain_growth_keys[] = {
    {.path = "phasefield.boundary.energy",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_SURFACE,
     .min = 0,
     .max = 1e6,
     .when = "phasefield.boundary.law=constant|read_shockley",
     .help = "Energy of a boundary between two grains.",
     .exclusive_min = true},
    {.path = "phasefield.boundary.mobility",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_BOUNDARYMOBILITY,
     .min = 0,
     .max = 1e30,
     .when = "phasefield.boundary.law=constant|read_shockley",
     .help = "M of the speed M times energy times curvature of a boundary.",
     .exclusive_min = true},
    {.path = "phasefield.boundary.width",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_LENGTH,
     .min = 0,
     .max = 1e9,
     .when = GROWTH,
     .help = "Width in which the order parameters change at a boundary: numerical, well below the size of grains, at "
             "least 5 times the longest edge of cells (8 times for errors below 1 %).",
     .exclusive_min = true},
    {.path = "phasefield.boundary.law",
     .type = MT_KEY_CHOICE,
     .def = "constant",
     .choices = "constant|read_shockley|table",
     .when = GROWTH,
     .help = "constant: all boundaries alike. read_shockley: the energy falls with the angle between the grains below "
             "cutoff. table: energy and mobility of each pair of grains, from a file."},
    {.path = "phasefield.boundary.cutoff",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_ANGLE,
     .def = "15 deg",
     .min = 0,
     .max = 90,
     .when = "phasefield.boundary.law=read_shockley",
     .help = "Angle between the lattices from which on a boundary has the whole energy.",
     .exclusive_min = true},
    {.path = "phasefield.boundary.lowest",
     .type = MT_KEY_REAL,
     .def = "0.3",
     .min = 0.2,
     .max = 1,
     .when = "phasefield.boundary.law=read_shockley",
     .help = "Least energy of a boundary, as a part of the whole."},
    {.path = "phasefield.boundary.mobility_law",
     .type = MT_KEY_CHOICE,
     .def = "constant",
     .choices = "constant|humphreys",
     .when = "phasefield.boundary.law=read_shockley",
     .help = "humphreys: the mobility falls with the angle, too: M (1 - exp(-5 (angle/cutoff)^4))."},
    {.path = "phasefield.boundary.slowest",
     .type = MT_KEY_REAL,
     .def = "0.01",
     .min = 1e-6,
     .max = 1,
     .when = "phasefield.boundary.mobility_law=humphreys",
     .help = "Least mobility of a boundary, as a part of the whole."},
    {.path = "phasefield.boundary.orientations",
     .type = MT_KEY_PATH,
     .def = "",
     .when = GROWTH,
     .help = "A table with the columns w, x, y, z: unit quaternions, crystal to sample, of grain 0, 1, ...; used by "
             "read_shockley and by phasefield.driving.field. Without it those of the mesh, or random ones by "
             "phasefield.seed."},
    {.path = "phasefield.boundary.table",
     .type = MT_KEY_PATH,
     .when = "phasefield.boundary.law=table",
     .help = "A table with the columns a, b (numbers of two grains), energy, in J/m2, and mobility, in m4/(J s) (heads "
             "are the bare words). Energies "
             "may differ by a factor of 5. The run fails where two grains meet that it does not have."},
    {.path = "phasefield.grains",
     .type = MT_KEY_INT,
     .min = 1,
     .max = 1e9,
     .when = "phasefield.initial=voronoi",
     .help = "Number of grains around random seeds."},
    {.path = "phasefield.threshold",
     .type = MT_KEY_REAL,
     .def = "1e-3",
     .min = 0,
     .max = 0.1,
     .when = GROWTH,
     .help = "An order parameter is kept at a node where it or that of a neighbour is above; it is dropped below a "
             "tenth of it.",
     .exclusive_min = true},
    {0},
};

static const double ENOUGH = 5, LEAST = 2.5; /* edges across a boundary */

static PetscErrorCode check_width(const MtInput *in) {
  const double width = mt_input_real(in, "phasefield.boundary.width"), h = mt_input_real(in, "box.spacing");
  if (width >= LEAST * h) return 0;
  return mt_input_error(in, "phasefield.boundary.width",
                        "is %g nm, %.3g times the cells of the box: boundaries stick below %g", width, width / h,
                        LEAST);
}

static PetscErrorCode check_start(const MtInput *in) {
  const char *from = mt_input_string(in, "phasefield.initial");
  const bool box = mt_evolve_on_box(in);
  if (strcmp(from, "regions") == 0 && box)
    return mt_input_error(in, "phasefield.initial", "is regions, which a box does not have");
  if (strcmp(from, "voronoi") == 0 && !box)
    return mt_input_error(in, "phasefield.initial", "is voronoi, which needs a box");
  if (mt_input_has(in, MT_LABEL_VALUES))
    return mt_input_error(in, MT_LABEL_VALUES, "is for other models: in grain_growth every label is a grain");
  return 0;
}

bool mt_grain_growth_asked(const MtInput *in) {
  return strcmp(mt_input_string(in, "phasefield.model"), "grain_growth") == 0;
}

PetscErrorCode mt_grain_growth_check(const MtInput *in) {
  MtFormula *f = NULL;
  MtFreeEnergy range = {.low = -1, .high = 2};
  const bool growth = mt_grain_growth_asked(in);
  const char *from = mt_input_string(in, "phasefield.initial");
  if (!growth && (strcmp(from, "voronoi") == 0 || strcmp(from, "regions") == 0))
    return mt_input_error(in, "phasefield.initial", "is %s, which only grain_growth has", from);
  if (!growth && mt_evolve_from_labels(in) && !mt_input_has(in, MT_LABEL_VALUES))
    return mt_input_error(in, "phasefield.initial", "is labels, which needs " MT_LABEL_VALUES);
  if (!growth) return 0;
  PetscErrorCode rc = mt_evolve_formula(in, "phasefield.initial_formula", &f);
  if (!rc && f && mt_formula_uses(f, MT_VAR_T))
    rc = mt_input_error(in, "phasefield.initial_formula", "depends on t, but it is of the beginning");
  mt_formula_free(&f);
  if (!rc) rc = mt_evolve_range(in, &range);
  if (!rc) rc = check_start(in);
  if (!rc) rc = mt_grain_driving_check(in);
  return rc || !mt_input_has(in, "box.size") ? rc : check_width(in);
}

static double longest_edge(const MtDomain *d) {
  const int n = d->dim + 1;
  double x[4][3], most = 0;
  for (PetscInt e = 0; e < d->ne; e++) {
    mt_domain_corners(d, e, x);
    for (int i = 0; i < n; i++)
      for (int j = i + 1; j < n; j++) {
        const double a = x[i][0] - x[j][0], b = x[i][1] - x[j][1], c = x[i][2] - x[j][2];
        most = fmax(most, a * a + b * b + c * c);
      }
  }
  return sqrt(most);
}

PetscErrorCode mt_grain_growth_resolved(const MtDomain *d, double width) {
  double h = 0;
  for (int c = 0; c < d->box.dim; c++) h = fmax(h, d->box.size[c] / (double)d->box.cells[c]);
  if (d->mesh) h = longest_edge(d);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &h, 1, MPI_DOUBLE, MPI_MAX, d->comm));
  if (width < LEAST * h)
    return mt_error(MT_ERR_INPUT,
                    "phasefield.boundary.width is %g nm, but the longest edge of the mesh %.4g nm: boundaries stick "
                    "where they are less than %g edges wide",
                    width, h, LEAST);
  if (width < ENOUGH * h)
    mt_warn("boundaries are %.3g edges wide, less than %g: they move too slowly by about %.2g %%", width / h, ENOUGH,
            40 * h * h / (width * width));
  return 0;
}
