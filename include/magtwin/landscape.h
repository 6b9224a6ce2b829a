/* The extended free energy of a series: its energies as functions of the principal components of what is seen of it.
 *
 * Formulas reconstructed from abstracts and captions of the Kotsugi group's papers (docs/numerics.md). */
#ifndef MAGTWIN_LANDSCAPE_H
#define MAGTWIN_LANDSCAPE_H

#include "magtwin/input.h"
#include "magtwin/json.h"
#include <petscsys.h>
#include <stdbool.h>
#include <stdint.h>

extern const MtKey mt_landscape_keys[]; /* section landscape (src/landscape/landscape_keys.c) */

/* Derivative of y by the number of the sample: of the parabola fitted to up to 2 half + 1 neighbours; at the ends to as
 * many, all on one side.  n >= 3, half >= 1.  Not collective. */
void mt_path_slopes(int n, int half, const double *y, double *slope);

/* A rise of an energy along the path, from a valley to the top behind it. */
typedef struct {
  int from, top; /* samples, from 0 */
  double rise;
} MtPass;
/* Rises of at least `least`; smaller ones are smoothed over.  pass [n/2 + 1]; how many.  Not collective. */
int mt_passes(int n, const double *E, double least, MtPass *pass);

/* Ridge regression of terms on features through their products: y = mean + sum over samples of alpha k(x, x_s). */
typedef struct {
  int folds;        /* 2 .. n */
  bool blocks;      /* samples next to each other are held out together, else drawn */
  int permutations; /* of the test */
  uint64_t seed;
} MtRegressionOptions;
typedef struct {
  double lambda;   /* chosen by generalized cross-validation on all samples, in units of the products */
  double score;    /* 1 - (squares of the errors)/(squares about the mean) of samples held out */
  double chance;   /* share of permuted terms that score as well, the true one included */
  double permuted; /* mean score of the permuted terms */
} MtRegression;
/* K [n n] products of the centred features, y [n][terms]; r [terms], alpha [n][terms] of the fit to all samples.  The
 * penalty is chosen anew in each fold, without the samples held out (G. Golub, M. Heath, G. Wahba, Technometrics 21
 * (1979) 215).  MT_ERR_INPUT: fewer samples than folds, or fewer than 4.  Collective: folds are dealt to the ranks; K,
 * y and the result are the same on each. */
PetscErrorCode mt_regression(MPI_Comm comm, const MtRegressionOptions *o, int n, const double *K, int terms,
                             const double *y, MtRegression *r, double *alpha);

/* The value from which on the largest lie that together have `share` of the weight.  Collective. */
PetscErrorCode mt_top_threshold(MPI_Comm comm, int64_t n, const double *value, const double *weight, double share,
                                double *threshold);
/* Area under the receiver operating characteristic of score against label, ties and values that agree to 0.4 % counted
 * half; NaN if one of the two kinds is missing.  Collective. */
PetscErrorCode mt_roc_area(MPI_Comm comm, int64_t n, const double *score, const bool *label, double *area);

/* Sections pca and landscape: writes what magtwin pca does, landscape.h5 (format magtwin-landscape), landscape.csv,
 * passes.csv and, of fields on a mesh or features of sampled states, maps.xdmf.  Collective. */
PetscErrorCode mt_landscape_run(MPI_Comm comm, const MtInput *in, const char *folder, MtJson *json);

#endif
