/* One cell of a power diagram as a simple polyhedron (three planes at every vertex), used inside the module. */
#ifndef MAGTWIN_POWER_CLIP_H
#define MAGTWIN_POWER_CLIP_H

#include "magtwin/cells.h"

typedef struct {
  double x[3];      /* nm */
  int32_t plane[3]; /* cell (>= 0) or wall (-1..-6) behind each face, counterclockwise seen from outside */
  int32_t next[3];  /* vertex at the other end of the edge opposite to plane[i] */
} MtPolyVertex;

typedef struct {
  int n, capacity;
  MtPolyVertex *v; /* [capacity] */
  double *side;    /* [capacity] scratch: on which side of the cutting plane */
  int32_t *map;    /* [capacity] scratch */
} MtPoly;

typedef enum { MT_CLIP_OK, MT_CLIP_EMPTY, MT_CLIP_DEGENERATE } MtClipState;

typedef struct {
  double distance2; /* nm2 */
  int32_t cell;
} MtNear;

/* What cutting one cell after the other needs; `weight` may differ from the diagram's own (perturbed, or on trial). */
typedef struct {
  const MtPower *power; /* not owned */
  const double *weight; /* [n] nm2, not owned */
  double weight_max, tolerance;
  MtNear *heap; /* [n] scratch */
  MtPoly poly;  /* the last cell that was cut */
} MtClipper;

PetscErrorCode mt_clipper_create(const MtPower *p, const double *weight, MtClipper *c);
PetscErrorCode mt_clipper_destroy(MtClipper *c);
/* Cuts cell k into c->poly.  Empty and degenerate cells are states, not errors.  Not collective. */
PetscErrorCode mt_clipper_cell(MtClipper *c, int k, MtClipState *state);

/* Keeps the part normal.x <= offset (nm) of c->poly; the new face gets the number `id`.  Not collective. */
PetscErrorCode mt_clipper_cut(MtClipper *c, const double normal[3], double offset, int32_t id, MtClipState *state);

#endif
