/* March of grain growth in time, on the active pairs; after each step the lists follow the grains. */
#include "grains_impl.h"
#include "magtwin/run.h"
#include <math.h>
#include <stdio.h>

static const double FLOOR = 1e-2; /* of m, that the energy counts as: one grain alone has none */

static MtGrowth *growth_of(MtStepper *s) {
  return (MtGrowth *)s;
}

static double warmth(const MtGrainModel *m, double t) {
  return m->program ? mt_arrhenius(m->activation, mt_program_at(m->program, t)) : 1;
}

static void name(const MtWorst *w, char text[64]) {
  snprintf(text, 64, "that of grain %d is", w->of);
}

static PetscErrorCode solve(MtStepper *s, const MtBdf2 *b, double t, MtFlowSolve *how) {
  MtGrowth *g = growth_of(s);
  mt_bdf2_predict(b, (size_t)g->set.n_owned, (const double *const *)g->c, g->work[MT_BASE], g->work[MT_GUESS]);
  PetscCall(PetscArraycpy(g->work[MT_NEXT], g->work[MT_GUESS], g->set.n_owned));
  g->shift = b->shift;
  g->warmth = warmth(g->model, t);
  return mt_grain_solve(g, g->work[MT_BASE], g->work[MT_NEXT], how);
}

/* The owned pair whose |v| is largest. */
static PetscErrorCode worst_pair(const MtGrowth *g, const double *v, const double *c, MtWorst *w) {
  for (PetscInt i = 0; i < g->domain->n_owned; i++)
    for (PetscInt p = g->set.start[i]; p < g->set.start[i + 1]; p++)
      mt_worst_note(w, g->domain, i, fabs(v[p]), c[p], g->set.grain[p]);
  return 0;
}

static PetscErrorCode correction(MtStepper *s, MtWorst *w) {
  return worst_pair(growth_of(s), growth_of(s)->work[MT_DELTA], growth_of(s)->c[0], w);
}

static PetscErrorCode outside(MtStepper *s, MtWorst *w) {
  const MtGrowth *g = growth_of(s);
  double *out = g->work[MT_Z];
  const double *c = g->work[MT_NEXT];
  for (PetscInt p = 0; p < g->set.n_owned; p++) out[p] = fmax(0, fmax(s->opt.low - c[p], c[p] - s->opt.high));
  return worst_pair(g, out, c, w);
}

static PetscErrorCode error(MtStepper *s, double share, MtWorst *w) {
  const MtGrowth *g = growth_of(s);
  double *error = g->work[MT_GUESS];
  const double *next = g->work[MT_NEXT];
  for (PetscInt p = 0; p < g->set.n_owned; p++) error[p] = share * (next[p] - error[p]);
  return worst_pair(g, error, next, w);
}

static PetscErrorCode energy(MtStepper *s, double t, MtFlowEnergy *e) {
  (void)t;
  return mt_grain_energy(growth_of(s), growth_of(s)->work[MT_NEXT], e);
}

/* The accepted state takes the place of the oldest one; the rate at the beginning stays there for one step more. */
static PetscErrorCode accept(MtStepper *s, bool first) {
  MtGrowth *g = growth_of(s);
  double *next = g->work[MT_NEXT];
  g->work[MT_NEXT] = g->c[first ? 1 : 2];
  if (!first) g->c[2] = g->c[1];
  g->c[1] = g->c[0];
  g->c[0] = next;
  mt_phase_begin("lists of grains");
  PetscErrorCode rc = mt_grain_set_adapt(g);
  mt_phase_end("lists of grains");
  return rc ? rc : mt_grain_energy(g, g->c[0], &s->energy);
}

PetscErrorCode mt_growth_create(const MtDomain *domain, const MtBoundaryLaw *law, const MtGrainModel *model,
                                const MtGrainOptions *opt, const MtMarchOptions *march, MtGrowth **grains) {
  static const MtStepperCalls CALLS = {.subject = "an order parameter",
                                       .name = name,
                                       .solve = solve,
                                       .correction = correction,
                                       .outside = outside,
                                       .error = error,
                                       .energy = energy,
                                       .accept = accept};
  MtGrowth *g;
  PetscCall(PetscNew(&g));
  *grains = g;
  g->domain = domain;
  g->law = law;
  g->model = model;
  g->opt = *opt;
  g->stepper = (MtStepper){.call = &CALLS, .comm = domain->comm, .opt = *march, .least = FLOOR * model->m};
  PetscCall(PetscMalloc1(domain->n_owned, &g->rate));
  PetscCall(mt_grain_graph(domain, &g->graph));
  return mt_grain_ghosts(domain, &g->ghosts);
}

PetscErrorCode mt_growth_destroy(MtGrowth **grains) {
  MtGrowth *g = *grains;
  if (!g) return 0;
  PetscCall(mt_grain_set_free(g));
  PetscCall(mt_grain_ghosts_free(&g->ghosts));
  PetscCall(mt_grain_graph_free(&g->graph));
  PetscCall(PetscFree(g->rate));
  PetscCall(PetscFree(g->pressed));
  return PetscFree(*grains);
}

PetscErrorCode mt_growth_start(MtGrowth *g, int ngrains, const int32_t *label, double t) {
  g->stepper.now = (MtMarchState){.t = t, .dt = g->stepper.opt.first};
  g->ngrains = ngrains;
  g->warmth = warmth(g->model, t);
  PetscErrorCode rc = mt_grain_set_labels(g, label);
  if (rc) return rc;
  PetscCall(mt_grain_conserved_start(g));
  PetscCall(mt_grain_rate(g, g->c[0], g->c[2]));
  return mt_grain_energy(g, g->c[0], &g->stepper.energy);
}

MtMarchState *mt_growth_state(MtGrowth *g) {
  return &g->stepper.now;
}

int mt_growth_number(const MtGrowth *g) {
  return g->ngrains;
}

MtFlowEnergy mt_growth_energy(const MtGrowth *g) {
  return g->stepper.energy;
}

double mt_growth_pressure(const MtGrowth *g) {
  return -g->pressure;
}

PetscErrorCode mt_growth_step(MtGrowth *g, double until) {
  return mt_stepper_step(&g->stepper, until);
}
