/* The convex fit of a power diagram to labelled voxels; private to this module. */
#ifndef MAGTWIN_POWER_FIT_H
#define MAGTWIN_POWER_FIT_H

#include "magtwin/microstructure.h"

enum {
  MT_FIT_BLOCK = 8,        /* voxels along the edge of a block; blocks lie on a grid of the whole volume */
  MT_FIT_MOST_LOSS = 4096, /* of one voxel: more (a line search that went astray) counts as this */
};

typedef struct {
  MPI_Comm comm;
  const MtLabels *labels;
  int n;                  /* grains; the unknowns are (a, b) of each, [4n] */
  double origin[3];       /* nm: centre of the box */
  double length;          /* nm: mean grain diameter; the fit's coordinates are (x - origin)/length */
  double *centroid;       /* [3n] nm */
  double *bounds;         /* [6n] nm: min and max of the voxel centres of each grain, without strays */
  int64_t nvoxels;        /* labelled ones, all ranks */
  int stride;             /* the loss takes every stride-th voxel along each axis */
  int64_t nused;          /* voxels in the loss, all ranks: not those far from the bounds of their grain */
  int blocks[3];          /* blocks that touch this slab */
  int block_z0;           /* first layer of them */
  int *start, *candidate; /* grains that may win in a block: candidate[start[b]..start[b+1]) ascending */
  int64_t *sum;           /* [4n + 1] gradient and loss as whole multiples of 1/scale */
  double gradient_scale, loss_scale;
  double ridge;
  double strays; /* share of voxels far from their grain, 0 if that is no more than shapes give; centroids and bounds
                    are those of the rest */
  double noise;  /* probability that a label is wrong; 0: all are trusted, and the loss is convex */
} MtFitProblem;

/* Centroids, bounds and strays from the labels.  Collective. */
PetscErrorCode mt_fit_measure(MtFitProblem *f);
/* Candidates: the grains whose bounds, widened by margin (nm), reach into a block. */
PetscErrorCode mt_fit_candidates(MtFitProblem *f, double margin);
/* Mean negative log likelihood over the voxels used, and its gradient [4n].  Collective. */
PetscErrorCode mt_fit_loss(MtFitProblem *f, const double *theta, double *loss, double *gradient);
/* Which grain wins where: wins [n] over all voxels, own [n] voxels won by their own grain, and how many labelled voxels
 * were won by a grain that was no candidate there.  Collective. */
PetscErrorCode mt_fit_assess(const MtFitProblem *f, const double *theta, int64_t *wins, int64_t *own, int64_t *outside);
/* Seeds and weights from the unknowns, grains that win nowhere included.  Free with mt_power_free.  Not collective. */
PetscErrorCode mt_fit_power(const MtFitProblem *f, const double *theta, MtPower *p);
/* The unknowns that stand for seeds and weights: the inverse of mt_fit_power. */
void mt_fit_unknowns(const MtFitProblem *f, const MtPower *p, double *theta);
/* Instead of a fit: seeds from the centroids (then moved twice to those of their cells), and the weights that give
 * every grain its measured volume.  False in *done if there is no such diagram (two centroids in one place). */
PetscErrorCode mt_fit_volumes(const MtFitProblem *f, MtPower *p, bool *done);
/* Gives grains that win nowhere (wins [n] 0) the slope of a seed at their centroid, and there a value above all others:
 * by raise [n], where 1 is what one mean diameter makes between neighbours a mean diameter apart. */
void mt_fit_place(const MtFitProblem *f, const int64_t *wins, const double *raise, double *theta);
/* Takes the grains that win nowhere out of p, with a warning for each. */
void mt_fit_drop(const MtFitProblem *f, const int64_t *wins, MtPower *p);

#endif
