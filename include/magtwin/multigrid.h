/* One V cycle of algebraic multigrid in single precision, as a preconditioner.
 *
 * Levels, interpolations and coarse matrices are those of BoomerAMG; the cycle is this one: hybrid Gauss-Seidel, down
 * from zero and back up, so that it is symmetric.  With (D + L) x = b the residual is -U x, and a sweep that gathers by
 * rows of L spreads U by the same entries: a sweep reads half of a matrix, a cycle each matrix once, eight bytes an
 * entry, and only that half is kept.  A library's reads it three times, twelve bytes each.  A cycle is good to a digit
 * or less; conjugate gradients around it are in double precision (A. Buttari et al., ACM Trans. Math. Softw. 34 (2008)
 * 17). */
#ifndef MAGTWIN_MULTIGRID_H
#define MAGTWIN_MULTIGRID_H

#include <petscksp.h>
#include <stdbool.h>

typedef struct MtMultigrid MtMultigrid;

typedef struct {
  double strong_threshold; /* couplings below this part of a row's strongest are weak */
  int aggressive_levels;   /* coarsened twice at once */
  bool two_paths;          /* there, nodes couple that two paths join, not one: more nodes stay, better ones */
  bool agreed; /* neighbouring ranks agree on what nodes count, so that grids are as good at their borders */
} MtMultigridOptions;

/* Of the symmetric positive definite A (AIJ), with levels from a PCHYPRE of these options' prefix; *mg is NULL if PETSc
 * has none.  Collective. */
PetscErrorCode mt_multigrid_create(Mat A, const char *prefix, MtMultigrid **mg);
PetscErrorCode mt_multigrid_destroy(MtMultigrid **mg);
/* x = a cycle for A x = b from zero; entries of b within 1e-30 and 1e30.  Collective. */
PetscErrorCode mt_multigrid_cycle(MtMultigrid *mg, Vec b, Vec x);
/* Makes pc apply a cycle of its matrix, set up anew when the matrix has changed; where PETSc has no hypre, its own
 * multigrid.  HMIS coarsening, extended+i interpolation of at most four entries.  Options of PETSc with the prefix of
 * pc choose other levels (-<prefix>pc_hypre_boomeramg_...) or another preconditioner (-<prefix>pc_type; with hypre the
 * library's own cycle on these levels, which an option of a cycle, as ..._relax_type_down, chooses too). */
PetscErrorCode mt_multigrid_choose(PC pc, const MtMultigridOptions *options);
/* The cycle of a pc so chosen and set up, borrowed; NULL if it applies another preconditioner. */
PetscErrorCode mt_multigrid_of(PC pc, MtMultigrid **mg);
/* Nonzeros of all levels over those of A. */
double mt_multigrid_complexity(const MtMultigrid *mg);

#endif
