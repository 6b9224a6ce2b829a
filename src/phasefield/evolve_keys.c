/* The keys of a phase-field run, and the values taken from them. */
#include "evolve_impl.h"
#include "magtwin/elastic.h"
#include "magtwin/error.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double NM2 = 1e18; /* m2 -> nm2 */

const MtKey mt_evolve_keys[] = {
    {.path = "box.size",
     .type = MT_KEY_VEC3,
     .dim = MT_DIM_LENGTH,
     .min = 0,
     .max = 1e9,
     .help = "Edges of a box to compute on instead of a mesh; 0 along z: in two dimensions, on triangles."},
    {.path = "box.spacing",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_LENGTH,
     .min = 0,
     .max = 1e9,
     .help = "Longest edge of the cells that the box is cut into; each becomes 2 triangles or 6 tetrahedra.",
     .exclusive_min = true},
    {.path = "box.periodic",
     .type = MT_KEY_CHOICE,
     .def = "none",
     .choices = "none|x|y|z|xy|xz|yz|xyz",
     .help = "Axes along which the ends of the box are joined; at the other ends nothing flows out."},
    {.path = "phasefield.model",
     .type = MT_KEY_CHOICE,
     .def = "cahn_hilliard",
     .choices = "cahn_hilliard|allen_cahn|diffusion|kks|grain_growth",
     .help = "cahn_hilliard: c is conserved and flows down the gradient of its chemical potential. allen_cahn: c "
             "relaxes where it is. diffusion: c flows down its own gradient through the media of section diffusion. "
             "kks: two phases, phi, with compositions of their own in equilibrium (Kim, Kim, Suzuki), section kks. "
             "grain_growth: an order parameter for each grain, boundaries move by their curvature."},
    {.path = "phasefield.energy",
     .type = MT_KEY_CHOICE,
     .def = "double_well",
     .choices = "double_well|polynomial|regular_solution|table",
     .when = "phasefield.model=cahn_hilliard|allen_cahn",
     .help = "Free energy f(c) of a homogeneous phase."},
    {.path = "phasefield.double_well.height",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_ENERGY,
     .min = 0,
     .max = 1e30,
     .when = "phasefield.energy=double_well",
     .help = "h of f = h (c - low)^2 (high - c)^2.",
     .exclusive_min = true},
    {.path = "phasefield.double_well.low",
     .type = MT_KEY_REAL,
     .def = "0",
     .when = "phasefield.energy=double_well",
     .help = "c of the one phase."},
    {.path = "phasefield.double_well.high",
     .type = MT_KEY_REAL,
     .def = "1",
     .when = "phasefield.energy=double_well",
     .help = "c of the other, above low."},
    {.path = "phasefield.polynomial",
     .type = MT_KEY_REALS,
     .dim = MT_DIM_ENERGY,
     .when = "phasefield.energy=polynomial",
     .help = "Coefficients of 1, c, c^2, ... of f; the last of an even power and positive, so that f has a bound."},
    {.path = "phasefield.solution.temperature",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_TEMPERATURE,
     .def = "",
     .min = 0,
     .max = 1e5,
     .when = "phasefield.energy=regular_solution",
     .help =
         "T of f = RT/Vm (c ln c + (1-c) ln(1-c)) + W/Vm c (1-c). Without it f follows section temperature; with it "
         "f stays the same whatever that says.",
     .exclusive_min = true},
    {.path = "phasefield.solution.interaction",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_MOLAR,
     .min = -1e7,
     .max = 1e7,
     .when = "phasefield.energy=regular_solution",
     .help = "W; two phases where it is above 2RT."},
    {.path = "phasefield.solution.molar_volume",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_MOLARVOLUME,
     .min = 0,
     .max = 1,
     .when = "phasefield.energy=regular_solution",
     .help = "Vm.",
     .exclusive_min = true},
    {.path = "phasefield.table.c",
     .type = MT_KEY_REALS,
     .when = "phasefield.energy=table",
     .help = "Ascending values of c at which f is given; a natural cubic spline passes through them, and c may not "
             "leave them."},
    {.path = "phasefield.table.f",
     .type = MT_KEY_REALS,
     .dim = MT_DIM_ENERGY,
     .when = "phasefield.energy=table",
     .help = "f there."},
    {.path = "phasefield.table.temperatures",
     .type = MT_KEY_REALS,
     .dim = MT_DIM_TEMPERATURE,
     .def = "[]",
     .min = 0,
     .max = 1e5,
     .when = "phasefield.energy=table",
     .help = "Two temperatures, of f and of second: f then follows section temperature, linearly.",
     .exclusive_min = true},
    {.path = "phasefield.table.second",
     .type = MT_KEY_REALS,
     .dim = MT_DIM_ENERGY,
     .def = "[]",
     .when = "phasefield.energy=table",
     .help = "f at the second temperature."},
    {.path = "phasefield.gradient_energy",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_EXCHANGE,
     .min = 0,
     .max = 1e10,
     .when = "phasefield.model=cahn_hilliard|allen_cahn",
     .help = "kappa of the energy kappa/2 |grad c|^2.",
     .exclusive_min = true},
    {.path = "phasefield.mobility",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_TRANSPORT,
     .min = 0,
     .max = 1e30,
     .when = "phasefield.model=cahn_hilliard",
     .help = "M of dc/dt = div M grad mu, mu the derivative of the energy density.",
     .exclusive_min = true},
    {.path = "phasefield.rate",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_RELAXATION,
     .min = 0,
     .max = 1e30,
     .when = "phasefield.model=allen_cahn",
     .help = "L of dc/dt = -L mu.",
     .exclusive_min = true},
    {.path = "phasefield.activation",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_MOLAR,
     .def = "0 J/mol",
     .min = 0,
     .max = 1e7,
     .when = "phasefield.model=cahn_hilliard|allen_cahn|kks|grain_growth",
     .help = "Q: mobility, rate, kks.rate, or the mobilities of all boundaries are multiplied by exp(-Q/RT), T of "
             "section temperature."},
    {.path = "phasefield.initial",
     .type = MT_KEY_CHOICE,
     .def = "formula",
     .choices = "formula|file|voronoi|regions|labels",
     .help = "Where c, or the grain at each node, at the beginning comes from. voronoi: grains around random seeds; "
             "regions: the grains of the mesh (both only with grain_growth); labels: the voxels of section grains "
             "(source labels, stack or ebsd), "
             "whose corner is the origin: without sections box and mesh they are the cells of a box."},
    {.path = "phasefield.initial_formula",
     .type = MT_KEY_STRING,
     .when = "phasefield.initial=formula",
     .help = "c, or the number of the grain, from 0, as a formula of x, y, z (nm): + - * / ^, functions (sin, tanh, "
             "exp, min, ...), pi, and names: \"r = sqrt(x^2 + y^2); tanh(r - 20)\"."},
    {.path = "phasefield.initial_file",
     .type = MT_KEY_PATH,
     .when = "phasefield.initial=file",
     .help = "A file of fields of an earlier run on the same box or mesh (fields/fields_0001.h5)."},
    {.path = MT_LABEL_VALUES,
     .type = MT_KEY_PATH,
     .def = "",
     .when = "phasefield.initial=labels",
     .help = "For models other than grain_growth a table with the columns label and c (kks: label, phi, c): what each "
             "label begins with, that of grains.background too where it occurs."},
    {.path = "phasefield.unlabelled",
     .type = MT_KEY_CHOICE,
     .def = "refuse",
     .choices = "refuse|fill",
     .when = "phasefield.initial=labels",
     .help = "Voxels with the label grains.background: refuse says where one is and ends; fill gives them to the "
             "grains around, layer by layer. A table of values is asked for theirs instead."},
    {.path = "phasefield.noise",
     .type = MT_KEY_REAL,
     .def = "0",
     .min = 0,
     .max = 1e6,
     .when = "phasefield.model=cahn_hilliard|allen_cahn|diffusion|kks",
     .help = "Added to c at every node at the beginning: random, uniform, up to this on either side."},
    {.path = "phasefield.seed",
     .type = MT_KEY_INT,
     .def = "1",
     .min = 0,
     .max = 1e15,
     .help = "Seed of the noise or of the grains; the same on any number of ranks."},
    {.path = "phasefield.source",
     .type = MT_KEY_STRING,
     .def = "",
     .when = "phasefield.model=cahn_hilliard|allen_cahn|diffusion|kks",
     .help = "A formula of x, y, z (nm) and t (s), in 1/s, added to dc/dt."},
    {.path = "phasefield.range",
     .type = MT_KEY_REALS,
     .def = "[]",
     .help = "Two numbers that c must stay between, or the run fails with the last good state. Without them a "
             "regular solution has 0 and 1, a table its ends, grains -0.1 and 1.1."},
    {.path = "phasefield.level",
     .type = MT_KEY_REAL,
     .def = "0.5",
     .when = "phasefield.model=cahn_hilliard|allen_cahn|diffusion|kks",
     .help = "c where the one phase ends and the other begins: for the fraction and the area of the interface in "
             "evolve.csv."},
    {.path = "evolve.end",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_TIME,
     .min = 0,
     .max = 1e15,
     .help = "When the run ends; 0: only the start is written."},
    {.path = "evolve.tolerance",
     .type = MT_KEY_REAL,
     .def = "1e-4",
     .min = 0,
     .max = 1,
     .help = "Largest estimated error of a time step in c at any node; 0: all steps are as long as the first."},
    {.path = "evolve.first_step",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_TIME,
     .min = 0,
     .max = 1e15,
     .help = "The first time step tried.",
     .exclusive_min = true},
    {.path = "evolve.min_step",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_TIME,
     .def = "",
     .min = 0,
     .max = 1e15,
     .help = "The shortest time step, but for one that ends at an asked-for time or a corner of a temperature program: "
             "where "
             "it is not short enough the run fails, with a checkpoint; without it 1e-6 of the first.",
     .exclusive_min = true},
    {.path = "evolve.max_step",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_TIME,
     .def = "",
     .min = 0,
     .max = 1e15,
     .help = "The longest time step; without it there is no limit.",
     .exclusive_min = true},
    {.path = "evolve.interval",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_TIME,
     .def = "",
     .min = 0,
     .max = 1e15,
     .help = "Time between the lines of evolve.csv, each hit exactly; without it a line for every time step.",
     .exclusive_min = true},
    {.path = "evolve.snapshot_interval",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_TIME,
     .def = "",
     .min = 0,
     .max = 1e15,
     .help = "Time between fields that are kept, from 0 on. The first and the last are always.",
     .exclusive_min = true},
    {.path = "evolve.snapshots",
     .type = MT_KEY_REALS,
     .dim = MT_DIM_TIME,
     .def = "[]",
     .min = 0,
     .max = 1e15,
     .help = "Further times at which the field is kept and a line is written, ascending."},
    {.path = "evolve.newton_tolerance",
     .type = MT_KEY_REAL,
     .def = "",
     .min = 0,
     .max = 1,
     .help = "Change of c at any node that Newton's method leaves out; without it 1/100 of the tolerance (1e-9 with "
             "equal steps).",
     .exclusive_min = true},
    {.path = "evolve.linear_rtol",
     .type = MT_KEY_REAL,
     .def = "1e-3",
     .min = 0,
     .max = .1,
     .help = "Relative residual of the linear solves.",
     .exclusive_min = true},
    {0},
};

