/* Uneven brightness: over the picture the same in all slices, so that their mean tells it from the grains; and from
 * slice to slice.  Sums are made slice by slice and added in their order. */
#include "clean.h"
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include "slabs.h"
#include <math.h>
#include <string.h>

enum { DEGREE = 6, TERMS = (DEGREE + 1) * (DEGREE + 2) / 2, STEP = 2 }; /* every STEP-th pixel is enough */

/* Products of Legendre polynomials of x and y in -1 .. 1 up to the total degree; returns how many. */
static int basis(int degree, double x, double y, double *b) {
  double px[DEGREE + 1] = {1, x}, py[DEGREE + 1] = {1, y};
  int n = 0;
  for (int d = 1; d < degree; d++) {
    px[d + 1] = ((2 * d + 1) * x * px[d] - d * px[d - 1]) / (d + 1);
    py[d + 1] = ((2 * d + 1) * y * py[d] - d * py[d - 1]) / (d + 1);
  }
  for (int d = 0; d <= degree; d++)
    for (int e = 0; e <= d; e++) b[n++] = px[d - e] * py[e];
  return n;
}

static double scaled(double i, int lo, int hi) {
  const double t = 2 * (i - lo + .5) / (hi - lo) - 1;
  return fmin(1, fmax(-1, t));
}

static int terms(int degree) {
  return (degree + 1) * (degree + 2) / 2;
}

/* Moments of a slice with the basis: right side [terms] of the normal equations. */
static void moments(const MtStack *s, int k, int degree, MtRect w, double *right) {
  double b[TERMS] = {0};
  const int n = terms(degree);
  memset(right, 0, (size_t)n * sizeof *right);
  for (int j = w.y0; j < w.y1; j += STEP)
    for (int i = w.x0; i < w.x1; i += STEP) {
      const double v = s->gray[((size_t)k * (size_t)s->ny + (size_t)j) * (size_t)s->nx + (size_t)i];
      basis(degree, scaled(i, w.x0, w.x1), scaled(j, w.y0, w.y1), b);
      for (int a = 0; a < n; a++) right[a] += v * b[a];
    }
}

/* Lower triangle of the normal matrix by Cholesky, and the solution in place of the right side. */
static void solve(int degree, MtRect w, double *c) {
  double m[TERMS][TERMS] = {{0}}, b[TERMS] = {0};
  const int n = terms(degree);
  for (int j = w.y0; j < w.y1; j += STEP)
    for (int i = w.x0; i < w.x1; i += STEP) {
      basis(degree, scaled(i, w.x0, w.x1), scaled(j, w.y0, w.y1), b);
      for (int r = 0; r < n; r++)
        for (int q = 0; q <= r; q++) m[r][q] += b[r] * b[q];
    }
  for (int r = 0; r < n; r++)
    for (int q = 0; q <= r; q++) {
      for (int t = 0; t < q; t++) m[r][q] -= m[r][t] * m[q][t];
      m[r][q] = q < r ? m[r][q] / m[q][q] : sqrt(m[r][r]);
    }
  for (int r = 0; r < n; r++) {
    for (int q = 0; q < r; q++) c[r] -= m[r][q] * c[q];
    c[r] /= m[r][r];
  }
  for (int r = n - 1; r >= 0; r--) {
    for (int q = r + 1; q < n; q++) c[r] -= m[q][r] * c[q];
    c[r] /= m[r][r];
  }
}

/* Brightness of each slice over that of its neighbours, weighted over about 5 slices to each side. */
static void relative_levels(const MtStack *s, int n, const double *right, double *level) {
  for (int k = 0; k < s->nz; k++) {
    double sum = 0, weight = 0;
    for (int q = k > 15 ? k - 15 : 0; q < s->nz && q <= k + 15; q++) {
      const double w = s->lost[q] ? 0 : exp(-.02 * (q - k) * (q - k));
      sum += w * right[n * q];
      weight += w;
    }
    level[k] = s->lost[k] || !(sum > 0) ? 1 : right[n * k] * weight / sum;
  }
}

static void divide(MtStack *s, int degree, MtRect w, const double *c, const double *level) {
  double b[TERMS];
  const int n = terms(degree);
  for (int j = 0; j < s->ny; j++)
    for (int i = 0; i < s->nx; i++) {
      double v = 0;
      basis(degree, scaled(i, w.x0, w.x1), scaled(j, w.y0, w.y1), b);
      for (int a = 0; a < n; a++) v += c[a] / c[0] * b[a];
      for (int k = 0; k < s->nz_local; k++) /* a surface that comes near 0 is no shading */
        s->gray[((size_t)k * (size_t)s->ny + (size_t)j) * (size_t)s->nx + (size_t)i] /=
            (float)(fmax(v, .1) * level[s->z0 + k]);
    }
}

PetscErrorCode mt_clean_shading(MPI_Comm comm, MtStack *s, int degree, MtRect w) {
  const int n = terms(degree);
  double sum[TERMS] = {0};
  double *mine = mt_calloc((size_t)(n * s->nz_local) + 1, sizeof *mine);
  double *all = mt_calloc((size_t)(n * s->nz), sizeof *all), *level = mt_calloc((size_t)s->nz, sizeof *level);
  for (int k = 0; k < s->nz_local; k++)
    if (!s->lost[s->z0 + k]) moments(s, k, degree, w, mine + n * k);
  PetscErrorCode rc = mt_slab_gather(comm, s->nz, n, mine, all);
  for (int k = 0; k < s->nz; k++)
    for (int a = 0; a < n; a++) sum[a] += all[n * k + a];
  if (!rc) solve(degree, w, sum);
  if (!rc && !(sum[0] > 0))
    rc = mt_error(MT_ERR_INPUT, "the slices' mean gray value is %g: shading cannot be divided out (stack.shading: 0)",
                  sum[0]);
  if (!rc) {
    relative_levels(s, n, all, level);
    divide(s, degree, w, sum, level);
  }
  free(mine);
  free(all);
  free(level);
  return rc;
}
