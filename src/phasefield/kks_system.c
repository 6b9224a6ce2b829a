/* Two phases as the model of a run: phi and c, their energies, the share of the second phase and the interface. */
#include "evolve_impl.h"
#include "kks_input.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include <math.h>
#include <string.h>

typedef struct {
  MtSystem base;
  const MtDomain *domain;
  const MtInput *in;
  MtKksModel model;
  MtProgram program;
  MtKks *kks;
  double low, high; /* c must stay between them */
} TwoPhases;

static const char *const FIELD[] = {"/c", "/phi"}; /* what is drawn comes first */
static const int OF[] = {MT_KKS_C, MT_KKS_PHI};
static const char *const STATE[3][2] = {
    {"/state/c0", "/state/phi0"}, {"/state/c1", "/state/phi1"}, {"/state/c2", "/state/phi2"}};
enum {
  MEAN = 2,
  LOW,
  HIGH,
  TOTAL,
  BULK,
  GRADIENT,
  FRACTION,
  AREA,
  STEPS,
  REJECTED,
  NEWTON,
  LINEAR,
  TEMPERATURE,
  COLUMNS
};
#define HEADER(unit)                                                                                                   \
  "t_s,dt_s,c_mean,c_min,c_max,f_total_J/m3,f_bulk_J/m3,f_gradient_J/m3,fraction,interface_" unit                      \
  ",steps,rejected,newton_iterations,linear_iterations"
static const char *const HEADERS[2][2] = {{HEADER("nm"), HEADER("nm2")},
                                          {HEADER("nm") ",temperature_K", HEADER("nm2") ",temperature_K"}};

static TwoPhases *phases_of(MtSystem *s) {
  return (TwoPhases *)s;
}

static PetscErrorCode from_formula(TwoPhases *e, const char *key, Vec v) {
  MtFormula *f;
  PetscScalar *a;
  PetscErrorCode rc = mt_evolve_formula(e->in, key, &f);
  if (rc) return rc;
  PetscCall(VecGetArray(v, &a));
  for (PetscInt i = 0; i < e->domain->n_owned; i++) {
    const double *x = e->domain->x + 3 * i, at[MT_NVARS] = {x[0], x[1], x[2], 0};
    a[i] = mt_formula_value(f, at);
  }
  PetscCall(VecRestoreArray(v, &a));
  mt_formula_free(&f);
  return 0;
}

static PetscErrorCode from_file(TwoPhases *e) {
  MtH5 *f;
  const char *path = mt_input_string(e->in, "phasefield.initial_file");
  PetscErrorCode rc = mt_h5_open(e->domain->comm, path, "magtwin-fields", 1, &f);
  if (rc) return rc;
  for (int i = 0; i < 2 && !rc; i++) rc = mt_domain_read(e->domain, f, FIELD[i], mt_kks_field(e->kks, 0, OF[i]));
  PetscErrorCode closed = mt_h5_close(&f);
  return rc ? rc : closed;
}

static PetscErrorCode from_labels(TwoPhases *e) {
  static const char *const NAME[] = {"c", "phi"};
  Vec field[] = {mt_kks_field(e->kks, 0, MT_KKS_C), mt_kks_field(e->kks, 0, MT_KKS_PHI)};
  return mt_labels_values(e->domain, e->in, 2, NAME, field);
}

static PetscErrorCode from_formulas(TwoPhases *e) {
  PetscErrorCode rc = from_formula(e, "phasefield.initial_formula", mt_kks_field(e->kks, 0, MT_KKS_PHI));
  return rc ? rc : from_formula(e, "kks.initial_c", mt_kks_field(e->kks, 0, MT_KKS_C));
}

static void tell_rate(const TwoPhases *e) {
  double c[2];
  if (e->model.rate > 0) return;
  mt_kks_equilibrium_at(e->kks, 0, c);
  mt_log("interfaces by diffusion: c = %.6g and %.6g in equilibrium, L = %.4g m3/(J s)", c[0], c[1],
         mt_kks_rate_at(e->kks, 0));
}

