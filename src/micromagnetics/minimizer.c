/* Energy minimization on the spheres |m| = 1: BFGS with the last pair alone (J. Nocedal, Math. Comput. 35 (1980) 773;
 * D. Shanno, Math. Oper. Res. 3 (1978) 244) over exchange + |local curvature|, parallel transport, Cayley steps; the
 * local Hessian on this problem: L. Exl et al., Comput. Phys. Commun. 235 (2019) 179.
 *
 * A state with no torque is kept even where it is not stable (a magnet exactly along the field): nothing in the
 * equations says where it would go.  Real fields are tilted; so should the field of an input be, by a tenth of a degree
 * or so. */
#include "kernels.h"
#include "magtwin/error.h"
#include "minimizer_impl.h"
#include <math.h>

static const double FLOOR = .1;              /* T; the cost hardly changes between .05 and 2 T */
static const double DEMAG_LOOSEST = 1e-3;    /* relative residual of the potential far from equilibrium */
static const double DEMAG_PER_TORQUE = 1e-2; /* 1/T: the field's error stays well below the torque */
static const double DEMAG_START = .1;        /* 1/T: of the first potential, per torque limit; it starts near its end */
static const double RATE_START = .15;        /* torque after the first step over that before, where all is smooth */
static const double NEAR = 3;                /* torque limits: an expectation below it may come true */
static const double MARGIN = .3;    /* T: a stiffness from which the next ones follow while the field changes little */
static const double DESCENT = 1e-6; /* cosine that a direction makes with the gradient at least */
static const double CURVED = 1e-8;  /* cosine between a step and the change of the gradient along it, of a pair */
enum { IDLE_MAX = 30 };             /* iterations */
enum { CHANGES = 8 };               /* of the potential, from which the next one starts */

PetscErrorCode mt_minimizer_create(MtEnergy *e, const MtMinimizerOptions *opt, MtMinimizer **minimizer) {
  MtMinimizer *min;
  PetscCall(PetscNew(&min));
  min->energy = e;
  min->opt = *opt;
  PetscCall(mt_precond_create(e, FLOOR, &min->pc));
  e->precond = &min->pc;
  Vec *vecs[] = {&min->g, &min->gp, &min->gp_old, &min->y, &min->d, &min->m_new, &min->g_new};
  for (size_t i = 0; i < sizeof vecs / sizeof *vecs; i++) PetscCall(mt_energy_create_vec(e, vecs[i]));
  *minimizer = min;
  return 0;
}

PetscErrorCode mt_minimizer_destroy(MtMinimizer **minimizer) {
  MtMinimizer *min = *minimizer;
  if (!min) return 0;
  if (min->energy->precond == &min->pc) min->energy->precond = NULL;
  PetscCall(mt_precond_destroy(&min->pc));
  Vec *vecs[] = {&min->g, &min->gp, &min->gp_old, &min->y, &min->d, &min->m_new, &min->g_new};
  for (size_t i = 0; i < sizeof vecs / sizeof *vecs; i++) PetscCall(VecDestroy(vecs[i]));
  PetscCall(PetscFree(min));
  *minimizer = NULL;
  return 0;
}

PetscErrorCode mt_minimizer_set_monitor(MtMinimizer *min, MtMinimizerMonitor monitor, void *ctx) {
  min->monitor = monitor;
  min->monitor_ctx = ctx;
  return 0;
}

PetscErrorCode mt_minimizer_expect(MtMinimizer *min, bool relaxed, bool stable) {
  min->expected = relaxed;
  min->known_stable = stable;
  return 0;
}

PetscErrorCode mt_minimizer_direction(const MtMinimizer *min, Vec *d) {
  *d = min->moved ? min->d : NULL;
  return 0;
}

static PetscErrorCode normalize(const MtMinimizer *min, Vec m) {
  PetscScalar *x;
  PetscCall(VecGetArray(m, &x));
  for (PetscInt i = 0; i < min->energy->n; i++) {
    double norm = sqrt(mt_dot3(x + 3 * i, x + 3 * i));
    for (int c = 0; c < 3; c++) x[3 * i + c] /= norm;
  }
  PetscCall(VecRestoreArray(m, &x));
  return 0;
}

