/* The linear systems of the implicit stages, in the tangent planes.
 *
 * (sigma - J) u = r with the Jacobian J = gamma/(1 + alpha^2) (m x - alpha) M^-1 H of the local terms, multiplied by M
 * (alpha + m x)/gamma: (sigma/gamma M (alpha + m x) + H) u = M (alpha + m x) r/gamma, the tangent-plane form of F.
 * Alouges, Discrete Contin. Dyn. Syst. S 1 (2008) 187: a symmetric matrix, positive definite next to a minimum, plus a
 * skew one.  GMRES with the 2 x 2 blocks of the diagonal: the same on any number of ranks. */
#include "kernels.h"
#include "llg_impl.h"
#include "llg_kernels.h"

enum { INNER_MOST = 300, INNER_RESTART = 30 };

/* w += shift M (alpha v + m x v) */
static PetscErrorCode add_motion(const MtLlgSystem *s, double shift, Vec v, Vec w) {
  const PetscScalar *x, *a;
  PetscScalar *b;
  PetscCall(VecGetArrayRead(s->m, &x));
  PetscCall(VecGetArrayRead(v, &a));
  PetscCall(VecGetArray(w, &b));
  for (PetscInt i = 0; i < s->energy->n; i++) {
    double turned[3], M = shift * s->energy->moment[i] / MT_MU0;
    mt_cross3(x + 3 * i, a + 3 * i, turned);
    for (int c = 0; c < 3; c++) b[3 * i + c] += M * (s->alpha[i] * a[3 * i + c] + turned[c]);
  }
  PetscCall(VecRestoreArray(w, &b));
  PetscCall(VecRestoreArrayRead(v, &a));
  return VecRestoreArrayRead(s->m, &x);
}

static PetscErrorCode system_mult(Mat A, Vec v, Vec w) {
  MtLlgSystem *s;
  PetscCall(MatShellGetContext(A, &s));
  PetscCall(mt_precond_hessian(&s->local, s->m, v, w));
  return add_motion(s, s->shift, v, w);
}

static PetscErrorCode apply_blocks(PC pc, Vec r, Vec z) {
  MtLlgSystem *s;
  const PetscScalar *x, *a;
  PetscScalar *b;
  PetscCall(PCShellGetContext(pc, &s));
  PetscCall(VecGetArrayRead(s->m, &x));
  PetscCall(VecGetArrayRead(r, &a));
  PetscCall(VecGetArray(z, &b));
  for (PetscInt i = 0; i < s->energy->n; i++) {
    double turned[3];
    mt_symmetric3(s->inverse + 6 * i, a + 3 * i, b + 3 * i);
    mt_cross3(x + 3 * i, a + 3 * i, turned);
    for (int c = 0; c < 3; c++) b[3 * i + c] += s->skew[i] * turned[c];
  }
  PetscCall(VecRestoreArray(z, &b));
  PetscCall(VecRestoreArrayRead(r, &a));
  return VecRestoreArrayRead(s->m, &x);
}

static PetscErrorCode make_solver(double rtol, MtLlgSystem *s) {
  PC pc;
  PetscCall(KSPCreate(s->energy->mesh->comm, &s->ksp));
  PetscCall(KSPSetOptionsPrefix(s->ksp, "llg_"));
  PetscCall(KSPSetOperators(s->ksp, s->A, s->A));
  PetscCall(KSPSetType(s->ksp, KSPGMRES));
  PetscCall(KSPGMRESSetRestart(s->ksp, INNER_RESTART));
  PetscCall(KSPSetTolerances(s->ksp, rtol, 1e-300, PETSC_DEFAULT, INNER_MOST));
  PetscCall(KSPGetPC(s->ksp, &pc));
  PetscCall(PCSetType(pc, PCSHELL));
  PetscCall(PCShellSetContext(pc, s));
  return PCShellSetApply(pc, apply_blocks);
}

PetscErrorCode mt_llg_system_create(MtEnergy *e, const double *alpha, double rtol, MtLlgSystem *s) {
  PetscInt n = 3 * e->n;
  *s = (MtLlgSystem){.energy = e, .alpha = alpha};
  PetscCall(mt_precond_create(e, 0, &s->local));
  PetscCall(PetscMalloc2(6 * (size_t)e->n, &s->inverse, e->n, &s->skew));
  PetscCall(mt_energy_create_vec(e, &s->rhs));
  PetscCall(MatCreateShell(e->mesh->comm, n, n, PETSC_DETERMINE, PETSC_DETERMINE, s, &s->A));
  PetscCall(MatShellSetOperation(s->A, MATOP_MULT, (void (*)(void))system_mult));
  return make_solver(rtol, s);
}

PetscErrorCode mt_llg_system_destroy(MtLlgSystem *s) {
  if (!s->energy) return 0;
  PetscCall(KSPDestroy(&s->ksp));
  PetscCall(MatDestroy(&s->A));
  PetscCall(VecDestroy(&s->rhs));
  PetscCall(PetscFree2(s->inverse, s->skew));
  return mt_precond_destroy(&s->local);
}

PetscErrorCode mt_llg_system_state(MtLlgSystem *s, Vec m, Vec g) {
  s->m = m;
  return mt_precond_setup(&s->local, m, g);
}

/* The node's block of the local Hessian in its frame. */
static void block_in_frame(const double tensor[6], const double e1[3], const double e2[3], double h[3]) {
  double v[3];
  mt_symmetric3(tensor, e1, v);
  h[0] = mt_dot3(v, e1);
  h[1] = mt_dot3(v, e2);
  mt_symmetric3(tensor, e2, v);
  h[2] = mt_dot3(v, e2);
}

PetscErrorCode mt_llg_system_shift(MtLlgSystem *s, double shift) {
  const PetscScalar *x;
  s->shift = shift;
  PetscCall(VecGetArrayRead(s->m, &x));
  for (PetscInt i = 0; i < s->energy->n; i++) {
    double e1[3], e2[3], h[3], M = shift * s->energy->moment[i] / MT_MU0;
    mt_kernel_frame(x + 3 * i, e1, e2);
    block_in_frame(s->local.hessian + 6 * i, e1, e2, h);
    for (int k = 0; k < 3; k += 2) h[k] += s->energy->exchange_diagonal[i] + s->alpha[i] * M;
    mt_kernel_llg_invert(h, M, e1, e2, s->inverse + 6 * i, &s->skew[i]);
  }
  return VecRestoreArrayRead(s->m, &x);
}

/* A system that is not solved to the end leaves an error that the step's estimate sees. */
PetscErrorCode mt_llg_system_solve(MtLlgSystem *s, Vec r, Vec u, double *its) {
  PetscInt n;
  PetscCall(VecSet(s->rhs, 0));
  PetscCall(add_motion(s, 1, r, s->rhs));
  PetscCall(KSPSolve(s->ksp, s->rhs, u));
  PetscCall(KSPGetIterationNumber(s->ksp, &n));
  *its += (double)n;
  return 0;
}