void mt_evolve_box(const MtInput *in, MtBox *box) {
  const char *periodic = mt_input_string(in, "box.periodic");
  const double spacing = mt_input_real(in, "box.spacing");
  *box = (MtBox){.dim = 3};
  mt_input_vec3(in, box->size, "box.size");
  if (box->size[2] == 0) box->dim = 2;
  for (int c = 0; c < box->dim; c++) {
    box->cells[c] = (int64_t)fmax(1, ceil(box->size[c] / spacing * (1 - 1e-12)));
    box->periodic[c] = strcmp(periodic, "none") != 0 && strchr(periodic, "xyz"[c]);
  }
}

static PetscErrorCode check_box(const MtInput *in) {
  MtBox box;
  double nodes = 1;
  if (mt_input_has(in, "mesh.file"))
    return mt_input_error(in, "box.size", "is given and mesh.file too: a run is on one of them");
  mt_evolve_box(in, &box);
  for (int c = 0; c < box.dim; c++) {
    if (!(box.size[c] > 0)) return mt_input_error(in, "box.size", "must be > 0 along %c", "xyz"[c]);
    if (box.periodic[c] && box.cells[c] < 3)
      return mt_input_error(in, "box.spacing", "leaves %lld cells along %c, which is periodic and needs 3",
                            (long long)box.cells[c], "xyz"[c]);
    nodes *= (double)(box.cells[c] + !box.periodic[c]);
  }
  if (strchr(mt_input_string(in, "box.periodic"), 'z') && box.dim == 2)
    return mt_input_error(in, "box.periodic", "names z, but the box has two dimensions");
  if (nodes > (double)PETSC_MAX_INT)
    return mt_input_error(in, "box.spacing", "makes %.3g nodes, more than this build of PETSc can number", nodes);
  return 0;
}

