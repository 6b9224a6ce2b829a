/* Grain growth as the model of a run: lines, fields and results. */
#include "evolve_impl.h"
#include "grains_input.h"
#include "magtwin/error.h"
#include "magtwin/units.h"
#include <math.h>
#include <stdlib.h>

/* All columns there may be, after the time; the header in the same order. */
enum {
  GRAINS = 2,
  RADIUS,
  AREA,
  TOTAL,
  BULK,
  GRADIENT,
  PAIRS,
  MOST,
  STEPS,
  REJECTED,
  NEWTON,
  LINEAR,
  TEMPERATURE,
  DRIVING,
  COLUMNS
};

typedef struct {
  MtSystem base;
  const MtDomain *domain;
  const MtInput *in;
  MtBoundaryLaw law;
  MtGrainModel model;
  double *bulk;    /* [ngrains] what model.bulk points to */
  bool *conserved; /* the same of model.conserved */
  MtProgram program;
  char header[256];
  int column[COLUMNS]; /* [base.columns] which of the columns each of evolve.csv is */
  MtGrowth *grains;
  int ngrains;
  int32_t *label;       /* of the beginning, by owned nodes */
  double count, radius; /* of the last line */
} Growth;

static const char *const FIELD[] = {"/grain", "/sum_eta2"};
static const char HEADER[] =
    "t_s,dt_s,grains,mean_radius_nm,interface_%s,f_total_J/m3,f_bulk_J/m3,f_gradient_J/m3,pairs,most_at_a_node"
    ",steps,rejected,newton_iterations,linear_iterations%s%s";

static Growth *growth_of(MtSystem *s) {
  return (Growth *)s;
}

static PetscErrorCode start(MtSystem *s) {
  Growth *e = growth_of(s);
  PetscErrorCode rc = mt_growth_start(e->grains, e->ngrains, e->label, 0);
  s->energy = mt_growth_energy(e->grains).total;
  return rc;
}

static PetscErrorCode step(MtSystem *s, double until) {
  PetscErrorCode rc = mt_growth_step(growth_of(s)->grains, until);
  s->energy = mt_growth_energy(growth_of(s)->grains).total;
  return rc;
}

/* Of the circle or ball of that size. */
static double radius(int dim, double volume) {
  return dim == 2 ? sqrt(volume / MT_PI) : cbrt(.75 * volume / MT_PI);
}

/* Grains that are there, and the mean of their radii; area of all boundaries. */
static PetscErrorCode measure(Growth *e, double *area) {
  const int n = mt_growth_number(e->grains);
  double *volume, *peak, *surface;
  PetscCall(PetscMalloc3(n, &volume, n, &peak, n, &surface));
  PetscCall(mt_growth_measure(e->grains, volume, peak, surface));
  e->count = e->radius = *area = 0;
  for (int k = 0; k < n; k++) {
    *area += .5 * surface[k];
    if (!(peak[k] > .5)) continue;
    e->count++;
    e->radius += radius(e->domain->dim, volume[k]);
  }
  e->radius /= e->count;
  return PetscFree3(volume, peak, surface);
}

static PetscErrorCode all_columns(MtSystem *s, double *value) {
  Growth *e = growth_of(s);
  const MtMarchState *now = s->clock;
  const MtFlowEnergy energy = mt_growth_energy(e->grains);
  int64_t pairs;
  int most;
  PetscCall(measure(e, &value[AREA]));
  PetscCall(mt_growth_pairs(e->grains, &pairs, &most));
  value[0] = now->t;
  value[1] = now->h1;
  value[GRAINS] = e->count;
  value[RADIUS] = e->radius;
  value[TOTAL] = energy.total;
  value[BULK] = energy.bulk;
  value[GRADIENT] = energy.gradient;
  value[PAIRS] = (double)pairs;
  value[MOST] = most;
  value[STEPS] = now->steps;
  value[REJECTED] = now->rejected;
  value[NEWTON] = now->newton;
  value[LINEAR] = now->linear;
  value[TEMPERATURE] = mt_program_at(&e->program, now->t);
  value[DRIVING] = energy.driving;
  return 0;
}

static PetscErrorCode row(MtSystem *s, double *value) {
  double all[COLUMNS];
  PetscCall(all_columns(s, all));
  for (int c = 0; c < s->columns; c++) value[c] = all[growth_of(s)->column[c]];
  return 0;
}

