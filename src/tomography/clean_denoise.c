/* Noise of one picture: how much there is, and two ways to lessen it that keep edges. */
#include "clean.h"
#include "magtwin/memory.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Mean |response| to the mask (1 -2 1) x (1 -2 1), which sees neither flat nor evenly sloping parts. */
double mt_noise_level(int nx, int ny, const float *gray) {
  static const int mask[3] = {1, -2, 1};
  double sum = 0;
  for (int j = 1; j < ny - 1; j++)
    for (int i = 1; i < nx - 1; i++) {
      double v = 0;
      for (int b = -1; b <= 1; b++)
        for (int a = -1; a <= 1; a++)
          v += mask[a + 1] * mask[b + 1] * (double)gray[(size_t)(j + b) * (size_t)nx + (size_t)(i + a)];
      sum += fabs(v);
    }
  return nx > 2 && ny > 2 ? sqrt(MT_PI / 2) * sum / (6. * (nx - 2) * (ny - 2)) : 0;
}

static int clamped(int i, int n) {
  return i < 0 ? 0 : i >= n ? n - 1 : i;
}

typedef struct {
  int nx, ny, patch;
  const float *f; /* the picture with `pad` pixels repeated around */
  int pad, stride;
  float *d, *column; /* [ny nx] squared differences summed over rows; one line */
  double *sum, *weight;
} Means;

static float difference(const Means *m, int i, int j, int a, int b) {
  const size_t at = (size_t)(j + m->pad) * (size_t)m->stride + (size_t)(i + m->pad);
  const float v = m->f[at] - m->f[at + (size_t)((ptrdiff_t)b * m->stride + a)];
  return v * v;
}

/* Distances of all patches from those shifted by (a, b): sums over (2 patch + 1)^2 pixels, one running sum down each
 * column and one along each row. */
static void distances(const Means *m, int a, int b) {
  const int p = m->patch, w = m->nx + 2 * p;
  memset(m->column, 0, (size_t)w * sizeof *m->column);
  for (int j = -p; j < m->ny + p; j++) {
    for (int i = 0; i < w; i++) {
      m->column[i] += difference(m, i - p, j, a, b);
      if (j > p) m->column[i] -= difference(m, i - p, j - 2 * p - 1, a, b);
    }
    if (j < p) continue;
    float sum = 0, *row = m->d + (size_t)(j - p) * (size_t)m->nx;
    for (int i = 0; i < w; i++) {
      sum += m->column[i];
      if (i >= 2 * p) row[i - 2 * p] = sum;
      if (i >= 2 * p) sum -= m->column[i - 2 * p];
    }
  }
}

static void add_shift(const Means *m, int a, int b, double noise2, double h2) {
  const double patch = (2. * m->patch + 1) * (2. * m->patch + 1);
  distances(m, a, b);
  for (int j = 0; j < m->ny; j++)
    for (int i = 0; i < m->nx; i++) {
      const size_t at = (size_t)j * (size_t)m->nx + (size_t)i;
      const double w = exp(-fmax(0, m->d[at] / patch - 2 * noise2) / h2);
      m->weight[at] += w;
      m->sum[at] += w * m->f[(size_t)(j + b + m->pad) * (size_t)m->stride + (size_t)(i + a + m->pad)];
    }
}

PetscErrorCode mt_denoise_means(int nx, int ny, int patch, int search, double strength, double sigma, float *gray) {
  Means m = {.nx = nx, .ny = ny, .patch = patch, .pad = patch + search};
  m.stride = nx + 2 * m.pad;
  const size_t n = (size_t)nx * (size_t)ny;
  float *f = mt_calloc((size_t)m.stride * (size_t)(ny + 2 * m.pad), sizeof *f);
  for (int j = 0; j < ny + 2 * m.pad; j++)
    for (int i = 0; i < m.stride; i++)
      f[(size_t)j * (size_t)m.stride + (size_t)i] =
          gray[(size_t)clamped(j - m.pad, ny) * (size_t)nx + (size_t)clamped(i - m.pad, nx)];
  m.f = f;
  m.d = mt_calloc(n, sizeof *m.d);
  m.column = mt_calloc((size_t)(nx + 2 * patch), sizeof *m.column);
  m.sum = mt_calloc(n, sizeof *m.sum);
  m.weight = mt_calloc(n, sizeof *m.weight);
  const double h2 = fmax(1e-30, strength * strength * sigma * sigma);
  for (int b = -search; b <= search; b++)
    for (int a = -search; a <= search; a++) add_shift(&m, a, b, sigma * sigma, h2);
  for (size_t i = 0; i < n; i++) gray[i] = (float)(m.sum[i] / m.weight[i]);
  free(f);
  free(m.d);
  free(m.column);
  free(m.sum);
  free(m.weight);
  return 0;
}

/* Divergence of p at a pixel, the negative adjoint of forward differences. */
static double divergence(int nx, int ny, int i, int j, const float *px, const float *py) {
  const size_t at = (size_t)j * (size_t)nx + (size_t)i;
  double v = 0;
  if (i < nx - 1) v += px[at];
  if (i) v -= px[at - 1];
  if (j < ny - 1) v += py[at];
  if (j) v -= py[at - (size_t)nx];
  return v;
}

PetscErrorCode mt_denoise_tv(int nx, int ny, double strength, double sigma, float *gray) {
  enum { STEPS = 60 };
  const size_t n = (size_t)nx * (size_t)ny;
  const double lambda = fmax(1e-30, strength * sigma), tau = .248; /* below 1/4: converges */
  float *px = mt_calloc(3 * n, sizeof *px), *py = px + n, *u = px + 2 * n;
  for (int step = 0; step <= STEPS; step++) {
    for (int j = 0; j < ny; j++)
      for (int i = 0; i < nx; i++) {
        const size_t at = (size_t)j * (size_t)nx + (size_t)i;
        u[at] = (float)(divergence(nx, ny, i, j, px, py) - gray[at] / lambda);
      }
    if (step == STEPS) break;
    for (int j = 0; j < ny; j++)
      for (int i = 0; i < nx; i++) {
        const size_t at = (size_t)j * (size_t)nx + (size_t)i;
        const double gx = i < nx - 1 ? (double)u[at + 1] - u[at] : 0;
        const double gy = j < ny - 1 ? (double)u[at + (size_t)nx] - u[at] : 0;
        const double down = 1 + tau * hypot(gx, gy);
        px[at] = (float)((px[at] + tau * gx) / down);
        py[at] = (float)((py[at] + tau * gy) / down);
      }
  }
  for (size_t i = 0; i < n; i++) gray[i] = (float)(-lambda * u[i]);
  free(px);
  return 0;
}
