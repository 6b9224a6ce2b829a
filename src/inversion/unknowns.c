/* The parameters that are sought: what can be, by the names of their keys, and what the methods see of it. */
#include "../phasefield/evolve_impl.h"
#include "invert_impl.h"
#include "magtwin/error.h"
#include <ctype.h>
#include <math.h>
#include <string.h>

double mt_unknown_theta(const MtUnknown *u, double value) {
  return u->log ? log(value) : value / (u->high - u->low);
}

double mt_unknown_value(const MtUnknown *u, double theta) {
  return u->log ? exp(theta) : theta * (u->high - u->low);
}

double mt_unknown_slope(const MtUnknown *u, double theta) {
  return u->log ? exp(theta) : u->high - u->low;
}

typedef enum { ANY, NOT_NEGATIVE, POSITIVE } Least;
typedef struct {
  const char *name, *unit; /* [] stands for an index */
  MtFlowNumberKind kind;
  int k; /* -1: the last index of the name */
  Least least;
} Known;
static const Known KNOWN[] = {
    {"phasefield.gradient_energy", "J/m", MT_NUMBER_KAPPA, 0, POSITIVE},
    {"phasefield.mobility", "m5/(J s)", MT_NUMBER_MOBILITY, 0, POSITIVE},
    {"phasefield.rate", "m3/(J s)", MT_NUMBER_MOBILITY, 0, POSITIVE},
    {"phasefield.double_well.height", "J/m3", MT_NUMBER_ENERGY, 0, POSITIVE},
    {"phasefield.double_well.low", "1", MT_NUMBER_ENERGY, 1, ANY},
    {"phasefield.double_well.high", "1", MT_NUMBER_ENERGY, 2, ANY},
    {"phasefield.polynomial[]", "J/m3", MT_NUMBER_ENERGY, -1, ANY},
    {"phasefield.solution.temperature", "K", MT_NUMBER_ENERGY, 0, POSITIVE},
    {"phasefield.solution.interaction", "J/mol", MT_NUMBER_ENERGY, 1, ANY},
    {"phasefield.table.f[]", "J/m3", MT_NUMBER_ENERGY, -1, ANY},
    {"diffusion.media[].D0", "m2/s", MT_NUMBER_DIFFUSIVITY, -1, POSITIVE},
    {"diffusion.media[].Q", "J/mol", MT_NUMBER_BARRIER, -1, NOT_NEGATIVE},
    {"phasefield.activation", "J/mol", MT_NUMBER_OTHER, 0, NOT_NEGATIVE},
    {"phasefield.boundary.energy", "J/m2", MT_NUMBER_OTHER, 0, POSITIVE},
    {"phasefield.boundary.mobility", "m4/(J s)", MT_NUMBER_OTHER, 0, POSITIVE},
    {"kks.interface_energy", "J/m2", MT_NUMBER_OTHER, 0, POSITIVE},
    {"kks.rate", "m3/(J s)", MT_NUMBER_OTHER, 0, POSITIVE},
    {"kks.phases[].D0", "m2/s", MT_NUMBER_OTHER, -1, POSITIVE},
    {"kks.phases[].Q", "J/mol", MT_NUMBER_OTHER, -1, NOT_NEGATIVE},
    {"kks.phases[].curvature", "J/m3", MT_NUMBER_OTHER, -1, POSITIVE},
    {"kks.phases[].minimum", "1", MT_NUMBER_OTHER, -1, ANY},
    {"kks.phases[].interaction", "J/mol", MT_NUMBER_OTHER, -1, ANY},
    {"wetting.energy", "J/m2", MT_NUMBER_OTHER, 0, POSITIVE},
    {"elasticity.misfit[]", "1", MT_NUMBER_OTHER, -1, ANY},
};

/* Is this a name of that pattern; its last index. */
static bool matches(const char *name, const char *pattern, int *last) {
  while (*pattern) {
    int n = 0;
    if (*pattern != '[') {
      if (*name++ != *pattern++) return false;
      continue;
    }
    if (*name != '[' || !isdigit((unsigned char)name[1]) || sscanf(name, "[%d]%n", last, &n) != 1 || n == 0)
      return false;
    name += n;
    pattern += 2;
  }
  return !*name;
}

static const Known *find(const char *name, int *last) {
  for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++)
    if (matches(name, KNOWN[i].name, last)) return &KNOWN[i];
  return NULL;
}

/* The list that an index is of must be that long. */
static PetscErrorCode check_index(const MtInput *in, const char *path, const char *name) {
  const char *open = strchr(name, '[');
  char list[64];
  if (!open) return 0;
  snprintf(list, sizeof list, "%.*s", (int)(open - name), name);
  const int n = mt_input_count(in, "%s", list);
  if (n == 0) return mt_input_error(in, path, "%s is no number of this model", name);
  return strtol(open + 1, NULL, 10) < n ? 0
                                        : mt_input_error(in, path, "%s: there are %d entries, counted from 0", name, n);
}

