/* Drift of the stage between slices; private to this module. */
#ifndef TOMOGRAPHY_DRIFT_H
#define TOMOGRAPHY_DRIFT_H

#include "clean.h"

/* ---- one pair of pictures ---- */

typedef struct MtMatcher MtMatcher; /* work space for pairs of w x h pixels, and the transform of one picture */
MtMatcher *mt_matcher_create(int w, int h, double whitening);
void mt_matcher_destroy(MtMatcher **m);
/* How far b lies from a, in whole pixels: b(x + shift) looks like a(x).  a, b: pixels of pictures with rows `stride`
 * apart, at the corner of the w x h pixels that are compared.  shift [2] px.  whitening: 0 cross-correlation .. 1 phase
 * correlation.
 * Source: C. D. Kuglin, D. C. Hines, IEEE Conf. Cybern. Soc. 1975, 163.  Not collective. */
void mt_match(MtMatcher *m, const float *a, const float *b, int stride, int shift[2]);

typedef struct {
  int w, h, stride;    /* pixels that are compared, and of a row */
  double lo[2], hi[2]; /* where b has been measured, from the corner of what is compared, px */
  double most;         /* largest shift, px */
} MtRefine;
/* shift [2], near already -> to .003 px: a(x) = gain b(x + shift) + offset by least squares over a Hann window.  a, b:
 * smoothed pixels at the corner of what is compared, with most + 3 more of them around.  agreement: the coefficient of
 * correlation there.  False if it leads nowhere.  Not collective. */
bool mt_refine(const MtRefine *r, const float *a, const float *b, double shift[2], double *agreement);

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
