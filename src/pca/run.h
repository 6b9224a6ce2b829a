/* magtwin pca in steps; private to this module. */
#ifndef PCA_RUN_H
#define PCA_RUN_H

#include "source.h"

typedef struct {
  MPI_Comm comm;
  const MtInput *in;
  const char *folder;
  MtSource source;
  MtTable table;
  MtPca pca;
  int unit;          /* components of a node, 1 without mesh */
  int64_t nodes, nt; /* of the mesh */
  int64_t shown;     /* its tets that are drawn */
  double *weight;    /* factor of this rank's variables, NULL: none */
} MtPcaRun;

/* With pca.mesh: unit, nodes and weight (square roots of shares of the magnet's volume).  MT_ERR_INPUT if the samples
 * are no fields on its nodes.  Collective. */
PetscErrorCode mt_pca_mesh(MtPcaRun *r);

/* pca.h5, scores.csv, explained.csv, modes.xdmf.  Collective. */
PetscErrorCode mt_pca_write(const MtPcaRun *r);

#endif
