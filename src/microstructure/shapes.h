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
  double edge_size;  /* nm, at the edges of a box in air; at its faces when `grid` */
  double growth;     /* of the edge length from there on, per length */
  bool grid;         /* a box in air is a grid as well */
  int refine;        /* every brick of that grid is cut into so many in each direction */
  double spacing[3]; /* nm: size of the bricks of a grid along x, y, z */
  int cut;           /* tetrahedra a brick: 5 or 6 */
  double radius;     /* of the outer sphere, nm; 0: no air */
  double air_size;   /* nm, at the sphere */
} MtShape;

/* Rules between the values of grains.shape.  MT_ERR_INPUT with the place.  Not collective. */
PetscErrorCode mt_shape_check(const MtInput *in);

/* Nodes, tets and regions (layer, or nlayers: air) -> mesh.  Rank 0. */
PetscErrorCode mt_shape_grid(const MtShape *s, MtMeshData *mesh); /* boxes without air: structured */
PetscErrorCode mt_shape_ball(const MtShape *s, MtMeshData *mesh); /* a box in air: structured */
PetscErrorCode mt_shape_gmsh(const MtShape *s, MtMeshData *mesh); /* everything else */

/* Appends the tetrahedra of a brick; corner q has the bits x, y, z, and `at` is where corner 0 stands in the grid.  The
 * cuts of neighbours are mirror images, so that diagonals meet and no direction is preferred.
 * 5: a regular one in the middle, on the corners whose indices have an even sum, and four corners.  On a flat brick, a
 * x b x c with c small, the one in the middle sees u = xy as a slope a b/(2 c) along z: exchange and potential stiffen.
 * 6: along the edges from the corner with three even indices to that with three odd ones (H. W. Kuhn, IBM J. Res. Dev.
 * 4 (1960) 518; mirrored: M. J. Todd, The Computation of Fixed Points (1976), J1).  Slopes are differences along edges
 *    of the brick, however flat it is. */
void mt_shape_cut(const MtShape *s, const int64_t corner[8], const int at[3], int32_t region, MtMeshData *m);

#endif
