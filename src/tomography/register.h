/* Two pictures of one section, taken with different detectors: which pixel of one shows what a pixel of the other does;
 * private to this module. */
#ifndef TOMOGRAPHY_REGISTER_H
#define TOMOGRAPHY_REGISTER_H

#include "clean.h"

typedef struct {
  int nx, ny;
  float *gray, *marks; /* [ny nx] the picture; how much darker a pixel is than its surroundings, in the noise; owned */
  double lo[2], hi[2]; /* px, the bright body of the section: first and last column and row */
} MtView;
/* Fills marks, lo and hi from gray.  Not collective. */
void mt_view_measure(MtView *v);
void mt_view_free(MtView *v);

/* Pixel (x, y) of one picture is pixel (m[0] + m[1] x + m[2] y, m[3] + m[4] x + m[5] y) of the other. */
typedef struct {
  double m[6], correlation; /* of the marks, smoothed by 2 px */
  bool mirrored;
} MtAffine;
/* The map that lays the marks of `moving` on those of `fixed`: from the outlines of the bodies, also mirrored, by least
 * squares over smaller and smaller smoothing; false if neither leads anywhere.  Not collective.
 * Source: G. D. Evangelidis, E. Z. Psarakis, IEEE Trans. PAMI 30, 1858 (2008). */
bool mt_affine_find(const MtView *fixed, const MtView *moving, MtAffine *a);
/* v [ny nx] of `fixed`: what `from`, of the layout of `moving`, holds there; 0 beyond it. */
void mt_affine_apply(const MtAffine *a, const MtView *fixed, const MtView *moving, const float *from, float *v);

#endif
