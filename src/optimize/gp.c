/* Gaussian process: data, conditioning, prediction (gp.h). */
#include "gp_impl.h"
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include <math.h>
#include <string.h>

double mt_kernel(MtKernel kernel, double r2, double *slope) {
  double root = sqrt((kernel == MT_MATERN52 ? 5 : 3) * r2), decay = exp(-root);
  if (kernel == MT_MATERN52) {
    *slope = -5.0 / 6 * (1 + root) * decay;
    return (1 + root + root * root / 3) * decay;
  }
  *slope = -1.5 * decay;
  return (1 + root) * decay;
}

double mt_scaled_distance(int dim, const double *a, const double *b, const double *length) {
  double r2 = 0;
  for (int i = 0; i < dim; i++) {
    double d = (a[i] - b[i]) / length[i];
    r2 += d * d;
  }
  return r2;
}

static void *copy(const void *data, size_t size) {
  return memcpy(mt_malloc(size), data, size);
}

/* Shift and unit of the targets: their mean and standard deviation; equal targets keep their own size. */
static void standardize(MtGp *gp, const double *y) {
  double sum = 0, square = 0;
  for (int i = 0; i < gp->n; i++) sum += y[i];
  gp->shift = gp->n ? sum / gp->n : 0;
  for (int i = 0; i < gp->n; i++) square += (y[i] - gp->shift) * (y[i] - gp->shift);
  double sd = gp->n > 1 ? sqrt(square / (gp->n - 1)) : 0;
  gp->unit = sd > 1e-14 * fabs(gp->shift) && sd > 0 ? sd : gp->shift != 0 ? fabs(gp->shift) : 1;
  for (int i = 0; i < gp->n; i++) gp->y[i] = (y[i] - gp->shift) / gp->unit;
}

MtGp *mt_gp_create(MtKernel kernel, int dim, int n, const double *x, const double *y) {
  MtGp *gp = mt_calloc(1, sizeof *gp);
  gp->kernel = kernel;
  gp->dim = dim;
  gp->n = n;
  gp->x = copy(x, sizeof(double) * (size_t)n * (size_t)dim);
  gp->y = mt_malloc(sizeof(double) * (size_t)n);
  gp->hyper.length = mt_calloc((size_t)dim, sizeof(double));
  gp->factor = mt_malloc(sizeof(double) * (size_t)n * (size_t)n);
  gp->alpha = mt_malloc(sizeof(double) * (size_t)n);
  standardize(gp, y);
  return gp;
}

void mt_gp_destroy(MtGp **gp) {
  if (!*gp) return;
  free((*gp)->x);
  free((*gp)->y);
  free((*gp)->hyper.length);
  free((*gp)->factor);
  free((*gp)->alpha);
  free((*gp)->slope);
  free(*gp);
  *gp = NULL;
}

int mt_gp_points(const MtGp *gp, int *dim) {
  if (dim) *dim = gp->dim;
  return gp->n;
}

MtGpHyper mt_gp_hyper(const MtGp *gp) {
  return gp->hyper;
}

void mt_gp_matrix(const MtGp *gp, const MtGpHyper *h, double *matrix, double *slope) {
  const size_t n = (size_t)gp->n, dim = (size_t)gp->dim;
  double d;
  for (size_t j = 0; j < n; j++) {
    matrix[j * n + j] = h->variance * (1 + h->noise);
    for (size_t i = j + 1; i < n; i++) {
      double r2 = mt_scaled_distance(gp->dim, gp->x + i * dim, gp->x + j * dim, h->length);
      matrix[j * n + i] = h->variance * mt_kernel(gp->kernel, r2, &d);
      if (slope) slope[j * n + i] = h->variance * d;
    }
  }
}

static void set_hyper(MtGp *gp, const MtGpHyper *h) {
  memmove(gp->hyper.length, h->length, sizeof(double) * (size_t)gp->dim);
  gp->hyper.variance = h->variance;
  gp->hyper.noise = h->noise;
}

/* alpha and the mean that makes the likelihood largest, 1^T C^-1 y / 1^T C^-1 1, from the factor. */
static void solve_targets(MtGp *gp) {
  double over = 0, under = 0;
  double *ones = mt_malloc(sizeof(double) * (size_t)gp->n);
  for (int i = 0; i < gp->n; i++) ones[i] = 1;
  mt_cholesky_solve(gp->n, gp->factor, ones);
  for (int i = 0; i < gp->n; i++) {
    over += ones[i] * gp->y[i];
    under += ones[i];
  }
  gp->mean = gp->n ? over / under : 0;
  for (int i = 0; i < gp->n; i++) gp->alpha[i] = gp->y[i] - gp->mean;
  mt_cholesky_solve(gp->n, gp->factor, gp->alpha);
  free(ones);
}

