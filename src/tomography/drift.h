/* Drift of the stage between slices; private to this module. */
#ifndef TOMOGRAPHY_DRIFT_H
#define TOMOGRAPHY_DRIFT_H

#include "clean.h"

/* ---- one pair of pictures ---- */

typedef struct MtMatcher MtMatcher; /* work space for pairs of w x h pixels, and the transform of one picture */
MtMatcher *mt_matcher_create(int w, int h, double whitening);
void mt_matcher_destroy(MtMatcher **m);
/* How far b lies from a: b(x + shift) looks like a(x).  a, b: pixels of pictures with rows `stride` apart, at the
 * corner of the w x h pixels that are compared.  guess: where whole pixels begin (0, 0), with b read there; the pixels
 * guess .. guess + (w, h) must exist.  shift [2] px; peak: height of the correlation, 0 .. 1 of what equal pictures
 * give. whitening: 0 cross-correlation .. 1 phase correlation; the peak to .01 px by a discrete Fourier
 * transform around it.
 * Sources: C. D. Kuglin, D. C. Hines, IEEE Conf. Cybern. Soc. 1975, 163; M. Guizar-Sicairos, S. T. Thurman,
 * J. R. Fienup, Opt. Lett. 33, 156 (2008).  Not collective. */
void mt_match(MtMatcher *m, const float *a, const float *b, int stride, const int guess[2], double shift[2],
              double *peak);

/* ---- all slices ---- */

typedef struct {
  int from, to;
  double shift[2], weight; /* to lies at shift from `from`, px; weight 0: no peak */
} MtPair;

typedef struct {
  double *at;     /* [2 nz] px: the slice's pixel at[k] + x shows what the first slice's pixel x shows; owned */
  double *misfit; /* [nz] px: weighted rms of the pairs of the slice against `at`; 0 for lost slices; owned */
  double rms;     /* of all pairs */
  int npairs, nrejected;
} MtDrift;
void mt_drift_free(MtDrift *d);

/* Positions of nz slices from pairs: least squares with weights that fall for pairs far off (Huber), lost slices on the
 * straight line between their neighbours, the first slice at 0.  MT_ERR_INPUT if the pairs do not hold all slices
 * together.  Not collective. */
PetscErrorCode mt_drift_solve(int nz, const uint8_t *lost, int npairs, const MtPair *pair, MtDrift *d);

/* Compares every slice with those up to `distance` slices on, by the pixels of `where`, and solves.  A shift from slice
 * to slice of more than `most` px is not looked for.  The same bits for any number of ranks.  Collective. */
PetscErrorCode mt_drift_find(MPI_Comm comm, const MtStack *s, MtRect where, int distance, int most, double whitening,
                             MtDrift *d);

/* The rectangle of the first slice that all slices show. */
MtRect mt_drift_common(const MtStack *s, const MtDrift *d);
/* Moves every slice onto the first by cubic convolution (R. G. Keys, IEEE Trans. ASSP 29, 1153 (1981)), keeps the
 * pixels of `where` and fills lost slices linearly between the nearest measured ones.  Collective. */
PetscErrorCode mt_drift_apply(MPI_Comm comm, MtStack *s, const MtDrift *d, MtRect where);

#endif
