/* The keys of section invert, and the parameters that they name. */
#include "../phasefield/evolve_impl.h"
#include "invert_impl.h"
#include "magtwin/error.h"
#include "magtwin/evolve.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

const MtKey mt_invert_keys[] = {
    {.path = "invert.snapshots",
     .type = MT_KEY_PATH,
     .help = "What was observed, by name or pattern, in the order of the numbers in the names: files of fields of "
             "magtwin evolve, or on a box .npy arrays [y, x] or [z, y, x] and gray pictures (PNG, TIFF; the upper edge "
             "is the largest y). One value a node: as many as box.size/box.spacing, and one more along axes that are "
             "not periodic. NaN: not seen."},
    {.path = "invert.times",
     .type = MT_KEY_REALS,
     .dim = MT_DIM_TIME,
     .def = "[]",
     .min = 0,
     .max = 1e15,
     .help = "Times of the snapshots, ascending; without them those that the files of fields have."},
    {.path = "invert.noise",
     .type = MT_KEY_REAL,
     .min = 0,
     .max = 1e6,
     .help = "Standard deviation of the noise of the snapshots, in c, independent from node to node.",
     .exclusive_min = true},
    {.path = "invert.gray", .type = MT_KEY_REALS, .def = "[0, 1]", .help = "c of black and of white in pictures."},
    {.path = "invert.mask",
     .type = MT_KEY_PATH,
     .def = "",
     .help = "A file of the kind and size of a snapshot: where it is 0 nothing was seen."},
    {.path = "invert.initial",
     .type = MT_KEY_CHOICE,
     .def = "model",
     .choices = "model|snapshot",
     .help = "The state at the beginning: that of section phasefield at t = 0, or the first snapshot as it is."},
    {.path = "invert.parameters", .type = MT_KEY_LIST, .min = 1, .max = 16, .help = "What is sought: one map each."},
    {.path = "invert.parameters[].name",
     .type = MT_KEY_STRING,
     .help = "The key: phasefield.gradient_energy, .mobility, .rate, .double_well.height, .double_well.low, "
             ".double_well.high, .polynomial[k] (k from 0), .solution.temperature, .solution.interaction, .table.f[k]. "
             "Its value in section phasefield is where the search begins."},
    {.path = "invert.parameters[].min",
     .type = MT_KEY_REAL,
     .help = "Smallest value, in the unit that the key has without one."},
    {.path = "invert.parameters[].max", .type = MT_KEY_REAL, .help = "Largest value."},
    {.path = "invert.parameters[].deviation",
     .type = MT_KEY_REAL,
     .def = "",
     .min = 0,
     .max = 1e30,
     .help = "What is known before: standard deviation about the value in section phasefield; relative (0.2: 20 %) "
             "where min > 0, else in the unit of the key. Without it nothing but the bounds; an ensemble then begins "
             "with a quarter of their width.",
     .exclusive_min = true},
    {.path = "invert.method",
     .type = MT_KEY_CHOICE,
     .def = "gauss_newton",
     .choices = "gauss_newton|blmvm|ensemble",
     .help =
         "Adjoint gradients and a Gauss-Newton matrix from sensitivities (TAO's bntr), adjoint gradients alone (TAO's "
         "blmvm), or an ensemble Kalman smoother without derivatives."},
    {.path = "invert.iterations",
     .type = MT_KEY_INT,
     .def = "50",
     .min = 1,
     .max = 10000,
     .help = "Largest number of iterations, or of assimilations of an ensemble."},
    {.path = "invert.states",
     .type = MT_KEY_INT,
     .def = "",
     .min = 4,
     .max = 1e9,
     .help = "Fields of a trajectory kept in memory for the adjoint; states that do not fit are computed again. "
             "Without it all are kept."},
    {.path = "invert.taylor_test",
     .type = MT_KEY_BOOL,
     .def = "false",
     .help = "true: taylor.csv compares the gradient at the start with differences of the misfit, step by step."},
    {.path = "invert.members",
     .type = MT_KEY_INT,
     .def = "40",
     .min = 4,
     .max = 1000,
     .when = "invert.method=ensemble",
     .help = "Members of the ensemble."},
    {.path = "invert.groups",
     .type = MT_KEY_INT,
     .def = "",
     .min = 1,
     .max = 1e6,
     .when = "invert.method=ensemble",
     .help = "Groups of ranks that compute members at the same time; must divide the number of ranks. Without it a "
             "group is one rank."},
    {.path = "invert.seed",
     .type = MT_KEY_INT,
     .def = "1",
     .min = 0,
     .max = 9e15,
     .when = "invert.method=ensemble",
     .help = "Seed of the first ensemble."},
    {0},
};

