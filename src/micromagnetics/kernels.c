/* Micromagnetic terms and steps at one node, in plain C.
 * Formulas: W. F. Brown, Micromagnetics (1963), for the energy; D. Goldfarb, Z. Wen and W. Yin, SIAM J. Imaging Sci. 2
 * (2009) 84 for the norm-preserving step; the sphere's geodesics and parallel transport are elementary. */
#include "kernels.h"
#include <math.h>

double mt_kernel_anisotropy(const double m[3], const double k[3], double K1, double K2, double g[3]) {
  double c = mt_dot3(m, k), s = 1 - c * c;
  double f = -2 * c * (K1 + 2 * K2 * s);
  for (int i = 0; i < 3; i++) g[i] += f * k[i];
  return s * (K1 + K2 * s);
}

double mt_kernel_anisotropy_curvature(const double m[3], const double k[3], double K1, double K2) {
  double c = mt_dot3(m, k), s = 1 - c * c;
  return -2 * (K1 + 2 * K2 * s) + 8 * K2 * c * c;
}

void mt_kernel_frame(const double m[3], double e1[3], double e2[3]) {
  /* the coordinate axis farthest from m is never nearly parallel to it */
  int i = fabs(m[0]) <= fabs(m[1]) ? 0 : 1;
  if (fabs(m[2]) < fabs(m[i])) i = 2;
  double a[3] = {0, 0, 0};
  a[i] = 1;
  mt_cross3(m, a, e1);
  double norm = sqrt(mt_dot3(e1, e1));
  for (int j = 0; j < 3; j++) e1[j] /= norm;
  mt_cross3(m, e1, e2);
}

void mt_kernel_absolute(double h[3], double floor) {
  double mean = .5 * (h[0] + h[2]), half = .5 * (h[0] - h[2]);
  double radius = hypot(half, h[1]);
  double lo = fmax(fabs(mean - radius), floor), hi = fmax(fabs(mean + radius), floor);
  /* same eigenvectors, new eigenvalues; for a multiple of the identity any eigenvectors do */
  double scale = radius > 0 ? .5 * (hi - lo) / radius : 0;
  mean = .5 * (hi + lo);
  h[0] = mean + scale * half;
  h[2] = mean - scale * half;
  h[1] *= scale;
}

void mt_kernel_turn(const double m[3], const double d[3], double t, double turned[3]) {
  double a2 = .25 * t * t * mt_dot3(d, d);
  for (int i = 0; i < 3; i++) turned[i] = ((1 - a2) * m[i] + t * d[i]) / (1 + a2);
}

void mt_kernel_carry(const double m[3], const double d[3], double t, double v[3]) {
  double d2 = mt_dot3(d, d), a2 = .25 * t * t * d2;
  if (!(d2 > 0)) return;
  /* only the component along d turns: d -> cos d - sin |d| m with cos = (1-a2)/(1+a2), sin |d| = t d2/(1+a2) */
  double c = mt_dot3(v, d) / d2;
  for (int i = 0; i < 3; i++) v[i] += c * ((-2 * a2 * d[i] - t * d2 * m[i]) / (1 + a2));
}

double mt_kernel_slope(const double m[3], const double d[3], double t, const double g[3]) {
  double d2 = mt_dot3(d, d), a2 = .25 * t * t * d2;
  return ((1 - a2) * mt_dot3(d, g) - t * d2 * mt_dot3(m, g)) / ((1 + a2) * (1 + a2));
}

void mt_kernel_expand(const double h[3], const double e1[3], const double e2[3], double s[6]) {
  int n = 0;
  for (int i = 0; i < 3; i++)
    for (int j = i; j < 3; j++)
      s[n++] = h[0] * e1[i] * e1[j] + h[1] * (e1[i] * e2[j] + e2[i] * e1[j]) + h[2] * e2[i] * e2[j];
}
