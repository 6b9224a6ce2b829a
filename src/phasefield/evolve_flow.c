/* One field as the model of a run: composition or order parameter, its energies, phase fraction and interface. */
#include "evolve_impl.h"
#include "magtwin/elastic.h"
#include "magtwin/error.h"
#include "magtwin/random.h"
#include <math.h>
#include <string.h>

/* All columns there may be. */
enum {
  TIME,
  STEP,
  MEAN,
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
  ELASTIC,
  LOAD,
  COLUMNS
};

typedef struct {
  MtSystem base;
  const MtDomain *domain;
  const MtInput *in;
  MtFreeEnergy energy;
  MtFormula *source;
  MtProgram program;
  MtDiffusion *diffusion; /* NULL: not that model */
  double *wall;           /* NULL: no boundaries */
  MtElastic *elastic;     /* NULL: none */
  char header[256];
  int column[COLUMNS]; /* [base.columns] which of the columns below each of evolve.csv is */
  MtFlow *flow;
  MtMarch *march;
} OneField;

static const char *const FIELD[] = {"/c"};
static const char *const STATE[3] = {"/state/c0", "/state/c1", "/state/c2"};
static const char *const COLUMN[COLUMNS] = {"t_s",
                                            "dt_s",
                                            "c_mean",
                                            "c_min",
                                            "c_max",
                                            "f_total_J/m3",
                                            "f_bulk_J/m3",
                                            "f_gradient_J/m3",
                                            "fraction",
                                            "interface_",
                                            "steps",
                                            "rejected",
                                            "newton_iterations",
                                            "linear_iterations",
                                            "temperature_K",
                                            "f_elastic_J/m3",
                                            "f_load_J/m3"};

static OneField *field_of(MtSystem *s) {
  return (OneField *)s;
}

static double noise_at(const MtInput *in, int64_t id) {
  MtRandom r;
  uint64_t key = (uint64_t)mt_input_int(in, "phasefield.seed");
  mt_random_seed(&r, mt_splitmix64(&key) ^ (uint64_t)id);
  return mt_input_real(in, "phasefield.noise") * (2 * mt_random_uniform(&r) - 1);
}

static PetscErrorCode from_formula(const MtDomain *d, const MtInput *in, Vec c) {
  MtFormula *f;
  PetscScalar *a;
  PetscErrorCode rc = mt_evolve_formula(in, "phasefield.initial_formula", &f);
  if (rc) return rc;
  PetscCall(VecGetArray(c, &a));
  for (PetscInt i = 0; i < d->n_owned; i++) {
    const double *x = d->x + 3 * i, at[MT_NVARS] = {x[0], x[1], x[2], 0};
    a[i] = mt_formula_value(f, at);
  }
  PetscCall(VecRestoreArray(c, &a));
  mt_formula_free(&f);
  return 0;
}

static PetscErrorCode from_file(const MtDomain *d, const MtInput *in, Vec c) {
  MtH5 *f;
  const char *path = mt_input_string(in, "phasefield.initial_file");
  PetscErrorCode rc = mt_h5_open(d->comm, path, "magtwin-fields", 1, &f);
  if (rc) return rc;
  rc = mt_domain_read(d, f, "/c", c);
  PetscErrorCode closed = mt_h5_close(&f);
  return rc ? rc : closed;
}

PetscErrorCode mt_evolve_check_start(const MtDomain *d, const char *name, Vec v, double low, double high) {
  const PetscScalar *a;
  char range[64] = "a finite number";
  PetscErrorCode rc = 0;
  if (isfinite(low) || isfinite(high)) snprintf(range, sizeof range, "a number from %g to %g", low, high);
  PetscCall(VecGetArrayRead(v, &a));
  for (PetscInt i = 0; i < d->n_owned && !rc; i++) {
    const double *x = d->x + 3 * i;
    if (!(a[i] >= low && a[i] <= high && isfinite(a[i])))
      rc = mt_error(MT_ERR_INPUT, "%s at the beginning is %g at (%g, %g, %g) nm, must be %s", name, a[i], x[0], x[1],
                    x[2], range);
  }
  PetscCall(VecRestoreArrayRead(v, &a));
  return mt_agree(d->comm, rc);
}

PetscErrorCode mt_evolve_first(const MtDomain *d, const MtInput *in, const MtDiffusion *diffusion,
                               const MtFreeEnergy *energy, Vec c) {
  PetscScalar *a;
  static const char *const NAME[] = {"c"};
  const bool file = strcmp(mt_input_string(in, "phasefield.initial"), "file") == 0;
  PetscErrorCode rc = d->labels ? mt_labels_values(d, in, 1, NAME, &c)
                      : file    ? from_file(d, in, c)
                                : from_formula(d, in, c);
  if (rc) return rc;
  if (mt_input_real(in, "phasefield.noise") > 0) {
    PetscCall(VecGetArray(c, &a));
    for (PetscInt i = 0; i < d->n_owned; i++) a[i] += noise_at(in, d->id[i]);
    PetscCall(VecRestoreArray(c, &a));
  }
  if (diffusion) PetscCall(mt_diffusion_impose(diffusion, c));
  return mt_evolve_check_start(d, "c", c, energy->low, energy->high);
}

