/* Probability of success by Gaussian-process classification (gp.h).
 *
 * Method: latent = offset + g, g a Gaussian process, P(success) = Phi(latent).  The offset makes the probability far
 * from all data that of the shares seen, (successes + 1)/(n + 2).  Laplace: Newton on the posterior of g at the data.
 */
#include "gp_impl.h"
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include "normal.h"
#include <math.h>
#include <string.h>

struct MtFeasible {
  MtKernel kernel;
  int dim, n;
  double *x;      /* [n, dim] */
  double *sign;   /* [n] +1 success, -1 failure */
  double *length; /* [dim], all equal */
  double variance, offset;
  double evidence; /* log of the approximate marginal likelihood */
  double *k;       /* [n, n] symmetric */
  double *factor;  /* [n, n] of B = 1 + W^1/2 K W^1/2 */
  double *root;    /* [n] W^1/2 */
  double *pull;    /* [n] d log p / df */
};

void mt_feasible_destroy(MtFeasible **f) {
  if (!*f) return;
  free((*f)->x);
  free((*f)->sign);
  free((*f)->length);
  free((*f)->k);
  free((*f)->factor);
  free((*f)->root);
  free((*f)->pull);
  free(*f);
  *f = NULL;
}

/* The normal quantile by bisection on log Phi: a handful of calls. */
static double quantile(double p) {
  double low = -10, high = 10;
  for (int i = 0; i < 60; i++) {
    double mid = 0.5 * (low + high);
    *(mt_log_cdf(mid) < log(p) ? &low : &high) = mid;
  }
  return low;
}

static void fill_kernel(MtFeasible *f, double length, double variance, double share) {
  const size_t n = (size_t)f->n, dim = (size_t)f->dim;
  double slope;
  for (size_t k = 0; k < dim; k++) f->length[k] = length;
  f->variance = variance;
  f->offset = quantile(share) * sqrt(1 + variance);
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < n; j++)
      f->k[i * n + j] =
          variance *
          mt_kernel(f->kernel, mt_scaled_distance(f->dim, f->x + i * dim, f->x + j * dim, f->length), &slope);
}

/* Likelihood terms at the latent values; returns sum log p. */
static double likelihood(MtFeasible *f, const double *g) {
  double sum = 0;
  for (int i = 0; i < f->n; i++) {
    double z = f->sign[i] * (f->offset + g[i]), log_cdf = mt_log_cdf(z);
    double ratio = exp(mt_log_density(z) - log_cdf);
    sum += log_cdf;
    f->pull[i] = f->sign[i] * ratio;
    f->root[i] = sqrt(fmax(ratio * (ratio + z), 0));
  }
  return sum;
}

static void multiply(const MtFeasible *f, const double *a, double *ka) {
  const size_t n = (size_t)f->n;
  for (size_t i = 0; i < n; i++) {
    ka[i] = 0;
    for (size_t j = 0; j < n; j++) ka[i] += f->k[i * n + j] * a[j];
  }
}

static bool factor_b(MtFeasible *f) {
  const size_t n = (size_t)f->n;
  for (size_t j = 0; j < n; j++)
    for (size_t i = 0; i < n; i++) f->factor[j * n + i] = (i == j) + f->root[i] * f->k[i * n + j] * f->root[j];
  return mt_cholesky(f->n, f->factor);
}

/* One step of RW algorithm 3.1: g -> new g and a = K^-1 g. */
static bool newton_step(MtFeasible *f, double *g, double *a, double *room) {
  const int n = f->n;
  if (!factor_b(f)) return false;
  for (int i = 0; i < n; i++) a[i] = f->root[i] * f->root[i] * g[i] + f->pull[i];
  multiply(f, a, room);
  for (int i = 0; i < n; i++) room[i] *= f->root[i];
  mt_cholesky_solve(n, f->factor, room);
  for (int i = 0; i < n; i++) a[i] -= f->root[i] * room[i];
  multiply(f, a, g);
  return true;
}

