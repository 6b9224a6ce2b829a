/* One trial of a field step: relax from the accepted state, watched for signals, for a jump that will be rolled back
 * anyway, and for the place where the first nodes turn. */
#include "hysteresis.h"

typedef struct {
  MtHysteresis *h;
  MtTrial *trial;
  const double *along;
  double m_before, dm_max;
  bool may_retry, site_found;
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

static PetscErrorCode watch(void *ctx, int iteration, Vec m, double torque, bool *stop) {
  Watch *w = ctx;
  (void)iteration;
  (void)torque;
  if (mt_stop_agreed(w->h->comm)) w->trial->stopped = *stop = true;
  if (*stop) return 0;
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

PetscErrorCode mt_trial_run(MtHysteresis *h, const double B[3], MtTrial *trial) {
  const MtSegment *s = &h->path.segment[(int)h->now.stepper.segment];
  *trial = (MtTrial){.site = {NAN, NAN, NAN}, .region = -1};
  Watch w = {.h = h,
             .trial = trial,
             .along = s->along,
             .m_before = mt_dot3(h->now.mean, s->along),
             .dm_max = s->dm_max,
             .may_retry = mt_stepper_may_retry(&h->path, &h->now.stepper)};
  PetscCall(VecCopy(h->m_accepted, h->m));
  if (h->u) PetscCall(VecCopy(h->u_accepted, h->u));
  PetscCall(mt_minimizer_set_monitor(h->minimizer, watch, &w));
  PetscCall(mt_minimizer_run(h->minimizer, h->m, B, &trial->report));
  /* a relaxation of no iterations never asks the monitor */
  if (!trial->stopped && mt_stop_agreed(h->comm)) trial->stopped = true;
  PetscCall(mt_mean_m(h, h->m, trial->mean));
  return 0;
}
