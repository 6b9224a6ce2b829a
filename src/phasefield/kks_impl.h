/* The inside of a march of two phases. */
#ifndef MT_PHASEFIELD_KKS_IMPL_H
#define MT_PHASEFIELD_KKS_IMPL_H

#include "magtwin/kks.h"
#include "stepper.h"

typedef struct {
  KSP ksp; /* one cycle of AMG */
  Mat A;
} MtKksFactor;

struct MtKks {
  MtStepper stepper;
  const MtDomain *domain;
  const MtKksModel *model;
  MtFlowOptions opt;

  Mat K, KM;      /* stiffness; of the mobility, KM as of the state it was made of */
  Vec w;          /* lumped weights */
  Vec spread;     /* M with ghosts */
  double *factor; /* [ne] */
  double volume;

  MtMultistep field[MT_KKS_FIELDS];
  Vec delta[MT_KKS_FIELDS], residual[MT_KKS_FIELDS]; /* of Newton's method */
  Vec mu, chi, coupling, second, M, work, work2;     /* of the points: mu, chi, s, second, mobility */

  Mat S;             /* shell: the system of a Newton step, unknowns dphi and dmu/scale */
  Vec right, answer; /* of it */
  Vec part[4];       /* without arrays of their own: phi and mu of two vectors */
  KSP ksp;
  MtKksFactor block[2];     /* of phi, of mu */
  double shift, scale;      /* q; J/m3 */
  MtKksModel now;           /* at the temperature T_now of the points now; shares the arrays of model */
  double rate, D[2], T_now; /* L, nm2/s, K, of them */
  PetscInt lost;            /* the first owned node of them without compositions; -1: all have some */

  Mat T;       /* T dphi/dt: what the current against trapping brings to each node; NULL: there is none */
  Vec profile; /* phi with ghosts */
};

enum { MT_KKS_BAD_POINT = -1 };
/* kks_heat.c: the model, L and D of time t; what the temperature adds to the energy (J/m3, mean) of the state now
 * between two times.  Not collective; collective. */
void mt_kks_set_time(MtKks *k, double t);
PetscErrorCode mt_kks_heat(const MtKks *k, double from, double to, double *added);
/* Points of a state at t: L, mu, chi, coupling, second, M; slope [n_owned] df/dphi; bulk: sum of w f.  *good: all were
 * found.  Collective. */
PetscErrorCode mt_kks_points(MtKks *k, double t, Vec phi, Vec c, Vec slope, double *bulk, bool *good);
/* KM of M.  Collective. */
PetscErrorCode mt_kks_transport(MtKks *k);
/* kks_trapping.c: T of that phi and the points now; y += factor T x.  Nothing where there is none.  Collective. */
PetscErrorCode mt_kks_trapping_create(MtKks *k);
PetscErrorCode mt_kks_trapping_destroy(MtKks *k);
PetscErrorCode mt_kks_trapping(MtKks *k, Vec phi);
PetscErrorCode mt_kks_trapping_add(MtKks *k, double factor, Vec x, Vec y);
/* kks_linear.c: the system and its preconditioner; the latter is made of the points now.  Collective. */
PetscErrorCode mt_kks_linear_create(MtKks *k);
PetscErrorCode mt_kks_linear_destroy(MtKks *k);
PetscErrorCode mt_kks_linear_prepare(MtKks *k);
/* delta from residual (of phi divided by L; of c).  Collective. */
PetscErrorCode mt_kks_linear_solve(MtKks *k, PetscInt *iterations, bool *solved);
/* kks_newton.c: next from guess; as mt_flow_solve.  Collective. */
PetscErrorCode mt_kks_solve(MtKks *k, double t, MtFlowSolve *how);
PetscErrorCode mt_kks_rate(MtKks *k, double t);
PetscErrorCode mt_kks_measure(MtKks *k, double t, Vec phi, Vec c, MtFlowEnergy *e);

#endif
