/* One trial of a field step: relax from the accepted state, watched for signals, for a jump that will be rolled back
 * anyway, and for the place where the first nodes turn. */
#include "hysteresis.h"

/* A relaxation beyond either is an event: smooth steps take a fraction of them. */
static const double TURN_SMOOTH = .35; /* rad, of a node from the accepted state */
enum { ITERATIONS_SMOOTH = 30 };
static const double FARTHEST = 2;         /* steps of the size of the last one */
static const double TURN_PREDICTED = .25; /* rad, of a node: the curvature of the branch is not foreseen */

typedef struct {
  MtHysteresis *h;
  MtTrial *trial;
  const double *along;
  double m_before, dm_max;
  bool may_retry, site_found;
  bool smooth_only; /* stop where the state has left its branch ... */
  bool left;        /* ... and say so */
} Watch;

PetscErrorCode mt_mean_m(MtHysteresis *h, Vec m, double mean[3]) {
  for (int c = 0; c < 3; c++) {
    double axis[3] = {0, 0, 0};
    axis[c] = 1;
    PetscCall(mt_energy_polarization(h->energy, m, axis, &mean[c]));
    mean[c] /= h->Jsat;
  }
  return 0;
}

static PetscErrorCode largest_change(const MtHysteresis *h, Vec a, Vec b, double *most) {
  const PetscScalar *x, *y;
  double local = 0;
  PetscCall(VecGetArrayRead(a, &x));
  PetscCall(VecGetArrayRead(b, &y));
  for (PetscInt i = 0; i < h->nodes->n_owned; i++) {
    double d[3] = {x[3 * i] - y[3 * i], x[3 * i + 1] - y[3 * i + 1], x[3 * i + 2] - y[3 * i + 2]};
    local = fmax(local, mt_dot3(d, d));
  }
  PetscCall(VecRestoreArrayRead(b, &y));
  PetscCall(VecRestoreArrayRead(a, &x));
  PetscCallMPI(MPI_Allreduce(&local, most, 1, MPI_DOUBLE, MPI_MAX, h->comm));
  *most = sqrt(*most);
  return 0;
}

PetscErrorCode mt_trial_accept(MtHysteresis *h, const double B[3], bool smooth) {
  h->now.turn = -1;
  if (smooth) PetscCall(largest_change(h, h->m, h->m_accepted, &h->now.turn));
  PetscCall(VecSwap(h->m_accepted, h->m_before));
  PetscCall(VecCopy(h->m, h->m_accepted));
  if (h->u) PetscCall(VecSwap(h->u_accepted, h->u_before));
  if (h->u) PetscCall(VecCopy(h->u, h->u_accepted));
  for (int c = 0; c < 3; c++) {
    h->now.B_before[c] = h->now.B[c];
    h->now.B[c] = B[c];
  }
  return 0;
}

/* How many of the last field steps the one to B is, along the same line; 0: no good base for a prediction. */
static double steps_ahead(const MtHysteresis *h, const double B[3]) {
  double last[3], next[3];
  if (h->now.turn < 0) return 0;
  for (int c = 0; c < 3; c++) {
    last[c] = h->now.B[c] - h->now.B_before[c];
    next[c] = B[c] - h->now.B[c];
  }
  double f = mt_dot3(last, next) / mt_dot3(last, last);
  double aside = mt_dot3(next, next) - f * f * mt_dot3(last, last);
  bool straight = aside <= 1e-6 * mt_dot3(next, next);
  return straight && f > 0 && f <= FARTHEST && f * h->now.turn <= TURN_PREDICTED ? f : 0;
}

/* m and potential where the straight line through the last two states of a smooth branch leads, else the accepted ones;
 * the minimizer brings m back to unit length. */
static PetscErrorCode start_at(MtHysteresis *h, const double B[3]) {
  double f = steps_ahead(h, B);
  PetscCall(VecCopy(h->m_accepted, h->m));
  if (h->u) PetscCall(VecCopy(h->u_accepted, h->u));
  if (f == 0) return 0;
  PetscCall(VecAXPBY(h->m, -f, 1 + f, h->m_before));
  return h->u ? VecAXPBY(h->u, -f, 1 + f, h->u_before) : 0;
}

static PetscErrorCode watch(void *ctx, int iteration, Vec m, double torque, bool *stop) {
  Watch *w = ctx;
  (void)torque;
  if (mt_stop_agreed(w->h->comm)) w->trial->stopped = *stop = true;
  if (*stop) return 0;
  if (w->smooth_only) {
    double turn;
    PetscCall(largest_change(w->h, m, w->h->m_accepted, &turn));
    w->left = *stop = iteration > ITERATIONS_SMOOTH || turn > TURN_SMOOTH;
    if (*stop) return 0;
  }
  if (!w->site_found) {
    PetscCall(mt_nucleation_site(w->h, w->h->m_accepted, m, w->along, w->trial, &w->site_found));
  }
  if (w->may_retry) {
    double J;
    PetscCall(mt_energy_polarization(w->h->energy, m, w->along, &J));
    if (fabs(J / w->h->Jsat - w->m_before) > w->dm_max) w->trial->jumped = *stop = true;
  }
  return 0;
}

/* Along the branch as far as it is stable, then along the dissipative path from the last state that was. */
static PetscErrorCode relax(MtHysteresis *h, const double B[3], Watch *w, MtMinimizerReport *report) {
  bool stable = true;
  w->smooth_only = h->opt.flow && h->curve.n > 0;
  PetscCall(mt_minimizer_run(h->minimizer, h->m, B, report));
  if (!w->smooth_only || w->trial->stopped || w->trial->jumped) return 0;
  w->left = w->left || !report->converged;
  if (!w->left && !report->definite) PetscCall(mt_event_stable(h, B, report, NULL, &stable));
  if (!w->left && stable) return 0;
  w->smooth_only = w->site_found = false;
  return mt_event_follow(h, B, report);
}

PetscErrorCode mt_trial_run(MtHysteresis *h, const double B[3], MtTrial *trial) {
  const MtSegment *s = &h->path.segment[(int)h->now.stepper.segment];
  *trial = (MtTrial){.site = {NAN, NAN, NAN}, .region = -1};
  Watch w = {.h = h,
             .trial = trial,
             .along = s->along,
             .m_before = mt_dot3(h->now.mean, s->along),
             .dm_max = s->dm_max,
             .may_retry = mt_stepper_may_retry(&h->path, &h->now.stepper)};
  PetscCall(start_at(h, B));
  PetscCall(mt_minimizer_set_monitor(h->minimizer, watch, &w));
  PetscCall(relax(h, B, &w, &trial->report));
  /* a relaxation of no iterations never asks the monitor */
  if (!trial->stopped && mt_stop_agreed(h->comm)) trial->stopped = true;
  PetscCall(mt_mean_m(h, h->m, trial->mean));
  return 0;
}
