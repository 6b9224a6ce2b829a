/* One trial of a field step: relax from the accepted state, watched for signals, for a jump that will be rolled back
 * anyway, and for the place where the first nodes turn. */
#include "hysteresis.h"

/* A relaxation beyond either is an event: smooth steps take a fraction of them. */
static const double TURN_SMOOTH = .35; /* rad, of a node from the accepted state */
enum { ITERATIONS_SMOOTH = 30 };
/* past steps, of the next: errors of the states grow with its ratio; .5 is that of a step that is doubled */
static const double SHORTEST[MT_PAST] = {.5 - 1e-6, .8};
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

/* The state `now` takes the place of the newest, the oldest its place: vectors are handed on, not copied. */
static PetscErrorCode hand_on(Vec now, Vec *accepted, Vec past[MT_PAST]) {
  Vec oldest = past[MT_PAST - 1];
  for (int k = MT_PAST - 1; k > 0; k--) past[k] = past[k - 1];
  past[0] = *accepted;
  *accepted = oldest;
  return VecCopy(now, *accepted);
}

PetscErrorCode mt_trial_accept(MtHysteresis *h, const double B[3], bool smooth) {
  h->now.past = smooth ? fmin(h->now.past + 1, MT_PAST) : 0;
  if (smooth) PetscCall(largest_change(h, h->m, h->m_accepted, &h->now.turn));
  PetscCall(hand_on(h->m, &h->m_accepted, h->m_past));
  if (h->u) PetscCall(hand_on(h->u, &h->u_accepted, h->u_past));
  for (int c = 0; c < 3; c++) {
    for (int k = MT_PAST - 1; k > 0; k--) h->now.B_past[k][c] = h->now.B_past[k - 1][c];
    h->now.B_past[0][c] = h->now.B[c];
    h->now.B[c] = B[c];
  }
  return 0;
}

/* Where the past states lie on the line from the accepted field (0) to B (1); how many of them are a good base for a
 * prediction. */
static int positions(const MtHysteresis *h, const double B[3], double s[MT_PAST]) {
  double next[3], back[3], before = 0;
  for (int c = 0; c < 3; c++) next[c] = B[c] - h->now.B[c];
  double length = mt_dot3(next, next);
  for (int k = 0; k < (int)h->now.past; k++) {
    for (int c = 0; c < 3; c++) back[c] = h->now.B_past[k][c] - h->now.B[c];
    s[k] = mt_dot3(next, back) / length;
    double aside = mt_dot3(back, back) - s[k] * s[k] * length;
    bool straight = aside <= 1e-6 * length, apart = before - s[k] >= SHORTEST[k];
    if (!straight || !apart || h->now.turn > TURN_PREDICTED * -s[0]) return k;
    before = s[k];
  }
  return (int)h->now.past;
}

/* vec: from the accepted and n past ones where their polynomial in the field leads. */
static PetscErrorCode extrapolate(int n, const double s[MT_PAST], Vec accepted, Vec past[MT_PAST], Vec vec) {
  double weight = 1, w[MT_PAST] = {0};
  for (int k = 0; k < n; k++) {
    weight *= (1 - s[k]) / -s[k];
    w[k] = 1 / s[k];
    for (int j = 0; j < n; j++)
      if (j != k) w[k] *= (1 - s[j]) / (s[k] - s[j]);
  }
  PetscCall(VecCopy(accepted, vec));
  PetscCall(VecScale(vec, weight));
  return VecMAXPY(vec, n, w, past);
}

/* m and potential where the branch leads, else the accepted ones; the minimizer brings m back to unit length. */
static PetscErrorCode start_at(MtHysteresis *h, const double B[3]) {
  double s[MT_PAST] = {0};
  int n = positions(h, B, s);
  if (n == 0) {
    PetscCall(VecCopy(h->m_accepted, h->m));
    return h->u ? VecCopy(h->u_accepted, h->u) : 0;
  }
  PetscCall(extrapolate(n, s, h->m_accepted, h->m_past, h->m));
  return h->u ? extrapolate(n, s, h->u_accepted, h->u_past, h->u) : 0;
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
static PetscErrorCode relax(MtHysteresis *h, const double B[3], Watch *w) {
  MtMinimizerReport *report = &w->trial->report;
  bool stable = true;
  w->smooth_only = h->opt.flow && h->now.stepper.s >= 0; /* the first state of a branch has no branch behind it */
  PetscCall(mt_minimizer_run(h->minimizer, h->m, B, report));
  if (!w->smooth_only || w->trial->stopped || w->trial->jumped) return 0;
  w->left = w->left || !report->converged;
  if (!w->left && !report->definite) PetscCall(mt_event_stable(h, B, w->trial, h->mode, &stable));
  if (!w->left && stable) return 0;
  /* the mode of the nucleus is near what is unstable here, or by what the branch was left */
  if (w->left) PetscCall(VecWAXPY(h->mode, -1, h->m_accepted, h->m));
  w->smooth_only = w->site_found = false;
  w->trial->left = true;
  return mt_event_follow(h, B, w->trial);
}

PetscErrorCode mt_trial_run(MtHysteresis *h, const double B[3], MtTrial *trial) {
  const MtSegment *s = &h->path.segment[(int)h->now.stepper.segment];
  *trial = (MtTrial){.site = {NAN, NAN, NAN}, .region = -1, .eigenvalue = NAN};
  Watch w = {.h = h,
             .trial = trial,
             .along = s->along,
             .m_before = mt_dot3(h->now.mean, s->along),
             .dm_max = s->dm_max,
             .may_retry = mt_stepper_may_retry(&h->path, &h->now.stepper)};
  PetscCall(start_at(h, B));
  PetscCall(mt_minimizer_set_monitor(h->minimizer, watch, &w));
  PetscCall(relax(h, B, &w));
  /* a relaxation of no iterations never asks the monitor */
  if (!trial->stopped && mt_stop_agreed(h->comm)) trial->stopped = true;
  PetscCall(mt_mean_m(h, h->m, trial->mean));
  return 0;
}
