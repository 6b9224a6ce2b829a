/* The model whose parameters are sought: domain, flow, snapshots; the steps found by the adaptive march. */
#include "../phasefield/evolve_impl.h"
#include "invert_impl.h"
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include "magtwin/run.h"
#include <math.h>
#include <string.h>

/* The scheme is differentiated exactly only where it is solved exactly: what the last correction leaves must stay below
 * differences of J at steps of 1e-7, also where it took one iteration more or less. */
static const double NEWTON_TOLERANCE = 1e-13, LINEAR_RTOL = 1e-6, ADJOINT_RTOL = 1e-10;

static PetscErrorCode open_domain(MtTwin *w, const char *mesh_path) {
  if (mt_input_has(w->in, "box.size")) {
    MtBox box;
    mt_evolve_box(w->in, &box);
    return mt_domain_box(w->comm, &box, &w->domain);
  }
  PetscErrorCode rc = mt_mesh_read(w->comm, mesh_path, &w->mesh);
  return rc ? rc : mt_domain_mesh(w->mesh, &w->domain);
}

static PetscErrorCode open_flow(MtTwin *w) {
  PetscErrorCode rc = mt_evolve_energy(w->in, &w->energy);
  if (!rc) rc = mt_evolve_formula(w->in, "phasefield.source", &w->source);
  if (!rc) rc = mt_diffusion_program(w->in, &w->program);
  if (rc) return rc;
  const MtFlowOptions opt = {.newton_tolerance = NEWTON_TOLERANCE, .linear_rtol = LINEAR_RTOL};
  MtMarchOptions march;
  mt_evolve_march_options(w->in, &w->energy, &march);
  w->model = mt_evolve_model(w->in, &w->energy, w->source, &w->program);
  if (mt_evolve_diffuses(w->in)) rc = mt_diffusion_open(w->in, w->domain, &w->program, &w->diffusion);
  w->model.diffusion = w->diffusion;
  if (!rc) rc = mt_flow_create(w->domain, &w->model, &opt, &w->flow);
  if (!rc) rc = mt_march_create(w->flow, &march, &w->march);
  if (!rc) rc = mt_flow_linear_create(w->flow, ADJOINT_RTOL, &w->linear);
  return rc;
}

static PetscErrorCode make_vectors(MtTwin *w) {
  Vec *const one[] = {&w->roll[0], &w->roll[1], &w->roll[2], &w->roll[3],
                      &w->work[0], &w->work[1], &w->work[2], &w->work[3]};
  PetscCall(VecCreateMPI(w->comm, w->domain->n_owned, PETSC_DETERMINE, &w->start));
  for (size_t i = 0; i < sizeof one / sizeof *one; i++) PetscCall(VecDuplicate(w->start, one[i]));
  return 0;
}

static PetscErrorCode open_start(MtTwin *w) {
  PetscErrorCode rc = mt_snapshots_read(w->domain, w->in, &w->seen);
  if (!rc && w->from_snapshot) rc = mt_snapshots_take_first(w->domain, w->in, &w->seen, w->start, &w->t0);
  if (rc || w->forward) return rc;
  if (!w->from_snapshot) return mt_evolve_first(w->domain, w->in, w->diffusion, &w->energy, w->start);
  return w->diffusion ? mt_diffusion_impose(w->diffusion, w->start) : 0;
}

PetscErrorCode mt_twin_open(MtTwin *w, MPI_Comm comm, const MtInput *in, const char *mesh_path) {
  *w = (MtTwin){.comm = comm,
                .in = in,
                .forward = strcmp(mt_input_string(in, "invert.method"), "ensemble") == 0,
                .from_snapshot = strcmp(mt_input_string(in, "invert.initial"), "snapshot") == 0};
  PetscCallMPI(MPI_Comm_rank(comm, &w->rank));
  PetscErrorCode rc = mt_invert_unknowns(in, &w->n, w->unknown);
  for (int i = 0; i < w->n && !rc; i++) w->theta[i] = mt_unknown_theta(&w->unknown[i], w->unknown[i].start);
  if (!rc) rc = open_domain(w, mesh_path);
  if (rc) return rc;
  PetscCall(make_vectors(w));
  if (!w->forward) rc = open_flow(w);
  if (!rc) rc = open_start(w);
  if (rc) return rc;
  return w->forward ? mt_forward_check(w) : mt_twin_set(w, w->theta);
}

