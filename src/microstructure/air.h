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

/* A triangle on a wall of the box, the region of the tet behind it. */
typedef struct {
  int64_t key[3], tri[3]; /* ascending; as the tet has them, outward */
  int32_t region;
} MtOuterFace;
/* Faces of tets whose three nodes lie on one wall of the box, each once, sorted by key; *list from malloc. */
void mt_outer_faces(const MtTets *m, const double box[6], MtOuterFace **list, int *n);

/* Appends the layer between the box that m fills and a larger one, of `layers` elements; over grain g (region g <
 * ngrains) it has the region first + g, over all else the region of what is below.  Not collective. */
PetscErrorCode mt_surface_layer(const double from[6], const double to[6], int layers, int ngrains, int32_t first,
                                MtTets *m);

#endif
