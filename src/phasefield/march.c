/* March in time: BDF2 of variable step (E. Hairer, S. P. Norsett, G. Wanner, Solving Ordinary Differential Equations I
 * (1993) III.5), begun by one step of backward Euler.
 *
 * The error of a step follows from the distance to the parabola through the states before (Milne's device): with steps
 * h, h1, h2 backwards, the new state errs by y'''/6 h^2 (h + h1)/alpha, alpha = (2h + h1)/(h + h1), the parabola by
 * y'''/6 h (h + h1)(h + h1 + h2) to the other side.  Before the third step the parabola has the rate at the beginning
 * instead of the oldest state (h2 = 0).  A step is also rejected where Newton's method fails, c leaves its range, or
 * the energy rises without a source. */
#include "flow_impl.h"
#include "magtwin/error.h"
#include "magtwin/phasefield.h"
#include "magtwin/run.h"
#include <math.h>

typedef enum { GOOD, TOO_INEXACT, NOT_SOLVED, OUT_OF_RANGE, ENERGY_ROSE } Verdict;
static const double GROW = 2, SHRINK = .2, SAFETY = .85; /* zero-stable below 1 + sqrt 2 */
static const double ROUNDING = 1e-12;                    /* of the energy, relative to the sum of its parts */

struct MtMarch {
  MtFlow *flow;
  MtMarchOptions opt;
  MtMarchState s;
  Vec c[3]; /* now, one step back; two steps back, or the rate at the beginning */
  Vec next, guess, base;
  MtFlowEnergy energy;
  struct {
    double value, x[3]; /* the worst of the last rejected step */
    double error;
  } trouble;
};

PetscErrorCode mt_march_create(MtFlow *flow, const MtMarchOptions *opt, MtMarch **march) {
  MtMarch *m;
  PetscCall(PetscNew(&m));
  *march = m;
  m->flow = flow;
  m->opt = *opt;
  Vec *const vec[] = {&m->c[0], &m->c[1], &m->c[2], &m->next, &m->guess, &m->base};
  for (size_t i = 0; i < sizeof vec / sizeof *vec; i++) PetscCall(mt_flow_create_vec(flow, vec[i]));
  return 0;
}

PetscErrorCode mt_march_destroy(MtMarch **march) {
  MtMarch *m = *march;
  if (!m) return 0;
  Vec *const vec[] = {&m->c[0], &m->c[1], &m->c[2], &m->next, &m->guess, &m->base};
  for (size_t i = 0; i < sizeof vec / sizeof *vec; i++) PetscCall(VecDestroy(vec[i]));
  return PetscFree(*march);
}

Vec mt_march_field(MtMarch *m, int back) {
  return m->c[back];
}

MtMarchState *mt_march_state(MtMarch *m) {
  return &m->s;
}

MtFlowEnergy mt_march_energy(const MtMarch *m) {
  return m->energy;
}

PetscErrorCode mt_march_start(MtMarch *m, double t) {
  m->s = (MtMarchState){.t = t, .dt = m->opt.first};
  PetscCall(mt_flow_mean(m->flow, m->c[0], &m->s.mean0));
  PetscCall(mt_flow_rate(m->flow, t, m->c[0], m->c[2]));
  return mt_flow_energy(m->flow, m->c[0], &m->energy);
}

PetscErrorCode mt_march_continue(MtMarch *m) {
  PetscCall(mt_flow_set_amg(m->flow, m->s.amg));
  return mt_flow_energy(m->flow, m->c[0], &m->energy);
}

