/* Section kks: the two phases and their interface. */
#include "evolve_impl.h"
#include "kks_input.h"
#include "magtwin/error.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double NM2 = 1e18;             /* m2 -> nm2 */
static const double GAS = 8.31446261815324; /* J/(mol K), CODATA 2018 */

const MtKey mt_kks_keys[] = {
    {.path = "kks.interface_energy",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_SURFACE,
     .min = 0,
     .max = 1e6,
     .when = "phasefield.model=kks",
     .help = "Energy of an interface between the phases.",
     .exclusive_min = true},
    {.path = "kks.interface_width",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_LENGTH,
     .min = 0,
     .max = 1e6,
     .when = "phasefield.model=kks",
     .help = "l of its profile phi = (1 + tanh(x/l))/2; nodes must be closer than this.",
     .exclusive_min = true},
    {.path = "kks.kinetics",
     .type = MT_KEY_CHOICE,
     .def = "rate",
     .choices = "rate|diffusion",
     .when = "phasefield.model=kks",
     .help =
         "What an interface moves by. rate: kks.rate. diffusion: L is computed so that both phases are in equilibrium "
         "at the interface (thin-interface limit), from its energy and width, the common tangent of the phases and "
         "their diffusivities at the time."},
    {.path = "kks.rate",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_RELAXATION,
     .min = 0,
     .max = 1e30,
     .when = "kks.kinetics=rate",
     .help = "L of dphi/dt = -L dF/dphi.",
     .exclusive_min = true},
    {.path = "kks.initial_c",
     .type = MT_KEY_STRING,
     .def = "",
     .when = "phasefield.model=kks",
     .help =
         "c at the beginning as a formula of x, y, z (nm); phasefield.initial_formula is phi, the share of the second "
         "phase. Needed unless phasefield.initial=file, which takes both from the file."},
    {.path = "kks.diagram.temperature",
     .type = MT_KEY_REALS,
     .dim = MT_DIM_TEMPERATURE,
     .def = "[]",
     .min = 0,
     .max = 1e5,
     .when = "phasefield.model=kks",
     .help =
         "Ascending temperatures of a phase diagram, which section temperature must not leave. The second phase gets "
         "the ends with which both phases are in equilibrium as the diagram says.",
     .exclusive_min = true},
    {.path = "kks.diagram.first",
     .type = MT_KEY_REALS,
     .def = "[]",
     .when = "phasefield.model=kks",
     .help = "c of the first phase in equilibrium (the liquidus) at each of them, joined by straight lines."},
    {.path = "kks.diagram.second",
     .type = MT_KEY_REALS,
     .def = "[]",
     .when = "phasefield.model=kks",
     .help = "c of the second (the solidus)."},
    {.path = "kks.reference_temperature",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_TEMPERATURE,
     .def = "",
     .min = 0,
     .max = 1e5,
     .when = "phasefield.model=kks",
     .help = "Temperature of the ends of phases that have entropies.",
     .exclusive_min = true},
    {.path = "kks.phases",
     .type = MT_KEY_LIST,
     .min = 2,
     .max = 2,
     .when = "phasefield.model=kks",
     .help = "The phase at phi = 0 (the liquid, say) and that at phi = 1, each with a convex free energy f(c)."},
    {.path = "kks.phases[].energy",
     .type = MT_KEY_CHOICE,
     .choices = "parabola|polynomial|regular_solution|table",
     .def = "parabola",
     .help = "Kind of f."},
    {.path = "kks.phases[].curvature",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_ENERGY,
     .min = 0,
     .max = 1e30,
     .when = "kks.phases[].energy=parabola",
     .help = "f'' of f = f''/2 (c - minimum)^2.",
     .exclusive_min = true},
    {.path = "kks.phases[].minimum",
     .type = MT_KEY_REAL,
     .when = "kks.phases[].energy=parabola",
     .help = "c of its minimum."},
    {.path = "kks.phases[].polynomial",
     .type = MT_KEY_REALS,
     .dim = MT_DIM_ENERGY,
     .when = "kks.phases[].energy=polynomial",
     .help = "Coefficients of 1, c, c^2, ..."},
    {.path = "kks.phases[].temperature",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_TEMPERATURE,
     .def = "",
     .min = 0,
     .max = 1e5,
     .when = "kks.phases[].energy=regular_solution",
     .help = "T of f = RT/Vm (c ln c + (1-c) ln(1-c)) + W/Vm c (1-c). Without it f follows section temperature.",
     .exclusive_min = true},
    {.path = "kks.phases[].interaction",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_MOLAR,
     .min = -1e7,
     .max = 1e7,
     .when = "kks.phases[].energy=regular_solution",
     .help = "W, below 2RT."},
    {.path = "kks.phases[].molar_volume",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_MOLARVOLUME,
     .min = 0,
     .max = 1,
     .when = "kks.phases[].energy=regular_solution",
     .help = "Vm.",
     .exclusive_min = true},
    {.path = "kks.phases[].c",
     .type = MT_KEY_REALS,
     .when = "kks.phases[].energy=table",
     .help = "Ascending values of c at which f is given; a natural cubic spline passes through them."},
    {.path = "kks.phases[].f",
     .type = MT_KEY_REALS,
     .dim = MT_DIM_ENERGY,
     .when = "kks.phases[].energy=table",
     .help = "f there."},
    {.path = "kks.phases[].ends",
     .type = MT_KEY_REALS,
     .dim = MT_DIM_ENERGY,
     .def = "[0, 0]",
     .help = "Energies a, b of the pure components: a (1 - c) + b c is added to f."},
    {.path = "kks.phases[].entropies",
     .type = MT_KEY_REALS,
     .dim = MT_DIM_ENERGY,
     .def = "[0, 0]",
     .help = "Entropies of the pure components, J/m3 for each K: ends fall by them for each K above "
             "kks.reference_temperature."},
    {.path = "kks.phases[].D0",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_DIFFUSIVITY,
     .min = 0,
     .max = 1,
     .help = "D0 of the diffusivity D = D0 exp(-Q/RT) in the phase.",
     .exclusive_min = true},
    {.path = "kks.phases[].Q",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_MOLAR,
     .def = "0 J/mol",
     .min = 0,
     .max = 1e7,
     .help = "Q; above 0 it needs section temperature."},
    {0},
};