static PetscErrorCode start(MtSystem *s) {
  TwoPhases *e = phases_of(s);
  const bool file = strcmp(mt_input_string(e->in, "phasefield.initial"), "file") == 0;
  PetscErrorCode rc = e->domain->labels ? from_labels(e) : file ? from_file(e) : from_formulas(e);
  if (!rc) rc = mt_evolve_check_start(e->domain, "phi", mt_kks_field(e->kks, 0, MT_KKS_PHI), -.1, 1.1);
  if (!rc) rc = mt_evolve_check_start(e->domain, "c", mt_kks_field(e->kks, 0, MT_KKS_C), e->low, e->high);
  if (!rc) tell_rate(e);
  if (!rc) rc = mt_kks_start(e->kks, 0);
  s->energy = mt_kks_energy(e->kks).total;
  return rc;
}

static PetscErrorCode see(MtSystem *s, int k, Vec c) {
  return VecCopy(mt_kks_field(phases_of(s)->kks, 0, OF[k]), c);
}

static PetscErrorCode step(MtSystem *s, double until) {
  PetscErrorCode rc = mt_kks_step(phases_of(s)->kks, until);
  s->energy = mt_kks_energy(phases_of(s)->kks).total;
  s->heat = mt_kks_energy(phases_of(s)->kks).heat;
  return rc;
}

static PetscErrorCode all_columns(MtSystem *s, double *value) {
  TwoPhases *e = phases_of(s);
  const MtMarchState *now = s->clock;
  const MtFlowEnergy energy = mt_kks_energy(e->kks);
  double share, above;
  Vec c = mt_kks_field(e->kks, 0, MT_KKS_C);
  value[0] = now->t;
  value[1] = now->h1;
  value[TOTAL] = energy.total;
  value[BULK] = energy.bulk;
  value[GRADIENT] = energy.gradient;
  value[STEPS] = now->steps;
  value[REJECTED] = now->rejected;
  value[NEWTON] = now->newton;
  value[LINEAR] = now->linear;
  value[TEMPERATURE] = mt_program_at(&e->program, now->t);
  PetscCall(mt_kks_means(e->kks, &value[MEAN], &share));
  PetscCall(VecMin(c, NULL, &value[LOW]));
  PetscCall(VecMax(c, NULL, &value[HIGH]));
  PetscCall(mt_domain_level(e->domain, mt_kks_field(e->kks, 0, MT_KKS_PHI), .5, &above, &value[AREA]));
  value[FRACTION] = share;
  return 0;
}

static PetscErrorCode row(MtSystem *s, double *value) {
  double all[COLUMNS];
  PetscCall(all_columns(s, all));
  memcpy(value, all, (size_t)s->columns * sizeof *all);
  return 0;
}

static void note(const MtSystem *s, char text[64]) {
  const TwoPhases *e = (const TwoPhases *)s;
  if (e->program.n > 0) snprintf(text, 64, "  %.4g K", mt_program_at(&e->program, s->clock->t));
}

static PetscErrorCode write(MtSystem *s, MtH5 *f) {
  PetscErrorCode rc = 0;
  for (int i = 0; i < 2 && !rc; i++)
    rc = mt_domain_write(phases_of(s)->domain, f, FIELD[i], mt_kks_field(phases_of(s)->kks, 0, OF[i]), "1");
  return rc;
}

static PetscErrorCode save(MtSystem *s, MtH5 *f) {
  PetscErrorCode rc = 0;
  for (int b = 0; b < 3; b++)
    for (int i = 0; i < 2 && !rc; i++)
      rc = mt_domain_write(phases_of(s)->domain, f, STATE[b][i], mt_kks_field(phases_of(s)->kks, b, OF[i]), "1");
  return rc;
}

static PetscErrorCode load(MtSystem *s, MtH5 *f) {
  PetscErrorCode rc = 0;
  for (int b = 0; b < 3; b++)
    for (int i = 0; i < 2 && !rc; i++)
      rc = mt_domain_read(phases_of(s)->domain, f, STATE[b][i], mt_kks_field(phases_of(s)->kks, b, OF[i]));
  return rc;
}