/* The last two only where there are temperatures, and where grains have bulk energies. */
static void choose_columns(Growth *e) {
  const bool warm = e->program.n > 0, driven = e->bulk;
  snprintf(e->header, sizeof e->header, HEADER, e->domain->dim == 2 ? "nm" : "nm2", warm ? ",temperature_K" : "",
           driven ? ",f_driving_J/m3" : "");
  for (int c = 0; c < COLUMNS; c++)
    if ((c != TEMPERATURE || warm) && (c != DRIVING || driven)) e->column[e->base.columns++] = c;
  e->base.header = e->header;
}

static void note(const MtSystem *s, char text[64]) {
  const Growth *e = (const Growth *)s;
  const int n = snprintf(text, 64, "  %.0f grains, mean radius %.4g nm", e->count, e->radius);
  if (e->program.n > 0) snprintf(text + n, 64 - (size_t)n, ", %.4g K", mt_program_at(&e->program, s->clock->t));
}

static PetscErrorCode see(MtSystem *s, int k, Vec c) {
  Vec other;
  PetscCall(VecDuplicate(c, &other));
  PetscCall(mt_growth_fields(growth_of(s)->grains, k == 0 ? c : other, k == 0 ? other : c));
  return VecDestroy(&other);
}

/* What the labels say of their grains, so that a mesh may be made of the grown ones. */
static PetscErrorCode write_labels(const MtStartLabels *l, int n, int own, MtH5 *f) {
  PetscErrorCode rc = mt_h5_write(f, "/grains/label", H5T_NATIVE_INT64, n, 1, 0, own, l->source, "1");
  if (!rc) rc = mt_h5_write(f, "/grains/axis", H5T_NATIVE_DOUBLE, n, 3, 0, own, l->axis, "1");
  return rc ? rc : mt_h5_write(f, "/grains/orientation", H5T_NATIVE_DOUBLE, n, 4, 0, own, l->orientation, "1");
}

static PetscErrorCode write_grains(Growth *e, MtH5 *f) {
  const int n = mt_growth_number(e->grains);
  double *volume, *peak, *surface;
  int rank;
  PetscCallMPI(MPI_Comm_rank(e->domain->comm, &rank));
  PetscCall(PetscMalloc3(n, &volume, n, &peak, n, &surface));
  PetscCall(mt_growth_measure(e->grains, volume, peak, surface));
  PetscErrorCode rc = mt_h5_write(f, "/grains/volume", H5T_NATIVE_DOUBLE, n, 1, 0, rank ? 0 : n, volume,
                                  e->domain->dim == 2 ? "nm2" : "nm3");
  PetscCall(PetscFree3(volume, peak, surface));
  return rc || !e->domain->labels ? rc : write_labels(e->domain->labels, n, rank ? 0 : n, f);
}

static PetscErrorCode write(MtSystem *s, MtH5 *f) {
  Growth *e = growth_of(s);
  Vec v[2];
  for (int k = 0; k < 2; k++) PetscCall(VecCreateMPI(e->domain->comm, e->domain->n_owned, PETSC_DETERMINE, &v[k]));
  PetscCall(mt_growth_fields(e->grains, v[0], v[1]));
  PetscErrorCode rc = 0;
  for (int k = 0; k < 2 && !rc; k++) rc = mt_domain_write(e->domain, f, FIELD[k], v[k], "1");
  for (int k = 0; k < 2; k++) PetscCall(VecDestroy(&v[k]));
  return rc ? rc : write_grains(e, f);
}

static void print_grains(const Growth *e, const MtGrainRecord *of, FILE *out) {
  const int dim = e->domain->dim;
  fprintf(out, "t_s,grain,volume_nm%d,radius_nm,neighbours,x_nm,y_nm,z_nm,surface_nm%s\n", dim, dim == 2 ? "" : "2");
  for (int k = 0; k < mt_growth_number(e->grains); k++)
    if (of[k].peak > .5)
      fprintf(out, "%.17g,%d,%.9g,%.9g,%d,%.9g,%.9g,%.9g,%.9g\n", e->base.clock->t, k, of[k].volume,
              radius(dim, of[k].volume), of[k].neighbours, of[k].x[0], of[k].x[1], of[k].x[2], of[k].surface);
}

static PetscErrorCode list(MtSystem *s, char **text) {
  Growth *e = growth_of(s);
  MtGrainRecord *of;
  size_t size;
  int rank;
  PetscCallMPI(MPI_Comm_rank(e->domain->comm, &rank));
  PetscCall(PetscMalloc1(mt_growth_number(e->grains), &of));
  PetscCall(mt_growth_statistics(e->grains, of));
  *text = NULL;
  FILE *out = rank ? NULL : open_memstream(text, &size);
  if (rank == 0 && !out) abort();
  if (out) {
    print_grains(e, of, out);
    fclose(out);
  }
  return PetscFree(of);
}

