/* The linear systems of two phases.
 *
 * With dmu = (ds of the potential) in the place of dc, dc = chi dmu - s dphi, the system of a Newton step is symmetric:
 *     [ w (q/L + f'') + kappa K        w s             ] [dphi]   [ R_phi/L ]
 *     [ w s + T                  -(chi w + K_M/q)      ] [dmu ] = [ -R_c/q  ],   f'' at fixed mu,
 * but for T, the current against trapping.
 * GMRES with a block-triangular preconditioner: a cycle of AMG for q chi w + K_M, and one for the first block with the
 * part of the Schur complement that an interface feels, w s^2 q/(q chi + M/l^2), l^2 = 2 kappa/W its width, f'' where
 * it is positive. */
#include "flow_impl.h"
#include "kks_impl.h"
#include "magtwin/run.h"
#include <math.h>

enum { MAX_ITERATIONS = 300 };

static PetscErrorCode place(MtKks *k, Vec x, int first, const PetscScalar **a) {
  PetscCall(VecGetArrayRead(x, a));
  PetscCall(VecPlaceArray(k->part[first], *a));
  return VecPlaceArray(k->part[first + 1], *a + k->domain->n_owned);
}

static PetscErrorCode unplace(MtKks *k, Vec x, int first, const PetscScalar **a) {
  PetscCall(VecResetArray(k->part[first]));
  PetscCall(VecResetArray(k->part[first + 1]));
  return VecRestoreArrayRead(x, a);
}

static PetscErrorCode place_result(MtKks *k, Vec y, PetscScalar **a) {
  PetscCall(VecGetArray(y, a));
  PetscCall(VecPlaceArray(k->part[2], *a));
  return VecPlaceArray(k->part[3], *a + k->domain->n_owned);
}

static PetscErrorCode unplace_result(MtKks *k, Vec y, PetscScalar **a) {
  PetscCall(VecResetArray(k->part[2]));
  PetscCall(VecResetArray(k->part[3]));
  return VecRestoreArray(y, a);
}

/* y += factor w a x */
static PetscErrorCode add_local(MtKks *k, double factor, Vec a, Vec x, Vec y) {
  PetscCall(VecPointwiseMult(k->work, k->w, x));
  PetscCall(VecPointwiseMult(k->work, k->work, a));
  return VecAXPY(y, factor, k->work);
}

static PetscErrorCode multiply(MtKks *k, const Vec x[2], const Vec y[2]) {
  const double q = k->shift, m = k->scale;
  PetscCall(MatMult(k->K, x[0], y[0]));
  PetscCall(VecScale(y[0], k->model->kappa));
  PetscCall(VecPointwiseMult(k->work, k->w, x[0]));
  PetscCall(VecAXPY(y[0], q / k->rate, k->work));
  PetscCall(add_local(k, 1, k->second, x[0], y[0]));
  PetscCall(add_local(k, m, k->coupling, x[1], y[0]));
  PetscCall(MatMult(k->KM, x[1], y[1]));
  PetscCall(VecScale(y[1], -m * m / q));
  PetscCall(add_local(k, -m * m, k->chi, x[1], y[1]));
  PetscCall(mt_kks_trapping_add(k, m, x[0], y[1]));
  return add_local(k, m, k->coupling, x[0], y[1]);
}

static PetscErrorCode apply_system(Mat A, Vec x, Vec y) {
  MtKks *k;
  const PetscScalar *xa;
  PetscScalar *ya;
  PetscCall(MatShellGetContext(A, &k));
  PetscCall(place(k, x, 0, &xa));
  PetscCall(place_result(k, y, &ya));
  PetscCall(multiply(k, k->part, k->part + 2));
  PetscCall(unplace_result(k, y, &ya));
  return unplace(k, x, 0, &xa);
}

static PetscErrorCode cycle(const MtKksFactor *f, Vec x, Vec y) {
  PC pc;
  PetscCall(KSPGetPC(f->ksp, &pc));
  return PCApply(pc, x, y);
}