double *mt_evolve_reals(const MtInput *in, const char *key, int *n) {
  *n = mt_input_count(in, "%s", key);
  double *a = malloc((size_t)(*n + 1) * sizeof *a);
  if (!a) abort();
  for (int i = 0; i < *n; i++) a[i] = mt_input_real_at(in, i, "%s", key);
  return a;
}

bool mt_evolve_diffuses(const MtInput *in) {
  return strcmp(mt_input_string(in, "phasefield.model"), "diffusion") == 0;
}

static PetscErrorCode read_double_well(const MtInput *in, MtFreeEnergy *e) {
  e->kind = MT_ENERGY_DOUBLE_WELL;
  e->n = 3;
  if (!(e->a = malloc(3 * sizeof *e->a))) abort();
  e->a[0] = mt_input_real(in, "phasefield.double_well.height");
  e->a[1] = mt_input_real(in, "phasefield.double_well.low");
  e->a[2] = mt_input_real(in, "phasefield.double_well.high");
  if (e->a[1] < e->a[2]) return 0;
  return mt_input_error(in, "phasefield.double_well.high", "must be above low (%g), is %g", e->a[1], e->a[2]);
}

static PetscErrorCode read_polynomial(const MtInput *in, MtFreeEnergy *e) {
  e->kind = MT_ENERGY_POLYNOMIAL;
  e->a = mt_evolve_reals(in, "phasefield.polynomial", &e->n);
  if (e->n >= 3 && e->n % 2 == 1 && e->a[e->n - 1] > 0) return 0;
  return mt_input_error(in, "phasefield.polynomial",
                        "has no lower bound: the last coefficient must be that of an even power, 2 or higher, and > 0");
}

