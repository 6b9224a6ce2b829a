/* One V cycle of algebraic multigrid in single precision, as a preconditioner.
 *
 * Levels, interpolations and coarse matrices are those of BoomerAMG; the cycle is this one: hybrid Gauss-Seidel, down
 * from zero and back up, so that it is symmetric.  Half of the sweep down and half of the residual are known without
 * reading the matrix: with (D + L) x = b, b - A x = -U x.  So a cycle reads each matrix twice, eight bytes an entry,
 * where a library's reads it three times, twelve bytes each.  A cycle is good to a digit or less; conjugate gradients
 * around it are in double precision (A. Buttari et al., ACM Trans. Math. Softw. 34 (2008) 17). */
#ifndef MAGTWIN_MULTIGRID_H
#define MAGTWIN_MULTIGRID_H

#include <petscksp.h>
#include <stdbool.h>

typedef struct MtMultigrid MtMultigrid;

/* Of the symmetric positive definite A (AIJ), with levels from a PCHYPRE of these options' prefix; *mg is NULL if there
 * is no such PC, or too many unknowns (2000) are left on its coarsest level.  Collective. */
PetscErrorCode mt_multigrid_create(Mat A, const char *prefix, MtMultigrid **mg);
PetscErrorCode mt_multigrid_destroy(MtMultigrid **mg);
/* Makes pc apply the cycle; pc owns mg from then on. */
PetscErrorCode mt_multigrid_give(MtMultigrid **mg, PC pc);
/* x = a cycle for A x = b from zero; entries of b within 1e-30 and 1e30.  Collective. */
PetscErrorCode mt_multigrid_cycle(MtMultigrid *mg, Vec b, Vec x);
/* Nonzeros of all levels over those of A. */
double mt_multigrid_complexity(const MtMultigrid *mg);

#endif
