/* Events: a state that is no longer stable is followed along the dissipative path, and where the path ends without
 * torque but not in a minimum (a saddle, a magnet exactly along the field) it goes on along the mode that is unstable
 * there. */
#include "hysteresis.h"

static const double UNSTABLE = -2e-3; /* T; above the accuracy of the eigenvalue */
static const double PUSH = .05;       /* rad, of the largest node of the mode */
enum { MAX_SADDLES = 100 };           /* a bound alone: the energy falls from one to the next, and few have been seen */

static void add(MtMinimizerReport *sum, const MtMinimizerReport *r) {
  MtMinimizerReport both = *r;
  both.iterations += sum->iterations;
  both.evaluations += sum->evaluations;
  both.products += sum->products;
  both.demag_iterations += sum->demag_iterations;
  both.inner_iterations += sum->inner_iterations;
  *sum = both;
}

typedef PetscErrorCode (*Eigenvalue)(MtEnergy *, Vec, const double[3], Vec, double *, Vec, int *);

/* NaN and a warning where it is not found. */
static PetscErrorCode eigenvalue_of(MtHysteresis *h, Eigenvalue find, Vec m, const double B[3], Vec guess, Vec mode,
                                    double *lambda, MtMinimizerReport *cost) {
  int products = 0;
  int64_t before = mt_energy_demag_iterations(h->energy);
  PetscErrorCode rc = find(h->energy, m, B, guess, lambda, mode, &products);
  cost->evaluations++; /* of m itself */
  cost->products += products;
  cost->demag_iterations += mt_energy_demag_iterations(h->energy) - before;
  if (!rc) return 0;
  *lambda = NAN;
  if (rc != MT_ERR_FAIL) return rc;
  mt_warn("%s: it is kept", mt_error_message());
  mt_error_clear();
  return 0;
}

PetscErrorCode mt_event_stable(MtHysteresis *h, const double B[3], MtTrial *trial, Vec mode, bool *stable) {
  Vec last;
  PetscCall(mt_minimizer_direction(h->minimizer, &last));
  PetscCall(eigenvalue_of(h, mt_stability_look, h->m, B, last, mode, &trial->eigenvalue, &trial->report));
  *stable = isnan(trial->eigenvalue) || trial->eigenvalue > UNSTABLE;
  return 0;
}

PetscErrorCode mt_event_nucleus(MtHysteresis *h, bool guessed, double *eigenvalue, MtMinimizerReport *cost) {
  Vec u = NULL, guess = guessed ? h->mode : NULL;
  *cost = (MtMinimizerReport){0};
  if (h->u) {
    PetscCall(VecDuplicate(h->u, &u));
    PetscCall(VecCopy(h->u, u));
    PetscCall(VecCopy(h->u_accepted, h->u));
  }
  PetscCall(eigenvalue_of(h, mt_stability_eigenvalue, h->m_accepted, h->now.B, guess, h->mode, eigenvalue, cost));
  if (h->u) PetscCall(VecCopy(u, h->u));
  return VecDestroy(&u);
}

/* Turns m along the mode, towards the field. */
static PetscErrorCode push(MtHysteresis *h, const double B[3], Vec mode) {
  const PetscScalar *d;
  PetscScalar *m;
  double along;
  PetscCall(mt_energy_polarization(h->energy, mode, B, &along));
  double t = along < 0 ? -PUSH : PUSH;
  PetscCall(VecGetArrayRead(mode, &d));
  PetscCall(VecGetArray(h->m, &m));
  for (PetscInt i = 0; i < h->nodes->n_owned; i++) {
    double from[3] = {m[3 * i], m[3 * i + 1], m[3 * i + 2]};
    mt_kernel_turn(from, d + 3 * i, t, m + 3 * i);
  }
  PetscCall(VecRestoreArray(h->m, &m));
  return VecRestoreArrayRead(mode, &d);
}

PetscErrorCode mt_event_follow(MtHysteresis *h, const double B[3], MtTrial *trial) {
  Vec mode;
  bool stable = false;
  PetscCall(VecCopy(h->m_accepted, h->m));
  if (h->u) PetscCall(VecCopy(h->u_accepted, h->u));
  PetscCall(VecDuplicate(h->m, &mode));
  for (int saddle = 0; !stable && saddle <= MAX_SADDLES; saddle++) {
    MtMinimizerReport path;
    if (saddle > 0) PetscCall(push(h, B, mode));
    PetscCall(mt_minimizer_flow(h->minimizer, h->m, B, &path));
    add(&trial->report, &path);
    trial->eigenvalue = NAN;
    if (!path.converged) break; /* ended by the monitor, or stuck: the report says so */
    stable = path.definite;
    if (!stable) PetscCall(mt_event_stable(h, B, trial, mode, &stable));
  }
  if (!stable && trial->report.converged)
    mt_warn(
        "the event at %g T has passed %d saddles of the energy and is on one still (smallest eigenvalue %.3g T): the "
        "next field step goes on from there",
        mt_dot3(B, h->axis), MAX_SADDLES, trial->eigenvalue);
  return VecDestroy(&mode);
}