static PetscErrorCode read_solution(const MtInput *in, MtFreeEnergy *e) {
  const double R = 8.31446261815324; /* J/(mol K), CODATA 2018 */
  const double volume = mt_input_real(in, "phasefield.solution.molar_volume");
  const bool given = mt_input_has(in, "phasefield.solution.temperature");
  if (!given && !mt_input_has(in, "temperature.time"))
    return mt_input_error(in, "phasefield.energy",
                          "is regular_solution, which needs phasefield.solution.temperature or, "
                          "to follow a program, section temperature");
  e->kind = MT_ENERGY_REGULAR_SOLUTION;
  *(given ? &e->rt : &e->gas) = R / volume * (given ? mt_input_real(in, "phasefield.solution.temperature") : 1);
  e->omega = mt_input_real(in, "phasefield.solution.interaction") / volume;
  e->low = 0;
  e->high = 1;
  return 0;
}

static PetscErrorCode read_second_table(const MtInput *in, MtFreeEnergy *e) {
  static const char AT[] = "phasefield.table.temperatures", SECOND[] = "phasefield.table.second";
  const int at = mt_input_count(in, AT), n = mt_input_count(in, SECOND);
  if (at == 0 && n == 0) return 0;
  if (at != 2 || mt_input_real_at(in, 0, AT) == mt_input_real_at(in, 1, AT))
    return mt_input_error(in, AT, "must be two different temperatures, of f and of second");
  if (n != e->n) return mt_input_error(in, SECOND, "has %d values for %d of c", n, e->n);
  if (!mt_input_has(in, "temperature.time"))
    return mt_input_error(in, AT, "needs temperatures: section temperature is missing");
  e->known_at = mt_input_real_at(in, 0, AT);
  e->rise = mt_evolve_reals(in, SECOND, &e->n);
  for (int i = 0; i < n; i++) e->rise[i] = (e->rise[i] - e->a[i]) / (mt_input_real_at(in, 1, AT) - e->known_at);
  return 0;
}

