/* Private: the triangles of one face of the complex before all faces are put together. */
#ifndef MAGTWIN_FACES_H
#define MAGTWIN_FACES_H

#include "gb.h"

typedef struct {
  int ninner, ntri;
  double *inner; /* [3 ninner] in space, from malloc */
  int32_t *tri;  /* [3 ntri] loop 0..n-1, then the inner points, from malloc */
} MtFaceMesh;

/* Two faces with two edges in common, one after the other, may both have the triangle that these make; a grain between
 * them has then no inside there, and no mesher fills it.  In one of them the triangle goes: an edge is turned, or,
 * where that folds the face, a point put into the triangle.  loop [loop_start[f] ..] nodes of each face's loop, x their
 * places [3 ..].  Not collective, the same on every rank.  *nturned: triangles that came twice. */
PetscErrorCode mt_faces_part(int nfaces, const int32_t *loop_start, const int32_t *loop, const double *x, MtFaceMesh *m,
                             int *nturned);

#endif