static bool approximate(MtFeasible *f) {
  const size_t n = (size_t)f->n;
  double *g = mt_calloc(3 * n, sizeof *g), *a = g + n, *room = g + 2 * n, old = -INFINITY;
  bool good = true, settled = false;
  likelihood(f, g);
  for (int it = 0; it < 100 && good && !settled; it++) {
    double psi = 0;
    good = newton_step(f, g, a, room);
    double sum = likelihood(f, g);
    for (size_t i = 0; i < n; i++) psi -= 0.5 * a[i] * g[i];
    psi += sum;
    settled = fabs(psi - old) < 1e-9 * (1 + fabs(psi));
    old = psi;
  }
  good = good && settled && factor_b(f);
  f->evidence = old;
  for (size_t i = 0; i < n && good; i++) f->evidence -= log(f->factor[i * n + i]);
  free(g);
  return good;
}

static bool choose(MtFeasible *f, double share) {
  static const double lengths[] = {0.15, 0.3, 0.6}, variances[] = {1, 4, 16};
  double best = -INFINITY, length = 0, variance = 0;
  for (int i = 0; i < 9; i++) {
    double l = lengths[i % 3] * sqrt(f->dim), v = variances[i / 3];
    fill_kernel(f, l, v, share);
    if (!approximate(f) || f->evidence <= best) continue;
    best = f->evidence;
    length = l;
    variance = v;
  }
  if (best == -INFINITY) return false;
  fill_kernel(f, length, variance, share);
  return approximate(f);
}

PetscErrorCode mt_feasible_create(MtKernel kernel, int dim, int n, const double *x, const bool *good,
                                  MtFeasible **out) {
  const size_t m = (size_t)n, d = (size_t)dim;
  MtFeasible *f = *out = mt_calloc(1, sizeof *f);
  int successes = 0;
  f->kernel = kernel;
  f->dim = dim;
  f->n = n;
  f->x = memcpy(mt_malloc(sizeof(double) * m * d), x, sizeof(double) * m * d);
  f->sign = mt_malloc(sizeof(double) * m);
  f->length = mt_malloc(sizeof(double) * d);
  f->k = mt_malloc(sizeof(double) * m * m);
  f->factor = mt_malloc(sizeof(double) * m * m);
  f->root = mt_malloc(sizeof(double) * m);
  f->pull = mt_malloc(sizeof(double) * m);
  for (size_t i = 0; i < m; i++) {
    f->sign[i] = good[i] ? 1 : -1;
    successes += good[i];
  }
  if (choose(f, (successes + 1.0) / (n + 2.0))) return 0;
  mt_feasible_destroy(out);
  return mt_error(MT_ERR_FAIL, "the probability of success cannot be learnt from %d evaluations", n);
}

double mt_feasible_log(const MtFeasible *f, const double *x, double *gradient) {
  const size_t n = (size_t)f->n, dim = (size_t)f->dim;
  double *v = mt_malloc(sizeof(double) * 2 * n), *slope = v + n, mean = f->offset, explained = 0;
  for (size_t i = 0; i < n; i++) {
    double d, r2 = mt_scaled_distance(f->dim, x, f->x + i * dim, f->length);
    double k = f->variance * mt_kernel(f->kernel, r2, &d);
    slope[i] = f->variance * d;
    mean += k * f->pull[i];
    v[i] = f->root[i] * k;
  }
  mt_lower_solve(f->n, f->factor, false, v);
  for (size_t i = 0; i < n; i++) explained += v[i] * v[i];
  double scale = sqrt(1 + fmax(f->variance - explained, 0)), z = mean / scale, value = mt_log_cdf(z);
  if (gradient) {
    double ratio = exp(mt_log_density(z) - value);
    mt_lower_solve(f->n, f->factor, true, v);
    for (size_t k = 0; k < dim; k++) gradient[k] = 0;
    for (size_t i = 0; i < n; i++) /* d mean = pull dk, d var = -2 root v dk */
      for (size_t k = 0; k < dim; k++) {
        double dk = 2 * slope[i] * (x[k] - f->x[i * dim + k]) / (f->length[k] * f->length[k]);
        gradient[k] += ratio * dk * (f->pull[i] / scale + z / (scale * scale) * f->root[i] * v[i]);
      }
  }
  free(v);
  return value;
}
