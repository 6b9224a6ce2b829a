/* Bands of a picture by scale and orientation: one transform forth, one back for each band. */
#include <complex.h> /* before fftw3.h: its numbers are C's */
#include <fftw3.h>

#include "magtwin/memory.h"
#include "magtwin/texture.h"
#include <math.h>
#include <string.h>

struct MtPyramid {
  int nx, ny, scales, orientations;
  size_t n;
  double alpha;              /* of the angular filters */
  fftw_complex *wave, *work; /* [n] of the picture; of a band */
  fftw_plan forth, back;     /* wave in place; work in place */
};

MtPyramid *mt_pyramid_new(int nx, int ny, int scales, int orientations) {
  const int k = orientations;
  MtPyramid *p = mt_calloc(1, sizeof *p);
  p->nx = nx, p->ny = ny, p->scales = scales, p->orientations = k;
  p->n = (size_t)nx * (size_t)ny;
  p->alpha = exp((k - 1) * log(2) + lgamma(k) - .5 * (log(k) + lgamma(2 * k - 1)));
  p->wave = fftw_alloc_complex(p->n);
  p->work = fftw_alloc_complex(p->n);
  if (!p->wave || !p->work) mt_memory_end(p->n * sizeof *p->wave);
  p->forth = fftw_plan_dft_2d(ny, nx, p->wave, p->wave, FFTW_FORWARD, FFTW_ESTIMATE);
  p->back = fftw_plan_dft_2d(ny, nx, p->work, p->work, FFTW_BACKWARD, FFTW_ESTIMATE);
  return p;
}

void mt_pyramid_free(MtPyramid **p) {
  if (!*p) return;
  fftw_destroy_plan((*p)->forth);
  fftw_destroy_plan((*p)->back);
  fftw_free((*p)->wave);
  fftw_free((*p)->work);
  free(*p);
  *p = NULL;
}

void mt_pyramid_size(const MtPyramid *p, int *nx, int *ny, int *scales, int *orientations) {
  *nx = p->nx, *ny = p->ny, *scales = p->scales, *orientations = p->orientations;
}

void mt_pyramid_set(MtPyramid *p, const double *image) {
  for (size_t i = 0; i < p->n; i++) p->wave[i] = image[i];
  fftw_execute(p->forth);
}

/* Square of the low-pass filter at radius r (pi: a wave of two pixels); the high-pass filter is what is left to 1. */
static double low_pass(double r) {
  if (r <= M_PI / 4) return 1;
  if (r >= M_PI / 2) return 0;
  const double c = cos(M_PI / 2 * log2(4 * r / M_PI));
  return c * c;
}

/* Square of the radial filter: scale -1 is the rest above, scale `scales` that below. */
static double radial(const MtPyramid *p, int scale, double r) {
  double f = 1;
  if (scale < 0) return 1 - low_pass(r / 2);
  for (int s = -1; s < scale; s++) f *= low_pass(ldexp(r, s));
  return scale < p->scales ? f * (1 - low_pass(ldexp(r, scale))) : f;
}

/* Filter of orientation k at angle theta, on the half plane around it; 0 on the other one. */
static double angular(const MtPyramid *p, int k, double theta) {
  const double c = cos(theta - M_PI * k / p->orientations);
  return c > 0 ? p->alpha * pow(c, p->orientations - 1) : 0;
}

static double frequency(int i, int n) {
  return 2 * M_PI * (2 * i > n ? i - n : i) / n;
}

static void take(const MtPyramid *p, double *real, double *imaginary) {
  fftw_execute(p->back);
  for (size_t i = 0; i < p->n; i++) {
    if (real) real[i] = creal(p->work[i]);
    if (imaginary) imaginary[i] = cimag(p->work[i]);
  }
}

/* Filters into work; mean square by Parseval's theorem, half of it for one half plane taken twice. */
static double filter(MtPyramid *p, int scale, int k) {
  const double scaled = 1 / (double)p->n;
  double sum = 0;
  for (int y = 0; y < p->ny; y++)
    for (int x = 0; x < p->nx; x++) {
      const double u = frequency(x, p->nx), v = frequency(y, p->ny);
      double f = sqrt(radial(p, scale, hypot(u, v)));
      if (k >= 0 && f > 0) f *= 2 * angular(p, k, atan2(v, u));
      const size_t i = (size_t)y * (size_t)p->nx + (size_t)x;
      p->work[i] = f * scaled * p->wave[i];
      sum += creal(p->work[i]) * creal(p->work[i]) + cimag(p->work[i]) * cimag(p->work[i]);
    }
  return k >= 0 ? sum / 2 : sum;
}

double mt_pyramid_high(MtPyramid *p, double *out) {
  const double square = filter(p, -1, -1);
  if (out) take(p, out, NULL);
  return square;
}

double mt_pyramid_low(MtPyramid *p, double *out) {
  const double square = filter(p, p->scales, -1);
  if (out) take(p, out, NULL);
  return square;
}

double mt_pyramid_band(MtPyramid *p, int scale, int k, double *real, double *imaginary) {
  const double square = filter(p, scale, k);
  if (real || imaginary) take(p, real, imaginary);
  return square;
}
