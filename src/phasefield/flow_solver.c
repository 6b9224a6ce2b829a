/* The linear systems of Newton's method.
 *
 * Conserved: S = q w + M K w^-1 (w f'' + kappa K), q the shift.  With f'' replaced by a constant g >= 2 sqrt(q kappa/M)
 * it is a product, P = q (w + a K) w^-1 (w + b K) with ab = M kappa/q and a + b = M g/q: two systems of the second
 * order, one cycle of AMG each.  At g = 2 sqrt(q kappa/M) (a = b) it is the preconditioner of P. Boyanova, M. Do-Quang,
 * M. Neytcheva, Comput. Methods Appl. Math. 12 (2012) 1, whose spectrum does not depend on the mesh; g = the mean of
 * f'' keeps it so when steps are long, in domains that have become phases. Relaxed: S = q w + L (w f'' + kappa K),
 * preconditioned by AMG of the same with the mean of f'' where that is positive. P keeps the sums, 1.P x = q 1.w x,
 * as S does; where the sum of its cycles' result is set so, the mean of c is solved exactly. */
#include "flow_impl.h"
#include "magtwin/diffusion.h"
#include "magtwin/error.h"
#include "magtwin/multigrid.h"
#include "magtwin/run.h"
#include <math.h>

enum { MAX_ITERATIONS = 200 };
static const double STALE = 1.5; /* a factor of a preconditioner may be off by */

/* mu = f'' x + kappa w^-1 K x */
static PetscErrorCode linear_potential(MtFlow *f, Vec x) {
  const PetscScalar *xa, *w, *second;
  PetscScalar *mu;
  PetscCall(MatMult(f->K, x, f->mu));
  PetscCall(VecGetArrayRead(x, &xa));
  PetscCall(VecGetArrayRead(f->w, &w));
  PetscCall(VecGetArrayRead(f->curvature, &second));
  PetscCall(VecGetArray(f->mu, &mu));
  for (PetscInt i = 0; i < f->domain->n_owned; i++) mu[i] = second[i] * xa[i] + f->model.kappa * mu[i] / w[i];
  PetscCall(VecRestoreArray(f->mu, &mu));
  PetscCall(VecRestoreArrayRead(f->curvature, &second));
  PetscCall(VecRestoreArrayRead(f->w, &w));
  return VecRestoreArrayRead(x, &xa);
}

static PetscErrorCode apply_system(Mat A, Vec x, Vec y) {
  MtFlow *f;
  PetscCall(MatShellGetContext(A, &f));
  PetscCall(linear_potential(f, x));
  PetscCall(mt_flow_transport(f, f->mu, y));
  PetscCall(VecPointwiseMult(f->work, f->w, x));
  return VecAXPY(y, f->shift, f->work);
}

/* y = A^-1 x by one cycle. */
static PetscErrorCode apply_factor(const MtFlowFactor *a, Vec x, Vec y) {
  PC pc;
  PetscCall(KSPGetPC(a->ksp, &pc));
  return PCApply(pc, x, y);
}

/* Makes the sums of q w y and x equal; one reduction. */
static PetscErrorCode keep_sum(const MtFlow *f, Vec x, Vec y) {
  const PetscScalar *xa, *ya, *w;
  double sum[2] = {0, 0};
  PetscCall(VecGetArrayRead(x, &xa));
  PetscCall(VecGetArrayRead(y, &ya));
  PetscCall(VecGetArrayRead(f->w, &w));
  for (PetscInt i = 0; i < f->domain->n_owned; i++) {
    sum[0] += xa[i];
    sum[1] += w[i] * ya[i];
  }
  PetscCall(VecRestoreArrayRead(f->w, &w));
  PetscCall(VecRestoreArrayRead(y, &ya));
  PetscCall(VecRestoreArrayRead(x, &xa));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sum, 2, MPI_DOUBLE, MPI_SUM, f->domain->comm));
  return VecShift(y, (sum[0] / f->shift - sum[1]) / f->volume);
}

static PetscErrorCode apply_preconditioner(PC pc, Vec x, Vec y) {
  MtFlow *f;
  PetscCall(PCShellGetContext(pc, &f));
  if (f->model.kind != MT_FLOW_CONSERVED) return apply_factor(&f->factor[0], x, y);
  PetscCall(apply_factor(&f->factor[0], x, f->inner));
  PetscCall(VecPointwiseMult(f->inner, f->inner, f->w));
  PetscCall(apply_factor(f->second, f->inner, y));
  PetscCall(VecScale(y, 1 / f->shift));
  return keep_sum(f, x, y);
}

PetscErrorCode mt_flow_choose_amg(PC pc, int dim) {
  return mt_multigrid_choose(
      pc, &(MtMultigridOptions){
              .strong_threshold = dim == 2 ? 0.25 : 0.5, .aggressive_levels = 1, .two_paths = true, .agreed = true});
}

static PetscErrorCode make_factor(MtFlow *f, MtFlowFactor *a) {
  PC pc;
  PetscCall(MatDuplicate(f->K, MAT_COPY_VALUES, &a->A));
  PetscCall(MatSetOption(a->A, MAT_SPD, PETSC_TRUE));
  PetscCall(KSPCreate(f->domain->comm, &a->ksp));
  PetscCall(KSPSetOptionsPrefix(a->ksp, "evolve_"));
  PetscCall(KSPSetType(a->ksp, KSPPREONLY));
  PetscCall(KSPSetOperators(a->ksp, a->A, a->A));
  PetscCall(KSPGetPC(a->ksp, &pc));
  PetscCall(mt_flow_choose_amg(pc, f->domain->dim));
  return KSPSetFromOptions(a->ksp);
}

