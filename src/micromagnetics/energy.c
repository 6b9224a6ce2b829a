/* The energy of a magnetization state: E(m) and dE/dm, term by term.
 *
 * Linear tetrahedra, m at the nodes, box scheme for the local terms: each element gives a quarter of its volume, with
 * its own constants, to each of its nodes (Schrefl et al., Handbook of Magnetism and Advanced Magnetic Materials 2
 * (2007)).
 *
 *   exchange    A |grad m|^2             1/2 m.K m per component, K the stiffness matrix with coefficient 2A
 *   Zeeman      -(Js/mu0) m.B            at the nodes
 *   demag       (1/2 mu0) Js m.grad u    A u = D m, mt_poisson; one D in the energy and in the derivative
 *   anisotropy                           energy_anisotropy.c
 *   surface, DMI, magneto-elastic        energy_more.c
 *   coupling of split grains             energy_interface.c
 */
#include "energy_impl.h"
#include "kernels.h"
#include "magtwin/error.h"

static const double TERM_RTOL = 1e-10; /* of the potential, for one term alone */

static double local_dot(PetscInt n, const PetscScalar *a, const PetscScalar *b) {
  double sum = 0;
  for (PetscInt i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

static PetscErrorCode local_dot_vec(Vec a, Vec b, double *sum) {
  const PetscScalar *x, *y;
  PetscInt n;
  PetscCall(VecGetLocalSize(a, &n));
  PetscCall(VecGetArrayRead(a, &x));
  PetscCall(VecGetArrayRead(b, &y));
  *sum = local_dot(n, x, y);
  PetscCall(VecRestoreArrayRead(b, &y));
  PetscCall(VecRestoreArrayRead(a, &x));
  return 0;
}

PetscErrorCode mt_energy_local_exchange(MtEnergy *e, Vec m, double *E, Vec g) {
  PetscCall(MatMult(e->exchange3, m, e->work));
  PetscCall(local_dot_vec(m, e->work, E));
  *E *= .5;
  PetscCall(VecAXPY(g, 1, e->work));
  return 0;
}

static PetscErrorCode local_zeeman(MtEnergy *e, Vec m, const double B[3], double *E, Vec g) {
  const PetscScalar *x;
  PetscScalar *y;
  PetscCall(VecGetArrayRead(m, &x));
  PetscCall(VecGetArray(g, &y));
  *E = 0;
  for (PetscInt i = 0; i < e->n; i++) {
    double w = e->moment[i] / MT_MU0;
    *E -= w * mt_dot3(x + 3 * i, B);
    for (int c = 0; c < 3; c++) y[3 * i + c] -= w * B[c];
  }
  PetscCall(VecRestoreArray(g, &y));
  PetscCall(VecRestoreArrayRead(m, &x));
  return 0;
}

/* E = (b.u - u.Au/2)/mu0 instead of b.u/(2 mu0): the two agree for the exact potential, but an error of u enters this
 * one in second order only, and dE/dm at fixed u is G u/mu0 exactly.  So a loose solve keeps energy and derivative
 * consistent. */
PetscErrorCode mt_energy_local_demag(MtEnergy *e, Vec m, double rtol, double *E, Vec g) {
  PetscInt its;
  double bu, uAu;
  Vec Au;
  *E = 0;
  if (!e->poisson) return 0;
  PetscCall(MatMult(e->D, m, e->b));
  PetscCall(mt_poisson_solve(e->poisson, e->b, e->u, rtol, 0, &its));
  PetscCall(mt_poisson_product(e->poisson, e->u, &Au));
  PetscCall(local_dot_vec(e->b, e->u, &bu));
  PetscCall(local_dot_vec(e->u, Au, &uAu));
  *E = (bu - .5 * uAu) / MT_MU0;
  PetscCall(MatMult(e->G, e->u, e->work));
  PetscCall(VecAXPY(g, 1 / MT_MU0, e->work));
  e->rtol = rtol;
  return mt_energy_mean_field(e, m, E, g);
}

PetscErrorCode mt_energy_eval(MtEnergy *e, Vec m, const double B[3], double demag_rtol, MtEnergyValues *E, Vec g) {
  double local[MT_NTERMS];
  PetscCall(VecSet(g, 0));
  PetscCall(mt_energy_local_exchange(e, m, &local[MT_TERM_EXCHANGE], g));
  PetscCall(mt_energy_local_anisotropy(e, m, &local[MT_TERM_ANISOTROPY], g));
  PetscCall(local_zeeman(e, m, B, &local[MT_TERM_ZEEMAN], g));
  PetscCall(mt_energy_local_demag(e, m, demag_rtol, &local[MT_TERM_DEMAG], g));
  for (int i = MT_TERM_SURFACE; i < MT_NTERMS; i++) PetscCall(mt_energy_local_more(e, (MtTerm)i, m, &local[i], g));
  PetscCallMPI(MPI_Allreduce(local, E->term, MT_NTERMS, MPI_DOUBLE, MPI_SUM, e->mesh->comm));
  E->total = 0;
  for (int i = 0; i < MT_NTERMS; i++) E->total += E->term[i];
  return 0;
}

static PetscErrorCode local_term(MtEnergy *e, MtTerm term, Vec m, const double B[3], double *E, Vec g) {
  switch (term) {
  case MT_TERM_EXCHANGE:
    return mt_energy_local_exchange(e, m, E, g);
  case MT_TERM_ANISOTROPY:
    return mt_energy_local_anisotropy(e, m, E, g);
  case MT_TERM_ZEEMAN:
    return local_zeeman(e, m, B, E, g);
  case MT_TERM_DEMAG:
    return mt_energy_local_demag(e, m, TERM_RTOL, E, g);
  case MT_TERM_SURFACE:
  case MT_TERM_DMI:
  case MT_TERM_ELASTIC:
  case MT_TERM_INTERFACE:
    return mt_energy_local_more(e, term, m, E, g);
  default:
    return mt_error(MT_ERR_FAIL, "energy: there is no term %d", (int)term);
  }
}

PetscErrorCode mt_energy_term(MtEnergy *e, MtTerm term, Vec m, const double B[3], double *E, Vec g) {
  Vec own = g;
  double local;
  if (!g) PetscCall(VecDuplicate(m, &own));
  PetscCall(VecSet(own, 0));
  PetscCall(local_term(e, term, m, B, &local, own));
  PetscCallMPI(MPI_Allreduce(&local, E, 1, MPI_DOUBLE, MPI_SUM, e->mesh->comm));
  if (!g) PetscCall(VecDestroy(&own));
  return 0;
}

PetscErrorCode mt_energy_potential(MtEnergy *e, Vec *u) {
  *u = e->u;
  return 0;
}

PetscErrorCode mt_energy_tangent(const MtEnergy *e, Vec m, Vec v) {
  const PetscScalar *x;
  PetscScalar *y;
  PetscCall(VecGetArrayRead(m, &x));
  PetscCall(VecGetArray(v, &y));
  for (PetscInt i = 0; i < e->n; i++) mt_tangent3(x + 3 * i, y + 3 * i);
  PetscCall(VecRestoreArray(v, &y));
  return VecRestoreArrayRead(m, &x);
}
