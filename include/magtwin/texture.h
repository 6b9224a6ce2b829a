/* Texture of pictures by scale and direction, and what can be told from it.
 *
 * Steerable pyramid without subsampling, on the discrete Fourier transform of the picture (it is taken as periodic):
 * J. Portilla, E. P. Simoncelli, Int. J. Comput. Vis. 40 (2000) 49, section 2.1 and appendix.  The squares of all
 * filters add up to 1 at every frequency, so that energy is kept, and a rotation by pi/orientations permutes the bands.
 */
#ifndef MAGTWIN_TEXTURE_H
#define MAGTWIN_TEXTURE_H

#include "magtwin/input.h"
#include "magtwin/json.h"
#include <petscsys.h>
#include <stdbool.h>

enum { MT_TEXTURE_SCALES = 8, MT_TEXTURE_ORIENTATIONS = 16 }; /* at most */

typedef struct MtPyramid MtPyramid; /* opaque: sizes, filters, transforms */
/* For pictures of nx x ny pixels; 1 <= scales, with 2^scales <= min(nx, ny) / 4; 2 <= orientations.  Not collective. */
MtPyramid *mt_pyramid_new(int nx, int ny, int scales, int orientations);
void mt_pyramid_free(MtPyramid **p); /* sets *p to NULL; NULL is fine */
void mt_pyramid_size(const MtPyramid *p, int *nx, int *ny, int *scales, int *orientations);
/* Transforms image [ny nx]. */
void mt_pyramid_set(MtPyramid *p, const double *image);
/* The rest above the bands and below them, out [ny nx]; mean square of it returned. */
double mt_pyramid_high(MtPyramid *p, double *out);
double mt_pyramid_low(MtPyramid *p, double *out);
/* Band of scale 0 (finest) .. and orientation k, which answers to waves along the angle pi k / orientations from x (y
 * down).  real [ny nx]: the band; imaginary: the same a quarter of a wave on (either may be NULL).  Mean square of the
 * real one returned.  Means squares of both rests and all bands add up to that of the image. */
double mt_pyramid_band(MtPyramid *p, int scale, int k, double *real, double *imaginary);

/* Statistics of a picture (means of 0 where it is constant): moments of pixels, shares of the energy, kurtosis of each
 * band, correlations of the bands' magnitudes with each other, with those of the next scale and with themselves one
 * step away. */
int mt_texture_count(int scales, int orientations);
void mt_texture_name(int scales, int orientations, int i, char name[64]);
/* image [ny nx] -> feature [count]; *kept: |sum of all energies / energy - 1|. */
void mt_texture_features(MtPyramid *p, const double *image, double *feature, double *kept);

/* Ridge regression of y [n] on the columns of x [n, m], both centred inside, columns scaled to unit variance (constant
 * ones left out); the penalty of least leave-one-out error (exact: G. H. Golub, M. Heath, G. Wahba, Technometrics 21
 * (1979) 215) of a grid of powers of ten.  Predicts at x_new [k, m] -> y_new [k].  Returns the penalty.  n >= 3. */
double mt_ridge(int n, int m, const double *x, const double *y, int k, const double *x_new, double *y_new);
/* The first `keep` principal scores of x (scaled the same way) and of x_new on the same axes; fewer where the rest is
 * nothing: how many.  score [n, keep], score_new [k, keep]. */
int mt_scores(int n, int m, const double *x, int keep, int k, const double *x_new, double *score, double *score_new);

extern const MtKey mt_texture_keys[]; /* section texture */

/* The pictures of section topology -> texture.csv and texture.h5 (format magtwin-texture), a row a picture; with
 * texture.targets also estimates.csv.  The same on any number of ranks.  json: adds counts and scores.  Collective. */
PetscErrorCode mt_texture_run(MPI_Comm comm, const MtInput *in, const char *folder, MtJson *json);

#endif
