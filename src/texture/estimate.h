/* Parameters estimated from texture statistics; private to this module. */
#ifndef TEXTURE_ESTIMATE_H
#define TEXTURE_ESTIMATE_H

#include "magtwin/texture.h"

/* A csv table of numbers. */
typedef struct {
  int n, columns;
  char **name;   /* [columns] owned */
  double *value; /* [n, columns] NAN: not known; owned */
} MtTargets;
/* Columns that hold something else than numbers are NAN throughout.  MT_ERR_INPUT.  Not collective. */
PetscErrorCode mt_targets_read(const char *path, MtTargets *t);
void mt_targets_free(MtTargets *t);

/* texture.targets from feature [n, m], the same on all ranks -> folder/estimates.csv and scores in json.  Collective.
 */
PetscErrorCode mt_texture_estimate(MPI_Comm comm, const MtInput *in, const char *folder, int n, int m,
                                   const double *feature, MtJson *json);

#endif
