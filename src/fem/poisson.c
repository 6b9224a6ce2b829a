/* The magnetostatic potential with an open boundary: CG on stiffness + closure of the sphere (sphere.c), preconditioned
 * by algebraic multigrid of stiffness + Robin term, set up once.
 *
 * AMG: HMIS coarsening, aggressive on the finest level, extended+i interpolation, strong threshold .5 (three
 * dimensions), one sweep of hybrid Gauss-Seidel down and the backward one up, so that the cycle is symmetric and CG
 * applies (V. E. Henson, U. M. Yang, Appl. Numer. Math. 41 (2002) 155; H. De Sterck et al., Numer. Linear Algebra Appl.
 * 15 (2008) 115).  The aggressive level brings the operator complexity from 2.8 to 1.3 for 17 instead of 14 iterations
 * to 1e-6 (cube in air, 52 463 nodes). Options of PETSc with the prefix demag_ override it. */
#include "magtwin/error.h"
#include "poisson_impl.h"

enum { MAX_ITERATIONS = 1000 };

struct MtPoisson {
  MPI_Comm comm;
  Mat K;     /* stiffness + Robin */
  Mat shell; /* K + the modes */
  KSP ksp;
  MtSphere *sphere;
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

#if defined(PETSC_HAVE_HYPRE)
/* Defaults that the user's own options go before. */
static PetscErrorCode set_default(const char *name, const char *value) {
  PetscBool given;
  PetscCall(PetscOptionsHasName(NULL, NULL, name, &given));
  return given ? 0 : PetscOptionsSetValue(NULL, name, value);
}

static PetscErrorCode choose_amg(PC pc) {
  static const char *const option[][2] = {
      {"-demag_pc_hypre_boomeramg_strong_threshold", "0.5"},
      {"-demag_pc_hypre_boomeramg_coarsen_type", "HMIS"},
      {"-demag_pc_hypre_boomeramg_interp_type", "ext+i"},
      {"-demag_pc_hypre_boomeramg_P_max", "4"},
      {"-demag_pc_hypre_boomeramg_agg_nl", "1"},
      {"-demag_pc_hypre_boomeramg_relax_type_down", "SOR/Jacobi"},
      {"-demag_pc_hypre_boomeramg_relax_type_up", "backward-SOR/Jacobi"},
  };
  PetscCall(PCSetType(pc, PCHYPRE));
  PetscCall(PCHYPRESetType(pc, "boomeramg"));
  for (size_t i = 0; i < sizeof option / sizeof *option; i++) PetscCall(set_default(option[i][0], option[i][1]));
  return 0;
}
#else
static PetscErrorCode choose_amg(PC pc) {
  return PCSetType(pc, PCGAMG);
}
#endif

static PetscErrorCode make_solver(MtPoisson *p) {
  PC pc;
  PetscCall(KSPCreate(p->comm, &p->ksp));
  PetscCall(KSPSetOptionsPrefix(p->ksp, "demag_"));
  PetscCall(KSPSetOperators(p->ksp, p->shell, p->K));
  PetscCall(KSPSetType(p->ksp, KSPCG));
  PetscCall(KSPSetNormType(p->ksp, KSP_NORM_UNPRECONDITIONED));
  PetscCall(KSPSetInitialGuessNonzero(p->ksp, PETSC_TRUE));
  PetscCall(KSPGetPC(p->ksp, &pc));
  PetscCall(choose_amg(pc));
  PetscCall(KSPSetFromOptions(p->ksp));
  PetscCall(KSPSetUp(p->ksp));
  return KSPSetUpOnBlocks(p->ksp); /* now, so that inner solvers have read their options, too */
}

PetscErrorCode mt_poisson_create(const MtMesh *mesh, int modes, MtPoisson **poisson) {
  MtPoisson *p;
  *poisson = NULL;
  PetscCall(PetscNew(&p));
  p->comm = mesh->comm;
  PetscErrorCode rc = make_operator(mesh, modes, p);
  if (!rc) rc = make_solver(p);
  if (!rc) rc = mt_poisson_measure_amg(p->ksp, p->K, &p->count.operator_complexity, &p->cycle_spmv);
  if (rc) PetscCall(mt_poisson_destroy(&p));
  *poisson = p;
  return rc;
}

PetscErrorCode mt_poisson_solve(MtPoisson *p, Vec b, Vec u, double rtol, double atol, PetscInt *its) {
  KSPConvergedReason reason;
  PetscReal norm;
  PetscCall(VecNorm(b, NORM_2, &norm));
  *its = 0;
  p->count.solves++;
  if (norm == 0) return VecZeroEntries(u);
  PetscCall(KSPSetTolerances(p->ksp, rtol, PetscMax(atol, PETSC_SMALL * PETSC_SMALL), PETSC_DEFAULT, MAX_ITERATIONS));
  PetscCall(KSPSolve(p->ksp, b, u));
  PetscCall(KSPGetIterationNumber(p->ksp, its));
  PetscCall(KSPGetConvergedReason(p->ksp, &reason));
  p->count.iterations += *its;
  /* one product for the first residual, and one cycle more than there are iterations */
  p->count.spmv += 1 + p->cycle_spmv + (double)*its * (1 + p->cycle_spmv);
  if (reason > 0) return 0;
  PetscReal residual;
  PetscCall(KSPGetResidualNorm(p->ksp, &residual));
  return mt_error(MT_ERR_FAIL,
                  "the magnetostatic potential did not converge: %s after %d iterations, residual %.3g of %.3g",
                  KSPConvergedReasons[reason], (int)*its, residual / norm, rtol);
}

PetscErrorCode mt_poisson_apply(MtPoisson *p, Vec u, Vec y) {
  return MatMult(p->shell, u, y);
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
  PetscCall(KSPDestroy(&p->ksp));
  PetscCall(MatDestroy(&p->shell));
  PetscCall(MatDestroy(&p->K));
  PetscCall(mt_sphere_destroy(&p->sphere));
  PetscCall(PetscFree(*poisson));
  return 0;
}
