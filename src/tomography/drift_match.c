/* Correlation of two pictures to a part of a pixel.
 *
 * The windowed pictures' cross-power spectrum, weighted down at high frequencies, where there is noise alone, has a
 * transform that peaks at the shift.  Reduced to its phases (whitening 1: phase correlation) the peak is sharp whatever
 * the brightness; with its amplitudes (0) every frequency counts by its signal, the best there is against white noise.
  A first look finds the whole pixel; then b is read from there, so
 * that both windows hold the same things, and the peak is refined on finer and finer grids. */
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
  double complex *turn; /* [w] work */
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
  m->turn = mt_calloc((size_t)h, sizeof *m->turn);
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
  free((*m)->turn);
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

/* Leaves the weighted cross-power spectrum in m->b and returns the height that equal pictures would reach. */
static double spectrum(MtMatcher *m) {
  double top = 0;
  for (int j = 0; j < m->h; j++)
    for (int i = 0; i < m->nw; i++) {
      const size_t at = (size_t)j * (size_t)m->nw + (size_t)i;
      const double fx = frequency(i, m->w), fy = frequency(j, m->h);
      const double weight = exp(-.5 * (fx * fx + fy * fy) / (cutoff * cutoff));
      const double complex c = m->b[at] * conj(m->a[at]);
      const double size = cabs(c), kept = weight * pow(size, 1 - m->whitening);
      m->b[at] = size > 0 ? c / size * kept : 0;
      top += kept * (i == 0 || 2 * i == m->w ? 1 : 2);
    }
  return top;
}

/* The correlation at a shift that need not be whole. */
static double correlation(MtMatcher *m, double x, double y) {
  double sum = 0;
  for (int j = 0; j < m->h; j++) m->turn[j] = cexp(2 * MT_PI * I * frequency(j, m->h) * y);
  for (int i = 0; i < m->nw; i++) {
    double complex column = 0;
    for (int j = 0; j < m->h; j++) column += m->b[(size_t)j * (size_t)m->nw + (size_t)i] * m->turn[j];
    column *= cexp(2 * MT_PI * I * (double)i / m->w * x);
    sum += creal(column) * (i == 0 || 2 * i == m->w ? 1 : 2);
  }
  return sum;
}

/* Best of the 3 x 3 points `step` apart, again and again with the step halved when the middle is best. */
static double climb(MtMatcher *m, double shift[2]) {
  double best = correlation(m, shift[0], shift[1]);
  int moves = 0;
  for (double step = .5; step > .004; step *= .5) /* NOLINT(clang-analyzer-security.FloatLoopCounter): halves */
    for (bool moved = true; moved && moves < 200;) {
      static const int way[4][2] = {{1, 0}, {-1, 0}, {0, 1}, {0, -1}};
      moved = false;
      for (int d = 0; d < 4; d++) {
        const double x = shift[0] + step * way[d][0], y = shift[1] + step * way[d][1], c = correlation(m, x, y);
        if (c <= best) continue;
        best = c, shift[0] = x, shift[1] = y;
        moved = true;
        moves++;
      }
    }
  return best;
}

void mt_match(MtMatcher *m, const float *a, const float *b, int stride, const int guess[2], double shift[2],
              double *peak) {
  transform(m, a, stride, m->a);
  transform(m, b + (ptrdiff_t)guess[1] * stride + guess[0], stride, m->b);
  const double top = spectrum(m);
  fftw_complex *kept = fftw_alloc_complex((size_t)m->nw * (size_t)m->h);
  for (size_t i = 0; i < (size_t)m->nw * (size_t)m->h; i++) kept[i] = m->b[i];
  fftw_execute(m->back); /* destroys m->b */
  size_t at = 0;
  for (size_t i = 1; i < (size_t)m->w * (size_t)m->h; i++)
    if (m->real[i] > m->real[at]) at = i;
  for (size_t i = 0; i < (size_t)m->nw * (size_t)m->h; i++) m->b[i] = kept[i];
  fftw_free(kept);
  const int x = (int)(at % (size_t)m->w), y = (int)(at / (size_t)m->w);
  shift[0] = 2 * x > m->w ? x - m->w : x;
  shift[1] = 2 * y > m->h ? y - m->h : y;
  *peak = top > 0 ? climb(m, shift) / top : 0;
  shift[0] += guess[0];
  shift[1] += guess[1];
}
