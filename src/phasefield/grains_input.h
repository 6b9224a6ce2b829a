/* Grain growth and its input; shared by grains_keys.c, grains_start.c and grains_system.c. */
#ifndef MT_PHASEFIELD_GRAINS_INPUT_H
#define MT_PHASEFIELD_GRAINS_INPUT_H

#include "magtwin/graingrowth.h"
#include "magtwin/input.h"

/* Of ngrains grains; orientations of a mesh by its grains.  Collective. */
PetscErrorCode mt_grain_growth_law(const MtDomain *d, const MtInput *in, int ngrains, MtBoundaryLaw *law);
/* Of n grains, q [4 n] unit quaternions w x y z.  Collective. */
PetscErrorCode mt_grain_growth_orientations(const MtDomain *d, const MtInput *in, int n, double *q);
/* grains_driving.c: the rules of its keys; the bulk energy of each of n grains above the least one, J/m3, from malloc,
 * the caller's, NULL: none asked for; MT_ERR_INPUT where they are more than the boundaries of the model bear.  Not
 * collective; collective. */
PetscErrorCode mt_grain_driving_check(const MtInput *in);
PetscErrorCode mt_grain_driving(const MtDomain *d, const MtInput *in, const MtBoundaryLaw *law,
                                const MtGrainModel *model, int n, double **bulk);
/* Which of n grains are conserved, from malloc, the caller's, NULL: none; label as below.  Collective. */
PetscErrorCode mt_grain_conserved_grains(const MtDomain *d, const MtInput *in, int n, const int32_t *label,
                                         bool **conserved);
/* MT_ERR_INPUT where the mesh does not resolve boundaries, a warning where it does so poorly.  Collective. */
PetscErrorCode mt_grain_growth_resolved(const MtDomain *d, double width);
/* Of the regions of a mesh, label [n_owned].  Collective. */
PetscErrorCode mt_grain_growth_regions(const MtDomain *d, int32_t *label);
/* The grain at each owned node, from PetscMalloc, the caller's; their number on every rank.  Collective. */
PetscErrorCode mt_grain_growth_labels(const MtDomain *d, const MtInput *in, int *ngrains, int32_t **label);

#endif
