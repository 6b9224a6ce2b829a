/* The march on given steps, with and without its sensitivities. */
#include "../phasefield/stepper.h"
#include "invert_impl.h"
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include <math.h>

MtBdf2 mt_steps_bdf2(const MtSteps *s, int i) {
  const double *t = s->t;
  return mt_bdf2(t[i + 1] - t[i], i > 0 ? t[i] - t[i - 1] : 0, i > 1 ? t[i - 1] - t[i - 2] : 0);
}

/* The guess of Newton's method is on the parabola through the states there are, or the line; rates are not kept. */
PetscErrorCode mt_twin_step(MtTwin *w, int i, Vec c0, Vec c1, Vec c2, Vec next, bool *good) {
  const double *t = w->steps.t + i;
  const Vec c[3] = {c0, c1 ? c1 : c0, c2 ? c2 : c0};
  MtBdf2 b = mt_steps_bdf2(&w->steps, i);
  Vec base = w->work[3];
  MtFlowSolve how;
  if (!c2) {
    b.guess[1] = c1 ? (t[0] - t[1]) / (t[0] - t[-1]) : 0;
    b.guess[2] = 0;
  }
  PetscCall(mt_multistep_guess(&b, c, base, next));
  PetscCall(mt_flow_solve(w->flow, t[1], b.shift, base, next, &how));
  w->newton += how.newton;
  *good = how.converged;
  return 0;
}

/* State i of a run, to be kept or not. */
static PetscErrorCode place_of(MtTwin *w, int i, bool keep, Vec *c) {
  if (!keep) {
    *c = w->roll[i % 4];
    return 0;
  }
  if (!w->kept[i - 1]) PetscCall(mt_flow_create_vec(w->flow, &w->kept[i - 1]));
  *c = w->kept[i - 1];
  return 0;
}

/* All states are kept where there is room for them. */
static bool prepare_room(MtTwin *w) {
  const int wanted = mt_input_has(w->in, "invert.states") ? (int)mt_input_int(w->in, "invert.states") : w->steps.n;
  if (wanted > w->room) {
    w->kept = mt_realloc(w->kept, (size_t)wanted * sizeof(Vec));
    for (int i = w->room; i < wanted; i++) w->kept[i] = NULL;
    w->room = wanted;
  }
  return w->room >= w->steps.n;
}

static PetscErrorCode see(MtTwin *w, int i, Vec c, double *sum, Vec *predicted) {
  const int k = w->steps.seen[i];
  if (k < 0) return 0;
  PetscCall(mt_snapshots_misfit(&w->seen, k, c, NULL, sum));
  return predicted ? VecCopy(c, predicted[k]) : 0;
}

PetscErrorCode mt_twin_forward(MtTwin *w, double *misfit, bool *good, Vec *predicted) {
  const bool keep = prepare_room(w);
  Vec c0 = w->start, c1 = NULL, c2 = NULL;
  double sum = 0;
  *good = true;
  w->whole = false;
  w->runs++;
  PetscCall(see(w, 0, c0, &sum, predicted));
  for (int i = 0; i < w->steps.n && *good; i++) {
    Vec next = NULL;
    PetscCall(place_of(w, i + 1, keep, &next));
    PetscCall(mt_twin_step(w, i, c0, c1, c2, next, good));
    PetscCall(see(w, i + 1, next, &sum, predicted));
    c2 = c1;
    c1 = c0;
    c0 = next;
  }
  w->whole = keep && *good;
  PetscCallMPI(MPI_Allreduce(&sum, misfit, 1, MPI_DOUBLE, MPI_SUM, w->comm));
  return 0;
}

static PetscErrorCode prepare_tangents(MtTwin *w) {
  for (int p = 0; p < w->n; p++)
    for (int k = 0; k < 3; k++) {
      if (!w->tangent[p][k]) PetscCall(mt_flow_create_vec(w->flow, &w->tangent[p][k]));
      PetscCall(VecZeroEntries(w->tangent[p][k]));
    }
  return 0;
}

