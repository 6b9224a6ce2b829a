/* The steps of every march: tried, judged, accepted or tried again shorter.  A step is rejected where Newton's method
 * fails, the state leaves its range, its error is too large, or the energy rises without a source. */
#include "stepper.h"
#include "magtwin/error.h"
#include <math.h>

typedef enum { GOOD, TOO_INEXACT, NOT_SOLVED, OUT_OF_RANGE, ENERGY_ROSE } Verdict;
static const double ROUNDING = 1e-12; /* of the energy, relative to the sum of its parts */

static const MtWorst NOWHERE = {.size = -1};

/* That of the rank with the largest size, to all. */
static PetscErrorCode agree_worst(MtStepper *s) {
  struct {
    double size;
    int rank;
  } best = {s->worst.size, 0};
  PetscCallMPI(MPI_Comm_rank(s->comm, &best.rank));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &best, 1, MPI_DOUBLE_INT, MPI_MAXLOC, s->comm));
  PetscCallMPI(MPI_Bcast(&s->worst, sizeof s->worst, MPI_BYTE, best.rank, s->comm));
  return 0;
}

static PetscErrorCode in_range(MtStepper *s, bool *good) {
  *good = true;
  if (!s->bounded && isinf(s->opt.low) && isinf(s->opt.high)) return 0;
  s->worst = NOWHERE;
  s->worst.low = s->opt.low;
  s->worst.high = s->opt.high;
  PetscCall(s->call->outside(s, &s->worst));
  PetscCall(agree_worst(s));
  *good = s->worst.size <= 0;
  return 0;
}

static PetscErrorCode judge(MtStepper *s, double share, double t, MtFlowEnergy *e, Verdict *v) {
  bool good;
  PetscCall(in_range(s, &good));
  *v = OUT_OF_RANGE;
  if (!good) return 0;
  s->worst = NOWHERE;
  PetscCall(s->call->error(s, share, &s->worst));
  PetscCall(agree_worst(s));
  *v = TOO_INEXACT;
  if (s->opt.tolerance > 0 && s->worst.size > s->opt.tolerance) return 0;
  double heat = 0;
  if (s->call->heat) PetscCall(s->call->heat(s, t, &heat));
  PetscCall(s->call->energy(s, t, e));
  e->heat = heat;
  const double parts = fmax(fabs(s->energy.bulk) + s->energy.gradient + s->energy.elastic, s->least);
  *v = !s->may_rise && e->total > s->energy.total + heat + ROUNDING * parts ? ENERGY_ROSE : GOOD;
  return 0;
}

static PetscErrorCode try_step(MtStepper *s, double h, MtFlowEnergy *e, Verdict *v) {
  const MtBdf2 b = mt_bdf2(h, s->now.h1, s->now.h2);
  const double t = s->now.t + h;
  MtFlowSolve how;
  PetscCall(s->call->solve(s, &b, t, &how));
  s->now.newton += how.newton;
  s->now.linear += how.linear;
  if (how.converged) return judge(s, b.share, t, e, v);
  *v = NOT_SOLVED;
  s->worst = NOWHERE;
  PetscCall(s->call->correction(s, &s->worst));
  return agree_worst(s);
}

static PetscErrorCode accept(MtStepper *s, double h, double until, const MtFlowEnergy *e) {
  MtMarchState *now = &s->now;
  const MtMarchOptions *o = &s->opt;
  const bool first = now->h1 == 0;
  now->dt = o->tolerance > 0 ? fmin(mt_bdf2_next(h, now->h1, s->worst.size, o->tolerance), o->max) : o->first;
  now->h2 = now->h1;
  now->h1 = h;
  now->t = fabs(now->t + h - until) <= 1e-12 * fabs(until) ? until : now->t + h;
  now->steps++;
  s->energy = *e;
  return s->call->accept(s, first);
}

static double shorter(const MtStepper *s, double h, Verdict v) {
  if (s->opt.tolerance == 0) return .5 * h;
  return v == TOO_INEXACT ? mt_bdf2_shorter(h, s->now.h1, s->worst.size, s->opt.tolerance) : .4 * h;
}

static PetscErrorCode give_up(const MtStepper *s, Verdict v) {
  static const char *const why[] = {[TOO_INEXACT] = "its error is above the tolerance",
                                    [NOT_SOLVED] = "Newton's method does not converge",
                                    [OUT_OF_RANGE] = " leaves its range",
                                    [ENERGY_ROSE] = "the energy rises"};
  const double *x = s->worst.x;
  char name[64], range[64] = "";
  s->call->name(&s->worst, name);
  if (v == OUT_OF_RANGE) snprintf(range, sizeof range, " of %.6g to %.6g", s->worst.low, s->worst.high);
  return mt_error(
      MT_ERR_FAIL,
      "no step of %.3g s or longer can be made at t = %.9g s: %s%s%s; worst at (%.6g, %.6g, %.6g) nm, where "
      "%s %.9g",
      s->opt.min, s->now.t, v == OUT_OF_RANGE ? s->call->subject : "", why[v], range, x[0], x[1], x[2], name,
      s->worst.value);
}

/* The least step: but one that had to end at `until` may be shorter, and the steps after it grow from there. */
static double least(const MtStepper *s) {
  return s->now.h1 > 0 ? fmin(s->opt.min, s->now.h1) : s->opt.min;
}

PetscErrorCode mt_stepper_step(MtStepper *s, double until) {
  double wanted = fmax(s->now.dt, least(s));
  for (;;) {
    const double h = mt_bdf2_fit(fmin(wanted, s->opt.max), until - s->now.t);
    MtFlowEnergy e;
    Verdict v = NOT_SOLVED;
    PetscCall(try_step(s, h, &e, &v));
    if (v == GOOD) return accept(s, h, until, &e);
    s->now.rejected++;
    if (h <= least(s)) return give_up(s, v);
    wanted = fmax(shorter(s, h, v), least(s));
  }
}
