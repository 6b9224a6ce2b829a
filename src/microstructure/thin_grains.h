/* Private: grains that the phase between grains would leave nothing of. */
#ifndef MAGTWIN_THIN_GRAINS_H
#define MAGTWIN_THIN_GRAINS_H

#include "magtwin/cells.h"
#include "magtwin/microstructure.h"

/* Grain whose least width is least beside what the phase takes of it, half its thickness (nm; c->thickness before it)
 * on each side that is no wall; *width (nm): between the plane of a face and the vertex furthest from it.  -1: the
 * phase leaves something of all.  Not collective. */
int mt_cells_too_thin(const MtCells *c, double thickness, double *width);
/* *grain: the first without a voxel that is surrounded by its own kind as far as half the thickness (nm) reaches; -1:
 * there is none.  *width (nm): twice the way from its innermost voxel to the next of another grain, which is the
 * grain's thickness or a voxel more.  The same on all ranks; collective. */
PetscErrorCode mt_labels_too_thin(MPI_Comm comm, const MtLabels *l, double thickness, int *grain, double *width);

#endif
