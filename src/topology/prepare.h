/* What is done to an image before its homology; private to this module.  Not collective. */
#ifndef TOPOLOGY_PREPARE_H
#define TOPOLOGY_PREPARE_H

#include "magtwin/topology.h"

typedef struct {
  int n[3];
  bool periodic[3];
  const uint8_t *hidden; /* [n0 n1 n2] holes; NULL: none; the images' */
  double blur;           /* pixels; 0: none */
  bool binary, bright;   /* distance of the phases; inside is the bright one */
  double threshold;      /* NAN: half way between the extremes */
  MtMetric metric;
} MtPrepare;

/* Section topology for images such as this one. */
MtPrepare mt_prepare_options(const MtInput *in, const MtCubical *image);
/* MT_ERR_INPUT, naming the image, where a pixel that is seen is not finite; then blur and distance, in place. */
PetscErrorCode mt_prepare(const MtPrepare *p, const char *name, double *value);

#endif
