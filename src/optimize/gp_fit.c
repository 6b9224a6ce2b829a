/* Hyperparameters by marginal likelihood, from several starts that are dealt to the ranks.
 *
 * Method: L-BFGS on the logarithms of length scales, variance and noise.  With few points the likelihood alone is flat
 * or has its maximum at infinity; log-normal priors hold it: lengths about a unit cube's diagonal (as in C. Hvarfner et
 * al., ICML 2024, who scale with sqrt(dim)), a variance above that of the values seen (the extremes are not among them
 * yet: with a centre of 1 one search of 20 on Branin's function stopped exploring too early), little noise. */
#include "acquisition.h"
#include "gp_impl.h"
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include "magtwin/random.h"
#include <math.h>
#include <nlopt.h>
#include <string.h>

const MtGpFit mt_gp_fit_default = {.starts = 4, .screen = 120, .steps = 60, .noisy = false, .seed = 0};

static const double lowest_noise = 1e-8; /* keeps the matrix positive definite in double precision */

typedef struct {
  double centre, width, low, high; /* of the logarithm */
} Prior;

static Prior prior_of(int k, int dim) {
  if (k < dim) return (Prior){log(0.4) + 0.5 * log(dim), 1.0, log(5e-3), log(50)};
  if (k == dim) return (Prior){log(10), 1.5, log(1e-2), log(1e3)};
  return (Prior){log(1e-4), 2.5, log(lowest_noise), 0};
}

typedef struct {
  MtGp *gp;
  int nfree;        /* dim + 1, and the noise where it is free */
  double *length;   /* [dim] */
  double *slope;    /* [dim + 2] */
  double best, *at; /* the largest value met, [nfree] where */
} Search;

static MtGpHyper hyper_at(const Search *s, const double *theta) {
  const int dim = s->gp->dim;
  for (int k = 0; k < dim; k++) s->length[k] = exp(theta[k]);
  return (MtGpHyper){s->length, exp(theta[dim]), s->nfree > dim + 1 ? exp(theta[dim + 1]) : lowest_noise};
}

static double objective(unsigned n, const double *theta, double *gradient, void *data) {
  Search *s = data;
  double value;
  const MtGpHyper h = hyper_at(s, theta);
  if (!mt_gp_likelihood(s->gp, &h, &value, s->slope)) {
    for (unsigned k = 0; gradient && k < n; k++) gradient[k] = 0;
    return -1e10;
  }
  for (unsigned k = 0; k < n; k++) {
    const Prior p = prior_of((int)k, s->gp->dim);
    double z = (theta[k] - p.centre) / p.width;
    value -= 0.5 * z * z;
    if (gradient) gradient[k] = s->slope[k] - z / p.width;
  }
  if (value > s->best) {
    s->best = value;
    memcpy(s->at, theta, sizeof(double) * n);
  }
  return value;
}

/* From theta uphill; the best point met stays in s.  What NLopt returns does not matter: it may stop at rounding. */
static void climb(Search *s, double *theta, int steps) {
  const unsigned n = (unsigned)s->nfree;
  nlopt_opt opt = nlopt_create(NLOPT_LD_LBFGS, n);
  double low[n], high[n], value;
  for (unsigned k = 0; k < n; k++) {
    const Prior p = prior_of((int)k, s->gp->dim);
    low[k] = p.low;
    high[k] = p.high;
    theta[k] = fmin(fmax(theta[k], p.low), p.high);
  }
  nlopt_set_max_objective(opt, objective, s);
  nlopt_set_lower_bounds(opt, low);
  nlopt_set_upper_bounds(opt, high);
  nlopt_set_ftol_abs(opt, 1e-4);
  nlopt_set_maxeval(opt, steps);
  nlopt_optimize(opt, theta, &value);
  nlopt_destroy(opt);
}

static Search search_new(MtGp *gp, bool noisy) {
  const size_t n = (size_t)gp->dim + 2;
  double *room = mt_calloc(3 * n, sizeof(double));
  return (Search){
      .gp = gp, .nfree = gp->dim + 1 + noisy, .length = room, .slope = room + n, .best = -INFINITY, .at = room + 2 * n};
}

static void search_free(Search *s) {
  free(s->length);
}

/* Start number k, from the prior's mode (k = 0) or drawn around it. */
static void start_point(const Search *s, const MtGpFit *fit, int k, double *theta) {
  MtRandom random;
  mt_random_seed(&random, fit->seed + (uint64_t)k);
  for (int i = 0; i < s->nfree; i++) {
    const Prior p = prior_of(i, s->gp->dim);
    theta[i] = p.centre + (k ? p.width * mt_random_normal(&random) : 0);
  }
}

/* Every m-th point, so that about `screen` are left; gp itself when it has no more. */
static MtGp *thinned(MtGp *gp, int screen) {
  const int step = (gp->n + screen - 1) / screen, n = (gp->n + step - 1) / step;
  if (gp->n <= screen) return gp;
  const size_t dim = (size_t)gp->dim;
  double *x = mt_malloc(sizeof(double) * (size_t)n * (dim + 1)), *y = x + (size_t)n * dim;
  for (int i = 0; i < n; i++) {
    memcpy(x + (size_t)i * dim, gp->x + (size_t)(i * step) * dim, sizeof(double) * dim);
    y[i] = gp->y[i * step];
  }
  MtGp *few = mt_gp_create(gp->kernel, gp->dim, n, x, y);
  free(x);
  return few;
}

/* The best of all starts -> theta [nfree]; of equals the first. */
static PetscErrorCode search_starts(MPI_Comm comm, MtGp *few, const MtGpFit *fit, double *theta) {
  int rank, size;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  Search s = search_new(few, fit->noisy);
  const int width = s.nfree + 1;
  double *table = mt_calloc((size_t)fit->starts * (size_t)width, sizeof *table);
  for (int k = rank; k < fit->starts; k += size) {
    double *row = table + (size_t)k * (size_t)width;
    s.best = -1e300;
    start_point(&s, fit, k, row + 1);
    climb(&s, row + 1, fit->steps);
    row[0] = s.best;
    memcpy(row + 1, s.at, sizeof(double) * (size_t)s.nfree);
  }
  PetscErrorCode rc = mt_share_rows(comm, fit->starts, width, table);
  int best = 0;
  for (int k = 1; k < fit->starts; k++)
    if (table[k * width] > table[best * width]) best = k;
  memcpy(theta, table + (size_t)best * (size_t)width + 1, sizeof(double) * (size_t)s.nfree);
  if (!rc && table[best * width] <= -1e9)
    rc = mt_error(MT_ERR_FAIL, "no hyperparameters of the surrogate with %d points can be factored", few->n);
  free(table);
  search_free(&s);
  return rc;
}

PetscErrorCode mt_gp_fit(MPI_Comm comm, MtGp *gp, const MtGpFit *fit) {
  MtGp *few = thinned(gp, fit->screen);
  Search s = search_new(gp, fit->noisy);
  double *theta = mt_calloc((size_t)gp->dim + 2, sizeof *theta);
  PetscErrorCode rc = search_starts(comm, few, fit, theta);
  if (few != gp) {
    memcpy(s.at, theta, sizeof(double) * (size_t)s.nfree);
    if (!rc) climb(&s, theta, fit->steps / 4);
    memcpy(theta, s.at, sizeof(double) * (size_t)s.nfree);
    mt_gp_destroy(&few);
  }
  const MtGpHyper h = hyper_at(&s, theta);
  if (!rc) rc = mt_gp_condition(gp, &h);
  search_free(&s);
  free(theta);
  return rc;
}
