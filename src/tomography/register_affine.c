/* An affine map between two pictures by what both show darker than its surroundings: pores, scratches, inclusions.  The
 * grays themselves tell little: detectors differ. */
#include "magtwin/memory.h"
#include "register.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b) {
  const float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

static float quantile(size_t n, const float *v, double q) {
  float *sorted = mt_malloc(n * sizeof *sorted);
  memcpy(sorted, v, n * sizeof *sorted);
  qsort(sorted, n, sizeof *sorted, compare);
  const float at = sorted[(size_t)(q * (double)(n - 1))];
  free(sorted);
  return at;
}

/* First and last of n sums that are more than half of what most of a body has. */
static void extent(int n, const float *sum, double *lo, double *hi) {
  const float least = .5f * quantile((size_t)n, sum, .9);
  int first = 0, last = n - 1;
  while (first < last && sum[first] <= least) first++;
  while (last > first && sum[last] <= least) last--;
  *lo = first, *hi = last;
}

static void find_body(MtView *v, const float *body) {
  float *sum = mt_calloc((size_t)(v->nx + v->ny), sizeof *sum), *rows = sum + v->nx;
  for (int j = 0; j < v->ny; j++)
    for (int i = 0; i < v->nx; i++) {
      const float b = body[(size_t)j * (size_t)v->nx + (size_t)i];
      sum[i] += b;
      rows[j] += b;
    }
  extent(v->nx, sum, &v->lo[0], &v->hi[0]);
  extent(v->ny, rows, &v->lo[1], &v->hi[1]);
  free(sum);
}

void mt_view_measure(MtView *v) {
  const size_t n = (size_t)v->nx * (size_t)v->ny;
  float *mean = mt_malloc(2 * n * sizeof *mean), *body = mean + n;
  v->marks = mt_malloc(n * sizeof *v->marks);
  memcpy(mean, v->gray, n * sizeof *mean);
  mt_smooth_slice(v->nx, v->ny, (const double[2]){5, 5}, mean);
  const float bright = .5f * quantile(n, mean, .75);
  for (size_t i = 0; i < n; i++) {
    body[i] = mean[i] > bright;
    v->marks[i] = fabsf(mean[i] - v->gray[i]);
  }
  find_body(v, body);
  mt_smooth_slice(v->nx, v->ny, (const double[2]){4, 4}, body);
  const float noise = fmaxf(1e-9f, 1.4826f * quantile(n, v->marks, .5));
  for (size_t i = 0; i < n; i++) /* the rim is no mark; nor is one more of a mark than 12 times the noise */
    v->marks[i] = body[i] > .97f ? fminf(12, fmaxf(0, (mean[i] - v->gray[i]) / noise - 3)) : 0;
  free(mean);
}

void mt_view_free(MtView *v) {
  free(v->gray);
  free(v->marks);
  memset(v, 0, sizeof *v);
}

/* Value and gradient between four pixels; false beyond the picture. */
static bool sample(const MtView *v, const float *f, double x, double y, double out[3]) {
  const int i = (int)floor(x), j = (int)floor(y);
  if (i < 0 || j < 0 || i + 1 >= v->nx || j + 1 >= v->ny) return false;
  const float *p = f + (size_t)j * (size_t)v->nx + (size_t)i;
  const double s = x - i, t = y - j, a = p[0], b = p[1], c = p[v->nx], d = p[v->nx + 1];
  out[0] = (1 - t) * ((1 - s) * a + s * b) + t * ((1 - s) * c + s * d);
  out[1] = (1 - t) * (b - a) + t * (d - c);
  out[2] = (1 - s) * (c - a) + s * (d - b);
  return true;
}

static void map(const double m[6], double x, double y, double to[2]) {
  to[0] = m[0] + m[1] * x + m[2] * y;
  to[1] = m[3] + m[4] * x + m[5] * y;
}

void mt_affine_apply(const MtAffine *a, const MtView *fixed, const MtView *moving, const float *from, float *v) {
  for (int j = 0; j < fixed->ny; j++)
    for (int i = 0; i < fixed->nx; i++) {
      double to[2], out[3] = {0};
      map(a->m, i, j, to);
      const bool inside = sample(moving, from, to[0], to[1], out);
      v[(size_t)j * (size_t)fixed->nx + (size_t)i] = inside ? (float)out[0] : 0;
    }
}

enum { UNKNOWN = 6, ROW = UNKNOWN + 2 }; /* derivatives, value of moving, value of fixed */

/* Sums of the products of all, about their means, on every step-th pixel. */
static double covariances(const MtView *fixed, const MtView *moving, const float *a, const float *b, const double m[6],
                          int step, double c[ROW][ROW]) {
  double mean[ROW] = {0}, n = 0;
  memset(c, 0, ROW * sizeof *c);
  for (int j = 0; j < fixed->ny; j += step)
    for (int i = 0; i < fixed->nx; i += step) {
      double to[2], out[3];
      map(m, i, j, to);
      if (!sample(moving, b, to[0], to[1], out)) continue;
      const double row[ROW] = {out[1],     out[1] * i, out[1] * j, out[2],
                               out[2] * i, out[2] * j, out[0],     a[(size_t)j * (size_t)fixed->nx + (size_t)i]};
      for (int p = 0; p < ROW; p++) {
        mean[p] += row[p];
        for (int q = 0; q <= p; q++) c[p][q] += row[p] * row[q];
      }
      n++;
    }
  for (int p = 0; p < ROW; p++)
    for (int q = 0; q <= p; q++) c[q][p] = c[p][q] -= mean[p] * mean[q] / fmax(1, n);
  return n;
}

