/* Easy axes by chance, for generated grains and for measured ones without orientations; private to this module. */
#ifndef MAGTWIN_POWER_AXES_H
#define MAGTWIN_POWER_AXES_H

#include "magtwin/input.h"
#include "magtwin/random.h"

/* axis [3n]: unit vectors about grains.texture_axis with grains.texture_spread, or isotropic.  Not collective. */
PetscErrorCode mt_power_draw_axes(const MtInput *in, MtRandom *r, int n, double *axis);

#endif
