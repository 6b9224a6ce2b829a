/* Private: the air around the magnet. */
#ifndef MAGTWIN_AIR_H
#define MAGTWIN_AIR_H

#include "gb_fill.h"
#include "magtwin/input.h"

/* Appends the air between the magnet (all of m) in `box` and the sphere (centre, radius) to m.  Not collective. */
PetscErrorCode mt_air_add(const double box[6], const double sphere[4], double size, int32_t region, MtTets *m);

/* mesh.air.radius leaves room for a layer of tets, or there is no air.  MT_ERR_INPUT with the place.  Not collective.
 */
PetscErrorCode mt_air_check(const MtInput *in);

#endif