/* S dc_(i+1) = w shift (base0 dc_i + base1 dc_(i-1)) - dR/dtheta for each parameter; dc_i is tangent[p][i % 3]. */
static PetscErrorCode step_tangents(MtTwin *w, int i, Vec c) {
  Vec right = w->work[0], part = w->work[1], weights = mt_flow_weights(w->flow);
  const MtBdf2 b = mt_steps_bdf2(&w->steps, i);
  PetscCall(mt_flow_linear_at(w->linear, w->steps.t[i + 1], b.shift, c));
  for (int p = 0; p < w->n; p++) {
    const MtUnknown *u = &w->unknown[p];
    Vec *dc = w->tangent[p];
    PetscCall(VecCopy(dc[i % 3], part));
    PetscCall(VecScale(part, b.shift * b.base[0]));
    if (i > 0) PetscCall(VecAXPY(part, b.shift * b.base[1], dc[(i + 2) % 3]));
    PetscCall(VecPointwiseMult(part, part, weights));
    PetscCall(mt_flow_linear_number(w->linear, u->number, &w->derivative[p], right));
    PetscCall(VecAYPX(right, -u->factor * mt_unknown_slope(u, w->theta[p]), part));
    PetscErrorCode rc = mt_flow_linear_solve(w->linear, false, right, dc[(i + 1) % 3]);
    if (rc) return rc;
  }
  return 0;
}

/* What snapshot k adds to gradient and matrix, on this rank. */
static PetscErrorCode add_products(MtTwin *w, int i, Vec c, double *sum, Vec *at) {
  const int k = w->steps.seen[i], n = w->n;
  if (k < 0) return 0;
  Vec r = w->work[0];
  PetscCall(mt_snapshots_misfit(&w->seen, k, c, r, &sum[0]));
  for (int p = 0; p < n; p++) {
    PetscScalar *a, *b;
    PetscInt m;
    if (at) PetscCall(VecCopy(w->tangent[p][i % 3], at[p * w->seen.n + k]));
    PetscCall(VecGetLocalSize(r, &m));
    PetscCall(VecGetArray(r, &a));
    PetscCall(VecGetArray(w->tangent[p][i % 3], &b));
    for (PetscInt j = 0; j < m; j++) sum[1 + p] += a[j] * b[j];
    PetscCall(VecRestoreArray(w->tangent[p][i % 3], &b));
    PetscCall(VecRestoreArray(r, &a));
    for (int q = 0; q <= p; q++)
      PetscCall(mt_snapshots_product(&w->seen, k, w->tangent[p][i % 3], w->tangent[q][i % 3], &sum[1 + n + p * n + q]));
  }
  return 0;
}

PetscErrorCode mt_twin_sensitivity(MtTwin *w, double *misfit, double *g, double *H, Vec *at, bool *good) {
  const int n = w->n;
  double sum[1 + MT_UNKNOWNS + MT_UNKNOWNS * MT_UNKNOWNS] = {0};
  Vec c0 = w->start, c1 = NULL, c2 = NULL;
  const bool keep = w->whole; /* the states are there already */
  *good = true;
  w->tangents += n;
  PetscCall(prepare_tangents(w));
  PetscCall(see(w, 0, c0, &sum[0], NULL));
  for (int i = 0; i < w->steps.n; i++) {
    Vec next = NULL;
    PetscCall(place_of(w, i + 1, keep, &next));
    if (!keep) PetscCall(mt_twin_step(w, i, c0, c1, c2, next, good));
    if (!*good) return 0;
    PetscErrorCode rc = step_tangents(w, i, next);
    if (rc) return rc;
    PetscCall(add_products(w, i + 1, next, sum, at));
    c2 = c1;
    c1 = c0;
    c0 = next;
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sum, 1 + n + n * n, MPI_DOUBLE, MPI_SUM, w->comm));
  *misfit = sum[0];
  for (int p = 0; p < n; p++) {
    g[p] = sum[1 + p];
    for (int q = 0; q <= p; q++) H[p * n + q] = H[q * n + p] = sum[1 + n + p * n + q];
  }
  return 0;
}
