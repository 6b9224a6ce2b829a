/* Correlation of two pictures to the whole pixel.
 *
 * The windowed pictures' cross-power spectrum, weighted down at high frequencies, where there is noise alone, has a
 * transform that peaks at the shift.  Reduced to its phases (whitening 1: phase correlation) the peak is sharp whatever
 * the brightness; with its amplitudes (0) every frequency counts by its signal, the best there is against white noise.
 */
#include "drift.h"
#include "magtwin/memory.h"
#include <complex.h> /* before fftw3.h: its numbers are C's */
#include <fftw3.h>
#include <math.h>

static const double cutoff = .25; /* periods a pixel: width of the Gaussian weight */

struct MtMatcher {
  int w, h, nw; /* nw = w/2 + 1 */
  double whitening;
  double *real; /* [h w] */
  fftw_complex *a, *b;
  double *window_x, *window_y;
  fftw_plan forth, back;
};

static double *hann(int n) {
  double *v = mt_malloc((size_t)n * sizeof *v);
  for (int i = 0; i < n; i++) v[i] = .5 - .5 * cos(2 * MT_PI * (i + .5) / n);
  return v;
}

MtMatcher *mt_matcher_create(int w, int h, double whitening) {
  MtMatcher *m = mt_calloc(1, sizeof *m);
  *m = (MtMatcher){.w = w, .h = h, .nw = w / 2 + 1, .whitening = whitening};
  m->real = fftw_alloc_real((size_t)w * (size_t)h);
  m->a = fftw_alloc_complex((size_t)m->nw * (size_t)h);
  m->b = fftw_alloc_complex((size_t)m->nw * (size_t)h);
  m->window_x = hann(w);
  m->window_y = hann(h);
  m->forth = fftw_plan_dft_r2c_2d(h, w, m->real, m->a, FFTW_ESTIMATE);
  m->back = fftw_plan_dft_c2r_2d(h, w, m->b, m->real, FFTW_ESTIMATE);
  return m;
}

void mt_matcher_destroy(MtMatcher **m) {
  if (!*m) return;
  fftw_destroy_plan((*m)->forth);
  fftw_destroy_plan((*m)->back);
  fftw_free((*m)->real);
  fftw_free((*m)->a);
  fftw_free((*m)->b);
  free((*m)->window_x);
  free((*m)->window_y);
  free(*m);
  *m = NULL;
}

static void transform(MtMatcher *m, const float *gray, int stride, fftw_complex *wave) {
  double mean = 0, weight = 0;
  for (int j = 0; j < m->h; j++)
    for (int i = 0; i < m->w; i++) {
      const double w = m->window_x[i] * m->window_y[j];
      mean += w * gray[(size_t)j * (size_t)stride + (size_t)i];
      weight += w;
    }
  mean /= weight;
  for (int j = 0; j < m->h; j++)
    for (int i = 0; i < m->w; i++)
      m->real[(size_t)j * (size_t)m->w + (size_t)i] =
          m->window_x[i] * m->window_y[j] * (gray[(size_t)j * (size_t)stride + (size_t)i] - mean);
  fftw_execute_dft_r2c(m->forth, m->real, wave);
}

static double frequency(int k, int n) {
  return (double)(k <= n / 2 ? k : k - n) / n;
}

/* Leaves the weighted cross-power spectrum in m->b. */
static void spectrum(MtMatcher *m) {
  for (int j = 0; j < m->h; j++)
    for (int i = 0; i < m->nw; i++) {
      const size_t at = (size_t)j * (size_t)m->nw + (size_t)i;
      const double fx = frequency(i, m->w), fy = frequency(j, m->h);
      const double weight = exp(-.5 * (fx * fx + fy * fy) / (cutoff * cutoff));
      const double complex c = m->b[at] * conj(m->a[at]);
      const double size = cabs(c);
      m->b[at] = size > 0 ? c / size * weight * pow(size, 1 - m->whitening) : 0;
    }
}

void mt_match(MtMatcher *m, const float *a, const float *b, int stride, int shift[2]) {
  transform(m, a, stride, m->a);
  transform(m, b, stride, m->b);
  spectrum(m);
  fftw_execute(m->back);
  size_t at = 0;
  for (size_t i = 1; i < (size_t)m->w * (size_t)m->h; i++)
    if (m->real[i] > m->real[at]) at = i;
  const int x = (int)(at % (size_t)m->w), y = (int)(at / (size_t)m->w);
  shift[0] = 2 * x > m->w ? x - m->w : x;
  shift[1] = 2 * y > m->h ? y - m->h : y;
}
