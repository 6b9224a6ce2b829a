/* Shared by shapes*.c: simple bodies for standard problems. */
#ifndef MAGTWIN_SHAPES_H
#define MAGTWIN_SHAPES_H

#include "magtwin/microstructure.h"

/* The bounding box reaches from the origin to `edge`. */
typedef struct {
  bool round;        /* ellipsoid with these diameters, else a box */
  double edge[3];    /* nm */
  int axis, nlayers; /* layers are stacked along axis; 1 layer: the whole body */
  double *layer;     /* [nlayers] thickness, nm; PetscMalloc'ed */
  double easy[3];    /* unit easy axis of every layer */
  double turn[4];    /* quaternion of the crystal of every layer, crystal [001] along easy */
  double size;       /* nm */
  double edge_size;  /* nm, at the edges of a box in air */
  double spacing[3]; /* nm: size of the bricks along x, y, z when there is no air */
  double radius;     /* of the outer sphere, nm; 0: no air */
  double air_size;   /* nm, at the sphere */
} MtShape;

/* Nodes, tets and regions (layer, or nlayers: air) -> mesh.  Rank 0. */
PetscErrorCode mt_shape_grid(const MtShape *s, MtMeshData *mesh); /* boxes without air: structured */
PetscErrorCode mt_shape_gmsh(const MtShape *s, MtMeshData *mesh); /* everything else */

#endif