PetscErrorCode mt_minimizer_carry(MtMinimizer *min, Vec m, double t) {
  const PetscScalar *x;
  PetscScalar *d, *v;
  PetscCall(VecGetArrayRead(m, &x));
  PetscCall(VecGetArray(min->d, &d));
  PetscCall(VecGetArray(min->gp_old, &v));
  for (PetscInt i = 0; i < min->energy->n; i++) {
    double dir[3] = {d[3 * i], d[3 * i + 1], d[3 * i + 2]};
    mt_kernel_carry(x + 3 * i, dir, t, v + 3 * i);
    mt_kernel_carry(x + 3 * i, dir, t, d + 3 * i);
  }
  PetscCall(VecRestoreArray(min->gp_old, &v));
  PetscCall(VecRestoreArray(min->d, &d));
  PetscCall(VecRestoreArrayRead(m, &x));
  return 0;
}

static double clamped(const MtMinimizer *min, double rtol) {
  return fmax(min->opt.demag_rtol, fmin(DEMAG_LOOSEST, rtol));
}

/* The potential of the next state is as exact as the torque asks for; as exact as it gets after a search that failed,
 * and where the next state is expected to be the last, so that it need not be looked at again. */
double mt_minimizer_demag_rtol(const MtMinimizer *min) {
  if (min->tight || min->torque * min->rate < NEAR * min->opt.torque) return min->opt.demag_rtol;
  return clamped(min, DEMAG_PER_TORQUE * min->torque);
}

/* State -> energy, derivative, torque. */
static PetscErrorCode look(MtMinimizer *min, Vec m) {
  PetscCall(mt_minimizer_eval(min, m, min->rtol, &min->E, min->g));
  min->rtol_here = min->rtol;
  return mt_energy_worst(min->energy, m, min->g, &min->torque, &min->worst);
}

PetscErrorCode mt_minimizer_converged(MtMinimizer *min, Vec m, bool *yes) {
  *yes = min->torque < min->opt.torque;
  if (!*yes || !min->energy->poisson || min->rtol_here <= min->opt.demag_rtol) return 0;
  min->rtol = min->opt.demag_rtol;
  PetscCall(look(min, m));
  *yes = min->torque < min->opt.torque;
  return 0;
}

PetscErrorCode mt_minimizer_look_tight(MtMinimizer *min, Vec m) {
  min->tight = true;
  min->rtol = mt_minimizer_demag_rtol(min);
  return look(min, m);
}

PetscErrorCode mt_minimizer_tangent(MtMinimizer *min, Vec m) {
  PetscCall(VecCopy(min->g, min->gp));
  return mt_energy_tangent(min->energy, m, min->gp);
}

/* y = approximately H^-1 b, H the local Hessian. */
static PetscErrorCode precondition(MtMinimizer *min, Vec m, Vec b) {
  return mt_precond_apply(&min->pc, m, b, min->opt.inner_rtol, min->opt.inner_iterations, min->y,
                          &min->report->inner_iterations);
}

/* z = the change of the gradient along the last step, in gp_old; s.z and s.g over its length t.  *pair: s.z is positive
 * beyond rounding. */
static PetscErrorCode last_pair(MtMinimizer *min, PetscScalar *sz, PetscScalar *sg, bool *pair) {
  PetscScalar zz, ss;
  *pair = false;
  if (min->restart) return 0;
  PetscCall(VecAYPX(min->gp_old, -1, min->gp));
  PetscCall(VecDotBegin(min->d, min->gp_old, sz));
  PetscCall(VecDotBegin(min->d, min->gp, sg));
  PetscCall(VecDotBegin(min->d, min->d, &ss));
  PetscCall(VecDotBegin(min->gp_old, min->gp_old, &zz));
  PetscCall(VecDotEnd(min->d, min->gp_old, sz));
  PetscCall(VecDotEnd(min->d, min->gp, sg));
  PetscCall(VecDotEnd(min->d, min->d, &ss));
  PetscCall(VecDotEnd(min->gp_old, min->gp_old, &zz));
  *pair = *sz > CURVED * sqrt(ss * zz);
  return 0;
}

/* d = -y, or by the inverse BFGS update of H^-1 with the last step s = t d and z:
 * d = -(1 - s z'/s.z) H^-1 (1 - z s'/s.z) g - s s.g/s.z. */
