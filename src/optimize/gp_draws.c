/* Points under way, with several joint draws of what may come out there instead of the values expected (gp.h).
 *
 * All draws share the covariance matrix of the points that are known and those under way: only the weights of the mean
 * differ.  The last rows of its Cholesky factor are those of the posterior covariance of the points under way, from
 * which the draws are made. */
#include "gp_impl.h"
#include "magtwin/memory.h"
#include "magtwin/random.h"
#include <math.h>
#include <string.h>

struct MtGpDraws {
  MtGp *gp;      /* owned: of the known points and those under way, at their expected values */
  int n, m;      /* draws; points under way */
  double *alpha; /* [n, gp->n] standardized */
  double *y;     /* [n, m] drawn values, in the unit of the targets */
};

/* Normal numbers in pairs of opposite sign: what is linear in them averages to its exact value. */
static void normals(MtRandom *random, int draw, int m, double *z) {
  for (int i = 0; i < m; i++) z[i] = draw % 2 ? -z[i] : mt_random_normal(random);
}

MtGpDraws *mt_gp_draws_create(MtGp *gp, int m, int draws, uint64_t seed) {
  const size_t n = (size_t)gp->n, known = n - (size_t)m;
  MtGpDraws *d = mt_calloc(1, sizeof *d);
  double *z = mt_calloc((size_t)m, sizeof *z);
  MtRandom random;
  mt_random_seed(&random, seed);
  *d = (MtGpDraws){gp, draws, m, mt_calloc((size_t)draws * n, sizeof(double)),
                   mt_malloc(sizeof(double) * (size_t)draws * (size_t)m)};
  for (int s = 0; s < draws; s++) {
    double *alpha = d->alpha + (size_t)s * n;
    normals(&random, s, m, z);
    for (size_t i = 0; i < n; i++) alpha[i] = gp->y[i] - gp->mean;
    for (size_t i = 0; i < (size_t)m; i++) {
      for (size_t j = 0; j <= i; j++) alpha[known + i] += gp->factor[(known + j) * n + known + i] * z[j];
      d->y[(size_t)s * (size_t)m + i] = gp->shift + gp->unit * (alpha[known + i] + gp->mean) +
                                        mt_gp_base(gp, gp->x + (known + i) * (size_t)gp->dim, NULL);
    }
    mt_cholesky_solve(gp->n, gp->factor, alpha);
  }
  free(z);
  return d;
}

void mt_gp_draws_destroy(MtGpDraws **d) {
  if (!*d) return;
  mt_gp_destroy(&(*d)->gp);
  free((*d)->alpha);
  free((*d)->y);
  free(*d);
  *d = NULL;
}

int mt_gp_draws_count(const MtGpDraws *d) {
  return d->n;
}

const double *mt_gp_draws_values(const MtGpDraws *d, int draw, int *m) {
  *m = d->m;
  return d->y + (size_t)draw * (size_t)d->m;
}

void mt_gp_draws_predict(const MtGpDraws *d, const double *x, double *mean, double *sd, double *dmean, double *dsd) {
  const MtGp *gp = d->gp;
  const size_t n = (size_t)gp->n, dim = (size_t)gp->dim;
  double *k = mt_malloc(sizeof *k * 2 * n), *slope = k + n, expected;
  mt_gp_predict(gp, x, &expected, sd, dmean, dsd); /* dmean: of the expected values; overwritten below */
  for (size_t i = 0; i < n; i++) {
    double r2 = mt_scaled_distance(gp->dim, x, gp->x + i * dim, gp->hyper.length);
    k[i] = gp->hyper.variance * mt_kernel(gp->kernel, r2, &slope[i]);
    slope[i] *= gp->hyper.variance;
  }
  for (int s = 0; s < d->n; s++) {
    const double *alpha = d->alpha + (size_t)s * n;
    double sum = gp->mean, *gradient = dmean ? dmean + (size_t)s * dim : NULL;
    for (size_t i = 0; i < n; i++) sum += k[i] * alpha[i];
    mean[s] = gp->shift + gp->unit * sum + mt_gp_base(gp, x, NULL);
    for (size_t c = 0; gradient && c < dim; c++) {
      const double l = gp->hyper.length[c];
      gradient[c] = 0;
      for (size_t i = 0; i < n; i++) gradient[c] += alpha[i] * 2 * slope[i] * (x[c] - gp->x[i * dim + c]) / (l * l);
      gradient[c] *= gp->unit;
    }
    if (gradient) mt_gp_base(gp, x, gradient);
  }
  free(k);
}
