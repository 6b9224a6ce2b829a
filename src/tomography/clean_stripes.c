/* Curtaining: streaks along y live in the wavelet details across them and, along them, at the lowest frequencies. */
#include "clean.h"
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include <complex.h> /* before fftw3.h: its numbers are C's */
#include <fftw3.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TAPS = 8 };
/* I. Daubechies, Ten Lectures on Wavelets (1992), table 6.1, N = 4 */
static const double low[TAPS] = {.23037781330885523,  .7148465705525415,   .6308807679295904,   -.02798376941698385,
                                 -.18703481171888114, .030841381835986965, .032883011666982945, -.010597401784997278};

static double high(int m) {
  return m % 2 ? -low[TAPS - 1 - m] : low[TAPS - 1 - m];
}

void mt_wavelet_forward(int n, const double *x, double *y) {
  for (int i = 0; i < n / 2; i++) {
    double a = 0, d = 0;
    for (int m = 0; m < TAPS; m++) {
      const double v = x[(2 * i + m) % n];
      a += low[m] * v;
      d += high(m) * v;
    }
    y[i] = a;
    y[n / 2 + i] = d;
  }
}

void mt_wavelet_back(int n, const double *y, double *x) {
  for (int i = 0; i < n; i++) x[i] = 0;
  for (int i = 0; i < n / 2; i++)
    for (int m = 0; m < TAPS; m++) x[(2 * i + m) % n] += low[m] * y[i] + high(m) * y[n / 2 + i];
}

typedef struct {
  int w, h;  /* multiples of 2^levels */
  double *a; /* [h w] */
  double *line, *turned;
} Plane;

typedef void Transform(int n, const double *x, double *y);

/* The transform of the first nx columns and ny rows, of each row and then of each column. */
static void along_both(Plane *p, int nx, int ny, Transform *t) {
  for (int j = 0; j < ny; j++) {
    double *row = p->a + (size_t)j * (size_t)p->w;
    t(nx, row, p->turned);
    for (int i = 0; i < nx; i++) row[i] = p->turned[i];
  }
  for (int i = 0; i < nx; i++) {
    double *column = p->a + i;
    for (int j = 0; j < ny; j++) p->line[j] = column[(size_t)j * (size_t)p->w];
    t(ny, p->line, p->turned);
    for (int j = 0; j < ny; j++) column[(size_t)j * (size_t)p->w] = p->turned[j];
  }
}

/* Columns of the detail across the streaks: columns nx/2 .. nx-1, rows 0 .. ny/2-1. */
static void damp(Plane *p, int nx, int ny, double width) {
  const int n = ny / 2;
  double *line = fftw_alloc_real((size_t)n);
  fftw_complex *wave = fftw_alloc_complex((size_t)n / 2 + 1);
  fftw_plan forth = fftw_plan_dft_r2c_1d(n, line, wave, FFTW_ESTIMATE),
            back = fftw_plan_dft_c2r_1d(n, wave, line, FFTW_ESTIMATE);
  for (int i = nx / 2; i < nx; i++) {
    for (int j = 0; j < n; j++) line[j] = p->a[(size_t)j * (size_t)p->w + (size_t)i];
    fftw_execute(forth);
    for (int f = 0; f <= n / 2; f++) wave[f] *= (1 - exp(-.5 * f * f / (width * width))) / n;
    fftw_execute(back);
    for (int j = 0; j < n; j++) p->a[(size_t)j * (size_t)p->w + (size_t)i] = line[j];
  }
  fftw_destroy_plan(forth);
  fftw_destroy_plan(back);
  fftw_free(line);
  fftw_free(wave);
}

/* Index of a pixel beyond the end, mirrored there. */
static int mirrored(int i, int n) {
  const int period = 2 * n, k = i % period;
  return k < n ? k : period - 1 - k;
}

static void filter(int nx, int ny, int levels, double width, float *gray) {
  while (levels > 1 && (nx >> levels < TAPS || ny >> levels < TAPS)) levels--;
  const int unit = 1 << levels;
  /* a margin of mirrored pixels, so that the ends do not meet in a step */
  Plane p = {.w = (nx + TAPS * unit / 2 + unit - 1) / unit * unit,
             .h = (ny + TAPS * unit / 2 + unit - 1) / unit * unit};
  const size_t longest = (size_t)(p.w > p.h ? p.w : p.h);
  p.a = mt_calloc((size_t)p.w * (size_t)p.h, sizeof *p.a);
  p.line = mt_calloc(longest, sizeof *p.line);
  p.turned = mt_calloc(longest, sizeof *p.turned);
  for (int j = 0; j < p.h; j++)
    for (int i = 0; i < p.w; i++)
      p.a[(size_t)j * (size_t)p.w + (size_t)i] = gray[(size_t)mirrored(j, ny) * (size_t)nx + (size_t)mirrored(i, nx)];
  for (int l = 0; l < levels; l++) {
    along_both(&p, p.w >> l, p.h >> l, mt_wavelet_forward);
    damp(&p, p.w >> l, p.h >> l, width);
  }
  for (int l = levels; l-- > 0;) along_both(&p, p.w >> l, p.h >> l, mt_wavelet_back);
  for (int j = 0; j < ny; j++)
    for (int i = 0; i < nx; i++)
      gray[(size_t)j * (size_t)nx + (size_t)i] = (float)p.a[(size_t)j * (size_t)p.w + (size_t)i];
  free(p.a);
  free(p.line);
  free(p.turned);
}

static int compare(const void *a, const void *b) {
  const float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

/* What a row has beyond its local median, without what is more than `most`: edges, films and marks are no streaks. */
static void small_detail(int nx, const float *row, double most, float *detail) {
  enum { R = 8 };
  float near[2 * R + 1];
  for (int i = 0; i < nx; i++) {
    for (int m = -R; m <= R; m++) near[m + R] = row[mirrored(i + m < 0 ? -1 - i - m : i + m, nx)];
    qsort(near, 2 * R + 1, sizeof *near, compare);
    const float d = row[i] - near[R];
    detail[i] = fabsf(d) > 2 * most ? 0 : (float)fmin(most, fmax(-most, d));
  }
}

PetscErrorCode mt_clean_stripes(int nx, int ny, int levels, double width, float *gray) {
  const size_t n = (size_t)nx * (size_t)ny;
  const double most = 1.5 * mt_noise_level(nx, ny, gray);
  float *detail = mt_malloc(2 * n * sizeof *detail), *clean = detail + n;
  for (int j = 0; j < ny; j++) small_detail(nx, gray + (size_t)j * (size_t)nx, most, detail + (size_t)j * (size_t)nx);
  memcpy(clean, detail, n * sizeof *clean);
  filter(nx, ny, levels, width, clean);
  for (size_t i = 0; i < n; i++) gray[i] -= detail[i] - clean[i];
  free(detail);
  return 0;
}
