/* Shared by the files of the multigrid only. */
#ifndef MAGTWIN_FEM_MULTIGRID_IMPL_H
#define MAGTWIN_FEM_MULTIGRID_IMPL_H

#include "magtwin/multigrid.h"
#include <petscsf.h>

/* Values of other ranks that stand behind the own ones of a vector. */
typedef struct {
  PetscInt n;
  PetscSF sf; /* NULL: no rank needs any */
} MtHalo;

/* One level: A by rows in the order of a sweep, without its diagonal; in a row the columns that a sweep takes earlier,
 * then those of other ranks (n + place in `halo`).  The later ones stand in the rows of those, A being symmetric. */
typedef struct {
  PetscInt n;                           /* rows of this rank */
  PetscInt *node, *start, *other, *col; /* [n] of each row; [n+1]; [n] first of other ranks' columns; [start[n]] */
  float *value, *inverse;               /* [start[n]]; [n] 1/diagonal, by node */
  MtHalo halo;
  float *x, *b, *y; /* [n + halo.n]; [n + ghosts of the finer level's interpolation]; [n] of a sweep */
  /* interpolation from the next level; columns of other ranks are coarse n + place in `coarse` */
  PetscInt *pstart, *pcol;
  float *pvalue;
  MtHalo coarse;
} MtLevel;

struct MtMultigrid {
  MPI_Comm comm;
  int levels;
  MtLevel *level; /* [levels], finest first; of the last one only n, x and b are in use if it has an inverse */
  double complexity;
  double scale; /* the levels hold scale A, the largest diagonal entry of which is near 1: floats have few exponents */
  /* the coarsest: its inverse, this rank's rows; NULL: it is too large, and swept instead */
  PetscInt all;          /* unknowns of all ranks */
  int *count, *place;    /* [ranks] unknowns of each, and where they begin */
  double *inverse, *rhs; /* [n all]; [all] */
};

/* Rows of the interpolation from the coarse to the fine level, and b of the coarse one; then those of the fine level's
 * matrix.  Collective. */
PetscErrorCode mt_level_interpolation(Mat P, MtLevel *fine, MtLevel *coarse);
PetscErrorCode mt_level_matrix(Mat A, double scale, MtLevel *level);
/* In the place of the first, for a level that has n and is the coarsest. */
PetscErrorCode mt_level_no_interpolation(MtLevel *level);
PetscErrorCode mt_level_destroy(MtLevel *level);

/* x = one sweep from zero; residual of it, restricted: coarse b; x += interpolated coarse x; one sweep back. */
void mt_level_sweep_down(MtLevel *level);
PetscErrorCode mt_level_restrict(MtLevel *level, MtLevel *coarse);
PetscErrorCode mt_level_correct(MtLevel *level, MtLevel *coarse);
PetscErrorCode mt_level_sweep_up(MtLevel *level);

/* The library's multigrid: BoomerAMG, or what PETSc has without it. */
PetscErrorCode mt_multigrid_library_type(PC pc);
/* The library's own multigrid of A, with options of this prefix, set up.  Collective. */
PetscErrorCode mt_multigrid_library(Mat A, const char *prefix, PC *library);

#endif