PetscErrorCode mt_twin_close(MtTwin *w) {
  PetscCall(mt_snapshots_free(&w->seen));
  for (int i = 0; i < w->room && w->kept; i++) PetscCall(VecDestroy(&w->kept[i]));
  free(w->kept);
  for (int i = 0; i < 4; i++) PetscCall(VecDestroy(&w->roll[i]));
  for (int i = 0; i < 4; i++) PetscCall(VecDestroy(&w->work[i]));
  for (int i = 0; i < w->n; i++) {
    for (int k = 0; k < 3; k++) PetscCall(VecDestroy(&w->tangent[i][k]));
    mt_free_energy_free(&w->derivative[i]);
  }
  PetscCall(VecDestroy(&w->start));
  free(w->steps.t);
  free(w->steps.seen);
  PetscCall(mt_flow_linear_destroy(&w->linear));
  PetscCall(mt_march_destroy(&w->march));
  PetscCall(mt_flow_destroy(&w->flow));
  PetscCall(mt_diffusion_destroy(&w->diffusion));
  PetscCall(mt_domain_destroy(&w->domain));
  mt_formula_free(&w->source);
  mt_program_free(&w->program);
  mt_free_energy_free(&w->energy);
  return mt_mesh_destroy(&w->mesh);
}

static void set_medium(MtTwin *w, MtFlowNumber number, double value) {
  MtMedium m = mt_diffusion_medium(w->diffusion, number.k);
  *(number.kind == MT_NUMBER_BARRIER ? &m.Q : &m.D0) = value;
  mt_diffusion_set(w->diffusion, number.k, m);
}

PetscErrorCode mt_twin_set(MtTwin *w, const double *theta) {
  if (w->forward) {
    for (int i = 0; i < w->n; i++) w->theta[i] = theta[i];
    return 0;
  }
  for (int i = 0; i < w->n; i++) {
    const MtUnknown *u = &w->unknown[i];
    const double value = u->factor * mt_unknown_value(u, theta[i]);
    w->theta[i] = theta[i];
    if (u->number.kind == MT_NUMBER_ENERGY) mt_free_energy_set(&w->energy, u->number.k, value);
    if (u->number.kind == MT_NUMBER_KAPPA) w->model.kappa = value;
    if (u->number.kind == MT_NUMBER_MOBILITY) w->model.mobility = value;
    if (u->number.kind == MT_NUMBER_DIFFUSIVITY || u->number.kind == MT_NUMBER_BARRIER) set_medium(w, u->number, value);
  }
  for (int i = 0; i < w->n; i++) { /* when all are set */
    mt_free_energy_free(&w->derivative[i]);
    if (w->unknown[i].number.kind == MT_NUMBER_ENERGY)
      mt_free_energy_derivative(&w->energy, w->unknown[i].number.k, &w->derivative[i]);
  }
  w->whole = false;
  return mt_flow_set_numbers(w->flow, w->model.kappa, w->model.mobility);
}

double mt_twin_prior(const MtTwin *w, const double *theta, double *g) {
  double sum = 0;
  for (int i = 0; i < w->n; i++) {
    const MtUnknown *u = &w->unknown[i];
    if (u->deviation == 0) continue;
    const double off = (theta[i] - u->prior) / u->deviation;
    sum += .5 * off * off;
    if (g) g[i] += off / u->deviation;
  }
  return sum;
}

static void add_time(MtSteps *s, double t, int seen) {
  if (s->n + 2 > s->capacity) {
    s->capacity = s->capacity ? 2 * s->capacity : 256;
    s->t = mt_realloc(s->t, (size_t)s->capacity * sizeof *s->t);
    s->seen = mt_realloc(s->seen, (size_t)s->capacity * sizeof *s->seen);
  }
  s->n++;
  s->t[s->n] = t;
  s->seen[s->n] = seen;
}

/* State 0 is at t0; a snapshot of that time sees it. */
static int begin_steps(MtTwin *w) {
  MtSteps *s = &w->steps;
  const bool seen = w->seen.t[0] <= w->t0;
  s->n = -1;
  add_time(s, w->t0, seen ? 0 : -1);
  return seen;
}

/* What each step adds to the misfit. */
static PetscErrorCode look(MtTwin *w, int snapshot, double *sum, Vec *predicted) {
  Vec c = mt_march_field(w->march, 0);
  PetscCall(mt_snapshots_misfit(&w->seen, snapshot, c, NULL, sum));
  return predicted ? VecCopy(c, predicted[snapshot]) : 0;
}

PetscErrorCode mt_twin_record(MtTwin *w, double *misfit, Vec *predicted) {
  if (w->forward) return mt_forward_record(w, misfit, predicted);
  double sum = 0;
  int next = begin_steps(w);
  w->whole = false;
  PetscCall(VecCopy(w->start, mt_march_field(w->march, 0)));
  PetscCall(mt_march_start(w->march, w->t0));
  const MtMarchState *s = mt_march_state(w->march);
  if (next == 1) PetscCall(look(w, 0, &sum, predicted));
  while (next < w->seen.n) {
    PetscErrorCode rc = mt_march_step(w->march, fmin(w->seen.t[next], mt_program_corner(&w->program, s->t)));
    if (rc) return rc;
    const bool there = s->t >= w->seen.t[next];
    add_time(&w->steps, s->t, there ? next : -1);
    if (there) PetscCall(look(w, next++, &sum, predicted));
  }
  PetscCallMPI(MPI_Allreduce(&sum, misfit, 1, MPI_DOUBLE, MPI_SUM, w->comm));
  w->newton += s->newton;
  w->recorded++;
  return 0;
}
