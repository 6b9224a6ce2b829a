/* Dense linear algebra by LAPACK and BLAS, through PETSc's prototypes. */
#include "gp_impl.h"
#include <petscblaslapack.h>

bool mt_cholesky(int n, double *a) {
  PetscBLASInt size = n, info = 0;
  if (!n) return true;
  LAPACKpotrf_("L", &size, a, &size, &info);
  return info == 0;
}

void mt_cholesky_solve(int n, const double *factor, double *b) {
  mt_lower_solve(n, factor, false, b);
  mt_lower_solve(n, factor, true, b);
}

void mt_lower_solve(int n, const double *factor, bool transposed, double *b) {
  PetscBLASInt size = n, one = 1;
  PetscScalar unity = 1;
  if (n) BLAStrsm_("L", "L", transposed ? "T" : "N", "N", &size, &one, &unity, (double *)factor, &size, b, &size);
}

void mt_cholesky_inverse(int n, double *factor) {
  PetscBLASInt size = n, info = 0;
  if (n) LAPACKpotri_("L", &size, factor, &size, &info);
}