bool mt_evolve_two_phases(const MtInput *in) {
  return strcmp(mt_input_string(in, "phasefield.model"), "kks") == 0;
}

static const char *at(int k, const char *key, char path[64]) {
  snprintf(path, 64, "kks.phases[%d].%s", k, key);
  return path;
}

static PetscErrorCode read_parabola(const MtInput *in, int k, MtFreeEnergy *e) {
  const double a = mt_input_real(in, "kks.phases[%d].curvature", k), c = mt_input_real(in, "kks.phases[%d].minimum", k);
  e->kind = MT_ENERGY_POLYNOMIAL;
  e->n = 3;
  if (!(e->a = malloc(3 * sizeof *e->a))) abort();
  e->a[0] = .5 * a * c * c;
  e->a[1] = -a * c;
  e->a[2] = .5 * a;
  return 0;
}

static PetscErrorCode read_polynomial(const MtInput *in, int k, MtFreeEnergy *e) {
  char path[64];
  e->kind = MT_ENERGY_POLYNOMIAL;
  e->a = mt_evolve_reals(in, at(k, "polynomial", path), &e->n);
  if (e->n < 3) return mt_input_error(in, path, "must go to c^2 at least: a phase is convex");
  if (e->n % 2 == 1 && e->a[e->n - 1] > 0) return 0;
  return mt_input_error(in, path, "has no lower bound: the last coefficient must be that of an even power and > 0");
}

