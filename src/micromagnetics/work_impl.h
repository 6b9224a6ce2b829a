/* Mesh, materials and energy for the states of earlier runs; shared by the files work*.c. */
#ifndef MT_MICROMAGNETICS_WORK_IMPL_H
#define MT_MICROMAGNETICS_WORK_IMPL_H

#include "magtwin/work.h"
#include "site.h"

typedef struct {
  MtSite site;
  MtEnergy *energy;
  Vec m[2], g[2]; /* of this state and of the one before */
  double *owned;  /* [nv_owned] */
} MtStand;

/* As the input has them; to be closed in any case.  Collective. */
PetscErrorCode mt_stand_open(MtStand *s, MPI_Comm comm, const MtInput *in, const char *mesh);
PetscErrorCode mt_stand_close(MtStand *s);
/* The applied field of a state's file, T.  Collective. */
PetscErrorCode mt_state_field(MPI_Comm comm, const char *path, double B[3]);

#endif