static bool ends_with_index(const char *name) {
  return name[strlen(name) - 1] == ']';
}

static PetscErrorCode find_known(const MtInput *in, const char *path, const char *name, const Known **known, int *k) {
  *known = find(name, k);
  if (!*known)
    return mt_input_error(in, path, "%s cannot be sought; what can is listed by magtwin invert --help", name);
  if ((*known)->k >= 0) *k = (*known)->k;
  PetscErrorCode rc = check_index(in, path, name);
  if (rc) return rc;
  if (!ends_with_index(name) && !mt_input_has(in, "%s", name))
    return mt_input_error(in, path, "%s is no number of this model", name);
  if ((*known)->kind == MT_NUMBER_OTHER && strcmp(mt_input_string(in, "invert.method"), "ensemble") != 0)
    return mt_input_error(in, path, "%s has no adjoint: invert.method must be ensemble", name);
  if (strncmp(name, "phasefield.table.f[", 19) == 0 && mt_input_count(in, "phasefield.table.second") > 0 &&
      strcmp(mt_input_string(in, "invert.method"), "ensemble") != 0)
    return mt_input_error(in, path, "%s has no adjoint beside phasefield.table.second: invert.method must be ensemble",
                          name);
  if ((*known)->least == NOT_NEGATIVE && !mt_input_has(in, "temperature.time")) /* all activation energies */
    return mt_input_error(in, path, "%s needs temperatures: section temperature is missing", name);
  return 0;
}

/* Number k of the energy, per value of its key. */
static double factor_of(const MtInput *in, const MtFreeEnergy *e, MtFlowNumber number) {
  const double NM2 = 1e18; /* m2 -> nm2 */
  if (number.kind == MT_NUMBER_KAPPA || number.kind == MT_NUMBER_DIFFUSIVITY) return NM2;
  if (number.kind == MT_NUMBER_BARRIER || number.kind == MT_NUMBER_OTHER) return 1;
  if (number.kind == MT_NUMBER_MOBILITY)
    return strcmp(mt_input_string(in, "phasefield.model"), "cahn_hilliard") == 0 ? NM2 : 1;
  if (e->kind != MT_ENERGY_REGULAR_SOLUTION) return 1;
  return number.k == 0 ? e->rt / mt_input_real(in, "phasefield.solution.temperature")
                       : 1 / mt_input_real(in, "phasefield.solution.molar_volume");
}

static double start_of(const MtInput *in, const MtFreeEnergy *e, const MtUnknown *u) {
  if (u->number.kind == MT_NUMBER_ENERGY) return mt_free_energy_get(e, u->number.k) / u->factor;
  return ends_with_index(u->name) ? mt_input_real_at(in, u->number.k, "%.*s", (int)strcspn(u->name, "["), u->name)
                                  : mt_input_real(in, "%s", u->name);
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
static PetscErrorCode check_sense(const MtInput *in, const MtFreeEnergy *e, int i, const MtUnknown *u, Least least) {
  char path[64];
  snprintf(path, sizeof path, "invert.parameters[%d].min", i);
  if (least == POSITIVE && !(u->low > 0)) return mt_input_error(in, path, "%s must be > 0", u->name);
  if (least == NOT_NEGATIVE && !(u->low >= 0)) return mt_input_error(in, path, "%s must be >= 0", u->name);
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
  u->unit = known->unit;
  u->number = (MtFlowNumber){known->kind, k};
  u->factor = factor_of(in, e, u->number);
  u->start = start_of(in, e, u);
  rc = read_bounds(in, i, u);
  return rc ? rc : check_sense(in, e, i, u, known->least);
}

static PetscErrorCode check_wells(const MtInput *in, const MtFreeEnergy *e, int n, const MtUnknown *u) {
  if (e->kind != MT_ENERGY_DOUBLE_WELL || !e->a) return 0;
  double low = e->a[1], high = e->a[2];
  for (int i = 0; i < n; i++) {
    if (u[i].number.kind != MT_NUMBER_ENERGY) continue;
    if (u[i].number.k == 1) low = u[i].high;
    if (u[i].number.k == 2) high = u[i].low;
  }
  return low < high ? 0 : mt_input_error(in, "invert.parameters", "the ranges of low and high of the double well meet");
}

PetscErrorCode mt_invert_unknowns(const MtInput *in, int *n, MtUnknown u[MT_UNKNOWNS]) {
  MtFreeEnergy e = {0};
  PetscErrorCode rc = mt_grain_growth_asked(in) ? 0 : mt_evolve_energy(in, &e);
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