static PetscErrorCode apply_preconditioner(PC pc, Vec x, Vec y) {
  MtKks *k;
  const PetscScalar *xa;
  PetscScalar *ya;
  PetscCall(PCShellGetContext(pc, &k));
  PetscCall(place(k, x, 0, &xa));
  PetscCall(place_result(k, y, &ya));
  PetscCall(cycle(&k->block[0], k->part[0], k->part[2]));
  PetscCall(VecCopy(k->part[1], k->work2));
  PetscCall(add_local(k, -k->scale, k->coupling, k->part[2], k->work2));
  PetscCall(mt_kks_trapping_add(k, -k->scale, k->part[2], k->work2));
  PetscCall(cycle(&k->block[1], k->work2, k->part[3]));
  PetscCall(VecScale(k->part[3], -k->shift / (k->scale * k->scale)));
  PetscCall(unplace_result(k, y, &ya));
  return unplace(k, x, 0, &xa);
}

static PetscErrorCode make_block(MtKks *k, MtKksFactor *f) {
  PC pc;
  PetscCall(MatDuplicate(k->K, MAT_COPY_VALUES, &f->A));
  PetscCall(MatSetOption(f->A, MAT_SPD, PETSC_TRUE));
  PetscCall(KSPCreate(k->domain->comm, &f->ksp));
  PetscCall(KSPSetOptionsPrefix(f->ksp, "evolve_"));
  PetscCall(KSPSetType(f->ksp, KSPPREONLY));
  PetscCall(KSPGetPC(f->ksp, &pc));
  PetscCall(mt_flow_choose_amg(pc, k->domain->dim));
  return KSPSetFromOptions(f->ksp);
}

/* A = factor X + diag(work) */
static PetscErrorCode set_block(MtKks *k, MtKksFactor *f, Mat X, double factor) {
  PetscCall(MatCopy(X, f->A, SAME_NONZERO_PATTERN));
  PetscCall(MatScale(f->A, factor));
  PetscCall(MatDiagonalSet(f->A, k->work, ADD_VALUES));
  PetscCall(KSPSetOperators(f->ksp, f->A, f->A));
  return KSPSetUp(f->ksp);
}

/* work = the diagonal of the first block (of phi) or the second. */
static PetscErrorCode diagonal(MtKks *k, bool phi) {
  const double q = k->shift, inverse_width2 = .5 * k->model->well / k->model->kappa;
  const PetscScalar *w, *chi, *s, *second, *M;
  PetscScalar *a;
  PetscCall(VecGetArrayRead(k->w, &w));
  PetscCall(VecGetArrayRead(k->chi, &chi));
  PetscCall(VecGetArrayRead(k->coupling, &s));
  PetscCall(VecGetArrayRead(k->second, &second));
  PetscCall(VecGetArrayRead(k->M, &M));
  PetscCall(VecGetArray(k->work, &a));
  for (PetscInt i = 0; i < k->domain->n_owned; i++)
    a[i] = !phi ? w[i] * q * chi[i]
                : w[i] * (q / k->rate + fmax(0, second[i]) + s[i] * s[i] * q / (q * chi[i] + M[i] * inverse_width2));
  PetscCall(VecRestoreArray(k->work, &a));
  PetscCall(VecRestoreArrayRead(k->M, &M));
  PetscCall(VecRestoreArrayRead(k->second, &second));
  PetscCall(VecRestoreArrayRead(k->coupling, &s));
  PetscCall(VecRestoreArrayRead(k->chi, &chi));
  return VecRestoreArrayRead(k->w, &w);
}

PetscErrorCode mt_kks_linear_prepare(MtKks *k) {
  mt_phase_begin("preconditioner");
  PetscCall(diagonal(k, true));
  PetscCall(set_block(k, &k->block[0], k->K, k->model->kappa));
  PetscCall(diagonal(k, false));
  PetscCall(set_block(k, &k->block[1], k->KM, 1));
  mt_phase_end("preconditioner");
  return 0;
}

static PetscErrorCode solve(MtKks *k, PetscInt *iterations, bool *solved) {
  KSPConvergedReason reason;
  PetscCall(VecZeroEntries(k->answer));
  mt_phase_begin("linear solves");
  PetscCall(KSPSolve(k->ksp, k->right, k->answer));
  mt_phase_end("linear solves");
  PetscCall(KSPGetIterationNumber(k->ksp, iterations));
  PetscCall(KSPGetConvergedReason(k->ksp, &reason));
  *solved = reason > 0;
  return 0;
}

