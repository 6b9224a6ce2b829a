/* An event followed along the dissipative path: gradient flow dm/dt = -g/M in the tangent planes, M = moment/mu0, t in
 * 1/T, by minimizing movements (E. De Giorgi; R. Jordan, D. Kinderlehrer, F. Otto, SIAM J. Math. Anal. 29 (1998) 1):
 * each step lowers E(m) + |m - m0|^2_M/(2 tau).
 *
 * One linearly implicit step each: (H + M/tau) d = -g with the local Hessian H, the stray field at its start (it enters
 * the next step); tau is held so that H + M/tau is positive definite, that no wall moves further than a part of its
 * width, and that the step agrees with the one before within a tolerance.  All three are known before the energy is
 * evaluated: one evaluation a step.  Where nothing moves any more tau grows and the step becomes Newton's. */
#include "kernels.h"
#include "magtwin/error.h"
#include "minimizer_impl.h"
#include <math.h>

static const double TAU_START = .8, TAU_LEAST = 1e-4, TAU_MOST = 1e4; /* 1/T */
static const double TOLERANCE = .3; /* rad: half the difference of a step from the one before, continued */
static const double TURN = 1;       /* rad: the middle of a wall that moves by a third of its width */
static const double GROW = 2, SHRINK = .5;
static const double SAFETY = .9;
static const double INNER_RTOL = .02;
static const double SLOW = .1, BASIN_TURN = .06; /* rad, of a step near the end */
static const double CALM =
    .05; /* of the largest torque: where the end may be near though the local Hessian cannot tell */
enum { TRIES = 4 };
enum { MAX_TRIALS = 30, INNER_ITERATIONS = 60 };

typedef struct {
  MtMinimizer *min;
  double tau, tau_old; /* 1/T; tau_old 0: there was no step before */
  Vec last;            /* the last step, carried here */
  Vec u_start, u_old;  /* potential at the start of this step and of the last; NULL without demagnetizing field */
  double error, turn;  /* rad, of the step tried */
  double turn_before;  /* rad, of the last step taken */
  double peak;         /* T: largest torque so far */
  bool slow;           /* that was short, and shorter than the one before */
  int tries;           /* how often the minimizer may still try to end it */
} Flow;

static PetscErrorCode open_flow(MtMinimizer *min, Flow *f) {
  *f = (Flow){.min = min, .tau = TAU_START, .tries = TRIES};
  PetscCall(VecDuplicate(min->d, &f->last));
  if (!min->energy->poisson) return 0;
  PetscCall(VecDuplicate(min->energy->u, &f->u_start));
  return VecDuplicate(min->energy->u, &f->u_old);
}

static PetscErrorCode close_flow(Flow *f) {
  f->min->pc.shift = 0;
  PetscCall(VecDestroy(&f->last));
  PetscCall(VecDestroy(&f->u_start));
  return VecDestroy(&f->u_old);
}

/* Largest turn of a node in the step y, and half its largest difference from the last one continued. */
static PetscErrorCode measure(Flow *f) {
  const PetscScalar *x, *y;
  double local[2] = {0, 0}, most[2], c = f->tau_old > 0 ? f->tau / f->tau_old : 0;
  PetscCall(VecGetArrayRead(f->min->y, &x));
  PetscCall(VecGetArrayRead(f->last, &y));
  for (PetscInt i = 0; i < f->min->energy->n; i++) {
    double d[3];
    for (int k = 0; k < 3; k++) d[k] = x[3 * i + k] - c * y[3 * i + k];
    local[0] = fmax(local[0], mt_dot3(x + 3 * i, x + 3 * i));
    local[1] = fmax(local[1], mt_dot3(d, d));
  }
  PetscCall(VecRestoreArrayRead(f->last, &y));
  PetscCall(VecRestoreArrayRead(f->min->y, &x));
  PetscCallMPI(MPI_Allreduce(local, most, 2, MPI_DOUBLE, MPI_MAX, f->min->energy->mesh->comm));
  f->turn = 2 * atan(.5 * sqrt(most[0]));
  f->error = .5 * sqrt(most[1]);
  return 0;
}

/* y = -(H + M/tau)^-1 g; *good: positive definite, and the step is as short as it has to be. */
static PetscErrorCode propose(Flow *f, Vec m, bool *good) {
  MtMinimizer *min = f->min;
  const MtPrecondStop stop = {INNER_ITERATIONS, INNER_RTOL};
  min->pc.shift = 1 / f->tau;
  PetscCall(mt_precond_setup(&min->pc, m, min->g));
  PetscCall(mt_precond_solve(&min->pc, m, min->gp, &stop, min->y, good, &min->report->inner_iterations));
  if (!*good) {
    f->tau *= SHRINK;
    return 0;
  }
  PetscCall(VecScale(min->y, -1));
  PetscCall(measure(f));
  double excess = fmax(f->turn / TURN, sqrt(f->error / TOLERANCE));
  *good = excess <= 1;
  if (!*good) f->tau *= fmax(SHRINK, SAFETY / excess);
  return 0;
}

/* The potential at the end of the step, by the straight line through those at the starts of this one and the last. */
static PetscErrorCode predict_potential(Flow *f) {
  MtEnergy *e = f->min->energy;
  if (!e->poisson) return 0;
  PetscCall(VecCopy(e->u, f->u_start));
  double c = f->tau_old > 0 ? f->tau / f->tau_old : 0;
  return c > 0 ? VecAXPBY(e->u, -c, 1 + c, f->u_old) : 0;
}