/* Cholesky; false if the marks do not hold all six numbers. */
static bool solve(double h[UNKNOWN][UNKNOWN], double x[UNKNOWN]) {
  for (int r = 0; r < UNKNOWN; r++)
    for (int q = 0; q <= r; q++) {
      for (int t = 0; t < q; t++) h[r][q] -= h[r][t] * h[q][t];
      if (r == q && !(h[r][r] > 0)) return false;
      h[r][q] = q < r ? h[r][q] / h[q][q] : sqrt(h[r][r]);
    }
  for (int r = 0; r < UNKNOWN; r++) {
    for (int q = 0; q < r; q++) x[r] -= h[r][q] * x[q];
    x[r] /= h[r][r];
  }
  for (int r = UNKNOWN - 1; r >= 0; r--) {
    for (int q = r + 1; q < UNKNOWN; q++) x[r] -= h[q][r] * x[q];
    x[r] /= h[r][r];
  }
  return true;
}

/* One Gauss-Newton step on m; *moved: how far the corners go, px. */
static bool improve(const MtView *fixed, const MtView *moving, const float *a, const float *b, int step, MtAffine *t,
                    double *moved) {
  double c[ROW][ROW], h[UNKNOWN][UNKNOWN], d[UNKNOWN], to[2];
  const double n = covariances(fixed, moving, a, b, t->m, step, c), aa = c[7][7], bb = c[6][6], ab = c[6][7];
  if (n < 64 || !(aa > 0) || !(bb > 0)) return false;
  t->correlation = ab / sqrt(aa * bb);
  const double gain = ab > 0 ? ab / bb : 1e-3 * sqrt(aa / bb);
  for (int p = 0; p < UNKNOWN; p++) {
    d[p] = (c[7][p] - gain * c[6][p]) / gain;
    for (int q = 0; q < UNKNOWN; q++) h[p][q] = c[p][q] * (p == q ? 1.001 : 1);
  }
  if (!solve(h, d)) return false;
  map(d, fixed->nx, fixed->ny, to);
  *moved = fmax(fmax(fabs(d[0]), fabs(d[3])), fmax(fabs(to[0]), fabs(to[1])));
  for (int p = 0; p < UNKNOWN; p++) t->m[p] += d[p];
  return true;
}

static bool refine_at(const MtView *fixed, const MtView *moving, double sigma, MtAffine *t) {
  enum { STEPS = 60 };
  const size_t na = (size_t)fixed->nx * (size_t)fixed->ny, nb = (size_t)moving->nx * (size_t)moving->ny;
  float *a = mt_malloc((na + nb) * sizeof *a), *b = a + na;
  const int step = sigma > 2 ? (int)(sigma / 2) : 1;
  double moved = 1;
  bool good = true;
  memcpy(a, fixed->marks, na * sizeof *a);
  memcpy(b, moving->marks, nb * sizeof *b);
  mt_smooth_slice(fixed->nx, fixed->ny, (const double[2]){sigma, sigma}, a);
  mt_smooth_slice(moving->nx, moving->ny, (const double[2]){sigma, sigma}, b);
  for (int i = 0; i < STEPS && moved > .01 && good; i++) good = improve(fixed, moving, a, b, step, t, &moved);
  free(a);
  return good;
}

/* The bodies' outlines on one another, mirrored or not. */
static MtAffine outlines(const MtView *f, const MtView *m, bool mirrored) {
  const double sx = (m->hi[0] - m->lo[0]) / fmax(1, f->hi[0] - f->lo[0]),
               sy = (m->hi[1] - m->lo[1]) / fmax(1, f->hi[1] - f->lo[1]);
  MtAffine a = {{m->lo[0] - sx * f->lo[0], sx, 0, m->lo[1] - sy * f->lo[1], 0, sy}, 0, mirrored};
  if (mirrored) a.m[0] = m->hi[0] + sx * f->lo[0], a.m[1] = -sx;
  return a;
}

bool mt_affine_find(const MtView *fixed, const MtView *moving, MtAffine *a) {
  static const double sigma[5] = {12, 8, 5, 3, 2};
  a->correlation = -1;
  for (int mirrored = 0; mirrored < 2; mirrored++) {
    MtAffine t = outlines(fixed, moving, mirrored);
    bool good = true;
    for (int i = 0; i < 5 && good; i++) good = refine_at(fixed, moving, sigma[i], &t);
    if (good && t.correlation > a->correlation) *a = t;
  }
  return a->correlation > 0;
}
