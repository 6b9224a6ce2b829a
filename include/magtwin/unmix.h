/* Spectrum images as sums of few components: non-negative matrix factorization with one side orthogonal, so that every
 * pixel (or channel) belongs to one component.
 *
 * X [pixels, channels] >= 0 is approximated by maps [pixels, k] times spectra [k, channels], both >= 0.
 */
#ifndef MAGTWIN_UNMIX_H
#define MAGTWIN_UNMIX_H

#include "magtwin/input.h"
#include "magtwin/json.h"
#include <petscsys.h>
#include <stdint.h>

typedef enum { MT_UNMIX_MAPS, MT_UNMIX_SPECTRA, MT_UNMIX_NONE } MtUnmixSide;
typedef struct {
  int components;
  MtUnmixSide orthogonal;
  int starts, iterations;
  double tolerance; /* relative change of the residual's square at which a start ends */
  uint64_t seed;
} MtUnmixOptions;

typedef struct {
  double residual; /* |X - maps spectra| / |X| */
  double overlap;  /* largest cosine of two maps (spectra) of the orthogonal side */
  int iterations;  /* of the best start */
} MtUnmixResult;

/* x [n, channels]: the rows of this rank; maps [n, k], spectra [k, channels] (the same on all ranks, of unit length;
 * components in the order of their share, largest first).  The first start takes the pixels that differ most
 * (successive projections), the others random ones; the best is kept.  Updates: A. Cichocki, A.-H. Phan, IEICE Trans.
 * Fundam. E92-A (2009) 708 (HALS); K. Kimura, Y. Tanaka, M. Kudo, JMLR W&CP 39 (2015) 129 (orthogonal side); in the
 * end each pixel (channel) is given to one component: F. Pompili et al., Neurocomputing 141 (2014) 15.
 * Collective. */
PetscErrorCode mt_unmix(MPI_Comm comm, const MtUnmixOptions *o, int64_t n, int channels, const double *x, double *maps,
                        double *spectra, MtUnmixResult *result);

extern const MtKey mt_unmix_keys[]; /* section unmix */
/* Writes unmix.h5 (format magtwin-unmix), spectra.csv.  json: adds results.  Collective. */
PetscErrorCode mt_unmix_run(MPI_Comm comm, const MtInput *in, const char *folder, MtJson *json);

#endif