/* The node whose |v| is largest: its v, and the value of c and the place there.  Collective. */
static PetscErrorCode worst_node(MtMarch *m, Vec v, Vec c, double *largest) {
  const MtDomain *d = m->flow->domain;
  const PetscScalar *a;
  struct {
    double value;
    int rank;
  } best = {-1, 0};
  double record[4] = {0};
  PetscInt at = -1;
  PetscCall(VecGetArrayRead(v, &a));
  for (PetscInt i = 0; i < d->n_owned; i++)
    if (fabs(a[i]) > best.value) best.value = fabs(a[at = i]);
  PetscCall(VecRestoreArrayRead(v, &a));
  PetscCallMPI(MPI_Comm_rank(d->comm, &best.rank));
  const int rank = best.rank;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &best, 1, MPI_DOUBLE_INT, MPI_MAXLOC, d->comm));
  *largest = best.value;
  if (rank == best.rank && at >= 0) {
    PetscCall(VecGetArrayRead(c, &a));
    record[0] = a[at];
    PetscCall(VecRestoreArrayRead(c, &a));
    for (int k = 0; k < 3; k++) record[1 + k] = d->x[3 * at + k];
  }
  PetscCallMPI(MPI_Bcast(record, 4, MPI_DOUBLE, best.rank, d->comm));
  m->trouble.value = record[0];
  for (int k = 0; k < 3; k++) m->trouble.x[k] = record[1 + k];
  return 0;
}

/* The parabola (first step: line) at h, and b, shift of the step: shift (c - b) = dc/dt. */
static PetscErrorCode predict(MtMarch *m, double h, double *shift) {
  const double h1 = m->s.h1, h2 = m->s.h2;
  if (h1 == 0) {
    *shift = 1 / h;
    PetscCall(VecCopy(m->c[0], m->base));
    return VecWAXPY(m->guess, h, m->c[2], m->c[0]);
  }
  const double r = h / h1, alpha = (1 + 2 * r) / (1 + r);
  *shift = alpha / h;
  PetscCall(VecCopy(m->c[0], m->base)); /* base = c0 + r^2/((1 + r) alpha) (c0 - c1) */
  PetscCall(VecAXPBY(m->base, -r * r / ((1 + r) * alpha), 1 + r * r / ((1 + r) * alpha), m->c[1]));
  const double slope = h / h1, bend = h * (h + h1) / (h1 + h2); /* of divided differences */
  PetscCall(VecWAXPY(m->guess, -1, m->c[1], m->c[0]));          /* c0 - c1 */
  PetscCall(VecScale(m->guess, slope + bend / h1));
  PetscCall(VecAXPY(m->guess, 1, m->c[0]));
  if (h2 == 0) return VecAXPY(m->guess, -bend, m->c[2]);
  PetscCall(VecAXPY(m->guess, -bend / h2, m->c[1]));
  return VecAXPY(m->guess, bend / h2, m->c[2]);
}

/* The part of the distance to the guess that is the step's error. */
static double error_share(const MtMarch *m, double h) {
  if (m->s.h1 == 0) return .5;
  const double h1 = m->s.h1, step = h * (h + h1) * (h + h1) / (2 * h + h1);
  return step / (step + (h + h1) * (h + h1 + m->s.h2));
}

static PetscErrorCode in_range(MtMarch *m, bool *good) {
  PetscReal low, high;
  *good = true;
  if (isinf(m->opt.low) && isinf(m->opt.high)) return 0;
  PetscCall(VecMin(m->next, NULL, &low));
  PetscCall(VecMax(m->next, NULL, &high));
  if (low >= m->opt.low && high <= m->opt.high) return 0;
  *good = false;
  const double middle = .5 * (fmax(m->opt.low, -1e300) + fmin(m->opt.high, 1e300));
  double largest;
  PetscCall(VecCopy(m->next, m->base));
  PetscCall(VecShift(m->base, isinf(m->opt.low) || isinf(m->opt.high) ? 0 : -middle));
  return worst_node(m, m->base, m->next, &largest);
}

static PetscErrorCode judge(MtMarch *m, double h, MtFlowEnergy *e, Verdict *v) {
  bool good;
  PetscCall(in_range(m, &good));
  *v = OUT_OF_RANGE;
  if (!good) return 0;
  PetscCall(VecAXPBY(m->guess, 1, -1, m->next));
  PetscCall(VecScale(m->guess, error_share(m, h)));
  PetscCall(worst_node(m, m->guess, m->next, &m->trouble.error));
  *v = TOO_INEXACT;
  if (m->opt.tolerance > 0 && m->trouble.error > m->opt.tolerance) return 0;
  mt_phase_begin("energies");
  PetscErrorCode rc = mt_flow_energy(m->flow, m->next, e);
  mt_phase_end("energies");
  PetscCall(rc);
  const double parts = fabs(m->energy.bulk) + m->energy.gradient + m->energy.elastic;
  const bool rose = !m->flow->model.source && e->total > m->energy.total + ROUNDING * parts;
  *v = rose ? ENERGY_ROSE : GOOD;
  return 0;
}

