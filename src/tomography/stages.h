/* The stages from slices to labels, and what is shown and said of them; private to this module. */
#ifndef TOMOGRAPHY_STAGES_H
#define TOMOGRAPHY_STAGES_H

#include "clean.h"
#include "drift.h"

typedef struct {
  MPI_Comm comm;
  const MtInput *in;
  const char *folder;
  MtJson *json;
  MtStack s;
  MtDrift drift;
  MtRect crop; /* of the first slice: what is labelled; empty: all that is common */
  bool has_crop;
} MtStages;

/* Streaks, shading, noise, drift, lost slices: leaves m->s ready to be labelled.  Collective. */
PetscErrorCode mt_stages_clean(MtStages *m);

/* Pockets and grains of the clean volume, with easy axes from grains.orientations or by chance.  Collective. */
PetscErrorCode mt_stages_label(MtStages *m, MtLabels *l);

/* A few slices as `folder`/pictures/<slice>_<stage>.png: gray from the darkest to the brightest pixel but one in 500;
 * and the same with labels [as MtLabels; -1 left gray] in colours.  Collective. */
PetscErrorCode mt_picture_gray(const MtStages *m, const char *stage);
/* The same of a volume of its own [as the slab]. */
PetscErrorCode mt_picture_values(const MtStages *m, const char *stage, const float *value);
PetscErrorCode mt_picture_labels(const MtStages *m, const char *stage, const int32_t *label);

/* stack.truth: rms difference of the drift from the true one, px, with and without its mean taken out; into json.
 * Collective. */
PetscErrorCode mt_truth_drift(const MtStages *m);
/* And the labels: share of voxels whose label, each grain matched with at most one true one by the largest common
 * volume (pockets with pockets), is the true one; counts and mean volumes.  Collective. */
PetscErrorCode mt_truth_labels(const MtStages *m, const MtLabels *l);

#endif