/* Values that are held count from the first step on: what is written at 0 s is the state before.  They are checked
 * here, in a field that the first step does not use. */
static PetscErrorCode start(MtSystem *s) {
  OneField *e = field_of(s);
  PetscErrorCode rc = mt_evolve_first(e->domain, e->in, NULL, &e->energy, mt_march_field(e->march, 0));
  if (!rc && e->diffusion)
    rc = mt_evolve_first(e->domain, e->in, e->diffusion, &e->energy, mt_march_field(e->march, 1));
  if (!rc) rc = mt_march_start(e->march, 0);
  s->energy = e->diffusion ? NAN : mt_march_energy(e->march).total;
  return rc;
}

static PetscErrorCode hold(OneField *e) {
  PetscCall(mt_diffusion_impose(e->diffusion, mt_march_field(e->march, 0)));
  return mt_march_start(e->march, e->base.clock->t);
}

static PetscErrorCode begin(MtSystem *s, double t, Vec c) {
  OneField *e = field_of(s);
  PetscCall(VecCopy(c, mt_march_field(e->march, 0)));
  if (e->diffusion) PetscCall(mt_diffusion_impose(e->diffusion, mt_march_field(e->march, 0)));
  PetscErrorCode rc = mt_march_start(e->march, t);
  s->energy = e->diffusion ? NAN : mt_march_energy(e->march).total;
  return rc;
}

static PetscErrorCode see(MtSystem *s, int k, Vec c) {
  (void)k;
  return VecCopy(mt_march_field(field_of(s)->march, 0), c);
}

static PetscErrorCode step(MtSystem *s, double until) {
  PetscErrorCode rc = field_of(s)->diffusion && s->clock->steps == 0 ? hold(field_of(s)) : 0;
  if (!rc) rc = mt_march_step(field_of(s)->march, until);
  const MtFlowEnergy energy = mt_march_energy(field_of(s)->march);
  if (!field_of(s)->diffusion) s->energy = energy.total;
  s->heat = energy.heat;
  return rc;
}

static PetscErrorCode all_columns(MtSystem *s, double *value) {
  OneField *e = field_of(s);
  const MtMarchState *now = s->clock;
  const MtFlowEnergy energy = mt_march_energy(e->march);
  Vec c = mt_march_field(e->march, 0);
  value[TIME] = now->t;
  value[STEP] = now->h1;
  value[TOTAL] = energy.total;
  value[BULK] = energy.bulk;
  value[GRADIENT] = energy.gradient;
  value[STEPS] = now->steps;
  value[REJECTED] = now->rejected;
  value[NEWTON] = now->newton;
  value[LINEAR] = now->linear;
  value[ELASTIC] = energy.elastic;
  value[LOAD] = energy.load;
  value[TEMPERATURE] = mt_program_at(&e->program, now->t);
  PetscCall(mt_flow_mean(e->flow, c, &value[MEAN]));
  PetscCall(VecMin(c, NULL, &value[LOW]));
  PetscCall(VecMax(c, NULL, &value[HIGH]));
  return mt_flow_level(e->flow, c, mt_input_real(e->in, "phasefield.level"), &value[FRACTION], &value[AREA]);
}

static PetscErrorCode row(MtSystem *s, double *value) {
  double all[COLUMNS];
  PetscCall(all_columns(s, all));
  for (int c = 0; c < s->columns; c++) value[c] = all[field_of(s)->column[c]];
  return 0;
}

/* Diffusion has no energy, and not every run has temperatures. */
static void choose_columns(OneField *e) {
  size_t n = 0;
  for (int c = 0; c < COLUMNS; c++) {
    if ((c >= TOTAL && c <= GRADIENT && e->diffusion) || (c == TEMPERATURE && e->program.n == 0)) continue;
    if ((c == ELASTIC && !e->elastic) || (c == LOAD && !mt_elastic_applied(e->in))) continue;
    n += (size_t)snprintf(e->header + n, sizeof e->header - n, "%s%s%s", c ? "," : "", COLUMN[c],
                          c != AREA             ? ""
                          : e->domain->dim == 2 ? "nm"
                                                : "nm2");
    e->column[e->base.columns++] = c;
  }
  e->base.header = e->header;
}

static void note(const MtSystem *s, char text[64]) {
  const OneField *e = (const OneField *)s;
  if (e->program.n > 0) snprintf(text, 64, "  %.4g K", mt_program_at(&e->program, s->clock->t));
}

static PetscErrorCode write(MtSystem *s, MtH5 *f) {
  OneField *e = field_of(s);
  Vec c = mt_march_field(e->march, 0);
  PetscErrorCode rc = mt_domain_write(e->domain, f, FIELD[0], c, "1");
  return rc || !e->elastic ? rc : mt_elastic_write(e->elastic, c, f);
}

