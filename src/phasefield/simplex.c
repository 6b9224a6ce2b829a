/* Linear functions on a triangle or a tetrahedron. */
#include "magtwin/phasefield.h"
#include <math.h>

static void triangle(const double x[4][3], double grad[4][3], double *area) {
  const double a[2] = {x[1][0] - x[0][0], x[1][1] - x[0][1]}, b[2] = {x[2][0] - x[0][0], x[2][1] - x[0][1]};
  const double twice = a[0] * b[1] - a[1] * b[0];
  *area = .5 * twice;
  const double g[3][2] = {
      {(a[1] - b[1]) / twice, (b[0] - a[0]) / twice}, {b[1] / twice, -b[0] / twice}, {-a[1] / twice, a[0] / twice}};
  for (int k = 0; k < 3; k++) {
    grad[k][0] = g[k][0];
    grad[k][1] = g[k][1];
    grad[k][2] = 0;
  }
}

void mt_simplex(int dim, const double x[4][3], double grad[4][3], double *volume) {
  if (dim == 2)
    triangle(x, grad, volume);
  else
    mt_fem_tet(x, grad, volume);
}

static void between(const double a[3], const double b[3], double s, double p[3]) {
  for (int c = 0; c < 3; c++) p[c] = a[c] + s * (b[c] - a[c]);
}

static double triangle_area(const double a[3], const double b[3], const double c[3]) {
  const double u[3] = {b[0] - a[0], b[1] - a[1], b[2] - a[2]}, v[3] = {c[0] - a[0], c[1] - a[1], c[2] - a[2]};
  const double n[3] = {u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]};
  return .5 * sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
}

static double distance(const double a[3], const double b[3]) {
  return sqrt((a[0] - b[0]) * (a[0] - b[0]) + (a[1] - b[1]) * (a[1] - b[1]) + (a[2] - b[2]) * (a[2] - b[2]));
}

/* One corner apart from the others, u[k] = 1 - 1/s on it: a small simplex at that corner. */
static double corner_part(int n, const double x[4][3], const double u[4], double level, int lone, double p[3][3]) {
  double part = 1;
  for (int k = 0, m = 0; k < n; k++) {
    if (k == lone) continue;
    const double s = (level - u[lone]) / (u[k] - u[lone]);
    between(x[lone], x[k], s, p[m++]);
    part *= s;
  }
  return part;
}

/* Two corners a, b of a tetrahedron above, c, d below.  Part above: that of a and b where the sums of the exact
 * formula are symmetric in them (the wedge is cut into three tetrahedra). */
static double wedge_part(const double x[4][3], const double u[4], double level, const int order[4], double p[4][3]) {
  double s[2][2]; /* along a-c, a-d, b-c, b-d from above */
  for (int i = 0; i < 2; i++)
    for (int j = 0; j < 2; j++) {
      const int a = order[i], c = order[2 + j];
      s[i][j] = (u[a] - level) / (u[a] - u[c]);
      between(x[a], x[c], s[i][j], p[2 * i + (i ? 1 - j : j)]); /* in turn around the quadrilateral */
    }
  /* (a, ac, ad, b) + (ac, ad, b, bc) + (ad, b, bc, bd) in units of the whole */
  return s[0][0] * s[0][1] + s[0][1] * (1 - s[0][0]) * s[1][0] + s[1][0] * s[1][1] * (1 - s[0][1]);
}

void mt_simplex_cut(int dim, const double x[4][3], const double u[4], double level, double *above, double *cut) {
  const int n = dim + 1;
  double grad[4][3], volume, p[4][3] = {{0}};
  int order[4], nabove = 0, nbelow = 0;
  mt_simplex(dim, x, grad, &volume);
  volume = fabs(volume);
  for (int k = 0; k < n; k++)
    if (u[k] > level) order[nabove++] = k;
  for (int k = 0; k < n; k++)
    if (!(u[k] > level)) order[nabove + nbelow++] = k;
  *cut = 0;
  *above = nbelow ? 0 : volume;
  if (!nabove || !nbelow) return;
  if (nabove == 2 && nbelow == 2) {
    *above = volume * wedge_part(x, u, level, order, p);
    *cut = triangle_area(p[0], p[1], p[2]) + triangle_area(p[0], p[2], p[3]);
    return;
  }
  const double part = corner_part(n, x, u, level, nabove == 1 ? order[0] : order[n - 1], p);
  *above = volume * (nabove == 1 ? part : 1 - part);
  *cut = dim == 2 ? distance(p[0], p[1]) : triangle_area(p[0], p[1], p[2]);
}
