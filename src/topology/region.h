/* Steps from pixel to pixel; private to this module.  Not collective. */
#ifndef TOPOLOGY_REGION_H
#define TOPOLOGY_REGION_H

#include "magtwin/topology.h"

/* The pixel one step of -1, 0, 1 along each axis away; -1: outside. */
int64_t mt_pixel_step(const MtCubical *im, int64_t pixel, const int step[3]);

#endif