static PetscErrorCode accept(Flow *f, Vec m, const MtEnergyValues *E, bool doubtful) {
  MtMinimizer *min = f->min;
  PetscCall(mt_minimizer_carry(min, m, 1));
  PetscCall(VecCopy(min->d, f->last));
  PetscCall(mt_minimizer_take(min, m, E, doubtful));
  if (f->u_old) PetscCall(VecSwap(f->u_old, f->u_start));
  min->tight = false;
  f->tau_old = f->tau;
  f->slow = f->turn < SLOW && f->turn < f->turn_before;
  f->turn_before = f->turn;
  double used = fmax(f->turn / TURN, sqrt(f->error / TOLERANCE));
  f->tau = fmin(TAU_MOST, f->tau * fmin(GROW, SAFETY / fmax(used, 1e-3)));
  return 0;
}

/* Back to the state the step began at.  An energy that rises may be the error of two potentials: they are made as exact
 * as they get before the step is made shorter. */
static PetscErrorCode reject(Flow *f, Vec m) {
  MtMinimizer *min = f->min;
  if (f->u_start) PetscCall(VecCopy(f->u_start, min->energy->u));
  if (min->tight || !f->u_start) {
    f->tau *= SHRINK;
    return 0;
  }
  PetscCall(mt_minimizer_look_tight(min, m));
  return mt_minimizer_tangent(min, m);
}

/* One step; *moved false: not even the shortest lowers the energy. */
static PetscErrorCode step(Flow *f, Vec m, bool *moved) {
  MtMinimizer *min = f->min;
  MtEnergyValues E;
  *moved = false;
  min->rtol = mt_minimizer_demag_rtol(min);
  PetscCall(mt_minimizer_tangent(min, m));
  for (int trial = 0; trial < MAX_TRIALS && !*moved && f->tau > TAU_LEAST; trial++) {
    bool good;
    PetscCall(propose(f, m, &good));
    if (!good) continue;
    PetscCall(VecCopy(min->y, min->d));
    PetscCall(mt_minimizer_turn(min, m, 1, min->m_new));
    PetscCall(predict_potential(f));
    PetscCall(mt_minimizer_eval(min, min->m_new, min->rtol, &E, min->g_new));
    double error = mt_minimizer_energy_error(&E, fmax(min->rtol, min->rtol_here));
    double dE = E.total - min->E.total;
    *moved = dE <= error;
    if (*moved) return accept(f, m, &E, dE >= -error);
    PetscCall(reject(f, m));
  }
  return 0;
}

/* Whether the end is near beyond doubt: the local Hessian is positive definite without help of tau, so that the energy
 * is convex here, whatever the stray field adds, and Newton's step to its minimum is short. */
static PetscErrorCode near_end(Flow *f, Vec m, bool *yes) {
  MtMinimizer *min = f->min;
  const MtPrecondStop stop = {INNER_ITERATIONS, INNER_RTOL};
  min->pc.shift = 0;
  PetscCall(mt_minimizer_look_around(min, m, 0));
  *yes = min->report->definite;
  if (!*yes) return 0;
  PetscCall(mt_minimizer_tangent(min, m));
  PetscCall(mt_precond_setup(&min->pc, m, min->g));
  PetscCall(mt_precond_solve(&min->pc, m, min->gp, &stop, min->y, yes, &min->report->inner_iterations));
  PetscCall(measure(f));
  *yes = *yes && f->turn < SLOW;
  return 0;
}

/* Where the flow has become slow the rest of the way is the minimizer's, in steps too short to leave a basin: the stray
 * field is explicit in a step of the flow, which therefore rings about its end where that is soft. */
static PetscErrorCode settle(Flow *f, Vec m, bool *stop) {
  MtMinimizer *min = f->min;
  const double max_turn = min->opt.max_turn;
  f->peak = fmax(f->peak, min->torque);
  if (f->tries == 0 || !f->slow) return 0;
  const bool calm = f->turn < BASIN_TURN && min->torque < CALM * f->peak;
  bool basin = false;
  PetscCall(near_end(f, m, &basin));
  if (!basin && !calm) return 0;
  f->tries--;
  min->restart = true;
  min->opt.max_turn = PetscMin(max_turn, basin ? BASIN_TURN : .4 * BASIN_TURN);
  PetscErrorCode rc = mt_minimizer_descend(min, m, basin ? 20 : 10, stop);
  min->opt.max_turn = max_turn;
  f->tau_old = 0;
  return rc;
}

static PetscErrorCode loop(Flow *f, Vec m) {
  MtMinimizer *min = f->min;
  MtMinimizerReport *report = min->report;
  bool moved = true, stop = false;
  PetscCall(mt_minimizer_converged(min, m, &report->converged));
  while (!report->converged && moved && !mt_minimizer_stuck(min) && !stop &&
         report->iterations < min->opt.max_iterations) {
    PetscCall(step(f, m, &moved));
    if (min->monitor && moved) PetscCall(min->monitor(min->monitor_ctx, report->iterations, m, min->torque, &stop));
    PetscCall(mt_minimizer_converged(min, m, &report->converged));
    if (!report->converged && !stop) PetscCall(settle(f, m, &stop));
  }
  if (report->converged) PetscCall(mt_minimizer_look_around(min, m, 0));
  report->stagnated = (!moved || mt_minimizer_stuck(min)) && !report->converged;
  return 0;
}

PetscErrorCode mt_minimizer_flow(MtMinimizer *min, Vec m, const double B[3], MtMinimizerReport *report) {
  Flow f;
  PetscCall(mt_minimizer_begin(min, m, B, report));
  PetscCall(open_flow(min, &f));
  PetscCall(loop(&f, m));
  PetscCall(close_flow(&f));
  return mt_minimizer_end(min);
}
