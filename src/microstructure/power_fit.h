/* The convex fit of a power diagram to labelled voxels; private to this module. */
#ifndef MAGTWIN_POWER_FIT_H
#define MAGTWIN_POWER_FIT_H

#include "magtwin/microstructure.h"

enum { MT_FIT_BLOCK = 8 }; /* voxels along the edge of a block; blocks lie on a grid of the whole volume */

typedef struct {
  MPI_Comm comm;
  const MtLabels *labels;
  int n;                  /* grains; the unknowns are (a, b) of each, [4n] */
  double origin[3];       /* nm: centre of the box */
  double length;          /* nm: mean grain diameter; the fit's coordinates are (x - origin)/length */
  double *centroid;       /* [3n] nm */
  double *bounds;         /* [6n] nm: min and max of the voxel centres of each grain */
  int64_t nvoxels;        /* labelled ones, all ranks */
  int blocks[3];          /* blocks that touch this slab */
  int block_z0;           /* first layer of them */
  int *start, *candidate; /* grains that may win in a block: candidate[start[b]..start[b+1]) ascending */
  double *work;           /* [4n + 1] gradient and loss; [5n] more for one block */
  double ridge;
} MtFitProblem;

/* Voxel centre in the fit's coordinates. */
void mt_fit_coordinates(const MtFitProblem *f, int i, int j, int k, double x[3]);
/* Candidates: the grains whose bounds, widened by margin (nm), reach into a block. */
PetscErrorCode mt_fit_candidates(MtFitProblem *f, double margin);
/* Mean negative log likelihood + ridge, and its gradient [4n].  Collective. */
PetscErrorCode mt_fit_loss(MtFitProblem *f, const double *theta, double *loss, double *gradient);
/* Which grain wins where: wins [n] over all voxels, own [n] voxels won by their own grain, and how many labelled voxels
 * were won by a grain that was no candidate there.  Collective. */
PetscErrorCode mt_fit_assess(const MtFitProblem *f, const double *theta, int64_t *wins, int64_t *own, int64_t *outside);
/* Seeds and weights from the unknowns, without the grains that win nowhere.  Not collective. */
PetscErrorCode mt_fit_power(const MtFitProblem *f, const double *theta, const int64_t *wins, MtPower *p);

#endif
