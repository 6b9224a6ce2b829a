/* March of grain growth in time: the steps of march.c, on the active pairs; after each the lists follow the grains. */
#include "bdf2.h"
#include "grains_impl.h"
#include "magtwin/error.h"
#include "magtwin/run.h"
#include <math.h>

typedef enum { GOOD, TOO_INEXACT, NOT_SOLVED, OUT_OF_RANGE, ENERGY_ROSE } Verdict;
static const double ROUNDING = 1e-12; /* of the energy, relative to the sum of its parts, */
static const double FLOOR = 1e-2;     /* which count as at least so much of m: one grain alone has none */

static void combine(const MtGrowth *g, int n, const double *factor, double *out) {
  for (PetscInt p = 0; p < g->set.n_owned; p++) {
    double sum = 0;
    for (int k = 0; k < n; k++) sum += factor[k] * g->c[k][p];
    out[p] = sum;
  }
}

/* How far c lies outside its range, by pairs; the worst becomes the trouble. */
static PetscErrorCode in_range(MtGrowth *g, bool *good) {
  double *out = g->work[MT_Z], largest;
  const double *c = g->work[MT_NEXT];
  for (PetscInt p = 0; p < g->set.n_owned; p++) out[p] = fmax(0, fmax(g->march.low - c[p], c[p] - g->march.high));
  PetscCall(mt_grain_worst(g, out, c, &largest));
  *good = largest <= 0;
  return 0;
}

static PetscErrorCode judge(MtGrowth *g, double share, MtGrainEnergy *e, Verdict *v) {
  double *error = g->work[MT_GUESS];
  const double *next = g->work[MT_NEXT];
  bool good = false;
  *v = OUT_OF_RANGE;
  PetscCall(in_range(g, &good));
  if (!good) return 0;
  for (PetscInt p = 0; p < g->set.n_owned; p++) error[p] = share * (next[p] - error[p]);
  PetscCall(mt_grain_worst(g, error, next, &g->trouble.error));
  *v = TOO_INEXACT;
  if (g->march.tolerance > 0 && g->trouble.error > g->march.tolerance) return 0;
  PetscCall(mt_grain_energy(g, next, e));
  const double parts = fmax(g->energy.bulk + g->energy.gradient, FLOOR * g->model->m);
  *v = e->total > g->energy.total + ROUNDING * parts ? ENERGY_ROSE : GOOD;
  return 0;
}

static PetscErrorCode try_step(MtGrowth *g, double h, MtGrainEnergy *e, Verdict *v) {
  const MtBdf2 b = mt_bdf2(h, g->s.h1, g->s.h2);
  MtFlowSolve how;
  double largest;
  combine(g, 2, b.base, g->work[MT_BASE]);
  combine(g, 3, b.guess, g->work[MT_GUESS]);
  PetscCall(PetscArraycpy(g->work[MT_NEXT], g->work[MT_GUESS], g->set.n_owned));
  g->shift = b.shift;
  PetscCall(mt_grain_solve(g, g->work[MT_BASE], g->work[MT_NEXT], &how));
  g->s.newton += how.newton;
  g->s.linear += how.linear;
  *v = NOT_SOLVED;
  if (!how.converged) return mt_grain_worst(g, g->work[MT_DELTA], g->c[0], &largest);
  return judge(g, b.share, e, v);
}

/* The accepted state takes the place of the oldest one; the rate at the beginning stays there for one step more. */
static PetscErrorCode accept(MtGrowth *g, double h, double until, const MtGrainEnergy *e) {
  double *next = g->work[MT_NEXT];
  const bool first = g->s.h1 == 0;
  g->s.dt = g->march.tolerance > 0 ? fmin(mt_bdf2_next(h, g->s.h1, g->trouble.error, g->march.tolerance), g->march.max)
                                   : g->march.first;
  g->work[MT_NEXT] = g->c[first ? 1 : 2];
  if (!first) g->c[2] = g->c[1];
  g->c[1] = g->c[0];
  g->c[0] = next;
  g->s.h2 = g->s.h1;
  g->s.h1 = h;
  g->s.t = fabs(g->s.t + h - until) <= 1e-12 * fabs(until) ? until : g->s.t + h;
  g->s.steps++;
  g->energy = *e;
  mt_phase_begin("lists of grains");
  PetscErrorCode rc = mt_grain_set_adapt(g);
  mt_phase_end("lists of grains");
  return rc ? rc : mt_grain_energy(g, g->c[0], &g->energy);
}

static PetscErrorCode give_up(const MtGrowth *g, Verdict v) {
  static const char *const why[] = {[TOO_INEXACT] = "its error is above the tolerance",
                                    [NOT_SOLVED] = "Newton's method does not converge",
                                    [OUT_OF_RANGE] = "an order parameter leaves its range",
                                    [ENERGY_ROSE] = "the energy rises"};
  const double *x = g->trouble.x;
  return mt_error(
      MT_ERR_FAIL,
      "no step of %.3g s or longer can be made at t = %.9g s: %s; worst at (%.6g, %.6g, %.6g) nm, where that "
      "of grain %d is %.9g",
      g->march.min, g->s.t, why[v], x[0], x[1], x[2], g->trouble.grain, g->trouble.value);
}

PetscErrorCode mt_growth_step(MtGrowth *g, double until) {
  double wanted = g->s.dt;
  for (;;) {
    const double h = mt_bdf2_fit(fmin(wanted, g->march.max), until - g->s.t);
    MtGrainEnergy e;
    Verdict v = NOT_SOLVED;
    PetscCall(try_step(g, h, &e, &v));
    if (v == GOOD) return accept(g, h, until, &e);
    g->s.rejected++;
    wanted = g->march.tolerance == 0 ? .5 * h
             : v == TOO_INEXACT      ? mt_bdf2_shorter(h, g->s.h1, g->trouble.error, g->march.tolerance)
                                     : .4 * h;
    if (wanted < g->march.min) return give_up(g, v);
  }
}