double mt_unknown_theta(const MtUnknown *u, double value) {
  return u->log ? log(value) : value / (u->high - u->low);
}

double mt_unknown_value(const MtUnknown *u, double theta) {
  return u->log ? exp(theta) : theta * (u->high - u->low);
}

double mt_unknown_slope(const MtUnknown *u, double theta) {
  return u->log ? exp(theta) : u->high - u->low;
}

/* What can be sought, of which models. */
typedef struct {
  const char *name, *unit;
  MtFlowNumberKind kind;
  int k;                   /* -1: the index of the name */
  const char *key, *value; /* must hold in section phasefield */
} Known;
static const Known KNOWN[] = {
    {"phasefield.gradient_energy", "J/m", MT_NUMBER_KAPPA, 0, NULL, NULL},
    {"phasefield.mobility", "m5/(J s)", MT_NUMBER_MOBILITY, 0, "phasefield.model", "cahn_hilliard"},
    {"phasefield.rate", "m3/(J s)", MT_NUMBER_MOBILITY, 0, "phasefield.model", "allen_cahn"},
    {"phasefield.double_well.height", "J/m3", MT_NUMBER_ENERGY, 0, "phasefield.energy", "double_well"},
    {"phasefield.double_well.low", "1", MT_NUMBER_ENERGY, 1, "phasefield.energy", "double_well"},
    {"phasefield.double_well.high", "1", MT_NUMBER_ENERGY, 2, "phasefield.energy", "double_well"},
    {"phasefield.polynomial[", "J/m3", MT_NUMBER_ENERGY, -1, "phasefield.energy", "polynomial"},
    {"phasefield.solution.temperature", "K", MT_NUMBER_ENERGY, 0, "phasefield.energy", "regular_solution"},
    {"phasefield.solution.interaction", "J/mol", MT_NUMBER_ENERGY, 1, "phasefield.energy", "regular_solution"},
    {"phasefield.table.f[", "J/m3", MT_NUMBER_ENERGY, -1, "phasefield.energy", "table"},
};

/* The entry of a name, and its index: NULL if there is none. */
static const Known *find(const char *name, int *index) {
  char end;
  for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++) {
    const size_t n = strlen(KNOWN[i].name);
    if (KNOWN[i].k >= 0 && strcmp(name, KNOWN[i].name) == 0) {
      *index = KNOWN[i].k;
      return &KNOWN[i];
    }
    if (KNOWN[i].k < 0 && strncmp(name, KNOWN[i].name, n) == 0 && name[n] >= '0' && name[n] <= '9' &&
        sscanf(name + n, "%d%c", index, &end) == 2 && end == ']' && strchr(name, ']')[1] == 0)
      return &KNOWN[i];
  }
  return NULL;
}

static PetscErrorCode find_known(const MtInput *in, const char *path, const char *name, const Known **known, int *k) {
  *known = find(name, k);
  if (!*known)
    return mt_input_error(in, path, "%s cannot be sought; what can is listed by magtwin invert --help", name);
  if ((*known)->key && strcmp(mt_input_string(in, "%s", (*known)->key), (*known)->value) != 0)
    return mt_input_error(in, path, "%s is no number of this model: %s is %s", name, (*known)->key,
                          mt_input_string(in, "%s", (*known)->key));
  return 0;
}

