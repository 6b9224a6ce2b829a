/* Micromagnetic terms and steps at one node, in plain C.
 * Formulas: W. F. Brown, Micromagnetics (1963), for the energy; J. M. D. Coey, Magnetism and Magnetic Materials (2010)
 * 5.5.2, for the third uniaxial and the cubic constants; D. Goldfarb, Z. Wen and W. Yin, SIAM J. Imaging Sci. 2
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

double mt_kernel_sixth(const double m[3], const double k[3], double K3, double g[3]) {
  double c = mt_dot3(m, k), s = 1 - c * c;
  for (int i = 0; i < 3; i++) g[i] -= 6 * K3 * c * s * s * k[i];
  return K3 * s * s * s;
}

double mt_kernel_sixth_curvature(const double m[3], const double k[3], double K3) {
  double c2 = mt_dot3(m, k) * mt_dot3(m, k), s = 1 - c2;
  return K3 * s * (24 * c2 - 6 * s);
}

/* Squares of m in the crystal axes, and the components themselves. */
static void in_crystal(const double m[3], const double frame[9], double a[3], double q[3]) {
  for (int i = 0; i < 3; i++) {
    a[i] = mt_dot3(frame + 3 * i, m);
    q[i] = a[i] * a[i];
  }
}

double mt_kernel_cubic(const double m[3], const double frame[9], double K1, double K2, double g[3]) {
  double a[3], q[3];
  in_crystal(m, frame, a, q);
  for (int i = 0; i < 3; i++) {
    double u = q[(i + 1) % 3], v = q[(i + 2) % 3], f = 2 * a[i] * (K1 * (u + v) + K2 * u * v);
    for (int c = 0; c < 3; c++) g[c] += f * frame[3 * i + c];
  }
  return K1 * (q[0] * q[1] + q[1] * q[2] + q[2] * q[0]) + K2 * q[0] * q[1] * q[2];
}

void mt_kernel_cubic_hessian(const double m[3], const double frame[9], double K1, double K2, double s[6]) {
  double a[3], q[3];
  in_crystal(m, frame, a, q);
  for (int i = 0; i < 3; i++) {
    int j = (i + 1) % 3, k = (i + 2) % 3;
    const double *fi = frame + 3 * i, *fj = frame + 3 * j;
    double sum[3], difference[3], mixed = 4 * a[i] * a[j] * (K1 + K2 * q[k]);
    mt_add_dyad3(2 * (K1 * (q[j] + q[k]) + K2 * q[j] * q[k]), fi, s);
    for (int c = 0; c < 3; c++) sum[c] = fi[c] + fj[c], difference[c] = fi[c] - fj[c];
    mt_add_dyad3(.5 * mixed, sum, s); /* mixed (fi fj^T + fj fi^T) */
    mt_add_dyad3(-.5 * mixed, difference, s);
  }
}

void mt_kernel_elastic(const double T[6], const double *frame, double b1, double b2, double weight, double s[6]) {
  const double t[6] = {T[0], T[5], T[4], T[1], T[3], T[2]}; /* in the order of s */
  for (int c = 0; c < 6; c++) s[c] += weight * (frame ? b2 : b1) * t[c];
  for (int i = 0; frame && i < 3; i++)
    mt_add_dyad3(weight * (b1 - b2) * mt_quadratic3(t, frame + 3 * i), frame + 3 * i, s);
}

void mt_kernel_crystal(const double q[4], double frame[9]) {
  const double w = q[0], x = q[1], y = q[2], z = q[3];
  const double f[9] = {1 - 2 * (y * y + z * z), 2 * (x * y + w * z),     2 * (x * z - w * y),
                       2 * (x * y - w * z),     1 - 2 * (x * x + z * z), 2 * (y * z + w * x),
                       2 * (x * z + w * y),     2 * (y * z - w * x),     1 - 2 * (x * x + y * y)};
  for (int i = 0; i < 9; i++) frame[i] = f[i];
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
  double radius = sqrt(half * half + h[1] * h[1]), lo = fabs(mean - radius), hi = fabs(mean + radius);
  lo = lo > floor ? lo : floor;
  hi = hi > floor ? hi : floor;
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
