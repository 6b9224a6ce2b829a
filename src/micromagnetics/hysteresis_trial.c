/* One trial of a field step: relax from the accepted state, watched for signals, for a jump that will be rolled back
 * anyway, and for the place where the first nodes turn. */
#include "hysteresis.h"
#include <string.h>

/* A relaxation beyond either is an event: smooth steps take a fraction of them. */
static const double TURN_SMOOTH = .35; /* rad, of a node from the accepted state */
enum { ITERATIONS_SMOOTH = 30 };
/* past steps, of the next: errors of the states grow with its ratio; .5 is that of a step that is doubled */
static const double SHORTEST[] = {.5 - 1e-6, .8};
static const double NEARLY = 3;           /* torque limits */
static const double CAREFUL = 3;          /* fields' changes that a stiffness must exceed to count as known */
static const double TURN_KNOWN = .03;     /* rad, of a node since it was seen */
static const double TURN_PREDICTED = .25; /* rad, of a node: the curvature of the branch is not foreseen */

typedef struct {
  MtHysteresis *h;
  MtTrial *trial;
  const double *along;
  double m_before, dm_max;
  bool may_retry, every_event, site_found;
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

/* A state that took no iteration lies on the polynomial already, with the error of that: those that led to it go on
 * leading, from further apart, instead of ones with more error closer together. */
static PetscErrorCode keep_past(MtHysteresis *h) {
  if (!h->now.relaxed) {
    PetscCall(VecCopy(h->m, h->m_accepted));
    return h->u ? VecCopy(h->u, h->u_accepted) : 0;
  }
  h->now.past = fmin(h->now.past + 1, MT_PAST);
  PetscCall(hand_on(h->m, &h->m_accepted, h->m_past));
  if (h->u) PetscCall(hand_on(h->u, &h->u_accepted, h->u_past));
  for (int k = MT_PAST - 1; k > 0; k--) memcpy(h->now.B_past[k], h->now.B_past[k - 1], sizeof h->now.B);
  memcpy(h->now.B_past[0], h->now.B, sizeof h->now.B);
  return 0;
}

static double distance(const double a[3], const double b[3]) {
  const double d[3] = {a[0] - b[0], a[1] - b[1], a[2] - b[2]};
  return sqrt(mt_dot3(d, d));
}

/* What the step told of the smallest curvature. */
static void note_stiffness(MtHysteresis *h, const double B[3], const MtTrial *trial, double turn) {
  const double seen = isnan(trial->eigenvalue) ? trial->report.stiffness : trial->eigenvalue;
  h->now.turned += turn;
  if (seen <= 0) return;
  h->now.stiffness = seen;
  h->now.turned = 0;
  memcpy(h->now.B_stiffness, B, sizeof h->now.B);
}

/* The field changes a curvature by no more than itself, rotation by a part of the anisotropy field: after a short way a
 * stiff state is stable still. */
static bool known_stable(const MtHysteresis *h, const double B[3]) {
  const double turned = h->now.turned + h->now.turn * distance(B, h->now.B);
  return CAREFUL * distance(B, h->now.B_stiffness) < h->now.stiffness && turned < TURN_KNOWN;
}

PetscErrorCode mt_trial_accept(MtHysteresis *h, const double B[3], const MtTrial *trial, bool smooth) {
  double turn = 0;
  if (smooth) {
    PetscCall(largest_change(h, h->m, h->m_accepted, &turn));
    h->now.turn = turn / distance(B, h->now.B);
  } else {
    h->now.stiffness = 0;
    h->now.turn = INFINITY;
  }
  note_stiffness(h, B, trial, turn);
  PetscCall(keep_past(h));
  if (!smooth) h->now.past = 0;
  h->now.relaxed = !smooth || trial->report.iterations > 0;
  h->now.start = smooth ? trial->report.start_torque : 1;
  memcpy(h->now.B, B, sizeof h->now.B);
  return 0;
}

/* States through which the prediction goes, and where they lie on the line from the accepted field (0) to the next (1).
 */
enum { NODES = 3 };
typedef struct {
  int n;
  double s[NODES];
  Vec m[NODES], u[NODES];
} Nodes;

/* Takes the state at the field B as the next one if it lies on the line and apart from the one before. */
static bool take_node(const MtHysteresis *h, const double next[3], const double B[3], Vec m, Vec u, Nodes *nodes) {
  const double length = mt_dot3(next, next);
  const double back[3] = {B[0] - h->now.B[0], B[1] - h->now.B[1], B[2] - h->now.B[2]};
  const double s = mt_dot3(next, back) / length, aside = mt_dot3(back, back) - s * s * length;
  const int k = nodes->n;
  if (k == NODES || fabs(aside) > 1e-6 * length || s > 1e-6) return false;
  if (k > 0 && nodes->s[k - 1] - s < SHORTEST[k - 1]) return false;
  nodes->s[k] = s;
  nodes->m[k] = m;
  nodes->u[k] = u;
  nodes->n++;
  return true;
}

static void find_nodes(const MtHysteresis *h, const double B[3], Nodes *nodes) {
  const double next[3] = {B[0] - h->now.B[0], B[1] - h->now.B[1], B[2] - h->now.B[2]};
  nodes->n = 0;
  if (h->now.turn * distance(B, h->now.B) > TURN_PREDICTED) return;
  bool good = !h->now.relaxed || take_node(h, next, h->now.B, h->m_accepted, h->u_accepted, nodes);
  for (int k = 0; good && k < (int)h->now.past; k++)
    good = take_node(h, next, h->now.B_past[k], h->m_past[k], h->u_past[k], nodes);
}

/* vec: where the polynomial in the field through the nodes leads. */
static PetscErrorCode extrapolate(const Nodes *nodes, const Vec at[NODES], Vec vec) {
  double w[NODES];
  for (int k = 0; k < nodes->n; k++) {
    w[k] = 1;
    for (int j = 0; j < nodes->n; j++)
      if (j != k) w[k] *= (1 - nodes->s[j]) / (nodes->s[k] - nodes->s[j]);
  }
  PetscCall(VecSet(vec, 0));
  return VecMAXPY(vec, nodes->n, w, (Vec *)(void *)at);
}

/* m and potential where the branch leads, else the accepted ones; the minimizer brings m back to unit length.  Where
 * the last start was relaxed, or nearly, this one may be, and is looked at as exactly as that takes. */
static PetscErrorCode start_at(MtHysteresis *h, const double B[3]) {
  Nodes nodes;
  const bool stable = !h->opt.flow || known_stable(h, B); /* plain minimization does not ask */
  find_nodes(h, B, &nodes);
  const bool relaxed = nodes.n >= 2 && h->now.start < NEARLY * h->opt.minimizer.torque;
  PetscCall(mt_minimizer_expect(h->minimizer, relaxed, stable));
  if (nodes.n < 2) {
    PetscCall(VecCopy(h->m_accepted, h->m));
    return h->u ? VecCopy(h->u_accepted, h->u) : 0;
  }
  PetscCall(extrapolate(&nodes, nodes.m, h->m));
  return h->u ? extrapolate(&nodes, nodes.u, h->u) : 0;
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

/* The first state of a branch has no branch behind it, from which an event could begin: it is said if it is a saddle.
 */
static PetscErrorCode judge_first(MtHysteresis *h, const double B[3], MtTrial *trial) {
  bool stable = true;
  if (!h->opt.flow || !trial->report.converged || trial->report.definite) return 0;
  PetscCall(mt_event_stable(h, B, trial, h->mode, &stable));
  if (stable) return 0;
  mt_warn("the first state, at %g T, is a saddle of the energy (smallest eigenvalue %.3g T): a field step after it "
          "leaves it",
          mt_dot3(B, h->axis), trial->eigenvalue);
  return 0;
}

/* Along the branch as far as it is stable, then along the dissipative path from the last state that was. */
static PetscErrorCode relax(MtHysteresis *h, const double B[3], Watch *w) {
  MtMinimizerReport *report = &w->trial->report;
  bool stable = true;
  const bool first = h->now.stepper.s < 0;
  w->smooth_only = h->opt.flow && !first;
  PetscCall(mt_minimizer_run(h->minimizer, h->m, B, report));
  if (first && !w->trial->stopped) return judge_first(h, B, w->trial);
  if (!w->smooth_only || w->trial->stopped || w->trial->jumped) return 0;
  w->left = w->left || !report->converged;
  if (!w->left && !report->definite && !known_stable(h, B))
    PetscCall(mt_event_stable(h, B, w->trial, h->mode, &stable));
  if (!w->left && stable) return 0;
  if (w->may_retry && w->every_event) {
    w->trial->jumped = true;
    return 0;
  }
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
             .every_event = s->every_event,
             .may_retry = mt_stepper_may_retry(&h->path, &h->now.stepper)};
  PetscCall(start_at(h, B));
  PetscCall(mt_minimizer_set_monitor(h->minimizer, watch, &w));
  PetscCall(relax(h, B, &w));
  /* a relaxation of no iterations never asks the monitor */
  if (!trial->stopped && mt_stop_agreed(h->comm)) trial->stopped = true;
  PetscCall(mt_mean_m(h, h->m, trial->mean));
  return 0;
}
