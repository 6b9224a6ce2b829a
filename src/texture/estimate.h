/* Parameters estimated from texture statistics; private to this module. */
#ifndef TEXTURE_ESTIMATE_H
#define TEXTURE_ESTIMATE_H

#include "magtwin/texture.h"

/* texture.targets from feature [n, m], the same on all ranks -> folder/estimates.csv and scores in json.  Collective.
 */
PetscErrorCode mt_texture_estimate(MPI_Comm comm, const MtInput *in, const char *folder, int n, int m,
                                   const double *feature, MtJson *json);

#endif
