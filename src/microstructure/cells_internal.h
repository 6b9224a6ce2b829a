/* What the files that make and change cell complexes share. */
#ifndef MAGTWIN_CELLS_INTERNAL_H
#define MAGTWIN_CELLS_INTERNAL_H

#include "magtwin/cells.h"

/* mt_cells_build without its error: the first empty cell in *empty (then c holds nothing), or -1. */
PetscErrorCode mt_cells_try(const MtPower *p, MtCells *c, int *empty);

/* Area vector (nm2) of a closed loop of vertices: its length is the area when the loop is plane. */
void mt_loop_area(const double *x, int n, const int32_t *loop, double area[3]);
/* Volumes and centroids of all cells from the faces, each cut into triangles about the middle of its loop; where they
 * are plane, any point of theirs does, and a cheaper one is taken. */
void mt_cells_measure(MtCells *c, bool plane);

#endif
