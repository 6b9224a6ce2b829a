/* Easy axes by chance, for generated grains and for measured ones without orientations; private to this module. */
#ifndef MAGTWIN_POWER_AXES_H
#define MAGTWIN_POWER_AXES_H

#include "magtwin/input.h"
#include "magtwin/random.h"

/* axis [3n]: unit vectors about grains.texture_axis with grains.texture_spread, or isotropic.  Not collective. */
PetscErrorCode mt_power_draw_axes(const MtInput *in, MtRandom *r, int n, double *axis);
/* orientation [4n]: unit quaternions w, x, y, z that turn crystal [001] to the axes [3n], after a turn about it drawn
 * from numbers of its own, so that nothing else of the seed changes.  Not collective. */
void mt_power_draw_turns(uint64_t seed, int n, const double *axis, double *orientation);
/* The turn by `angle` (rad) about z, followed by the shortest turn of z to the unit vector a. */
void mt_quat_to_axis(const double a[3], double angle, double q[4]);

#endif
