/* The magnetostatic potential with an open boundary: CG on stiffness + closure of the sphere (sphere.c), preconditioned
 * by algebraic multigrid of stiffness + Robin term, set up once.
 *
 * AMG: HMIS coarsening, aggressive by two paths on the finest level, extended+i interpolation, strong threshold .35,
 * one sweep of hybrid Gauss-Seidel down and the backward one up, so that the cycle is symmetric and CG
 * applies (V. E. Henson, U. M. Yang, Appl. Numer. Math. 41 (2002) 155; H. De Sterck et al., Numer. Linear Algebra Appl.
 * 15 (2008) 115); docs/numerics.md has what other choices cost.  The cycle on these levels is in single precision
 * (multigrid.h).  Options of PETSc with the prefix demag_ override all this; -demag_pc_type hypre takes the library's
 * cycle. */
#include "magtwin/error.h"
#include "magtwin/multigrid.h"
#include "poisson_impl.h"

enum { MAX_ITERATIONS = 1000 };

struct MtPoisson {
  MPI_Comm comm;
  Mat K;     /* stiffness + Robin */
  Mat shell; /* K + the modes */
  KSP ksp;
  MtSphere *sphere;
  MtHistory *history;    /* NULL: none is kept */
  Vec r, d;              /* residual of the start; what the solver adds to it */
  Vec u_start, Au_start; /* of a solve */
  Vec Au;                /* product of the operator with the solution ... */
  bool Au_known;         /* ... if that has been computed */
  MtPoissonCount count;
  double cycle_spmv; /* cost of one AMG cycle in products with K */
};

static PetscErrorCode shell_mult(Mat A, Vec u, Vec y) {
  MtPoisson *p;
  const PetscScalar *ua;
  PetscScalar *ya;
  PetscCall(MatShellGetContext(A, &p));
  PetscCall(MatMult(p->K, u, y));
  PetscCall(VecGetArrayRead(u, &ua));
  PetscCall(VecGetArray(y, &ya));
  PetscCall(mt_sphere_apply_add(p->sphere, p->comm, ua, ya));
  PetscCall(VecRestoreArray(y, &ya));
  PetscCall(VecRestoreArrayRead(u, &ua));
  return 0;
}

static PetscErrorCode make_operator(const MtMesh *mesh, int modes, MtPoisson *p) {
  double *one;
  PetscInt n = mesh->nv_owned;
  PetscCall(PetscMalloc1(mesh->nt_local, &one));
  for (PetscInt t = 0; t < mesh->nt_local; t++) one[t] = 1;
  PetscCall(mt_fem_stiffness(mesh, NULL, one, &p->K));
  PetscCall(PetscFree(one));
  PetscCall(mt_sphere_create(mesh, modes, p->K, &p->sphere));
  PetscCall(MatSetOption(p->K, MAT_SPD, PETSC_TRUE));
  PetscCall(MatCreateShell(p->comm, n, n, PETSC_DETERMINE, PETSC_DETERMINE, p, &p->shell));
  PetscCall(MatShellSetOperation(p->shell, MATOP_MULT, (void (*)(void))shell_mult));
  PetscCall(MatSetOption(p->shell, MAT_SYMMETRIC, PETSC_TRUE));
  return 0;
}

/* Half a product down, half for the residual, one up, whatever is read of the matrix for it; transfers about half a
 * product more. */
static PetscErrorCode count_own_cycle(MtPoisson *p, PC pc) {
  MtMultigrid *mg;
  PetscCall(mt_multigrid_of(pc, &mg));
  if (!mg) return 0;
  p->count.operator_complexity = mt_multigrid_complexity(mg);
  p->cycle_spmv = 2.5 * p->count.operator_complexity;
  return 0;
}

static PetscErrorCode make_solver(MtPoisson *p) {
  static const MtMultigridOptions options = {.strong_threshold = 0.35, .aggressive_levels = 1, .two_paths = true};
  PC pc;
  PetscCall(KSPCreate(p->comm, &p->ksp));
  PetscCall(KSPSetOptionsPrefix(p->ksp, "demag_"));
  PetscCall(KSPSetOperators(p->ksp, p->shell, p->K));
  PetscCall(KSPSetType(p->ksp, KSPCG));
  PetscCall(KSPSetNormType(p->ksp, KSP_NORM_UNPRECONDITIONED));
  PetscCall(KSPGetPC(p->ksp, &pc));
  PetscCall(mt_multigrid_choose(pc, &options));
  PetscCall(KSPSetFromOptions(p->ksp));
  /* this makes a copy of a library's multigrid and destroys it: before there is another one in memory */
  PetscCall(mt_poisson_measure_amg(p->ksp, p->K, &p->count.operator_complexity, &p->cycle_spmv));
  PetscCall(KSPSetUp(p->ksp));
  PetscCall(KSPSetUpOnBlocks(p->ksp)); /* now, so that inner solvers have read their options, too */
  PetscCall(count_own_cycle(p, pc));
  PetscCall(MatCreateVecs(p->K, &p->r, &p->d));
  PetscCall(VecDuplicate(p->r, &p->u_start));
  PetscCall(VecDuplicate(p->r, &p->Au_start));
  return VecDuplicate(p->r, &p->Au);
}

