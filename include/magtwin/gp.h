/* Gaussian-process regression with one length scale a coordinate, for Bayesian optimization.
 *
 * Inputs lie in the unit cube; targets are standardized inside (mean 0, variance 1) and given back in the caller's
 * unit.  Dense factorizations by LAPACK: time n^3/3 and memory 2 n^2 doubles for n points, the same on every rank.
 * Source: C. E. Rasmussen, C. K. I. Williams, Gaussian Processes for Machine Learning, MIT Press (2006), chapters 2, 4,
 * 5; cited below as RW.
 */
#ifndef MAGTWIN_GP_H
#define MAGTWIN_GP_H

#include <petscsys.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum { MT_MATERN52, MT_MATERN32 } MtKernel;

/* Hyperparameters of standardized targets.  Kernel: variance * k(r), r^2 = sum_i (x_i - y_i)^2 / length_i^2. */
typedef struct {
  double *length;  /* [dim] in the unit cube; owned by whoever made the array */
  double variance; /* of the signal */
  double noise;    /* variance of the noise over that of the signal */
} MtGpHyper;

typedef struct MtGp MtGp; /* opaque */

/* A kernel of unit variance at squared scaled distance r2 >= 0, and its derivative by r2 (RW eq. 4.17; finite at 0). */
double mt_kernel(MtKernel kernel, double r2, double *slope);

/* n points x [n, dim] (row by row) with targets y [n]; copied.  All y equal is fine.  Not collective; free with
 * mt_gp_destroy. */
MtGp *mt_gp_create(MtKernel kernel, int dim, int n, const double *x, const double *y);
/* The same for a task related to that of base, a process that is conditioned and stays: y = a * mean of base + what
 * this process models, a by least squares with a weight of two points on a = 1 (M. C. Kennedy, A. O'Hagan, Biometrika
 * 87, 1 (2000), of two codes).  The uncertainty of base does not count. */
MtGp *mt_gp_create_over(const MtGp *base, MtKernel kernel, int dim, int n, const double *x, const double *y);
/* Sets *gp to NULL; NULL is fine. */
void mt_gp_destroy(MtGp **gp);

/* Logarithm of the marginal likelihood of the standardized targets, with the mean at its best value, and, unless
 * gradient is NULL, its derivatives by log length_i [dim], log variance, log noise (RW eqs. 2.30, 5.9): [dim + 2].
 * False where the matrix cannot be factored.  Not collective. */
bool mt_gp_likelihood(MtGp *gp, const MtGpHyper *h, double *value, double *gradient);

/* How the hyperparameters are found: the maximum of the likelihood times weak log-normal priors, by L-BFGS (NLopt) from
 * `starts` points, the first at the priors' mode, the others drawn from them with `seed`.  Of more than `screen` points
 * only that many take part in the search from several starts; its best is then improved with all. */
typedef struct {
  int starts, screen;
  int steps;  /* evaluations a start, at most; a quarter of it for the last improvement with all points */
  bool noisy; /* false: the noise is at its lower bound, 1e-8 of the signal (a computation without scatter) */
  uint64_t seed;
} MtGpFit;
extern const MtGpFit mt_gp_fit_default;
/* Finds the hyperparameters and conditions on them.  The starts are dealt to the ranks; the result has the same bits on
 * every rank and for any number of them (of one kind of machine).  MT_ERR_FAIL if no start can be factored.
 * Collective. */
PetscErrorCode mt_gp_fit(MPI_Comm comm, MtGp *gp, const MtGpFit *fit);
/* Conditions on given hyperparameters.  MT_ERR_FAIL if the matrix cannot be factored.  Not collective. */
PetscErrorCode mt_gp_condition(MtGp *gp, const MtGpHyper *h);
/* Those in use; length is owned by gp. */
MtGpHyper mt_gp_hyper(const MtGp *gp);

/* Mean and, unless NULL, standard deviation (of the function, without noise) at x [dim], in the unit of the targets;
 * gradients [dim] by x unless NULL (RW eqs. 2.25, 2.26).  Not collective. */
void mt_gp_predict(const MtGp *gp, const double *x, double *mean, double *sd, double *dmean, double *dsd);

/* A new process that has seen m more points x [m, dim] with the given targets, under the same hyperparameters and
 * standardization.  MT_ERR_FAIL if it cannot be factored.  Not collective. */
PetscErrorCode mt_gp_extend(const MtGp *gp, int m, const double *x, const double *y, MtGp **more);

/* Several joint draws of what may come out at the last m points of gp, which are under way and stand in it with the
 * values expected of them (mt_gp_extend): taken over, destroyed with the draws.  Not collective. */
typedef struct MtGpDraws MtGpDraws;
MtGpDraws *mt_gp_draws_create(MtGp *gp, int m, int draws, uint64_t seed);
void mt_gp_draws_destroy(MtGpDraws **d); /* NULL is fine */
int mt_gp_draws_count(const MtGpDraws *d);
const double *mt_gp_draws_values(const MtGpDraws *d, int draw, int *m); /* [m] in the unit of the targets */
/* Given each draw: mean [draws], gradients dmean [draws, dim]; the standard deviation is the same for all.  dmean and
 * dsd both or neither. */
void mt_gp_draws_predict(const MtGpDraws *d, const double *x, double *mean, double *sd, double *dmean, double *dsd);

int mt_gp_points(const MtGp *gp, int *dim); /* n */

/* What is expected of each point when it alone is left out (hyperparameters kept), with the noise: mean [n], sd [n] in
 * the unit of the targets (RW eq. 5.12).  Not collective. */
void mt_gp_left_out(const MtGp *gp, double *mean, double *sd);

/* A function drawn from the posterior, which can be evaluated anywhere: random Fourier features of the prior, corrected
 * to pass through the data (J. T. Wilson et al., ICML 2020, Matheron's rule).  Not collective. */
typedef struct MtGpSample MtGpSample;
MtGpSample *mt_gp_sample(const MtGp *gp, int features, uint64_t seed); /* borrows gp */
/* Its value at x [dim] in the unit of the targets; gradient [dim] unless NULL. */
double mt_gp_sample_at(const MtGpSample *s, const double *x, double *gradient);
void mt_gp_sample_destroy(MtGpSample **s);

/* Probability that an evaluation succeeds, learnt from those that did and did not: classification with a probit
 * likelihood by Laplace's approximation (RW sections 3.4, 3.5, algorithms 3.1, 3.2), one length scale and one variance
 * of the largest approximate likelihood on a small grid. */
typedef struct MtFeasible MtFeasible;
/* x [n, dim]; good [n].  MT_ERR_FAIL if Newton's method does not converge.  Not collective. */
PetscErrorCode mt_feasible_create(MtKernel kernel, int dim, int n, const double *x, const bool *good, MtFeasible **f);
void mt_feasible_destroy(MtFeasible **f);
/* log P(success at x); gradient [dim] unless NULL. */
double mt_feasible_log(const MtFeasible *f, const double *x, double *gradient);

#endif
