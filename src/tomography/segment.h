/* From gray values to grains; private to this module. */
#ifndef TOMOGRAPHY_SEGMENT_H
#define TOMOGRAPHY_SEGMENT_H

#include "clean.h"

/* Voxels of this rank's slab everywhere: [nz_local ny nx]. */

typedef enum { MT_BOUNDARY_BRIGHT, MT_BOUNDARY_DARK, MT_BOUNDARY_ANY } MtBoundary;
/* Strength of boundaries in the smoothed volume, l its second derivatives' eigenvalues.  Bright films: sigma^2 times
 * the most negative l, turned over; 0 where there is none (dark: the same of the negative).  The crest is as narrow as
 * the smoothed film, nothing is left 2 px beside it.  Any: sqrt((sigma^2 l)^2 + (sigma |grad|)^2), l the largest by
 * magnitude, one crest on films and on steps alike, twice as wide.  smooth: sigma in pixels along x.  strength:
 * malloc'ed.  Collective.
 * Sources: A. F. Frangi et al., MICCAI 1998, 130 (eigenvalues); M. C. Morrone, R. A. Owens, Pattern Recognit. Lett. 6,
 * 303 (1987) (local energy). */
PetscErrorCode mt_boundaries(MPI_Comm comm, const MtStack *s, MtBoundary kind, double smooth, float **strength);

/* The value that a share q of the voxels lies below, to 1/4096 of the range.  Collective. */
PetscErrorCode mt_quantile(MPI_Comm comm, int64_t n, const float *v, double q, double *value);

/* phase [n], malloc'ed: 1 in pockets of the bright phase, at least 3 voxels across.  *level: the gray value that parts
 * the classes.  Collective. */
PetscErrorCode mt_phases_threshold(MPI_Comm comm, const MtStack *s, uint8_t **phase, double *level);
/* The same by a hidden Markov random field: two Gaussian classes, Potts coupling `beta` to 6 neighbours, EM with
 * iterated conditional modes over a checkerboard.  Source: Y. Zhang, M. Brady, S. Smith, IEEE Trans. Med. Imaging 20,
 * 45 (2001).
 */
PetscErrorCode mt_phases_hmrf(MPI_Comm comm, const MtStack *s, double beta, uint8_t **phase, double *level);

/* basin [n], malloc'ed: the global number of the voxel where the way of steepest descent of `height` over 6 neighbours
 * ends; of equal heights the smaller number is lower.  Collective. */
PetscErrorCode mt_basins(MPI_Comm comm, const MtStack *s, const float *height, int64_t **basin);

/* Strengths of noise alone, inside grains: their median (centre), and how far their upper quartile lies above it
 * (width); from what is weaker than mt_strength_level(MT_OPEN), again and again.  Collective. */
typedef struct {
  double centre, width;
} MtNoise;
PetscErrorCode mt_strength_noise(MPI_Comm comm, int64_t n, const float *strength, MtNoise *noise);
double mt_strength_level(const MtNoise *noise, double widths); /* centre + widths * width */
#define MT_OPEN 4.5                                            /* 1 in 500 voxels of noise alone is stronger */

/* depth [n], malloc'ed: distance (pixels along x, at most 12) to the nearest voxel that is a pocket or at least as
 * strong as `open`; 0 there.  Collective. */
PetscErrorCode mt_depth(MPI_Comm comm, const MtStack *s, const float *strength, const uint8_t *phase, double open,
                        float **depth);

/* ---- graph of regions ---- */

/* a == b: a region's voxels (count), how many of them are weaker than MtGrainRule.open (weak), and in sum the depth of
 * its deepest; else the faces between two regions, the sum of the strength on them, and how many are weak. */
typedef struct {
  int64_t a, b; /* a <= b */
  int64_t sum;  /* in units of 2^-24: whole numbers add up to the same in any order */
  int64_t count, weak;
} MtLink;
/* Sorts by (a, b) and adds equal ones; returns how many are left. */
int64_t mt_links_reduce(int64_t n, MtLink *link);

/* Region of each id.  A region has a core if its deepest voxel is at least as deep as `core`.  Regions with cores
 * between which less than MT_CLOSED of the faces are strong become one, the most open first; then those without become
 * one among themselves in the same way, and have one when they have min_voxels weak voxels; then those without go to
 * the neighbour behind the weakest boundary (by its mean strength); then the first again, now with all; then those
 * smaller than min_voxels go to neighbours.  link [n]: all of the volume, reduced; used up.  id [nid] ascending; region
 * [nid]: 0 .. *nregions - 1, -1 for ids without voxels, or smaller and without neighbours.  Not collective. Pairs that
 * are each other's nearest are merged all at once, then looked for again (F. Murtagh, Comput. J. 26, 354 (1983)). */
void mt_regions_merge(int64_t n, MtLink *link, double core, int64_t min_voxels, int64_t nid, const int64_t *id,
                      int32_t *region, int32_t *nregions);
#define MT_CLOSED .7

typedef struct {
  double open, closed; /* strengths: weaker is the inside of a grain; stronger is a boundary */
  double core;         /* px: a grain is somewhere at least so far from what is not open */
  int64_t min_voxels;
} MtGrainRule;
/* Grains of the volume: label [n] 0 .. *ngrains - 1, -1 where phase is 1.  Collective. */
PetscErrorCode mt_grains_segment(MPI_Comm comm, const MtStack *s, const float *strength, const uint8_t *phase,
                                 const MtGrainRule *rule, int32_t *label, int *ngrains, int64_t *nbasins);

/* What moves the place of a boundary. */
typedef struct {
  double smooth; /* px, of the strength */
  double noise;  /* strength of noise alone */
  double drift;  /* px, misfit of the slices */
} MtPlace;
/* Probability that a voxel has its true label, from its distance to the nearest other label (within 3 px; 1 beyond) and
 * the uncertainty of a boundary of the strength there; not that a boundary is one.  result [n], malloc'ed.  Collective.
 */
PetscErrorCode mt_confidence(MPI_Comm comm, const MtStack *s, const int32_t *label, const float *strength,
                             const MtPlace *place, float **result);

#endif