PetscErrorCode mt_gp_condition(MtGp *gp, const MtGpHyper *h) {
  set_hyper(gp, h);
  mt_gp_matrix(gp, &gp->hyper, gp->factor, NULL);
  if (!mt_cholesky(gp->n, gp->factor))
    return mt_error(MT_ERR_FAIL, "the covariance matrix of %d points cannot be factored", gp->n);
  solve_targets(gp);
  return 0;
}

/* (K + noise)^-1 with alpha: the gradient of the likelihood, from the lower triangles. */
static void likelihood_gradient(const MtGp *gp, const MtGpHyper *h, const double *inverse, double *gradient) {
  const size_t n = (size_t)gp->n, dim = (size_t)gp->dim;
  double trace = 0, fit = 0;
  for (size_t k = 0; k < dim; k++) gradient[k] = 0;
  for (size_t j = 0; j < n; j++) {
    for (size_t i = j + 1; i < n; i++) {
      double w = (gp->alpha[i] * gp->alpha[j] - inverse[j * n + i]) * gp->slope[j * n + i];
      for (size_t k = 0; k < dim; k++) {
        double d = gp->x[i * dim + k] - gp->x[j * dim + k];
        gradient[k] += w * d * d;
      }
    }
    trace += gp->alpha[j] * gp->alpha[j] - inverse[j * n + j];
    fit += gp->alpha[j] * (gp->y[j] - gp->mean);
  }
  for (size_t k = 0; k < dim; k++) gradient[k] *= -2 / (h->length[k] * h->length[k]);
  gradient[dim] = 0.5 * (fit - (double)n);
  gradient[dim + 1] = 0.5 * h->variance * h->noise * trace;
}

bool mt_gp_likelihood(MtGp *gp, const MtGpHyper *h, double *value, double *gradient) {
  const size_t n = (size_t)gp->n;
  if (gradient && !gp->slope) gp->slope = mt_malloc(sizeof(double) * n * n);
  mt_gp_matrix(gp, h, gp->factor, gradient ? gp->slope : NULL);
  if (!mt_cholesky(gp->n, gp->factor)) return false;
  solve_targets(gp);
  double sum = 0;
  for (size_t i = 0; i < n; i++)
    sum -= 0.5 * gp->alpha[i] * (gp->y[i] - gp->mean) + log(gp->factor[i * n + i]) + 0.5 * log(2 * M_PI);
  *value = sum;
  if (!gradient) return true;
  mt_cholesky_inverse(gp->n, gp->factor);
  likelihood_gradient(gp, h, gp->factor, gradient);
  return true;
}

/* Gradients: dmean = sum_i alpha_i dk_i, dvar = -2 sum_i beta_i dk_i with beta = C^-1 k. */
static void predict_gradient(const MtGp *gp, const double *x, const double *slope, const double *beta, double sd,
                             double *dmean, double *dsd) {
  const size_t dim = (size_t)gp->dim;
  for (size_t k = 0; k < dim; k++) dmean[k] = dsd[k] = 0;
  for (size_t i = 0; i < (size_t)gp->n; i++)
    for (size_t k = 0; k < dim; k++) {
      double l = gp->hyper.length[k], dk = 2 * slope[i] * (x[k] - gp->x[i * dim + k]) / (l * l);
      dmean[k] += gp->alpha[i] * dk;
      dsd[k] -= beta[i] * dk / sd;
    }
  for (size_t k = 0; k < dim; k++) {
    dmean[k] *= gp->unit;
    dsd[k] *= gp->unit;
  }
}

double mt_gp_base(const MtGp *gp, const double *x, double *gradient) {
  const MtGp *b = gp->base;
  if (!b) return 0;
  double m = b->mean;
  for (size_t i = 0; i < (size_t)b->n; i++) {
    const double *p = b->x + i * (size_t)b->dim, *l = b->hyper.length;
    double slope, k = mt_kernel(b->kernel, mt_scaled_distance(b->dim, x, p, l), &slope);
    m += b->hyper.variance * k * b->alpha[i];
    for (int c = 0; gradient && c < b->dim; c++)
      gradient[c] += gp->times * b->unit * b->hyper.variance * b->alpha[i] * 2 * slope * (x[c] - p[c]) / (l[c] * l[c]);
  }
  return gp->times * (b->shift + b->unit * m);
}

