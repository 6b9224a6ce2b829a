/* Grains as a power (Laguerre) diagram in a box, and the cell complex made from it: vertices, straight edges, faces,
 * cells with shared topology.  Replicated on every rank (its size grows with the number of grains only). */
#ifndef MAGTWIN_CELLS_H
#define MAGTWIN_CELLS_H

#include <petscsys.h>
#include <stdbool.h>
#include <stdint.h>

/* Cell k = { x in the box : |x - s_k|^2 - w_k <= |x - s_j|^2 - w_j for all j }.  Arrays from PetscMalloc. */
typedef struct {
  int n;
  double box[6];       /* xmin ymin zmin xmax ymax zmax, nm */
  double *seed;        /* [3n] nm */
  double *weight;      /* [n] nm2 */
  double *axis;        /* [3n] unit easy axis of each grain */
  double *orientation; /* [4n] unit quaternion w, x, y, z: crystal -> sample; NULL: not known */
  int32_t *label;      /* [n] label of the grain in the data it came from (0..n-1 for generated ones) */
} MtPower;
/* Not collective; a zeroed struct is fine. */
void mt_power_free(MtPower *p);

/* What a boundary's thickness was asked for by; c planes and side planes: within 30 deg of them; contact: no phase, the
 * grains touch. */
typedef enum {
  MT_GB_PLAIN,
  MT_GB_C_PLANE,
  MT_GB_OBLIQUE,
  MT_GB_SIDE_PLANE,
  MT_GB_PAIR,
  MT_GB_CONTACT,
  MT_GB_NCLASSES
} MtGbClass;

/* Walls of the box are numbered -1..-6: xmin, xmax, ymin, ymax, zmin, zmax. */
typedef struct {
  int ngrains, nvertices, nedges, nfaces;
  double box[6];
  double *x;            /* [3 nvertices] nm */
  int8_t *walls;        /* [nvertices] bit b set: lies on wall -(b+1) */
  int32_t *edge;        /* [2 nedges] vertices, first < second */
  int32_t *face_cells;  /* [2 nfaces] grain a, and grain b > a or wall (negative); the loop turns counterclockwise seen
                           from b */
  int32_t *face_start;  /* [nfaces+1] into face_vertex */
  int32_t *face_vertex; /* loop of vertices */
  double *axis;         /* [3 ngrains] */
  double *orientation;  /* [4 ngrains] as in MtPower; NULL: not known */
  double *center;       /* [3 ngrains] centroid, nm */
  double *volume;       /* [ngrains] nm3 */
  double *thickness;    /* [nfaces] nm, asked of the grain-boundary phase there (walls, and where grains touch: 0);
                           NULL: the same everywhere */
  int8_t *gb_class;     /* [nfaces] MtGbClass of each, with thickness only */
  int ncollapsed;       /* edges removed by mt_cells_regularize */
} MtCells;
/* Not collective; a zeroed struct is fine. */
void mt_cells_free(MtCells *c);

/* Cuts every cell out of the box.  Vertices where more than four cells meet (lattices) are split by moving the weights
 * by about 1e-10 of the cell size squared.  MT_ERR_INPUT if a cell is empty or two seeds coincide.  c is the
 * caller's, to be freed with mt_cells_free.  Not collective (every rank does the same).
 * Source: C. H. Rycroft, Chaos 19, 041111 (2009). */
PetscErrorCode mt_cells_build(const MtPower *p, MtCells *c);
/* Removes, worst first, the edges that the inset of a grain by `inset` (half the GB thickness, nm; with c->thickness
 * half of that of each face) would leave shorter than `min_edge` nm, and thin corners of faces; where vertices cannot
 * merge they slide apart.  Faces become slightly bent (at most 40 deg in their fan), edges and vertices may have more
 * than 3 and 4 grains; cells stay closed, faces simple, the box untouched.  What cannot be removed stays.  Not
 * collective. */
PetscErrorCode mt_cells_regularize(MtCells *c, double inset, double min_edge);
/* Euler characteristic, closed cells, oriented faces, volumes adding up to the box: MT_ERR_FAIL with what is wrong. Not
 * collective. */
PetscErrorCode mt_cells_check(const MtCells *c);

#endif