static PetscErrorCode save(MtSystem *s, MtH5 *f) {
  PetscErrorCode rc = 0;
  for (int k = 0; k < 3 && !rc; k++)
    rc = mt_domain_write(field_of(s)->domain, f, STATE[k], mt_march_field(field_of(s)->march, k), "1");
  return rc;
}

static PetscErrorCode load(MtSystem *s, MtH5 *f) {
  PetscErrorCode rc = 0;
  for (int k = 0; k < 3 && !rc; k++)
    rc = mt_domain_read(field_of(s)->domain, f, STATE[k], mt_march_field(field_of(s)->march, k));
  return rc;
}

static PetscErrorCode resume(MtSystem *s) {
  PetscErrorCode rc = mt_march_continue(field_of(s)->march);
  s->energy = field_of(s)->diffusion ? NAN : mt_march_energy(field_of(s)->march).total;
  return rc;
}

static PetscErrorCode mean(MtSystem *s, double *m) {
  return mt_flow_mean(field_of(s)->flow, mt_march_field(field_of(s)->march, 0), m);
}

static PetscErrorCode results(MtSystem *s, MtJson *j) {
  double value[COLUMNS];
  PetscCall(all_columns(s, value));
  if (field_of(s)->program.n > 0) mt_json_quantity(j, "temperature", value[TEMPERATURE], "K");
  if (field_of(s)->elastic) mt_json_quantity(j, "elastic_energy", value[ELASTIC], "J/m3");
  mt_json_real(j, "c_mean", value[MEAN]);
  mt_json_real(j, "c_min", value[LOW]);
  mt_json_real(j, "c_max", value[HIGH]);
  mt_json_real(j, "fraction", value[FRACTION]);
  mt_json_quantity(j, "interface", value[AREA], field_of(s)->domain->dim == 2 ? "nm" : "nm2");
  return 0;
}

static PetscErrorCode destroy(MtSystem **s) {
  OneField *e = field_of(*s);
  PetscCall(mt_march_destroy(&e->march));
  PetscCall(mt_flow_destroy(&e->flow));
  PetscCall(mt_diffusion_destroy(&e->diffusion));
  PetscCall(PetscFree(e->wall));
  PetscCall(mt_elastic_destroy(&e->elastic));
  mt_formula_free(&e->source);
  mt_program_free(&e->program);
  mt_free_energy_free(&e->energy);
  return PetscFree(*s);
}

static PetscErrorCode make(OneField *e) {
  MtFlowModel model = mt_evolve_model(e->in, &e->energy, e->source, &e->program);
  MtMarchOptions march;
  mt_evolve_march_options(e->in, &e->energy, &march);
  const MtFlowOptions opt = {.newton_tolerance = mt_evolve_newton(e->in, &march),
                             .linear_rtol = mt_input_real(e->in, "evolve.linear_rtol")};
  PetscErrorCode rc =
      model.kind == MT_FLOW_DIFFUSION ? mt_diffusion_open(e->in, e->domain, &e->program, &e->diffusion) : 0;
  if (!rc) rc = mt_wetting_open(e->in, e->domain, &e->wall);
  model.diffusion = e->diffusion;
  model.wall = e->wall;
  model.dry = e->wall ? e->energy.a[1] : 0;
  model.wet = e->wall ? e->energy.a[2] : 1;
  if (!rc) rc = mt_elastic_open(e->in, e->domain, &e->elastic);
  model.elastic = e->elastic;
  if (!rc) rc = mt_flow_create(e->domain, &model, &opt, &e->flow);
  return rc ? rc : mt_march_create(e->flow, &march, &e->march);
}

PetscErrorCode mt_system_flow(const MtDomain *domain, const MtInput *in, MtSystem **s) {
  static const MtSystemCalls CALLS = {.start = start,
                                      .begin = begin,
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
  static const MtSystemCalls OPEN = {.start = start, /* without a mean that stays */
                                     .begin = begin,
                                     .see = see,
                                     .step = step,
                                     .row = row,
                                     .write = write,
                                     .save = save,
                                     .load = load,
                                     .resume = resume,
                                     .results = results,
                                     .note = note,
                                     .destroy = destroy};
  OneField *e;
  PetscCall(PetscNew(&e));
  *s = &e->base;
  e->domain = domain;
  e->in = in;
  e->base = (MtSystem){.call = &CALLS, .field = FIELD, .fields = 1, .program = &e->program};
  PetscErrorCode rc = mt_evolve_energy(in, &e->energy);
  if (!rc) rc = mt_evolve_formula(in, "phasefield.source", &e->source);
  if (!rc) rc = mt_diffusion_program(in, &e->program);
  if (!rc) rc = make(e);
  if (rc) return rc;
  e->base.clock = mt_march_state(e->march);
  choose_columns(e);
  if (e->diffusion && !mt_diffusion_closed(e->diffusion)) e->base.call = &OPEN;
  return 0;
}
