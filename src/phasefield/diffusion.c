/* The operator of diffusion, K_D(t) = sum over media of D(T(t)) K, and its linear systems q w + K_D: symmetric and
 * positive, conjugate gradients with a cycle of AMG (multigrid.h).
 *
 * A node where c is fixed keeps its row and column out of the system; what it takes up or gives is the residual there,
 * which nobody needs. */
#include "magtwin/diffusion.h"
#include "flow_impl.h"
#include "magtwin/run.h"
#include <math.h>

enum { MAX_ITERATIONS = 200 };
static const double GAS = 8.31446261815324; /* J/(mol K), CODATA 2018 */
static const double STALE = 1.5;            /* a coefficient of the preconditioner may be off by */

struct MtDiffusion {
  const MtDomain *domain;
  const MtProgram *program; /* NULL: none */
  int n;
  MtMedium *medium; /* [n] */
  Mat *part;        /* [n] K of each medium's elements */
  Mat K;            /* K_D at `T` */
  double T;         /* K; 0: not made yet */
  Vec fixed;        /* c where it is, NAN elsewhere; NULL: nowhere */
  PetscInt nfixed, *fixed_row;
  Vec diagonal;
  Mat A; /* shift w + K_D without the fixed nodes */
  KSP ksp;
  double amg_shift, amg_T; /* of the preconditioner, 0: not made yet */
};

static double temperature(const MtDiffusion *d, double t) {
  return d->program ? mt_program_at(d->program, t) : 1;
}

static double diffusivity(const MtDiffusion *d, int m, double T) {
  return d->medium[m].D0 * mt_arrhenius(d->medium[m].Q, T);
}

static PetscErrorCode make_parts(MtDiffusion *d, const int *of) {
  bool *in;
  PetscCall(PetscMalloc1(d->domain->ne, &in));
  PetscCall(PetscCalloc1(d->n, &d->part)); /* NOLINT(bugprone-sizeof-expression): of handles */
  for (int m = 0; m < d->n; m++) {
    for (PetscInt e = 0; e < d->domain->ne; e++) in[e] = of[e] == m;
    PetscCall(mt_domain_stiffness(d->domain, in, &d->part[m]));
  }
  PetscCall(MatDuplicate(d->part[0], MAT_DO_NOT_COPY_VALUES, &d->K));
  PetscCall(MatDuplicate(d->part[0], MAT_DO_NOT_COPY_VALUES, &d->A));
  PetscCall(MatCreateVecs(d->K, &d->diagonal, NULL));
  PetscCall(MatSetOption(d->A, MAT_SPD, PETSC_TRUE));
  PetscCall(MatSetOption(d->A, MAT_NO_OFF_PROC_ZERO_ROWS, PETSC_TRUE));
  PetscCall(MatSetOption(d->A, MAT_KEEP_NONZERO_PATTERN, PETSC_TRUE));
  return PetscFree(in);
}

static PetscErrorCode copy_fixed(MtDiffusion *d, const double *fixed) {
  const PetscInt n = d->domain->n_owned;
  PetscScalar *a;
  PetscCall(PetscMalloc1(n, &d->fixed_row));
  if (!fixed) return 0;
  for (PetscInt i = 0; i < n; i++)
    if (!isnan(fixed[i])) d->fixed_row[d->nfixed++] = d->domain->row[i];
  PetscInt all = d->nfixed;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &all, 1, MPIU_INT, MPI_MAX, d->domain->comm));
  if (all == 0) return 0;
  PetscCall(MatCreateVecs(d->K, &d->fixed, NULL));
  PetscCall(VecGetArray(d->fixed, &a));
  for (PetscInt i = 0; i < n; i++) a[i] = fixed[i];
  return VecRestoreArray(d->fixed, &a);
}

static PetscErrorCode make_solver(MtDiffusion *d, double rtol) {
  PC pc;
  PetscCall(KSPCreate(d->domain->comm, &d->ksp));
  PetscCall(KSPSetOptionsPrefix(d->ksp, "evolve_"));
  PetscCall(KSPSetType(d->ksp, KSPCG));
  PetscCall(KSPSetNormType(d->ksp, KSP_NORM_UNPRECONDITIONED));
  PetscCall(KSPSetTolerances(d->ksp, rtol, PETSC_DEFAULT, 1e10, MAX_ITERATIONS));
  PetscCall(KSPGetPC(d->ksp, &pc));
  PetscCall(mt_flow_choose_amg(pc, d->domain->dim));
  return KSPSetFromOptions(d->ksp);
}

PetscErrorCode mt_diffusion_create(const MtDomain *domain, const MtDiffusionModel *model, MtDiffusion **diffusion) {
  MtDiffusion *d;
  PetscCall(PetscNew(&d));
  *diffusion = d;
  d->domain = domain;
  d->program = model->program && model->program->n > 0 ? model->program : NULL;
  d->n = model->n;
  PetscCall(PetscMalloc1(d->n, &d->medium));
  for (int m = 0; m < d->n; m++) d->medium[m] = model->medium[m];
  PetscCall(make_parts(d, model->of));
  PetscCall(copy_fixed(d, model->fixed));
  return make_solver(d, model->linear_rtol);
}

PetscErrorCode mt_diffusion_destroy(MtDiffusion **diffusion) {
  MtDiffusion *d = *diffusion;
  if (!d) return 0;
  for (int m = 0; m < d->n; m++) PetscCall(MatDestroy(&d->part[m]));
  PetscCall(MatDestroy(&d->K));
  PetscCall(MatDestroy(&d->A));
  PetscCall(VecDestroy(&d->diagonal));
  PetscCall(VecDestroy(&d->fixed));
  PetscCall(KSPDestroy(&d->ksp));
  PetscCall(PetscFree(d->part));
  PetscCall(PetscFree(d->medium));
  PetscCall(PetscFree(d->fixed_row));
  return PetscFree(*diffusion);
}

