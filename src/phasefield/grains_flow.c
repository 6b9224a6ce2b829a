/* Energy, forces and implicit steps of grain growth.
 *
 * With the equation divided by L, a step minimizes shift/2 |c - base|^2_{w/L} + F: one symmetric operator for all order
 * parameters, shift w/L + w m f'' + kappa K, restricted to the active pairs (grains_linear.c solves it). */
#include "grains_impl.h"
#include "magtwin/error.h"
#include "magtwin/run.h"
#include <math.h>

enum { MAX_NEWTON = 8 };

/* y = K x at owned pair p of node i. */
static double stiffness(const MtGrowth *g, PetscInt i, PetscInt p, const double *x) {
  const MtGrainGraph *a = &g->graph;
  const PetscInt *below = mt_grain_links_below(g, i, p), *above = mt_grain_links_above(g, i, p);
  double y = a->diagonal[i] * x[p];
  for (PetscInt k = a->start[i]; k < a->above[i]; k++) y += a->k[k] * x[below[k - a->start[i]]];
  for (PetscInt k = a->above[i]; k < a->start[i + 1]; k++) y += a->k[k] * x[above[k - a->above[i]]];
  return y;
}

/* Of all boundaries alike: with the sum of squares, so that the work follows the pairs. */
static double meeting_alike(const MtGrowth *g, PetscInt i, const double *c, double *extra) {
  const PetscInt first = g->set.start[i], n = g->set.start[i + 1] - first;
  const double excess = g->model->gamma - .5;
  double sum = 0, s = 0;
  for (PetscInt p = 0; p < n; p++) {
    const double a = c[first + p] * c[first + p];
    sum += s * a;
    s += a;
  }
  for (PetscInt p = 0; p < n && extra; p++) extra[p] = 2 * excess * (s - c[first + p] * c[first + p]);
  return excess * sum;
}

/* Sum over the pairs of grains at node i of (gamma - 1/2) eta^2 eta^2, with twice (gamma - 1/2) eta_other^2 in extra
 * [pairs at the node], if wanted. */
static double meeting(const MtGrowth *g, PetscInt i, const double *c, double *extra) {
  const PetscInt first = g->set.start[i], n = g->set.start[i + 1] - first;
  if (g->model->uniform) return meeting_alike(g, i, c, extra);
  const double *gamma = g->set.gamma + g->set.both_start[i];
  double sum = 0;
  for (PetscInt p = 0; p < n && extra; p++) extra[p] = 0;
  for (PetscInt p = 0; p < n; p++)
    for (PetscInt q = p + 1; q < n; q++) {
      const double excess = *gamma++ - .5, a = c[first + p] * c[first + p], b = c[first + q] * c[first + q];
      sum += excess * a * b;
      if (!extra) continue;
      extra[p] += 2 * excess * b;
      extra[q] += 2 * excess * a;
    }
  return sum;
}

static double sum_of_squares(const MtGrainSet *s, PetscInt i, const double *c) {
  double sum = 0;
  for (PetscInt p = s->start[i]; p < s->start[i + 1]; p++) sum += c[p] * c[p];
  return sum;
}

MtGrainMixture mt_grain_mixture(const MtGrowth *g, PetscInt i, const double *c) {
  MtGrainMixture m = {sum_of_squares(&g->set, i, c), 0};
  for (PetscInt p = g->set.start[i]; p < g->set.start[i + 1] && g->bulk; p++)
    m.mean += g->bulk[g->set.grain[p]] * c[p] * c[p] / m.s;
  return m;
}

double mt_grain_above(const MtGrowth *g, MtGrainMixture m, PetscInt p) {
  return g->bulk ? (g->bulk[g->set.grain[p]] - m.mean) / m.s : 0;
}

PetscErrorCode mt_grain_energy(MtGrowth *g, const double *c, MtFlowEnergy *e) {
  const MtGrainSet *s = &g->set;
  double sum[3] = {0, 0, 0};
  mt_phase_begin("energies");
  PetscCall(mt_grain_ghosts_values(&g->ghosts, (double *)c));
  for (PetscInt i = 0; i < g->domain->n_owned; i++) {
    const MtGrainMixture mix = mt_grain_mixture(g, i, c);
    const double lack = 1 - mix.s;
    sum[2] += g->graph.w[i] * mix.mean;
    sum[0] += g->graph.w[i] * (.25 * lack * lack + meeting(g, i, c, NULL));
    for (PetscInt p = s->start[i]; p < s->start[i + 1]; p++) sum[1] += c[p] * stiffness(g, i, p, c);
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sum, 3, MPI_DOUBLE, MPI_SUM, g->domain->comm));
  mt_phase_end("energies");
  const double driving = (sum[2] - g->pressure * g->volume0) / g->graph.volume;
  *e = (MtFlowEnergy){.bulk = g->model->m * sum[0] / g->graph.volume + driving,
                      .gradient = .5 * g->model->kappa * sum[1] / g->graph.volume,
                      .driving = driving};
  e->total = e->bulk + e->gradient;
  return 0;
}