static PetscErrorCode secant(MtMinimizer *min, Vec m, bool *pair) {
  PetscScalar sz = 0, sg = 0, zy, along = 0;
  PetscCall(last_pair(min, &sz, &sg, pair));
  if (*pair) PetscCall(VecWAXPY(min->m_new, -sg / sz, min->gp_old, min->gp));
  PetscCall(precondition(min, m, *pair ? min->m_new : min->gp));
  if (*pair) {
    PetscCall(VecDot(min->gp_old, min->y, &zy));
    along = (zy - min->t * sg) / sz;
  }
  return VecAXPBY(min->d, -1, along, min->y);
}

/* Slope d.g; *steep: d goes down by more than rounding. */
static PetscErrorCode judge_direction(const MtMinimizer *min, PetscScalar *slope, bool *steep) {
  PetscScalar d, g;
  PetscCall(VecDotBegin(min->d, min->gp, slope));
  PetscCall(VecDotBegin(min->d, min->d, &d));
  PetscCall(VecDotBegin(min->gp, min->gp, &g));
  PetscCall(VecDotEnd(min->d, min->gp, slope));
  PetscCall(VecDotEnd(min->d, min->d, &d));
  PetscCall(VecDotEnd(min->gp, min->gp, &g));
  *steep = *slope < -DESCENT * sqrt(d * g);
  return 0;
}

/* A descent direction and its slope d.g, from the last pair where there is one. */
static PetscErrorCode direction(MtMinimizer *min, Vec m, PetscScalar *slope) {
  bool pair = false, steep = false;
  PetscCall(mt_minimizer_tangent(min, m));
  PetscCall(mt_precond_setup(&min->pc, m, min->g));
  PetscCall(secant(min, m, &pair));
  PetscCall(judge_direction(min, slope, &steep));
  if (pair && !steep) {
    const bool definite = min->pc.definite; /* what either solve has met counts */
    PetscCall(precondition(min, m, min->gp));
    min->pc.definite = min->pc.definite && definite;
    PetscCall(VecAXPBY(min->d, -1, 0, min->y));
    PetscCall(VecDot(min->d, min->gp, slope));
  }
  min->report->definite = min->pc.definite;
  return 0;
}

PetscErrorCode mt_minimizer_take(MtMinimizer *min, Vec m, const MtEnergyValues *E, bool doubtful) {
  double before = min->torque;
  PetscCall(VecCopy(min->m_new, m));
  PetscCall(VecSwap(min->g, min->g_new));
  min->moved = true;
  min->E = *E;
  min->rtol_here = min->rtol;
  min->report->iterations++;
  PetscCall(mt_energy_worst(min->energy, m, min->g, &min->torque, &min->worst));
  min->rate = before > 0 ? min->torque / before : RATE_START;
  min->idle = doubtful && min->torque >= min->best ? min->idle + 1 : 0;
  min->best = fmin(min->best, min->torque);
  return 0;
}

bool mt_minimizer_stuck(const MtMinimizer *min) {
  return min->idle >= IDLE_MAX;
}

/* Takes the trial state as the current one. */
static PetscErrorCode accept(MtMinimizer *min, Vec m, const MtStep *step, const MtEnergyValues *E) {
  PetscCall(VecCopy(min->gp, min->gp_old));
  min->t = step->t;
  PetscCall(mt_minimizer_carry(min, m, step->t));
  return mt_minimizer_take(min, m, E, step->by_slope);
}

/* One iteration from the current state.  A search that fails is tried again along the preconditioned gradient alone
 * with the tightest potential.  *stuck: that failed too, or nothing has become better for many steps: the state is
 * stationary as far as rounding lets see. */
static PetscErrorCode iterate(MtMinimizer *min, Vec m, bool *stuck) {
  PetscScalar slope;
  MtEnergyValues E;
  MtStep step;
  min->rtol = mt_minimizer_demag_rtol(min);
  PetscCall(direction(min, m, &slope));
  PetscCall(mt_minimizer_search(min, m, slope, &E, &step));
  if (step.accepted) {
    min->restart = min->tight = false;
    PetscCall(accept(min, m, &step, &E));
    *stuck = mt_minimizer_stuck(min);
    return 0;
  }
  *stuck = min->restart && min->tight;
  min->restart = true;
  return *stuck ? 0 : mt_minimizer_look_tight(min, m);
}