/* Least squares of y over the mean of base, about their means, with two more points of base's own variance on a = 1. */
static double fit_times(const MtGp *base, int n, const double *over, const double *y) {
  double mo = 0, my = 0, top = 2 * base->unit * base->unit, bottom = top;
  for (int i = 0; i < n; i++) {
    mo += over[i] / n;
    my += y[i] / n;
  }
  for (int i = 0; i < n; i++) {
    top += (over[i] - mo) * (y[i] - my);
    bottom += (over[i] - mo) * (over[i] - mo);
  }
  return bottom > 0 ? top / bottom : 1;
}

MtGp *mt_gp_create_over(const MtGp *base, MtKernel kernel, int dim, int n, const double *x, const double *y) {
  double *rest = mt_malloc(sizeof *rest * (size_t)n);
  for (int i = 0; i < n; i++) mt_gp_predict(base, x + (size_t)i * (size_t)dim, &rest[i], NULL, NULL, NULL);
  const double times = fit_times(base, n, rest, y);
  for (int i = 0; i < n; i++) rest[i] = y[i] - times * rest[i];
  MtGp *gp = mt_gp_create(kernel, dim, n, x, rest);
  gp->base = base;
  gp->times = times;
  free(rest);
  return gp;
}

void mt_gp_predict(const MtGp *gp, const double *x, double *mean, double *sd, double *dmean, double *dsd) {
  const size_t n = (size_t)gp->n;
  double *v = mt_malloc(sizeof(double) * 2 * n), *slope = v + n, m = gp->mean, explained = 0;
  for (size_t i = 0; i < n; i++) {
    double d, r2 = mt_scaled_distance(gp->dim, x, gp->x + i * (size_t)gp->dim, gp->hyper.length);
    v[i] = gp->hyper.variance * mt_kernel(gp->kernel, r2, &d);
    slope[i] = gp->hyper.variance * d;
    m += v[i] * gp->alpha[i];
  }
  *mean = gp->shift + gp->unit * m + mt_gp_base(gp, x, NULL);
  if (!sd) {
    free(v);
    return;
  }
  mt_lower_solve(gp->n, gp->factor, false, v);
  for (size_t i = 0; i < n; i++) explained += v[i] * v[i];
  /* rounding leaves about 1e-16 of the variance at a point that is known */
  double s = sqrt(fmax(gp->hyper.variance - explained, 1e-14 * gp->hyper.variance));
  *sd = gp->unit * s;
  if (dmean) {
    mt_lower_solve(gp->n, gp->factor, true, v);
    predict_gradient(gp, x, slope, v, s, dmean, dsd);
    mt_gp_base(gp, x, dmean);
  }
  free(v);
}

void mt_gp_left_out(const MtGp *gp, double *mean, double *sd) {
  const size_t n = (size_t)gp->n;
  double *inverse = copy(gp->factor, sizeof(double) * n * n);
  mt_cholesky_inverse(gp->n, inverse);
  for (size_t i = 0; i < n; i++) {
    mean[i] = gp->shift + gp->unit * (gp->y[i] - gp->alpha[i] / inverse[i * n + i]) +
              mt_gp_base(gp, gp->x + i * (size_t)gp->dim, NULL);
    sd[i] = gp->unit / sqrt(inverse[i * n + i]);
  }
  free(inverse);
}

PetscErrorCode mt_gp_extend(const MtGp *gp, int m, const double *x, const double *y, MtGp **more) {
  const size_t n = (size_t)gp->n, dim = (size_t)gp->dim, total = n + (size_t)m;
  double *all = mt_malloc(sizeof(double) * total * (dim + 1)), *targets = all + total * dim;
  memcpy(all, gp->x, sizeof(double) * n * dim);
  if (m > 0) memcpy(all + n * dim, x, sizeof(double) * (size_t)m * dim);
  for (size_t i = 0; i < total; i++)
    targets[i] = i < n ? gp->shift + gp->unit * gp->y[i] : y[i - n] - mt_gp_base(gp, all + i * dim, NULL);
  MtGp *new = *more = mt_gp_create(gp->kernel, gp->dim, (int)total, all, targets);
  for (size_t i = 0; i < total; i++) new->y[i] = (targets[i] - gp->shift) / gp->unit;
  new->shift = gp->shift;
  new->unit = gp->unit;
  new->base = gp->base;
  new->times = gp->times;
  free(all);
  PetscErrorCode rc = mt_gp_condition(new, &gp->hyper);
  if (rc) mt_gp_destroy(more);
  return rc;
}
