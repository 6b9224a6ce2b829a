/* Grains that keep their volume together, such as a liquid between grains: int phi, phi = sum eta^2/s of them, stays
 * what it was at the beginning by a pressure that they have in common, the multiplier of that condition.
 *
 * Newton's method for state and pressure: with H the operator of a step, b = dV/deta and r the residual,
 *     [H b; b' 0] [delta; change] = [r; V - V0],
 * by two solves with H.  Among states of that volume a step minimizes what it minimizes without it, so F falls. */
#include "grains_impl.h"
#include "magtwin/error.h"
#include <math.h>

/* b at owned pairs, may be NULL; the volume of the grains in c (nm3, nm2). */
static PetscErrorCode volume(const MtGrowth *g, const double *c, double *b, double *sum) {
  const MtGrainSet *s = &g->set;
  double own = 0;
  for (PetscInt i = 0; i < g->domain->n_owned; i++) {
    const double w = g->graph.w[i];
    double all = 0, part = 0;
    for (PetscInt p = s->start[i]; p < s->start[i + 1]; p++) {
      all += c[p] * c[p];
      if (g->model->conserved[s->grain[p]]) part += c[p] * c[p];
    }
    own += w * part / all;
    for (PetscInt p = s->start[i]; p < s->start[i + 1] && b; p++)
      b[p] = 2 * w * c[p] * ((g->model->conserved[s->grain[p]] ? 1 : 0) - part / all) / all;
  }
  PetscCallMPI(MPI_Allreduce(&own, sum, 1, MPI_DOUBLE, MPI_SUM, g->domain->comm));
  return 0;
}

static void set_pressure(MtGrowth *g, double pressure) {
  g->pressure = pressure;
  for (int k = 0; k < g->ngrains; k++)
    g->pressed[k] = (g->model->bulk ? g->model->bulk[k] : 0) + (g->model->conserved[k] ? pressure : 0);
}

PetscErrorCode mt_grain_conserved_set(MtGrowth *g, double pressure, double volume0) {
  g->bulk = g->model->bulk;
  if (!g->model->conserved) return 0;
  PetscCall(PetscFree(g->pressed));
  PetscCall(PetscMalloc1(g->ngrains, &g->pressed));
  g->bulk = g->pressed;
  g->volume0 = volume0;
  set_pressure(g, pressure);
  return 0;
}

PetscErrorCode mt_grain_conserved_start(MtGrowth *g) {
  double sum = 0;
  if (g->model->conserved) PetscCall(volume(g, g->c[0], NULL, &sum));
  return mt_grain_conserved_set(g, 0, sum);
}

static PetscErrorCode dots(const MtGrowth *g, const double *b, const double *x, const double *y, double sum[2]) {
  sum[0] = sum[1] = 0;
  for (PetscInt p = 0; p < g->set.n_owned; p++) {
    sum[0] += b[p] * x[p];
    sum[1] += b[p] * y[p];
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sum, 2, MPI_DOUBLE, MPI_SUM, g->domain->comm));
  return 0;
}

/* delta is H^-1 r already: less the part that would change the volume. */
static PetscErrorCode share_out(MtGrowth *g, const double *c, double *b, double *x, int *iterations, bool *good) {
  const PetscInt n = g->set.n_owned;
  double *delta = g->work[MT_DELTA], now, sum[2];
  int more;
  PetscCall(volume(g, c, b, &now));
  PetscCall(PetscArraycpy(x, delta, n));
  PetscCall(PetscArraycpy(g->work[MT_RESIDUAL], b, n));
  PetscCall(mt_grain_linear(g, c, &more, good));
  *iterations += more;
  if (!*good) return 0;
  PetscCall(dots(g, b, x, delta, sum));
  const double change = (sum[0] - (now - g->volume0)) / sum[1];
  *good = sum[1] > 0 && isfinite(change);
  if (!*good) return 0;
  for (PetscInt p = 0; p < n; p++) delta[p] = x[p] - change * delta[p];
  set_pressure(g, g->pressure - change);
  return 0;
}

PetscErrorCode mt_grain_conserved(MtGrowth *g, const double *c, int *iterations, bool *good) {
  double *b, *x;
  if (!g->model->conserved) return 0;
  PetscCall(PetscMalloc2(g->set.n_owned, &b, g->set.n_owned, &x));
  PetscCall(share_out(g, c, b, x, iterations, good));
  return PetscFree2(b, x);
}
