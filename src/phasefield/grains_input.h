/* Grain growth and its input; shared by grains_keys.c, grains_start.c and grains_system.c. */
#ifndef MT_PHASEFIELD_GRAINS_INPUT_H
#define MT_PHASEFIELD_GRAINS_INPUT_H

#include "magtwin/graingrowth.h"
#include "magtwin/input.h"

/* Of ngrains grains; orientations of a mesh by its grains.  Collective. */
PetscErrorCode mt_grain_growth_law(const MtDomain *d, const MtInput *in, int ngrains, MtBoundaryLaw *law);
/* MT_ERR_INPUT where the mesh does not resolve boundaries, a warning where it does so poorly.  Collective. */
PetscErrorCode mt_grain_growth_resolved(const MtDomain *d, double width);
/* Of the regions of a mesh, label [n_owned].  Collective. */
PetscErrorCode mt_grain_growth_regions(const MtDomain *d, int32_t *label);
/* The grain at each owned node, from PetscMalloc, the caller's; their number on every rank.  Collective. */
PetscErrorCode mt_grain_growth_labels(const MtDomain *d, const MtInput *in, int *ngrains, int32_t **label);

#endif
