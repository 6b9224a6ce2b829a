/* What one multigrid cycle costs, in products with the finest matrix: nonzeros of the levels, times the sweeps. */
#include "poisson_impl.h"

static PetscErrorCode nonzeros(Mat A, double *nz) {
  MatInfo info;
  PetscCall(MatGetInfo(A, MAT_GLOBAL_SUM, &info));
  *nz = info.nz_used;
  return 0;
}

/* PETSc takes the levels away from the preconditioner it asks: so it asks a copy that is made for this and destroyed.
 */
static PetscErrorCode coarse_nonzeros(PC pc, Mat K, double *sum) {
  PC copy;
  PCType type;
  const char *prefix;
  PetscInt levels;
  Mat *coarse;
  PetscCall(PCCreate(PetscObjectComm((PetscObject)pc), &copy));
  PetscCall(PCGetType(pc, &type));
  PetscCall(PCGetOptionsPrefix(pc, &prefix));
  PetscCall(PCSetOptionsPrefix(copy, prefix));
  PetscCall(PCSetType(copy, type));
  PetscCall(PCSetFromOptions(copy));
  PetscCall(PCSetOperators(copy, K, K));
  PetscCall(PCSetUp(copy));
  PetscCall(PCGetCoarseOperators(copy, &levels, &coarse));
  for (PetscInt l = 0; l + 1 < levels; l++) {
    double nz = 0;
    PetscCall(nonzeros(coarse[l], &nz));
    *sum += nz;
    PetscCall(MatDestroy(&coarse[l]));
  }
  PetscCall(PetscFree(coarse));
  return PCDestroy(&copy);
}

PetscErrorCode mt_poisson_measure_amg(KSP ksp, Mat K, double *operator_complexity, double *cycle_spmv) {
  /* a sweep down (from zero: half of the matrix), the residual, a sweep up; transfers about half a product more */
  const double products = 3;
  PetscBool hypre, gamg;
  double fine = 1, coarse = 0;
  PC pc;
  PetscCall(KSPGetPC(ksp, &pc));
  PetscCall(PetscObjectTypeCompare((PetscObject)pc, PCHYPRE, &hypre));
  PetscCall(PetscObjectTypeCompare((PetscObject)pc, PCGAMG, &gamg));
  *operator_complexity = 1;
  *cycle_spmv = 1;
  if (!hypre && !gamg) return 0;
  PetscCall(nonzeros(K, &fine));
  PetscCall(coarse_nonzeros(pc, K, &coarse));
  *operator_complexity = 1 + coarse / fine;
  *cycle_spmv = products * *operator_complexity;
  return 0;
}
