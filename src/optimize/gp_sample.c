/* A function drawn from the posterior: random Fourier features (A. Rahimi, B. Recht, NIPS 2007; the spectral density of
 * a Matern kernel of order nu is a multivariate t of 2 nu degrees, RW eq. 4.15), corrected by Matheron's rule. */
#include "gp_impl.h"
#include "magtwin/memory.h"
#include "magtwin/random.h"
#include <math.h>
#include <string.h>

struct MtGpSample {
  const MtGp *gp; /* borrowed */
  int features;
  double *omega;  /* [features, dim] */
  double *phase;  /* [features] */
  double *weight; /* [features] with the amplitude */
  double *update; /* [n] C^-1 (y - mean - prior draw - noise) */
};

static double prior_at(const MtGpSample *s, const double *x, double *gradient) {
  const size_t dim = (size_t)s->gp->dim;
  double sum = 0;
  for (size_t j = 0; j < (size_t)s->features; j++) {
    const double *w = s->omega + j * dim;
    double angle = s->phase[j];
    for (size_t k = 0; k < dim; k++) angle += w[k] * x[k];
    sum += s->weight[j] * cos(angle);
    for (size_t k = 0; gradient && k < dim; k++) gradient[k] -= s->weight[j] * sin(angle) * w[k];
  }
  return sum;
}

static void draw_features(MtGpSample *s, MtRandom *random) {
  const MtGp *gp = s->gp;
  const int degrees = gp->kernel == MT_MATERN52 ? 5 : 3;
  for (int j = 0; j < s->features; j++) {
    double chi2 = 0;
    for (int i = 0; i < degrees; i++) {
      double z = mt_random_normal(random);
      chi2 += z * z;
    }
    for (int k = 0; k < gp->dim; k++)
      s->omega[j * gp->dim + k] = mt_random_normal(random) * sqrt(degrees / chi2) / gp->hyper.length[k];
    s->phase[j] = 2 * M_PI * mt_random_uniform(random);
    s->weight[j] = sqrt(2 * gp->hyper.variance / s->features) * mt_random_normal(random);
  }
}

MtGpSample *mt_gp_sample(const MtGp *gp, int features, uint64_t seed) {
  const size_t m = (size_t)features, dim = (size_t)gp->dim, n = (size_t)gp->n;
  MtRandom random;
  MtGpSample *s = mt_calloc(1, sizeof *s);
  mt_random_seed(&random, seed);
  s->gp = gp;
  s->features = features;
  s->omega = mt_malloc(sizeof(double) * m * dim);
  s->phase = mt_malloc(sizeof(double) * m);
  s->weight = mt_malloc(sizeof(double) * m);
  s->update = mt_malloc(sizeof(double) * n);
  draw_features(s, &random);
  for (size_t i = 0; i < n; i++)
    s->update[i] = gp->y[i] - gp->mean - prior_at(s, gp->x + i * dim, NULL) -
                   sqrt(gp->hyper.variance * gp->hyper.noise) * mt_random_normal(&random);
  mt_cholesky_solve(gp->n, gp->factor, s->update);
  return s;
}

double mt_gp_sample_at(const MtGpSample *s, const double *x, double *gradient) {
  const MtGp *gp = s->gp;
  const size_t dim = (size_t)gp->dim;
  for (size_t k = 0; gradient && k < dim; k++) gradient[k] = 0;
  double sum = gp->mean + prior_at(s, x, gradient);
  for (size_t i = 0; i < (size_t)gp->n; i++) {
    const double *p = gp->x + i * dim, *l = gp->hyper.length;
    double slope, k0 = mt_kernel(gp->kernel, mt_scaled_distance(gp->dim, x, p, l), &slope);
    sum += s->update[i] * gp->hyper.variance * k0;
    for (size_t k = 0; gradient && k < dim; k++)
      gradient[k] += s->update[i] * gp->hyper.variance * slope * 2 * (x[k] - p[k]) / (l[k] * l[k]);
  }
  for (size_t k = 0; gradient && k < dim; k++) gradient[k] *= gp->unit;
  return gp->shift + gp->unit * sum + mt_gp_base(gp, x, gradient);
}

void mt_gp_sample_destroy(MtGpSample **s) {
  if (!*s) return;
  free((*s)->omega);
  free((*s)->phase);
  free((*s)->weight);
  free((*s)->update);
  free(*s);
  *s = NULL;
}
