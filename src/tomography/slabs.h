/* Slices of other ranks, and sums over slices that do not depend on the ranks; private to this module. */
#ifndef TOMOGRAPHY_SLABS_H
#define TOMOGRAPHY_SLABS_H

#include <petscsys.h>
#include <stdint.h>

/* A volume of nz slices in slabs (rule of mt_slab), `items` numbers of `type` a slice.  mine [n items]; halo
 * [(below + n + above) items] gets the slices z0 - below .. z0 + n + above - 1 where they exist; the others are left as
 * they are.  A slab may be thinner than the halo.  A rank without slices gets none.  Collective. */
PetscErrorCode mt_slab_halo(MPI_Comm comm, int nz, int below, int above, int64_t items, MPI_Datatype type,
                            const void *mine, void *halo);

/* all [nz items] of every slice on every rank, from mine [n items].  Collective. */
PetscErrorCode mt_slab_gather(MPI_Comm comm, int nz, int items, const double *mine, double *all);

#endif