bool mt_diffusion_closed(const MtDiffusion *d) {
  return !d->fixed;
}

/* v = c where it is fixed (to = NULL: 0). */
static PetscErrorCode set_fixed(const MtDiffusion *d, const PetscScalar *to, Vec v) {
  PetscScalar *a;
  PetscCall(VecGetArray(v, &a));
  for (PetscInt k = 0; k < d->nfixed; k++) {
    const PetscInt i = d->fixed_row[k] - d->domain->row_start;
    a[i] = to ? to[i] : 0;
  }
  return VecRestoreArray(v, &a);
}

PetscErrorCode mt_diffusion_impose(const MtDiffusion *d, Vec c) {
  const PetscScalar *to;
  if (!d->fixed) return 0;
  PetscCall(VecGetArrayRead(d->fixed, &to));
  PetscCall(set_fixed(d, to, c));
  return VecRestoreArrayRead(d->fixed, &to);
}

PetscErrorCode mt_diffusion_release(const MtDiffusion *d, Vec v) {
  return d->fixed ? set_fixed(d, NULL, v) : 0;
}

static PetscErrorCode set_operator(MtDiffusion *d, double T) {
  if (d->T == T) return 0;
  PetscCall(MatCopy(d->part[0], d->K, SAME_NONZERO_PATTERN));
  PetscCall(MatScale(d->K, diffusivity(d, 0, T)));
  for (int m = 1; m < d->n; m++) PetscCall(MatAXPY(d->K, diffusivity(d, m, T), d->part[m], SAME_NONZERO_PATTERN));
  d->T = T;
  return 0;
}

PetscErrorCode mt_diffusion_apply(MtDiffusion *d, double t, Vec c, Vec y) {
  PetscCall(set_operator(d, temperature(d, t)));
  PetscCall(MatMult(d->K, c, y));
  return mt_diffusion_release(d, y);
}

MtMedium mt_diffusion_medium(const MtDiffusion *d, int m) {
  return d->medium[m];
}

void mt_diffusion_set(MtDiffusion *d, int m, MtMedium medium) {
  if (d->medium[m].D0 == medium.D0 && d->medium[m].Q == medium.Q) return;
  d->medium[m] = medium;
  d->T = d->amg_shift = 0; /* what was made of the others */
}

PetscErrorCode mt_diffusion_number(MtDiffusion *d, int m, bool barrier, double t, Vec c, Vec y) {
  const double T = temperature(d, t), by = mt_arrhenius(d->medium[m].Q, T);
  PetscCall(MatMult(d->part[m], c, y));
  PetscCall(VecScale(y, barrier ? -d->medium[m].D0 * by / (GAS * T) : by));
  return mt_diffusion_release(d, y);
}

static bool near(double have, double want) {
  return have >= want / STALE && have <= want * STALE;
}

static bool fresh(const MtDiffusion *d, double shift) {
  if (d->amg_shift == 0 || !near(d->amg_shift, shift)) return false;
  for (int m = 0; m < d->n; m++)
    if (!near(diffusivity(d, m, d->amg_T), diffusivity(d, m, d->T))) return false;
  return true;
}

/* A = shift w + K_D(T), and identity times a number of their size where c is fixed. */
static PetscErrorCode set_system(MtDiffusion *d, double T, double shift, Vec w) {
  const double size = shift * d->domain->volume / (double)d->domain->n_global;
  PetscCall(set_operator(d, T));
  PetscCall(VecCopy(w, d->diagonal));
  PetscCall(VecScale(d->diagonal, shift));
  PetscCall(MatCopy(d->K, d->A, SAME_NONZERO_PATTERN));
  PetscCall(MatDiagonalSet(d->A, d->diagonal, ADD_VALUES));
  if (!d->fixed) return 0;
  return MatZeroRowsColumns(d->A, d->nfixed, d->fixed_row, size, NULL, NULL);
}

static PetscErrorCode set_solver(MtDiffusion *d, double shift, bool keep) {
  PetscCall(KSPSetReusePreconditioner(d->ksp, keep ? PETSC_TRUE : PETSC_FALSE));
  PetscCall(KSPSetOperators(d->ksp, d->A, d->A));
  PetscCall(KSPSetUp(d->ksp));
  if (keep) return 0;
  d->amg_shift = shift;
  d->amg_T = d->T;
  return 0;
}

PetscErrorCode mt_diffusion_system(MtDiffusion *d, double t, double shift, Vec w, KSP *ksp) {
  mt_phase_begin("assembly");
  PetscCall(set_system(d, temperature(d, t), shift, w));
  mt_phase_end("assembly");
  *ksp = d->ksp;
  mt_phase_begin("preconditioner");
  PetscCall(set_solver(d, shift, fresh(d, shift)));
  mt_phase_end("preconditioner");
  return 0;
}

void mt_diffusion_amg(const MtDiffusion *d, double amg[4]) {
  amg[0] = d->amg_shift;
  amg[1] = d->amg_T;
  amg[2] = amg[3] = 0;
}

PetscErrorCode mt_diffusion_set_amg(MtDiffusion *d, Vec w, const double amg[4]) {
  if (amg[0] == 0) return 0;
  PetscCall(set_system(d, amg[1], amg[0], w));
  return set_solver(d, amg[0], false);
}