void mt_grain_mobility(MtGrowth *g, const double *c) {
  const MtGrainSet *s = &g->set;
  const double far = 1e-12; /* of sum eta^2 eta^2: away from boundaries L does not matter */
  for (PetscInt i = 0; i < g->domain->n_owned; i++) {
    double weight = far, sum = far * g->model->rate;
    size_t k = g->model->uniform ? 0 : s->both_start[i];
    for (PetscInt p = s->start[i]; p < s->start[i + 1] && !g->model->uniform; p++)
      for (PetscInt q = p + 1; q < s->start[i + 1]; q++, k++) {
        const double both = c[p] * c[p] * c[q] * c[q];
        weight += both;
        sum += both * s->rate[k];
      }
    g->rate[i] = g->warmth * sum / weight;
  }
}

/* y = dF/dc by owned pairs; ghosts of c are set. */
static PetscErrorCode gradient(MtGrowth *g, double *c, double *y) {
  const MtGrainSet *s = &g->set;
  double extra[64] = {0};
  PetscCall(mt_grain_ghosts_values(&g->ghosts, c));
  for (PetscInt i = 0; i < g->domain->n_owned; i++) {
    const MtGrainMixture mix = mt_grain_mixture(g, i, c);
    const double lack = 1 - mix.s, w = g->graph.w[i], m = g->model->m;
    meeting(g, i, c, extra);
    for (PetscInt p = s->start[i]; p < s->start[i + 1]; p++)
      y[p] = w * c[p] * (m * (extra[p - s->start[i]] - lack) + 2 * mt_grain_above(g, mix, p)) +
             g->model->kappa * stiffness(g, i, p, c);
  }
  return 0;
}

PetscErrorCode mt_grain_rate(MtGrowth *g, double *c, double *rate) {
  PetscCall(gradient(g, c, rate));
  mt_grain_mobility(g, c);
  for (PetscInt i = 0; i < g->domain->n_owned; i++)
    for (PetscInt p = g->set.start[i]; p < g->set.start[i + 1]; p++) rate[p] *= -g->rate[i] / g->graph.w[i];
  return 0;
}

/* residual = w/L shift (c - base) + dF/dc, and the diagonal of its derivative. */
static PetscErrorCode linearize(MtGrowth *g, const double *base, double *c) {
  const MtGrainSet *s = &g->set;
  double *residual = g->work[MT_RESIDUAL], *diagonal = g->work[MT_DIAGONAL], extra[64] = {0};
  PetscCall(gradient(g, c, residual));
  for (PetscInt i = 0; i < g->domain->n_owned; i++) {
    const MtGrainMixture mix = mt_grain_mixture(g, i, c);
    const double w = g->graph.w[i], held = w * g->shift / g->rate[i], lack = 1 - mix.s;
    meeting(g, i, c, extra);
    for (PetscInt p = s->start[i]; p < s->start[i + 1]; p++) {
      residual[p] += held * (c[p] - base[p]);
      diagonal[p] = held + w * g->model->m * (2 * c[p] * c[p] + extra[p - s->start[i]] - lack) +
                    w * mt_grain_above(g, mix, p) * (2 - 8 * c[p] * c[p] / mix.s) +
                    g->model->kappa * g->graph.diagonal[i];
    }
  }
  return 0;
}

static PetscErrorCode correct(MtGrowth *g, double *c, double *change, MtFlowSolve *how) {
  double own = 0;
  int iterations;
  bool good;
  mt_phase_begin("linear solves");
  PetscCall(mt_grain_linear(g, c, &iterations, &good));
  if (good) PetscCall(mt_grain_conserved(g, c, &iterations, &good));
  mt_phase_end("linear solves");
  how->linear += iterations;
  how->newton++;
  for (PetscInt p = 0; p < g->set.n_owned; p++) {
    c[p] -= g->work[MT_DELTA][p];
    own = fmax(own, fabs(g->work[MT_DELTA][p]));
  }
  PetscCallMPI(MPI_Allreduce(&own, change, 1, MPI_DOUBLE, MPI_MAX, g->domain->comm));
  if (!good) *change = INFINITY;
  return 0;
}

PetscErrorCode mt_grain_solve(MtGrowth *g, const double *base, double *c, MtFlowSolve *how) {
  double change, before = INFINITY;
  *how = (MtFlowSolve){0};
  mt_grain_mobility(g, c);
  while (how->newton < MAX_NEWTON) {
    mt_phase_begin("forces");
    PetscCall(linearize(g, base, c));
    mt_phase_end("forces");
    PetscCall(correct(g, c, &change, how));
    if (!isfinite(change) || (how->newton > 2 && change > 2 * before)) return 0;
    const double left = fmax(change / before, 10 * g->opt.linear_rtol) * change; /* of the next iteration */
    if (change <= g->opt.newton_tolerance || (isfinite(before) && left <= g->opt.newton_tolerance)) {
      how->converged = true;
      return 0;
    }
    before = change;
  }
  return 0;
}
