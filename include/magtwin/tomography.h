/* Stacks of gray pictures (FIB-SEM slices): generated ones with known truth, and from a stack to labelled grains. */
#ifndef MAGTWIN_TOMOGRAPHY_H
#define MAGTWIN_TOMOGRAPHY_H

#include "magtwin/input.h"
#include "magtwin/json.h"
#include "magtwin/microstructure.h"

extern const MtKey mt_generate_keys[]; /* section generate (src/tomography/generate_keys.c) */
extern const MtKey mt_register_keys[]; /* section register (src/tomography/register.c) */
extern const MtKey mt_stack_keys[];    /* section stack (src/tomography/stack_keys.c) */

/* Gray slices, distributed by slabs of z (rule of mt_slab): pixel (i,j) of slice z0+k at [(k*ny + j)*nx + i]. */
typedef struct {
  int nx, ny, nz, z0, nz_local;
  double voxel[3]; /* nm */
  float *gray;     /* [nz_local*ny*nx] owned; 0 black .. 1 white for files of integers, as stored for files of reals */
  uint8_t *lost;   /* [nz] slice was not measured, its pixels are 0; replicated, owned */
  int nlost;       /* how many */
} MtStack;
/* A zeroed struct is fine.  Not collective. */
void mt_stack_free(MtStack *s);

/* Section generate and grains of source generated: grains, GB phase and pockets drawn as the slices of a microscope,
 * with its defects, into `folder`/slices; what is true of them into `folder`/truth.h5 (format of labels.h5, pockets: no
 * grain), truth_grains.csv and truth_drift.csv; an input that reads it again into `folder`/reconstruct.yaml.  A slice
 * depends on the seed and its number alone: the same bits for any number of ranks.  Collective. */
PetscErrorCode mt_stack_generate(MPI_Comm comm, const MtInput *in, const char *folder, MtJson *json);

/* Section stack: finds, checks and reads the slices.  MT_ERR_INPUT names the slice that is missing, repeated, of
 * another size or depth, cut short or empty; with stack.missing: interpolate such slices but those of another size or
 * depth are noted in s->lost and reported.  json: into the open object.  Collective.  Free with mt_stack_free. */
PetscErrorCode mt_stack_read(MPI_Comm comm, const MtInput *in, MtStack *s, MtJson *json);

/* Section stack: reads, mends and labels.  Writes `folder`/drift.csv and pictures.  l is labelled as by mt_labels_read;
 * free it with mt_labels_free.  json: adds the object "stack".  The same bits for any number of ranks.  Collective. */
PetscErrorCode mt_stack_reconstruct(MPI_Comm comm, const MtInput *in, const char *folder, MtLabels *l, MtJson *json);

/* Section register: the affine map between two pictures of one section.  Writes `folder`/residual.csv, the shifts left
 * in places where both show marks, and board.png; json: adds the object "registration".  MT_ERR_FAIL if they have
 * nothing in common.  Rank 0 works.  Collective. */
PetscErrorCode mt_register_pictures(MPI_Comm comm, const MtInput *in, const char *folder, MtJson *json);

#endif
