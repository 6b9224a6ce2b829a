/* Line search along the Cayley curve m(t).
 *
 * The first step is the minimum of the parabola through slope and curvature: the curvature of exchange, anisotropy and
 * field is one sparse product, and what the demagnetizing field adds is carried over from the last step as a stiffness
 * in T.  Near a nucleation field the right step is many times the preconditioner's. Accepted by Armijo's rule,
 * shortened by quadratic interpolation; where energies differ by no more than their own error, the slopes decide
 * (approximate Wolfe condition of W. Hager and H. Zhang, SIAM J. Optim. 16 (2005) 170). */
#include "kernels.h"
#include "magtwin/error.h"
#include "minimizer_impl.h"
#include <math.h>

enum { MAX_TRIALS = 14 };
static const double ARMIJO = 1e-4;                    /* required part of the linear decrease */
static const double WOLFE_DELTA = .1;                 /* slope at the end <= (2 delta - 1) slope at the start */
static const double SHRINK_MIN = .1, SHRINK_MAX = .5; /* next trial, of the last one */
static const double LONGEST = 50;                     /* first trial, of the preconditioner's step */
static const double ROUND_OFF = 1e-13;                /* of the sum of the terms' sizes */

/* m is looked at first: the demagnetizing solve would fail on it with less to say. */
PetscErrorCode mt_minimizer_eval(MtMinimizer *min, Vec m, double rtol, MtEnergyValues *E, Vec g) {
  PetscReal norm;
  PetscCall(VecNorm(m, NORM_2, &norm));
  if (!isfinite(norm)) return mt_energy_not_finite(min->energy, m, m, min->B);
  PetscCall(mt_energy_eval(min->energy, m, min->B, rtol, E, g));
  min->report->evaluations++;
  PetscCall(VecNorm(g, NORM_2, &norm));
  if (!isfinite(E->total) || !isfinite(norm)) return mt_energy_not_finite(min->energy, m, g, min->B);
  return 0;
}

PetscErrorCode mt_minimizer_turn(const MtMinimizer *min, Vec m, double t, Vec turned) {
  const PetscScalar *x, *d;
  PetscScalar *y;
  PetscCall(VecGetArrayRead(m, &x));
  PetscCall(VecGetArrayRead(min->d, &d));
  PetscCall(VecGetArray(turned, &y));
  for (PetscInt i = 0; i < min->energy->n; i++) mt_kernel_turn(x + 3 * i, d + 3 * i, t, y + 3 * i);
  PetscCall(VecRestoreArray(turned, &y));
  PetscCall(VecRestoreArrayRead(min->d, &d));
  PetscCall(VecRestoreArrayRead(m, &x));
  return 0;
}

/* dE/dt at t, from the derivative at m(t). */
static PetscErrorCode slope_at(const MtMinimizer *min, Vec m, double t, Vec g, double *slope) {
  const PetscScalar *x, *d, *y;
  double sum = 0;
  PetscCall(VecGetArrayRead(m, &x));
  PetscCall(VecGetArrayRead(min->d, &d));
  PetscCall(VecGetArrayRead(g, &y));
  for (PetscInt i = 0; i < min->energy->n; i++) sum += mt_kernel_slope(x + 3 * i, d + 3 * i, t, y + 3 * i);
  PetscCall(VecRestoreArrayRead(g, &y));
  PetscCall(VecRestoreArrayRead(min->d, &d));
  PetscCall(VecRestoreArrayRead(m, &x));
  PetscCallMPI(MPI_Allreduce(&sum, slope, 1, MPI_DOUBLE, MPI_SUM, min->energy->mesh->comm));
  return 0;
}

/* Longest step that turns no node by more than max_turn: 2 atan(t |d|/2) = max_turn. */
static PetscErrorCode longest(const MtMinimizer *min, double *t) {
  const PetscScalar *d;
  double d2 = 0, max;
  PetscCall(VecGetArrayRead(min->d, &d));
  for (PetscInt i = 0; i < min->energy->n; i++) d2 = fmax(d2, mt_dot3(d + 3 * i, d + 3 * i));
  PetscCall(VecRestoreArrayRead(min->d, &d));
  PetscCallMPI(MPI_Allreduce(&d2, &max, 1, MPI_DOUBLE, MPI_MAX, min->energy->mesh->comm));
  *t = max > 0 ? 2 * tan(.5 * min->opt.max_turn) / sqrt(max) : 1;
  return 0;
}

/* How far two energies may differ by rounding and by the inexact potential: an error of relative size rtol in the
 * potential enters the energy squared (energy.c); the factor allows for the norm in which the solver measures it. */
double mt_minimizer_energy_error(const MtEnergyValues *E, double rtol) {
  double size = 0;
  for (int i = 0; i < MT_NTERMS; i++) size += fabs(E->term[i]);
  return ROUND_OFF * size + 10 * rtol * rtol * fabs(E->term[MT_TERM_DEMAG]);
}

/* Minimum of the parabola (quadratic interpolation) or, from slopes alone, of the secant. */
static double next_trial(double t, double slope, double dE, double slope_t, bool by_slope) {
  double denominator = by_slope ? 2 * (slope_t - slope) * t : 2 * (dE - slope * t);
  double best = denominator > 0 ? (by_slope ? 2 : 1) * -slope * t * t / denominator : SHRINK_MAX * t;
  return fmin(fmax(best, SHRINK_MIN * t), SHRINK_MAX * t);
}

typedef struct {
  double local;  /* second derivative along d at t = 0 without the demagnetizing field's own */
  double weight; /* of a stiffness in T */
} Curvature;

/* The first step: of the parabola where it opens upwards, else the preconditioner's own; no longer than max_turn
 * allows. */
static PetscErrorCode first_trial(MtMinimizer *min, Vec m, double slope, Curvature *c, double *t) {
  double limit = 0;
  PetscCall(longest(min, &limit));
  PetscCall(mt_precond_along(&min->pc, m, min->g, min->d, &c->local, &c->weight));
  if (c->local <= 0) min->report->definite = false; /* d is not all in the space that the inner solve has seen */
  double curvature = c->local + min->stiffness * c->weight;
  *t = fmin(limit, curvature > 0 ? fmin(-slope / curvature, LONGEST) : 1);
  return 0;
}

PetscErrorCode mt_minimizer_search(MtMinimizer *min, Vec m, double slope, MtEnergyValues *E, MtStep *step) {
  Curvature c = {0};
  double t = 0, slope_t = 0;
  PetscCall(first_trial(min, m, slope, &c, &t));
  step->accepted = false;
  for (int trial = 0; trial < MAX_TRIALS && !step->accepted; trial++) {
    PetscCall(mt_minimizer_turn(min, m, t, min->m_new));
    PetscCall(mt_minimizer_eval(min, min->m_new, min->rtol, E, min->g_new));
    PetscCall(slope_at(min, m, t, min->g_new, &slope_t));
    double dE = E->total - min->E.total;
    step->by_slope = fabs(dE) <= mt_minimizer_energy_error(E, fmax(min->rtol, min->rtol_here));
    step->accepted = step->by_slope ? slope_t <= (2 * WOLFE_DELTA - 1) * slope : dE <= ARMIJO * t * slope;
    step->t = t;
    t = next_trial(t, slope, dE, slope_t, step->by_slope);
  }
  if (step->accepted && c.weight > 0) min->stiffness = fmax(0, ((slope_t - slope) / step->t - c.local) / c.weight);
  return 0;
}
