/* Private: the GB phase and the grains' surfaces as seen from the copies that hold them, and what is bad about them. */
#ifndef MAGTWIN_GB_MEASURE_H
#define MAGTWIN_GB_MEASURE_H

#include "gb.h"

enum { MT_LAYER_PER_TET = 16 }; /* copies on which a tet may hang: 4 corners of 4 lattice points */

/* Items of one kind, and by copy the items that hang on it. */
typedef struct {
  int n, per;
  int32_t *copy; /* [per n] the copies of each item, -1: no more */
  int32_t *start, *list;
} MtLayerItems;

/* Tets of the phase, triangles of the grains' surfaces, and hinges: two triangles a-b-c, b-a-d of one grain seen from
 * outside, whose edge a-b is. */
typedef struct {
  const MtSurface *s; /* not owned */
  const MtCopies *q;  /* not owned */
  int layers;
  MtTets m; /* its first nodes are the copies: they are what is moved */
  MtLayerItems tet, tri, hinge;
  int32_t *origin; /* [tri.n] triangle of the surface */
  double *hinge0;  /* [hinge.n] angle inside the grain before the inset, rad */
} MtLayer;

PetscErrorCode mt_layer_make(const MtCells *c, const MtSurface *s, const MtTopology *t, const MtCopies *q, int layers,
                             MtLayer *l);
PetscErrorCode mt_layer_free(MtLayer *l);

/* Radius ratio of a tet, with the sign of its volume. */
double mt_layer_tet(const MtLayer *l, int i);
/* Radius ratio of a triangle, or the part of its area that is left in its old plane if that is less; negative when it
 * is turned over. */
double mt_layer_triangle(const MtLayer *l, int i);
/* Angle (rad) between the two triangles of a hinge, inside the grain or outside, whichever is less; negative where they
 * have gone through each other. */
double mt_layer_hinge(const MtLayer *l, int i);
enum { MT_LAYER_KINDS = 3 };
typedef struct {
  int kind, item; /* kind -1: none */
} MtLayerItem;
/* The least of the three over all that hangs on a copy, at most 1; once one is not above `floor`, that one.  worst: an
 * item of this copy that is looked at first, or none; the one found last. */
double mt_layer_worst(const MtLayer *l, int32_t copy, double floor, MtLayerItem *worst);

/* An item that cannot stay as it is: tets of the phase between grains and along triple lines (a junction's shape does
 * not depend on the thickness), triangles and hinges that were not like that before the inset. */
bool mt_layer_tet_bad(const MtLayer *l, int i);
bool mt_layer_triangle_bad(const MtLayer *l, int i);
bool mt_layer_hinge_bad(const MtLayer *l, int i);

#endif