/* dc = chi dmu - s dphi, its mean as the residual demands. */
static PetscErrorCode composition(MtKks *k, Vec dphi, Vec x, Vec dc) {
  PetscScalar want, have;
  PetscCall(VecPointwiseMult(dc, k->chi, x));
  PetscCall(VecScale(dc, k->scale));
  PetscCall(VecPointwiseMult(k->work, k->coupling, dphi));
  PetscCall(VecAXPY(dc, -1, k->work));
  PetscCall(VecSum(k->residual[MT_KKS_C], &want));
  PetscCall(VecDot(k->w, dc, &have));
  return VecShift(dc, (want / k->shift - have) / k->volume);
}

PetscErrorCode mt_kks_linear_solve(MtKks *k, PetscInt *iterations, bool *solved) {
  const PetscScalar *a;
  PetscScalar *r;
  PetscCall(place_result(k, k->right, &r));
  PetscCall(VecCopy(k->residual[MT_KKS_PHI], k->part[2]));
  PetscCall(VecCopy(k->residual[MT_KKS_C], k->part[3]));
  PetscCall(VecScale(k->part[3], -k->scale / k->shift));
  PetscCall(unplace_result(k, k->right, &r));
  PetscCall(solve(k, iterations, solved));
  PetscCall(place(k, k->answer, 0, &a));
  PetscCall(VecCopy(k->part[0], k->delta[MT_KKS_PHI]));
  PetscCall(composition(k, k->part[0], k->part[1], k->delta[MT_KKS_C]));
  return unplace(k, k->answer, 0, &a);
}

static PetscErrorCode make_vectors(MtKks *k) {
  const PetscInt n = k->domain->n_owned;
  PetscCall(VecCreateMPI(k->domain->comm, 2 * n, PETSC_DETERMINE, &k->right));
  PetscCall(VecDuplicate(k->right, &k->answer));
  for (int i = 0; i < 4; i++) {
    PetscCall(VecCreateMPIWithArray(k->domain->comm, 1, n, PETSC_DETERMINE, NULL, &k->part[i]));
  }
  return 0;
}

PetscErrorCode mt_kks_linear_create(MtKks *k) {
  const PetscInt n = 2 * k->domain->n_owned;
  PC pc;
  PetscCall(make_vectors(k));
  for (int i = 0; i < 2; i++) PetscCall(make_block(k, &k->block[i]));
  PetscCall(MatCreateShell(k->domain->comm, n, n, PETSC_DETERMINE, PETSC_DETERMINE, k, &k->S));
  PetscCall(MatShellSetOperation(k->S, MATOP_MULT, (void (*)(void))apply_system));
  PetscCall(KSPCreate(k->domain->comm, &k->ksp));
  PetscCall(KSPSetOperators(k->ksp, k->S, k->S));
  PetscCall(KSPSetType(k->ksp, KSPFGMRES)); /* a cycle less a solve, and not limited by its seven digits */
  PetscCall(KSPGMRESSetRestart(k->ksp, 60));
  PetscCall(KSPSetPCSide(k->ksp, PC_RIGHT));
  PetscCall(KSPSetNormType(k->ksp, KSP_NORM_UNPRECONDITIONED));
  PetscCall(KSPSetTolerances(k->ksp, k->opt.linear_rtol, PETSC_DEFAULT, 1e10, MAX_ITERATIONS));
  PetscCall(KSPGetPC(k->ksp, &pc));
  PetscCall(PCSetType(pc, PCSHELL));
  PetscCall(PCShellSetContext(pc, k));
  return PCShellSetApply(pc, apply_preconditioner);
}

PetscErrorCode mt_kks_linear_destroy(MtKks *k) {
  for (int i = 0; i < 2; i++) {
    PetscCall(KSPDestroy(&k->block[i].ksp));
    PetscCall(MatDestroy(&k->block[i].A));
  }
  for (int i = 0; i < 4; i++) PetscCall(VecDestroy(&k->part[i]));
  PetscCall(VecDestroy(&k->right));
  PetscCall(VecDestroy(&k->answer));
  PetscCall(KSPDestroy(&k->ksp));
  return MatDestroy(&k->S);
}