/* Number k of the energy, per value of its key. */
static double factor_of(const MtInput *in, const MtFreeEnergy *e, MtFlowNumber number) {
  const double NM2 = 1e18; /* m2 -> nm2 */
  if (number.kind == MT_NUMBER_KAPPA) return NM2;
  if (number.kind == MT_NUMBER_MOBILITY)
    return strcmp(mt_input_string(in, "phasefield.model"), "cahn_hilliard") == 0 ? NM2 : 1;
  if (e->kind != MT_ENERGY_REGULAR_SOLUTION) return 1;
  return number.k == 0 ? e->rt / mt_input_real(in, "phasefield.solution.temperature")
                       : 1 / mt_input_real(in, "phasefield.solution.molar_volume");
}

static double start_of(const MtInput *in, const MtFreeEnergy *e, const MtUnknown *u) {
  if (u->number.kind == MT_NUMBER_ENERGY) return mt_free_energy_get(e, u->number.k) / u->factor;
  return mt_input_real(in, "%s", u->name);
}

static PetscErrorCode read_bounds(const MtInput *in, int i, MtUnknown *u) {
  char path[64];
  u->low = mt_input_real(in, "invert.parameters[%d].min", i);
  u->high = mt_input_real(in, "invert.parameters[%d].max", i);
  u->log = u->low > 0;
  snprintf(path, sizeof path, "invert.parameters[%d].max", i);
  if (!(u->low < u->high))
    return mt_input_error(in, path, "the range of %s is empty or reversed: %g .. %g", u->name, u->low, u->high);
  if (!(u->start >= u->low && u->start <= u->high))
    return mt_input_error(in, path, "%s begins at %g, outside of %g .. %g", u->name, u->start, u->low, u->high);
  u->prior = mt_unknown_theta(u, u->start);
  if (mt_input_has(in, "invert.parameters[%d].deviation", i))
    u->deviation = mt_input_real(in, "invert.parameters[%d].deviation", i) / (u->log ? 1 : u->high - u->low);
  return 0;
}

/* Bounds within which there is no model. */
static PetscErrorCode check_sense(const MtInput *in, const MtFreeEnergy *e, int i, const MtUnknown *u) {
  char path[64];
  snprintf(path, sizeof path, "invert.parameters[%d].min", i);
  const bool positive =
      u->number.kind != MT_NUMBER_ENERGY || strstr(u->name, "height") || strstr(u->name, "temperature");
  if (positive && !(u->low > 0)) return mt_input_error(in, path, "%s must be > 0", u->name);
  if (e->kind == MT_ENERGY_POLYNOMIAL && u->number.kind == MT_NUMBER_ENERGY && u->number.k == e->n - 1 && !(u->low > 0))
    return mt_input_error(in, path, "%s is the last coefficient: with one <= 0 the energy has no lower bound", u->name);
  return 0;
}

static PetscErrorCode read_unknown(const MtInput *in, const MtFreeEnergy *e, int i, MtUnknown *u) {
  char path[64];
  const Known *known;
  int k = 0;
  snprintf(path, sizeof path, "invert.parameters[%d].name", i);
  *u = (MtUnknown){.name = mt_input_string(in, "invert.parameters[%d].name", i)};
  PetscErrorCode rc = find_known(in, path, u->name, &known, &k);
  if (rc) return rc;
  if (known->kind == MT_NUMBER_ENERGY && k >= mt_free_energy_count(e))
    return mt_input_error(in, path, "%s: there are %d entries, counted from 0", u->name, mt_free_energy_count(e));
  u->unit = known->unit;
  u->number = (MtFlowNumber){known->kind, k};
  u->factor = factor_of(in, e, u->number);
  u->start = start_of(in, e, u);
  rc = read_bounds(in, i, u);
  return rc ? rc : check_sense(in, e, i, u);
}

