/* Inside of the Gaussian process: standardized data, the factor, and what is solved with it. */
#ifndef OPTIMIZE_GP_IMPL_H
#define OPTIMIZE_GP_IMPL_H

#include "magtwin/gp.h"

struct MtGp {
  MtKernel kernel;
  int dim, n;
  double *x;          /* [n, dim] */
  double *y;          /* [n] standardized */
  double shift, unit; /* target = shift + unit * y */
  MtGpHyper hyper;    /* length [dim] */
  double mean;        /* of the standardized targets, the best for the hyperparameters */
  double *factor;     /* [n, n] lower Cholesky factor of K + noise, by columns */
  double *alpha;      /* [n] (K + noise)^-1 (y - mean) */
  const MtGp *base;   /* the mean is times * that of base and what the targets leave over it; borrowed, NULL: none */
  double times;
  double *slope; /* [n, n] room for dk/dr^2, likelihood only; NULL until then */
};

/* times * mean of base at x, 0 without one; gradient [dim] unless NULL, added to. */
double mt_gp_base(const MtGp *gp, const double *x, double *gradient);
double mt_scaled_distance(int dim, const double *a, const double *b, const double *length); /* r^2 */
/* Lower triangle of variance * (k + noise on the diagonal) -> matrix [n, n] by columns; slope too unless NULL. */
void mt_gp_matrix(const MtGp *gp, const MtGpHyper *h, double *matrix, double *slope);

/* Dense steps on matrices by columns (LAPACK, BLAS).  False when not positive definite. */
bool mt_cholesky(int n, double *a);
void mt_cholesky_solve(int n, const double *factor, double *b); /* b := (L L^T)^-1 b */
/* b := L^-1 b, or L^-T b */
void mt_lower_solve(int n, const double *factor, bool transposed, double *b);
void mt_cholesky_inverse(int n, double *factor); /* lower triangle of (L L^T)^-1 in its place */

#endif