static PetscErrorCode resume(MtSystem *s) {
  PetscErrorCode rc = mt_kks_continue(phases_of(s)->kks);
  s->energy = mt_kks_energy(phases_of(s)->kks).total;
  return rc;
}

static PetscErrorCode mean(MtSystem *s, double *m) {
  double share;
  return mt_kks_means(phases_of(s)->kks, m, &share);
}

static PetscErrorCode results(MtSystem *s, MtJson *j) {
  double value[COLUMNS];
  PetscCall(all_columns(s, value));
  if (phases_of(s)->program.n > 0) mt_json_quantity(j, "temperature", value[TEMPERATURE], "K");
  mt_json_real(j, "c_mean", value[MEAN]);
  mt_json_real(j, "c_min", value[LOW]);
  mt_json_real(j, "c_max", value[HIGH]);
  mt_json_real(j, "fraction", value[FRACTION]);
  mt_json_quantity(j, "rate", mt_kks_rate_at(phases_of(s)->kks, s->clock->t), "m3/(J s)");
  mt_json_quantity(j, "interface", value[AREA], phases_of(s)->domain->dim == 2 ? "nm" : "nm2");
  return 0;
}

static PetscErrorCode destroy(MtSystem **s) {
  TwoPhases *e = phases_of(*s);
  PetscCall(mt_kks_destroy(&e->kks));
  mt_kks_free(&e->model);
  mt_program_free(&e->program);
  return PetscFree(*s);
}

/* What the phases that have ends reach together; phasefield.range may be narrower. */
static PetscErrorCode read_range(const TwoPhases *e, MtFreeEnergy *range) {
  *range = (MtFreeEnergy){.low = INFINITY, .high = -INFINITY};
  for (int k = 0; k < 2; k++) {
    const MtFreeEnergy *f = &e->model.phase[k].f;
    if (isfinite(f->low)) range->low = fmin(range->low, f->low);
    if (isfinite(f->high)) range->high = fmax(range->high, f->high);
  }
  if (!isfinite(range->low)) range->low = -INFINITY;
  if (!isfinite(range->high)) range->high = INFINITY;
  return mt_evolve_range(e->in, range);
}

static PetscErrorCode make(TwoPhases *e) {
  MtFreeEnergy range;
  MtMarchOptions march;
  PetscErrorCode rc = read_range(e, &range);
  if (rc) return rc;
  e->low = range.low;
  e->high = range.high;
  mt_evolve_march_options(e->in, &range, &march);
  const MtFlowOptions opt = {.newton_tolerance = mt_evolve_newton(e->in, &march),
                             .linear_rtol = mt_input_real(e->in, "evolve.linear_rtol")};
  return mt_kks_create(e->domain, &e->model, &opt, &march, &e->kks);
}

PetscErrorCode mt_system_kks(const MtDomain *domain, const MtInput *in, MtSystem **s) {
  static const MtSystemCalls CALLS = {.start = start,
                                      .see = see,
                                      .step = step,
                                      .row = row,
                                      .write = write,
                                      .save = save,
                                      .load = load,
                                      .resume = resume,
                                      .mean = mean,
                                      .results = results,
                                      .note = note,
                                      .destroy = destroy};
  TwoPhases *e;
  PetscCall(PetscNew(&e));
  *s = &e->base;
  e->domain = domain;
  e->in = in;
  e->base.call = &CALLS;
  PetscErrorCode rc = mt_diffusion_program(in, &e->program);
  if (!rc) rc = mt_kks_model(in, &e->program, &e->model);
  if (!rc) rc = make(e);
  if (rc) return rc;
  e->base = (MtSystem){.call = &CALLS,
                       .header = HEADERS[e->program.n > 0][domain->dim == 3],
                       .columns = e->program.n > 0 ? COLUMNS : TEMPERATURE,
                       .field = FIELD,
                       .fields = 2,
                       .program = &e->program,
                       .clock = mt_kks_state(e->kks)};
  return 0;
}
