/* A change of the cell complex on trial: what it touches, whether the result is still a complex, and how to take it
 * back. */
#ifndef MAGTWIN_CELLS_TRIAL_H
#define MAGTWIN_CELLS_TRIAL_H

#include "cells_edit.h"

enum { MT_TRIAL_VERTICES = 3 };

typedef struct {
  int nv;
  int32_t v[MT_TRIAL_VERTICES]; /* the vertices whose faces change */
  double x[MT_TRIAL_VERTICES][3];
  int8_t walls[MT_TRIAL_VERTICES];
  MtIntList around[MT_TRIAL_VERTICES];
  MtIntList faces;   /* around any of them */
  MtIntList *before; /* [faces.n] their loops */
  double *area;      /* [3 faces.n] their area vectors, nm2 */
} MtTrial;

PetscErrorCode mt_trial_begin(const MtEdit *e, int nv, const int32_t *v, MtTrial *t);
PetscErrorCode mt_trial_take_back(MtEdit *e, const MtTrial *t);
/* Makes the change last: vertices forget the faces that are gone. */
PetscErrorCode mt_trial_keep(MtEdit *e, const MtTrial *t);
PetscErrorCode mt_trial_end(MtTrial *t);

/* No cell is pinched at v or left with less than four faces, no two faces are one, no edge at v is pressed flat onto a
 * wall. */
bool mt_trial_topology(const MtEdit *e, int v, const MtTrial *t);
/* No face has turned over or is bent more than the limit. */
bool mt_trial_geometry(const MtEdit *e, const MtTrial *t, const MtLimit *limit);
/* Every loop is seen whole from its mean: no edge, however short, runs back over its neighbours. */
bool mt_trial_loops_simple(const MtEdit *e);
/* The point nearest to the planes of all faces of the trial, starting from `middle`, within the walls given as bits
 * (quadric error: M. Garland and P. S. Heckbert, Proc. SIGGRAPH 209 (1997)).  Planes met at small angles only are left
 * alone. */
void mt_trial_nearest(const MtEdit *e, const MtTrial *t, int walls, const double middle[3], double x[3]);

#endif