static bool fresh(double have, double want) {
  return have >= want / STALE && have <= want * STALE;
}

/* A = alpha w + beta K, unless what there is serves. */
static PetscErrorCode set_factor(MtFlow *f, MtFlowFactor *a, double alpha, double beta) {
  if (a->ksp && fresh(a->alpha, alpha) && fresh(a->beta, beta)) return 0;
  mt_phase_begin("preconditioner");
  if (!a->ksp) PetscCall(make_factor(f, a));
  PetscCall(MatCopy(f->K, a->A, SAME_NONZERO_PATTERN));
  PetscCall(MatScale(a->A, beta));
  PetscCall(VecCopy(f->w, f->work));
  PetscCall(VecScale(f->work, alpha));
  PetscCall(MatDiagonalSet(a->A, f->work, ADD_VALUES));
  PetscCall(KSPSetOperators(a->ksp, a->A, a->A));
  PetscCall(KSPSetUp(a->ksp));
  mt_phase_end("preconditioner");
  a->alpha = alpha;
  a->beta = beta;
  return 0;
}

/* Where a and b are near each other, sqrt(ab) serves both: its sum is less than a + b by a twelfth at most. */
static PetscErrorCode set_conserved(MtFlow *f) {
  const double ab = f->model.mobility * f->model.kappa / f->shift,
               sum = f->model.mobility * f->mean_curvature / f->shift;
  const double half = fmax(.5 * sum, sqrt(ab)), a = half + sqrt(fmax(0, half * half - ab)), b = ab / a;
  const bool one = a <= STALE * STALE * b;
  f->second = &f->factor[one ? 0 : 1];
  PetscCall(set_factor(f, &f->factor[0], 1, one ? sqrt(ab) : a));
  return one ? 0 : set_factor(f, &f->factor[1], 1, b);
}

PetscErrorCode mt_flow_solver_set(MtFlow *f, double t, double shift) {
  f->shift = shift;
  if (f->model.diffusion) return mt_diffusion_system(f->model.diffusion, t, shift, f->w, &f->ksp);
  if (f->model.kind == MT_FLOW_CONSERVED)
    PetscCall(set_conserved(f));
  else
    PetscCall(set_factor(f, &f->factor[0], shift + f->model.mobility * fmax(0, f->mean_curvature),
                         f->model.mobility * f->model.kappa));
  return 0;
}

void mt_flow_amg(const MtFlow *f, double amg[4]) {
  if (f->model.diffusion) {
    mt_diffusion_amg(f->model.diffusion, amg);
    return;
  }
  for (int k = 0; k < 2; k++) {
    amg[2 * k] = f->factor[k].alpha;
    amg[2 * k + 1] = f->factor[k].beta;
  }
}

PetscErrorCode mt_flow_set_amg(MtFlow *f, const double amg[4]) {
  if (f->model.diffusion) return mt_diffusion_set_amg(f->model.diffusion, f->w, amg);
  for (int k = 0; k < 2; k++)
    if (amg[2 * k] > 0) PetscCall(set_factor(f, &f->factor[k], amg[2 * k], amg[2 * k + 1]));
  return 0;
}

PetscErrorCode mt_flow_solver_create(MtFlow *f) {
  const PetscInt n = f->domain->n_owned;
  PC pc;
  if (f->model.diffusion) return 0;
  PetscCall(MatCreateShell(f->domain->comm, n, n, PETSC_DETERMINE, PETSC_DETERMINE, f, &f->S));
  PetscCall(MatShellSetOperation(f->S, MATOP_MULT, (void (*)(void))apply_system));
  PetscCall(KSPCreate(f->domain->comm, &f->ksp));
  PetscCall(KSPSetOperators(f->ksp, f->S, f->S));
  PetscCall(KSPSetType(f->ksp, KSPFGMRES)); /* a cycle less a solve, and not limited by its seven digits */
  PetscCall(KSPGMRESSetRestart(f->ksp, 50));
  PetscCall(KSPSetPCSide(f->ksp, PC_RIGHT));
  PetscCall(KSPSetNormType(f->ksp, KSP_NORM_UNPRECONDITIONED));
  PetscCall(KSPSetTolerances(f->ksp, f->opt.linear_rtol, PETSC_DEFAULT, 1e10, MAX_ITERATIONS));
  PetscCall(KSPGetPC(f->ksp, &pc));
  PetscCall(PCSetType(pc, PCSHELL));
  PetscCall(PCShellSetContext(pc, f));
  return PCShellSetApply(pc, apply_preconditioner);
}

PetscErrorCode mt_flow_solver_destroy(MtFlow *f) {
  if (f->model.diffusion) return 0;
  for (int i = 0; i < 2; i++) {
    PetscCall(KSPDestroy(&f->factor[i].ksp));
    PetscCall(MatDestroy(&f->factor[i].A));
  }
  PetscCall(KSPDestroy(&f->ksp));
  return MatDestroy(&f->S);
}