static PetscErrorCode read_table(const MtInput *in, MtFreeEnergy *e) {
  int n;
  e->kind = MT_ENERGY_TABLE;
  e->c = mt_evolve_reals(in, "phasefield.table.c", &e->n);
  e->a = mt_evolve_reals(in, "phasefield.table.f", &n);
  if (n != e->n || n < 3)
    return mt_input_error(in, "phasefield.table.f", "has %d values for %d of c; as many are needed, at least 3", n,
                          e->n);
  for (int i = 1; i < n; i++)
    if (!(e->c[i] > e->c[i - 1]))
      return mt_input_error(in, "phasefield.table.c", "must ascend, but entry %d is not above the one before", i + 1);
  e->low = e->c[0];
  e->high = e->c[n - 1];
  const PetscErrorCode rc = read_second_table(in, e);
  if (!rc) mt_free_energy_spline(e);
  return rc;
}

PetscErrorCode mt_evolve_range(const MtInput *in, MtFreeEnergy *e) {
  const int n = mt_input_count(in, "phasefield.range");
  if (n == 0) return 0;
  if (n == 2 && mt_input_real_at(in, 0, "phasefield.range") < mt_input_real_at(in, 1, "phasefield.range")) {
    e->low = fmax(e->low, mt_input_real_at(in, 0, "phasefield.range"));
    e->high = fmin(e->high, mt_input_real_at(in, 1, "phasefield.range"));
    return 0;
  }
  return mt_input_error(in, "phasefield.range", "must be two numbers, the lower one first");
}

PetscErrorCode mt_evolve_energy(const MtInput *in, MtFreeEnergy *e) {
  *e = (MtFreeEnergy){.low = -INFINITY, .high = INFINITY};
  if (mt_evolve_diffuses(in) || mt_evolve_two_phases(in)) return mt_evolve_range(in, e);
  const char *kind = mt_input_string(in, "phasefield.energy");
  PetscErrorCode rc = strcmp(kind, "double_well") == 0  ? read_double_well(in, e)
                      : strcmp(kind, "polynomial") == 0 ? read_polynomial(in, e)
                      : strcmp(kind, "table") == 0      ? read_table(in, e)
                                                        : read_solution(in, e);
  if (!rc) rc = mt_evolve_range(in, e);
  if (rc) mt_free_energy_free(e);
  return rc;
}

PetscErrorCode mt_evolve_formula(const MtInput *in, const char *path, MtFormula **f) {
  char why[200];
  *f = NULL;
  if (!mt_input_has(in, "%s", path) || !*mt_input_string(in, "%s", path)) return 0;
  *f = mt_formula_read(mt_input_string(in, "%s", path), why);
  return *f ? 0 : mt_input_error(in, path, "is not a formula: %s", why);
}

static PetscErrorCode check_activation(const MtInput *in) {
  if (mt_evolve_diffuses(in) || mt_input_real(in, "phasefield.activation") == 0 || mt_input_has(in, "temperature.time"))
    return 0;
  return mt_input_error(in, "phasefield.activation", "needs temperatures: section temperature is missing");
}

static PetscErrorCode check_physics(const MtInput *in) {
  MtFreeEnergy e;
  MtFormula *initial = NULL, *source = NULL;
  PetscErrorCode rc = mt_evolve_energy(in, &e);
  if (rc) return rc;
  mt_free_energy_free(&e);
  rc = mt_evolve_formula(in, "phasefield.initial_formula", &initial);
  if (!rc && initial && mt_formula_uses(initial, MT_VAR_T))
    rc = mt_input_error(in, "phasefield.initial_formula", "depends on t, but it is of the beginning");
  if (!rc) rc = mt_evolve_formula(in, "phasefield.source", &source);
  if (!rc) rc = mt_kks_check(in);
  mt_formula_free(&initial);
  mt_formula_free(&source);
  return rc;
}

