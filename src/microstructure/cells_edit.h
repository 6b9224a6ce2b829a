/* A cell complex whose vertices can be merged, used inside the module.  Edges are implicit: two vertices that follow
 * each other in a face. */
#ifndef MAGTWIN_CELLS_EDIT_H
#define MAGTWIN_CELLS_EDIT_H

#include "magtwin/cells.h"

typedef struct {
  int n, capacity;
  int32_t *item;
} MtIntList;

typedef struct {
  int ngrains, nvertices, nfaces;
  double *x;           /* [3 nvertices] */
  int8_t *walls;       /* [nvertices] */
  int32_t *face_cells; /* [2 nfaces] as in MtCells */
  double *thickness;   /* [nfaces] as in MtCells, NULL: the limit's inset holds everywhere */
  MtIntList *loop;     /* [nfaces] empty: the face is gone */
  MtIntList *around;   /* [nvertices] faces at a vertex, some of them perhaps gone; empty: the vertex is gone */
  int *cell_faces;     /* [ngrains + 1] number of faces; the last one is the outside */
  int ncollapsed;
} MtEdit;

PetscErrorCode mt_edit_create(const MtCells *c, MtEdit *e);
/* Puts the complex back into c (whose arrays are replaced) and frees e. */
PetscErrorCode mt_edit_finish(MtEdit *e, MtCells *c);
PetscErrorCode mt_edit_free(MtEdit *e);
PetscErrorCode mt_list_copy(const MtIntList *from, MtIntList *to);
PetscErrorCode mt_list_add(MtIntList *l, int32_t item);
int mt_list_find(const MtIntList *l, int32_t item); /* -1: not there */

/* Cell on a side of a face; walls are all the one cell `ngrains`, the outside. */
static inline int mt_edit_cell(const MtEdit *e, int face, int side) {
  int c = e->face_cells[2 * face + side];
  return c < 0 ? e->ngrains : c;
}
/* The vertex after (step 1) or before (-1) position i in the loop, as seen from outside of the cell on that side. */
static inline int32_t mt_edit_beside(const MtIntList *loop, int i, int side, int step) {
  return loop->item[(i + loop->n + (side ? -step : step)) % loop->n];
}

/* What is asked of edges and faces. */
typedef struct {
  double inset;        /* nm, half the thickness of the grain-boundary phase, where faces have none of their own */
  double min_edge;     /* nm, to be left of every edge of every grain after the inset */
  double bend;         /* rad, largest angle between a face and a triangle of its fan */
  double tiny_upright; /* least cosine of that angle at edges of less than a fifth of min_edge; -2: any */
} MtLimit;

/* d of least norm with A d = b in the least-squares sense, from ata = A^T A (destroyed) and atb = A^T b; directions in
 * which A has singular values below 0.15 of the largest (all but parallel planes) are left out. */
void mt_least_norm(double ata[3][3], const double atb[3], double d[3]);
/* Displacement d (nm) of grain g's copy of vertex v: n.d = inset for all planes between g and other grains there, least
 * norm, in the tangent space of the walls. */
void mt_edit_inset(const MtEdit *e, int v, int g, double inset, double d[3]);
/* Can the grain-boundary phase have its thickness at v?  n.d is between half and 1.5 times the inset for every plane
 * of every grain there. */
bool mt_edit_has_room(const MtEdit *e, int v, const MtLimit *limit);
/* What remains of edge u-w of grain g after the inset, along its old direction, nm. */
double mt_edit_inset_length(const MtEdit *e, int u, int w, int g, double inset);
/* Sum over the edges at v and their grains of what they lack to min_edge, nm. */
double mt_edit_lack(const MtEdit *e, int v, const MtLimit *limit);

/* What remains, after the inset of grain g, of the height of vertex i of the face's loop over the loop's edge from
 * position j, nm; INFINITY where the vertex does not stand over that edge. */
double mt_edit_inset_height(const MtEdit *e, int face, int i, int j, int g, double inset);

/* Position i of a face's loop next to one end of the edge from position j (not its own): lets the vertex split that
 * edge, so that the thin corner between them is gone, if the result is a complex of the box with faces nearly plane and
 * no more lack than before. */
PetscErrorCode mt_edit_split(MtEdit *e, int face, int i, int j, const MtLimit *limit, bool *done);

/* Moves u away from w, within its walls, by what the edge u-w lacks (with a phase: by all that the edges at u lack),
 * under the same conditions. */
PetscErrorCode mt_edit_slide(MtEdit *e, int u, int w, const MtLimit *limit, bool *done);

/* Merges u and w if the result is a complex of the box with faces nearly plane and less lack around the vertex than
 * before. */
PetscErrorCode mt_edit_collapse(MtEdit *e, int u, int w, const MtLimit *limit, bool *done);

#endif
