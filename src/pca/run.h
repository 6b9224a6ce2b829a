/* magtwin pca in steps; private to this module. */
#ifndef PCA_RUN_H
#define PCA_RUN_H

#include "source.h"

struct MtSeries {
  MPI_Comm comm;
  const MtInput *in;
  MtSource source;
  MtTable table;
  MtPca pca;
  int unit;          /* components of a node, 1 without mesh */
  int64_t nodes, nt; /* of the mesh */
  int64_t shown;     /* its tets that are drawn */
  double *weight;    /* factor of this rank's variables, NULL: none */
};

/* With pca.mesh: unit, nodes and weight (square roots of shares of the magnet's volume).  MT_ERR_INPUT if the samples
 * are no fields on its nodes.  Collective. */
PetscErrorCode mt_pca_mesh(MtSeries *r);

#endif
