/* From gray values to grains; private to this module. */
#ifndef TOMOGRAPHY_SEGMENT_H
#define TOMOGRAPHY_SEGMENT_H

#include "magtwin/tomography.h"

/* Voxels of this rank's slab everywhere: [nz_local ny nx]. */

/* Gaussian of standard deviations sigma [3] voxels along x, y, z; the volume's ends repeat.  Collective. */
PetscErrorCode mt_smooth(MPI_Comm comm, const MtStack *s, const double sigma[3], const float *from, float *to);

/* Strength of boundaries: sqrt((sigma^2 l)^2 + (sigma |grad|)^2) of the smoothed volume, l the eigenvalue of its
 * second derivatives that is largest by magnitude: one crest on bright or dark films and on steps alike.  smooth: sigma
 * in pixels along x.  strength: malloc'ed.  Collective. Source of the idea: M. C. Morrone, R. A. Owens, Pattern
 * Recognit. Lett. 6, 303 (1987) (local energy). */
PetscErrorCode mt_boundaries(MPI_Comm comm, const MtStack *s, double smooth, float **strength);

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

/* ---- graph of regions ---- */

/* a == b: a region's voxels (count), and the strength at its lowest; else the faces between two regions, and the sum of
 * the strength on them. */
typedef struct {
  int64_t a, b; /* a <= b */
  int64_t sum;  /* in units of 2^-24: whole numbers add up to the same in any order */
  int64_t count;
} MtLink;
/* Sorts by (a, b) and adds equal ones; returns how many are left. */
int64_t mt_links_reduce(int64_t n, MtLink *link);

/* Region of each id: merges regions, those behind the boundary that rises least first, until every boundary rises by
 * `threshold` (in the unit of the sums) and by .65 of its own mean strength, then those smaller than min_voxels.  A
 * boundary rises by its mean strength over the higher of the two regions' lowest.  link [n]: all of the volume,
 * reduced; used up.  id [nid] ascending; region [nid]: 0 .. *nregions - 1, -1 for ids without voxels.  Not collective.
 * Pairs that are each other's nearest are merged all at once, then looked for again (F. Murtagh, Comput. J. 26, 354
 * (1983)). */
void mt_regions_merge(int64_t n, MtLink *link, double threshold, int64_t min_voxels, int64_t nid, const int64_t *id,
                      int32_t *region, int32_t *nregions);

/* Grains of the volume: label [n] 0 .. *ngrains - 1, -1 where phase is 1.  Collective. */
PetscErrorCode mt_grains_segment(MPI_Comm comm, const MtStack *s, const float *strength, const uint8_t *phase,
                                 double threshold, int64_t min_voxels, int32_t *label, int *ngrains, int64_t *nbasins);

#endif