static PetscErrorCode check_wells(const MtInput *in, const MtFreeEnergy *e, int n, const MtUnknown *u) {
  if (e->kind != MT_ENERGY_DOUBLE_WELL) return 0;
  double low = e->a[1], high = e->a[2];
  for (int i = 0; i < n; i++) {
    if (u[i].number.kind != MT_NUMBER_ENERGY) continue;
    if (u[i].number.k == 1) low = u[i].high;
    if (u[i].number.k == 2) high = u[i].low;
  }
  return low < high ? 0 : mt_input_error(in, "invert.parameters", "the ranges of low and high of the double well meet");
}

PetscErrorCode mt_invert_unknowns(const MtInput *in, int *n, MtUnknown u[MT_UNKNOWNS]) {
  MtFreeEnergy e;
  PetscErrorCode rc = mt_evolve_energy(in, &e);
  *n = mt_input_count(in, "invert.parameters");
  for (int i = 0; i < *n && !rc; i++) {
    char path[64];
    rc = read_unknown(in, &e, i, &u[i]);
    snprintf(path, sizeof path, "invert.parameters[%d].name", i);
    for (int j = 0; j < i && !rc; j++)
      if (strcmp(u[i].name, u[j].name) == 0) rc = mt_input_error(in, path, "%s is given twice", u[i].name);
  }
  if (!rc) rc = check_wells(in, &e, *n, u);
  mt_free_energy_free(&e);
  return rc;
}

void mt_invert_options(const MtInput *in, MtInvertOptions *o) {
  const char *method = mt_input_string(in, "invert.method");
  *o = (MtInvertOptions){.from_snapshot = strcmp(mt_input_string(in, "invert.initial"), "snapshot") == 0,
                         .taylor = mt_input_bool(in, "invert.taylor_test"),
                         .iterations = (int)mt_input_int(in, "invert.iterations"),
                         .noise = mt_input_real(in, "invert.noise")};
  o->method = strcmp(method, "ensemble") == 0 ? MT_INVERT_ENSEMBLE
              : strcmp(method, "blmvm") == 0  ? MT_INVERT_BLMVM
                                              : MT_INVERT_GAUSS_NEWTON;
  if (mt_input_has(in, "invert.states")) o->states = (int)mt_input_int(in, "invert.states");
  if (o->method != MT_INVERT_ENSEMBLE) return;
  o->members = (int)mt_input_int(in, "invert.members");
  o->groups = mt_input_has(in, "invert.groups") ? (int)mt_input_int(in, "invert.groups") : 0;
  o->seed = (uint64_t)mt_input_int(in, "invert.seed");
}

static PetscErrorCode check_times(const MtInput *in) {
  const int n = mt_input_count(in, "invert.times");
  for (int i = 1; i < n; i++)
    if (!(mt_input_real_at(in, i, "invert.times") > mt_input_real_at(in, i - 1, "invert.times")))
      return mt_input_error(in, "invert.times", "must ascend, but entry %d is not after the one before", i + 1);
  if (mt_input_count(in, "invert.gray") != 2)
    return mt_input_error(in, "invert.gray", "must be two numbers: c of black and of white");
  return 0;
}

static bool one_field(const char *model) {
  return strcmp(model, "cahn_hilliard") == 0 || strcmp(model, "allen_cahn") == 0;
}

PetscErrorCode mt_invert_check(const MtInput *in) {
  MtUnknown u[MT_UNKNOWNS];
  int n;
  if (!mt_input_has(in, "invert.noise")) return 0;
  if (mt_input_has(in, "phasefield.model") && !one_field(mt_input_string(in, "phasefield.model")))
    return mt_input_error(in, "phasefield.model", "is %s, whose numbers cannot be sought",
                          mt_input_string(in, "phasefield.model"));
  if (mt_input_has(in, "wetting.energy"))
    return mt_input_error(in, "wetting.energy",
                          "is not for magtwin invert: boundaries are no part of what it computes");
  PetscErrorCode rc = check_times(in);
  return rc || !mt_input_has(in, "phasefield.gradient_energy") ? rc : mt_invert_unknowns(in, &n, u);
}