static PetscErrorCode try_step(MtMarch *m, double h, MtFlowEnergy *e, Verdict *v) {
  MtFlowSolve how;
  double shift;
  PetscCall(predict(m, h, &shift));
  PetscCall(VecCopy(m->guess, m->next));
  PetscCall(mt_flow_solve(m->flow, m->s.t + h, shift, m->base, m->next, &how));
  m->s.newton += how.newton;
  m->s.linear += how.linear;
  *v = NOT_SOLVED;
  if (!how.converged) return worst_node(m, m->flow->delta, m->c[0], &m->trouble.error);
  return judge(m, h, e, v);
}

/* The next step from the error of this one. */
static double next_step(const MtMarch *m, double h) {
  const double order = m->s.h1 == 0 ? 2 : 3, error = m->trouble.error;
  if (m->opt.tolerance == 0) return m->opt.first;
  const double factor = error > 0 ? SAFETY * pow(m->opt.tolerance / error, 1 / order) : GROW;
  return fmin(h * fmin(GROW, fmax(SHRINK, factor)), m->opt.max);
}

static PetscErrorCode accept(MtMarch *m, double h, double until, const MtFlowEnergy *e) {
  Vec oldest = m->c[2];
  const bool first = m->s.h1 == 0;
  m->s.dt = next_step(m, h);
  if (first) { /* the rate at the beginning stays in the third place for one step more */
    Vec start = m->c[1];
    m->c[1] = m->c[0];
    m->c[0] = m->next;
    m->next = start;
  } else {
    m->c[2] = m->c[1];
    m->c[1] = m->c[0];
    m->c[0] = m->next;
    m->next = oldest;
  }
  m->s.h2 = m->s.h1;
  m->s.h1 = h;
  m->s.t = fabs(m->s.t + h - until) <= 1e-12 * fabs(until) ? until : m->s.t + h;
  m->s.steps++;
  mt_flow_amg(m->flow, m->s.amg);
  m->energy = *e;
  return 0;
}

static PetscErrorCode give_up(const MtMarch *m, Verdict v) {
  static const char *const why[] = {[TOO_INEXACT] = "its error is above the tolerance",
                                    [NOT_SOLVED] = "Newton's method does not converge",
                                    [OUT_OF_RANGE] = "the order parameter leaves its range",
                                    [ENERGY_ROSE] = "the energy rises"};
  const double *x = m->trouble.x;
  return mt_error(
      MT_ERR_FAIL,
      "no step of %.3g s or longer can be made at t = %.9g s: %s; worst at (%.6g, %.6g, %.6g) nm, where c = "
      "%.9g",
      m->opt.min, m->s.t, why[v], x[0], x[1], x[2], m->trouble.value);
}

/* Short of `until` by equal steps, so that none is a splinter. */
static double fit(double dt, double left) {
  const double n = ceil(left / dt * (1 - 1e-9));
  return n <= 1 ? left : n <= 3 ? left / n : dt;
}

PetscErrorCode mt_march_step(MtMarch *m, double until) {
  double wanted = m->s.dt;
  for (;;) {
    const double h = fit(fmin(wanted, m->opt.max), until - m->s.t);
    MtFlowEnergy e;
    Verdict v = NOT_SOLVED;
    PetscCall(try_step(m, h, &e, &v));
    if (v == GOOD) return accept(m, h, until, &e);
    m->s.rejected++;
    const double order = m->s.h1 == 0 ? 2 : 3;
    const double shorter =
        v == TOO_INEXACT ? h * fmax(SHRINK, SAFETY * pow(m->opt.tolerance / m->trouble.error, 1 / order)) : .4 * h;
    wanted = m->opt.tolerance > 0 ? shorter : .5 * h;
    if (wanted < m->opt.min) return give_up(m, v);
  }
}