static PetscErrorCode save(MtSystem *s, MtH5 *f) {
  return mt_growth_save(growth_of(s)->grains, f);
}

static PetscErrorCode load(MtSystem *s, MtH5 *f) {
  return mt_growth_load(growth_of(s)->grains, f);
}

static PetscErrorCode resume(MtSystem *s) {
  double area;
  s->energy = mt_growth_energy(growth_of(s)->grains).total;
  return measure(growth_of(s), &area);
}

static PetscErrorCode results(MtSystem *s, MtJson *j) {
  double value[COLUMNS];
  PetscCall(all_columns(s, value));
  if (growth_of(s)->program.n > 0) mt_json_quantity(j, "temperature", value[TEMPERATURE], "K");
  mt_json_int(j, "grains", (int64_t)value[GRAINS]);
  mt_json_quantity(j, "mean_radius", value[RADIUS], "nm");
  mt_json_quantity(j, "interface", value[AREA], growth_of(s)->domain->dim == 2 ? "nm" : "nm2");
  if (growth_of(s)->conserved) mt_json_quantity(j, "pressure", mt_growth_pressure(growth_of(s)->grains), "J/m3");
  mt_json_int(j, "pairs", (int64_t)value[PAIRS]);
  mt_json_int(j, "most_at_a_node", (int64_t)value[MOST]);
  return 0;
}

static PetscErrorCode destroy(MtSystem **s) {
  Growth *e = growth_of(*s);
  PetscCall(mt_growth_destroy(&e->grains));
  PetscCall(PetscFree(e->label));
  free(e->bulk);
  free(e->conserved);
  mt_program_free(&e->program);
  mt_grain_model_free(&e->model);
  mt_boundary_law_free(&e->law);
  return PetscFree(*s);
}

static PetscErrorCode make(Growth *e) {
  MtMarchOptions march;
  MtFreeEnergy range = {.low = -.1, .high = 1.1};
  const double width = mt_input_real(e->in, "phasefield.boundary.width");
  PetscErrorCode rc = mt_grain_growth_resolved(e->domain, width);
  if (!rc) rc = mt_grain_growth_labels(e->domain, e->in, &e->ngrains, &e->label);
  if (!rc) rc = mt_grain_growth_law(e->domain, e->in, e->ngrains, &e->law);
  if (!rc) rc = mt_evolve_range(e->in, &range);
  if (!rc) rc = mt_diffusion_program(e->in, &e->program);
  if (rc) return rc;
  mt_grain_model(&e->law, width, &e->model);
  rc = mt_grain_driving(e->domain, e->in, &e->law, &e->model, e->ngrains, &e->bulk);
  if (!rc) rc = mt_grain_conserved_grains(e->domain, e->in, e->ngrains, e->label, &e->conserved);
  if (rc) return rc;
  e->model.bulk = e->bulk;
  e->model.conserved = e->conserved;
  e->model.program = e->program.n > 0 ? &e->program : NULL;
  e->model.activation = mt_input_real(e->in, "phasefield.activation");
  mt_evolve_march_options(e->in, &range, &march);
  const MtGrainOptions opt = {.threshold = mt_input_real(e->in, "phasefield.threshold"),
                              .newton_tolerance = mt_evolve_newton(e->in, &march),
                              .linear_rtol = mt_input_real(e->in, "evolve.linear_rtol")};
  return mt_growth_create(e->domain, &e->law, &e->model, &opt, &march, &e->grains);
}

PetscErrorCode mt_system_grains(const MtDomain *domain, const MtInput *in, MtSystem **s) {
  static const MtSystemCalls CALLS = {.start = start,
                                      .see = see,
                                      .step = step,
                                      .row = row,
                                      .write = write,
                                      .list = list,
                                      .save = save,
                                      .load = load,
                                      .resume = resume,
                                      .results = results,
                                      .note = note,
                                      .destroy = destroy};
  Growth *e;
  PetscCall(PetscNew(&e));
  *s = &e->base;
  e->domain = domain;
  e->in = in;
  e->base = (MtSystem){.call = &CALLS, .field = FIELD, .fields = 2, .list = "grains", .program = &e->program};
  PetscErrorCode rc = make(e);
  choose_columns(e);
  if (!rc) e->base.clock = mt_growth_state(e->grains);
  return rc;
}
