/* Weights that give every cell of a power diagram its volume, used inside the module. */
#ifndef MAGTWIN_POWER_TRANSPORT_H
#define MAGTWIN_POWER_TRANSPORT_H

#include "magtwin/cells.h"

/* Changes p->weight until every cell has its volume[k] (nm3, > 0, adding up to the box) to `tolerance` relative; starts
 * from the weights in p when no cell is empty with them, else from zero.  c receives the cells (free with
 * mt_cells_free).  MT_ERR_FAIL if it does not converge.  Not collective.  Source: J. Kitagawa, Q. Merigot, B. Thibert,
 * J. Eur. Math. Soc. 21, 2603 (2019). */
PetscErrorCode mt_power_set_volumes(MtPower *p, const double *volume, double tolerance, MtCells *c);

#endif