static PetscErrorCode read_solution(const MtInput *in, int k, MtFreeEnergy *e) {
  const double volume = mt_input_real(in, "kks.phases[%d].molar_volume", k);
  const bool given = mt_input_has(in, "kks.phases[%d].temperature", k);
  char path[64];
  if (!given && !mt_input_has(in, "temperature.time"))
    return mt_input_error(
        in, at(k, "energy", path),
        "is regular_solution, which needs a temperature or, to follow a program, section temperature");
  e->kind = MT_ENERGY_REGULAR_SOLUTION;
  *(given ? &e->rt : &e->gas) = GAS / volume * (given ? mt_input_real(in, "kks.phases[%d].temperature", k) : 1);
  e->omega = mt_input_real(in, "kks.phases[%d].interaction", k) / volume;
  e->low = 0;
  e->high = 1;
  return 0;
}

static PetscErrorCode read_table(const MtInput *in, int k, MtFreeEnergy *e) {
  char path[64];
  int n;
  e->kind = MT_ENERGY_TABLE;
  e->c = mt_evolve_reals(in, at(k, "c", path), &e->n);
  for (int i = 1; i < e->n; i++)
    if (!(e->c[i] > e->c[i - 1]))
      return mt_input_error(in, path, "must ascend, but entry %d is not above the one before", i + 1);
  e->a = mt_evolve_reals(in, at(k, "f", path), &n);
  if (n != e->n || n < 3)
    return mt_input_error(in, path, "has %d values for %d of c; as many are needed, at least 3", n, e->n);
  e->low = e->c[0];
  e->high = e->c[n - 1];
  mt_free_energy_spline(e);
  return 0;
}

static PetscErrorCode read_entropies(const MtInput *in, int k, MtKksPhase *p) {
  char path[64];
  if (mt_input_count(in, "%s", at(k, "entropies", path)) != 2) return mt_input_error(in, path, "must be two entropies");
  for (int i = 0; i < 2; i++) p->entropy[i] = mt_input_real_at(in, i, "%s", path);
  if (p->entropy[0] == 0 && p->entropy[1] == 0) return 0;
  if (!mt_input_has(in, "kks.reference_temperature"))
    return mt_input_error(in, path, "need kks.reference_temperature, at which the ends are as given");
  return mt_input_has(in, "temperature.time")
             ? 0
             : mt_input_error(in, path, "need temperatures: section temperature is missing");
}

static PetscErrorCode read_phase(const MtInput *in, int k, MtKksPhase *p) {
  const char *kind = mt_input_string(in, "kks.phases[%d].energy", k);
  char path[64];
  *p = (MtKksPhase){.f = {.low = -INFINITY, .high = INFINITY},
                    .D0 = NM2 * mt_input_real(in, "kks.phases[%d].D0", k),
                    .Q = mt_input_real(in, "kks.phases[%d].Q", k)};
  if (p->Q > 0 && !mt_input_has(in, "temperature.time"))
    return mt_input_error(in, at(k, "Q", path), "needs temperatures: section temperature is missing");
  if (mt_input_count(in, "%s", at(k, "ends", path)) != 2) return mt_input_error(in, path, "must be two energies");
  for (int i = 0; i < 2; i++) p->tilt[i] = mt_input_real_at(in, i, "%s", path);
  PetscErrorCode rc = read_entropies(in, k, p);
  if (rc) return rc;
  return strcmp(kind, "parabola") == 0     ? read_parabola(in, k, &p->f)
         : strcmp(kind, "polynomial") == 0 ? read_polynomial(in, k, &p->f)
         : strcmp(kind, "table") == 0      ? read_table(in, k, &p->f)
                                           : read_solution(in, k, &p->f);
}

static PetscErrorCode check_convex(const MtInput *in, int k, const MtKksPhase *p) {
  char path[64];
  double low, high;
  mt_kks_phase_range(p, &low, &high);
  const double c = mt_kks_concave(p, low, high);
  return isnan(c) ? 0
                  : mt_input_error(in, at(k, "energy", path),
                                   "is not convex at c = %g: no composition of this phase "
                                   "belongs to a potential there",
                                   c);
}