static PetscErrorCode check_times(const MtInput *in) {
  const int n = mt_input_count(in, "evolve.snapshots");
  for (int i = 1; i < n; i++)
    if (!(mt_input_real_at(in, i, "evolve.snapshots") > mt_input_real_at(in, i - 1, "evolve.snapshots")))
      return mt_input_error(in, "evolve.snapshots", "must ascend, but entry %d is not after the one before", i + 1);
  MtMarchOptions o;
  mt_evolve_march_options(in, NULL, &o);
  if (o.min > o.max)
    return mt_input_error(in, "evolve.min_step", "is %g s, longer than the longest step (%g s)", o.min, o.max);
  if (o.min > o.first)
    return mt_input_error(in, "evolve.min_step", "is %g s, longer than the first step (%g s)", o.min, o.first);
  return 0;
}

PetscErrorCode mt_evolve_check(const MtInput *in) {
  PetscErrorCode rc = mt_input_has(in, "box.size") ? check_box(in) : 0;
  if (!rc && mt_input_has(in, "phasefield.model")) rc = mt_grain_growth_check(in);
  if (!rc && mt_input_has(in, "phasefield.model")) rc = mt_wetting_check(in);
  if (!rc && mt_input_has(in, "phasefield.model")) rc = mt_diffusion_check(in);
  if (!rc && mt_input_has(in, "phasefield.model")) rc = check_activation(in);
  if (!rc && mt_input_has(in, "phasefield.model") && !mt_grain_growth_asked(in)) rc = check_physics(in);
  if (!rc && mt_input_has(in, "phasefield.model")) rc = mt_temperature_check(in);
  if (!rc) rc = mt_elastic_check(in);
  return rc || !mt_input_has(in, "evolve.end") ? rc : check_times(in);
}

static double real_or(const MtInput *in, const char *key, double missing) {
  return mt_input_has(in, "%s", key) ? mt_input_real(in, "%s", key) : missing;
}

void mt_evolve_march_options(const MtInput *in, const MtFreeEnergy *e, MtMarchOptions *o) {
  const double first = mt_input_real(in, "evolve.first_step");
  *o = (MtMarchOptions){.first = first,
                        .min = real_or(in, "evolve.min_step", 1e-6 * first),
                        .max = real_or(in, "evolve.max_step", INFINITY),
                        .tolerance = mt_input_real(in, "evolve.tolerance"),
                        .low = e ? e->low : -INFINITY,
                        .high = e ? e->high : INFINITY};
}

double mt_evolve_newton(const MtInput *in, const MtMarchOptions *march) {
  if (mt_input_has(in, "evolve.newton_tolerance")) return mt_input_real(in, "evolve.newton_tolerance");
  return march->tolerance > 0 ? .01 * march->tolerance : 1e-9;
}

MtFlowModel mt_evolve_model(const MtInput *in, const MtFreeEnergy *e, const MtFormula *source,
                            const MtProgram *program) {
  const bool conserved = strcmp(mt_input_string(in, "phasefield.model"), "cahn_hilliard") == 0;
  if (mt_evolve_diffuses(in)) return (MtFlowModel){.kind = MT_FLOW_DIFFUSION, .energy = e, .source = source};
  return (MtFlowModel){.kind = conserved ? MT_FLOW_CONSERVED : MT_FLOW_RELAXED,
                       .energy = e,
                       .kappa = NM2 * mt_input_real(in, "phasefield.gradient_energy"),
                       .mobility = conserved ? NM2 * mt_input_real(in, "phasefield.mobility")
                                             : mt_input_real(in, "phasefield.rate"),
                       .program = program->n > 0 ? program : NULL,
                       .activation = mt_input_real(in, "phasefield.activation"),
                       .source = source};
}

void mt_evolve_options(const MtInput *in, MtEvolveOptions *o) {
  *o = (MtEvolveOptions){.end = mt_input_real(in, "evolve.end"),
                         .interval = real_or(in, "evolve.interval", 0),
                         .snapshot_interval = real_or(in, "evolve.snapshot_interval", 0),
                         .checkpoint_rows = mt_input_int(in, "checkpoint.every_steps"),
                         .checkpoint_seconds = 60 * mt_input_real(in, "checkpoint.every_minutes")};
}