PetscErrorCode mt_minimizer_descend(MtMinimizer *min, Vec m, int most, bool *stop) {
  MtMinimizerReport *report = min->report;
  const int last = PetscMin(report->iterations + most, min->opt.max_iterations);
  bool stuck = false;
  PetscCall(mt_minimizer_converged(min, m, &report->converged));
  while (!report->converged && !stuck && !*stop && report->iterations < last) {
    PetscCall(iterate(min, m, &stuck));
    if (min->monitor && !stuck) PetscCall(min->monitor(min->monitor_ctx, report->iterations, m, min->torque, stop));
    PetscCall(mt_minimizer_converged(min, m, &report->converged));
  }
  report->stagnated = stuck && !report->converged;
  return 0;
}

PetscErrorCode mt_minimizer_look_around(MtMinimizer *min, Vec m, double margin) {
  MtMinimizerReport *report = min->report;
  return mt_precond_probe(&min->pc, m, min->g, margin, min->gp, min->y, &report->definite, &report->inner_iterations);
}

/* A start that is relaxed already asked for no direction, and so saw no curvature; one that took steps saw what their
 * gradients have a part in, which in a body with symmetries may be none of the mode that breaks them.  Where there is a
 * margin, the steps that follow need not look again. */
static PetscErrorCode look_at_end(MtMinimizer *min, Vec m) {
  MtMinimizerReport *report = min->report;
  if (report->iterations && !report->definite) return 0;
  report->definite = min->known_stable;
  if (report->definite) return 0;
  PetscCall(mt_minimizer_look_around(min, m, MARGIN));
  report->stiffness = report->definite ? MARGIN : 0;
  return report->definite ? 0 : mt_minimizer_look_around(min, m, 0);
}

PetscErrorCode mt_minimizer_begin(MtMinimizer *min, Vec m, const double B[3], MtMinimizerReport *report) {
  *report = (MtMinimizerReport){.demag_iterations = -mt_energy_demag_iterations(min->energy)};
  min->report = report;
  PetscCall(PetscArraycpy(min->B, B, 3));
  PetscCall(normalize(min, m));
  min->restart = true;
  min->tight = min->moved = false;
  min->stiffness = min->energy->poisson ? mt_energy_saturation(min->energy) / 3 : 0; /* of a sphere */
  min->best = INFINITY;
  min->idle = 0;
  min->rate = RATE_START;
  min->pc.shift = 0;
  min->rtol = min->expected ? min->opt.demag_rtol : clamped(min, DEMAG_START * min->opt.torque);
  min->expected = false;
  if (min->energy->poisson) PetscCall(mt_poisson_remember(min->energy->poisson, CHANGES));
  PetscCall(look(min, m));
  report->start_torque = min->torque;
  return 0;
}

PetscErrorCode mt_minimizer_end(MtMinimizer *min) {
  MtMinimizerReport *report = min->report;
  report->torque = min->torque;
  report->worst_node = min->worst;
  report->energy = min->E;
  report->demag_iterations += mt_energy_demag_iterations(min->energy);
  min->report = NULL;
  min->known_stable = false;
  return min->energy->poisson ? mt_poisson_remember(min->energy->poisson, 0) : 0;
}

PetscErrorCode mt_minimizer_run(MtMinimizer *min, Vec m, const double B[3], MtMinimizerReport *report) {
  bool stop = false;
  PetscCall(mt_minimizer_begin(min, m, B, report));
  PetscCall(mt_minimizer_descend(min, m, min->opt.max_iterations, &stop));
  if (report->converged && !stop) PetscCall(look_at_end(min, m));
  return mt_minimizer_end(min);
}

PetscErrorCode mt_minimizer_judge(MtMinimizer *min, const MtMinimizerReport *r) {
  char place[256];
  const double times = r->torque / min->opt.torque;
  if (r->converged || times <= min->opt.give_up) return 0;
  PetscCall(mt_energy_place(min->energy, r->worst_node, sizeof place, place));
  return mt_error(MT_ERR_FAIL,
                  "after %d iterations the largest torque is %.3g T, %.3g times minimizer.torque, at %s; %s",
                  r->iterations, r->torque, times, place,
                  r->stagnated ? "no step lowers the energy any more: a tighter minimizer.demag_rtol may help, or a "
                                 "larger minimizer.torque where that is rounding"
                               : "go on by --resume with a larger minimizer.max_iterations");
}