static PetscErrorCode find_equilibrium(const MtInput *in, MtKksModel *m) {
  const int n = mt_kks_equilibrium(m, &m->equilibrium);
  const double *c = m->equilibrium.c;
  if (n == 1 && fabs(c[1] - c[0]) > 1e-6) return 0;
  if (n == 1)
    return mt_input_error(in, "kks.kinetics", "diffusion moves nothing: both phases have c = %g in equilibrium", c[0]);
  return mt_input_error(in, "kks.kinetics", "diffusion needs one equilibrium, but the phases have %s common tangent%s",
                        n ? "more than one" : "no", n ? "" : " (their c from 0 to 1, or between the ends of a table)");
}

static PetscErrorCode check_at(const MtInput *in, const MtKksModel *m) {
  MtKksModel now = *m;
  PetscErrorCode rc = 0;
  for (int k = 0; k < 2 && !rc; k++) rc = check_convex(in, k, &m->phase[k]);
  return rc || m->rate > 0 ? rc : find_equilibrium(in, &now);
}

/* Both phases are as linear in T as their numbers: what holds at the corners holds between them; an equilibrium is
 * looked for half way, too. */
static PetscErrorCode check_program(const MtInput *in, const MtKksModel *m) {
  const MtProgram *p = m->program;
  MtKksModel now;
  PetscErrorCode rc = 0;
  if (!p || !mt_kks_follows(m)) return check_at(in, m);
  for (int i = 0; i < 2 * p->n - 1 && !rc; i++) {
    const double T = .5 * (p->T[i / 2] + p->T[(i + 1) / 2]);
    mt_kks_heated(m, T, &now);
    rc = check_at(in, &now);
  }
  return rc;
}

PetscErrorCode mt_kks_model(const MtInput *in, const MtProgram *program, MtKksModel *m) {
  const bool given = strcmp(mt_input_string(in, "kks.kinetics"), "rate") == 0;
  *m = (MtKksModel){.rate = given ? mt_input_real(in, "kks.rate") : 0,
                    .activation = mt_input_real(in, "phasefield.activation"),
                    .program = program->n > 0 ? program : NULL};
  mt_kks_interface(m, mt_input_real(in, "kks.interface_energy"), mt_input_real(in, "kks.interface_width"));
  if (mt_input_has(in, "kks.reference_temperature")) m->reference = mt_input_real(in, "kks.reference_temperature");
  PetscErrorCode rc = 0;
  for (int k = 0; k < 2 && !rc; k++) rc = read_phase(in, k, &m->phase[k]);
  if (!rc) rc = mt_kks_read_diagram(in, m);
  if (!rc) rc = check_program(in, m);
  if (!rc && !given && !mt_kks_follows(m)) rc = find_equilibrium(in, m);
  if (rc) mt_kks_free(m);
  return rc;
}

PetscErrorCode mt_kks_check(const MtInput *in) {
  MtProgram program;
  MtKksModel m;
  MtFormula *c = NULL;
  if (!mt_evolve_two_phases(in)) return 0;
  if (mt_input_real(in, "phasefield.noise") > 0)
    return mt_input_error(in, "phasefield.noise", "is not for two phases: put it into the formulas");
  if (mt_input_has(in, "phasefield.source") && *mt_input_string(in, "phasefield.source"))
    return mt_input_error(in, "phasefield.source", "is not for two phases");
  if (strcmp(mt_input_string(in, "kks.kinetics"), "diffusion") == 0 && mt_input_real(in, "phasefield.activation") > 0)
    return mt_input_error(in, "phasefield.activation", "is of kks.rate; kks.kinetics diffusion takes Q of the phases");
  PetscErrorCode rc = mt_diffusion_program(in, &program);
  if (!rc) rc = mt_kks_model(in, &program, &m);
  if (!rc) mt_kks_free(&m);
  mt_program_free(&program);
  if (rc) return rc;
  rc = mt_evolve_formula(in, "kks.initial_c", &c);
  if (!rc && !c && strcmp(mt_input_string(in, "phasefield.initial"), "formula") == 0)
    rc = mt_input_error(in, "kks.phases", "need kks.initial_c, the composition at the beginning");
  mt_formula_free(&c);
  return rc;
}
