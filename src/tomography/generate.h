/* Steps of drawing a stack; private to this module. */
#ifndef TOMOGRAPHY_GENERATE_H
#define TOMOGRAPHY_GENERATE_H

#include "magtwin/image.h"
#include "scene.h"

typedef struct {
  MtScene scene;
  uint64_t seed;
  int nx, ny, nz; /* voxels of the truth */
  int margin;     /* pixels around it that drift may use up */
  int marks;      /* rows of the layer with lines, above it */
  int mx, my;     /* pixels of a picture */
  double *drift;  /* [2 nz] pixels, the first 0; owned */
  double blur, dose, noise, curtains, shading, flicker;
  MtImage image;
} MtPainter;

/* Pixels of slice k with the grains as they are, shifted by the slice's drift: gray [my mx]. */
void mt_paint_slice(const MtPainter *p, int k, float *gray);
/* Blur, curtains, shading, noise: gray [my mx], by the numbers of slice k. */
void mt_paint_defects(const MtPainter *p, int k, float *gray);
/* Truth at the voxel centres of slice k: label [ny nx], grain, or -1 in a pocket. */
void mt_paint_truth(const MtPainter *p, int k, int32_t *label);

#endif