PetscErrorCode mt_poisson_create(const MtMesh *mesh, int modes, MtPoisson **poisson) {
  MtPoisson *p;
  *poisson = NULL;
  PetscCall(PetscNew(&p));
  p->comm = mesh->comm;
  PetscErrorCode rc = make_operator(mesh, modes, p);
  if (!rc) rc = make_solver(p);
  if (rc) PetscCall(mt_poisson_destroy(&p));
  *poisson = p;
  return rc;
}

static PetscErrorCode product(MtPoisson *p, Vec u) {
  PetscCall(MatMult(p->shell, u, p->Au));
  p->count.spmv++;
  return 0;
}

static PetscErrorCode not_converged(MtPoisson *p, KSPConvergedReason reason, PetscInt its, double norm, double rtol) {
  PetscReal residual;
  PetscCall(KSPGetResidualNorm(p->ksp, &residual));
  return mt_error(MT_ERR_FAIL,
                  "the magnetostatic potential did not converge: %s after %d iterations, residual %.3g of %.3g",
                  KSPConvergedReasons[reason], (int)its, residual / norm, rtol);
}

/* u += d with A d = r, to |r| <= tolerance. */
static PetscErrorCode correct(MtPoisson *p, Vec u, double tolerance, double norm, PetscInt *its) {
  KSPConvergedReason reason;
  PetscCall(KSPSetTolerances(p->ksp, PETSC_SMALL * PETSC_SMALL, tolerance, PETSC_DEFAULT, MAX_ITERATIONS));
  PetscCall(KSPSolve(p->ksp, p->r, p->d));
  PetscCall(KSPGetIterationNumber(p->ksp, its));
  PetscCall(KSPGetConvergedReason(p->ksp, &reason));
  p->count.iterations += *its;
  /* a product and a cycle each, and one cycle more than there are iterations */
  p->count.spmv += p->cycle_spmv + (double)*its * (1 + p->cycle_spmv);
  PetscCall(VecAXPY(u, 1, p->d));
  return reason > 0 ? 0 : not_converged(p, reason, *its, norm, tolerance / norm);
}

PetscErrorCode mt_poisson_solve(MtPoisson *p, Vec b, Vec u, double rtol, double atol, PetscInt *its) {
  PetscReal norm, residual;
  PetscCall(VecNorm(b, NORM_2, &norm));
  *its = 0;
  p->count.solves++;
  p->Au_known = false;
  if (norm == 0) return VecZeroEntries(u);
  const double tolerance = PetscMax(rtol * norm, PetscMax(atol, PETSC_SMALL * PETSC_SMALL));
  PetscCall(product(p, u));
  PetscCall(VecWAXPY(p->r, -1, p->Au, b));
  if (p->history) {
    PetscCall(VecCopy(u, p->u_start));
    PetscCall(VecCopy(p->Au, p->Au_start));
    PetscCall(mt_history_start(p->history, p->r, u));
  }
  PetscCall(VecNorm(p->r, NORM_2, &residual));
  if (residual > tolerance) PetscCall(correct(p, u, tolerance, norm, its));
  if (!p->history || !*its) return 0;
  PetscCall(product(p, u));
  p->Au_known = true;
  return mt_history_add(p->history, u, p->Au, p->u_start, p->Au_start);
}

PetscErrorCode mt_poisson_remember(MtPoisson *p, int changes) {
  if (!p->history && !changes) return 0;
  if (p->history && changes == p->history->most) {
    p->history->n = p->history->next = 0;
    return 0;
  }
  PetscCall(mt_history_destroy(&p->history));
  return changes ? mt_history_create(p->r, changes, &p->history) : 0;
}

PetscErrorCode mt_poisson_apply(MtPoisson *p, Vec u, Vec y) {
  return MatMult(p->shell, u, y);
}

PetscErrorCode mt_poisson_product(MtPoisson *p, Vec u, Vec *Au) {
  if (!p->Au_known) PetscCall(product(p, u));
  p->Au_known = true;
  *Au = p->Au;
  return 0;
}

PetscErrorCode mt_poisson_create_vec(MtPoisson *p, Vec *v) {
  return MatCreateVecs(p->K, v, NULL);
}

MtPoissonCount mt_poisson_count(const MtPoisson *p) {
  return p->count;
}

PetscErrorCode mt_poisson_destroy(MtPoisson **poisson) {
  MtPoisson *p = *poisson;
  if (!p) return 0;
  PetscCall(mt_history_destroy(&p->history));
  Vec *vec[] = {&p->r, &p->d, &p->u_start, &p->Au_start, &p->Au};
  for (size_t i = 0; i < sizeof vec / sizeof *vec; i++) PetscCall(VecDestroy(vec[i]));
  PetscCall(KSPDestroy(&p->ksp));
  PetscCall(MatDestroy(&p->shell));
  PetscCall(MatDestroy(&p->K));
  PetscCall(mt_sphere_destroy(&p->sphere));
  PetscCall(PetscFree(*poisson));
  return 0;
}
