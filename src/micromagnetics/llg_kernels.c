/* The Landau-Lifshitz-Gilbert equation at one node.  T. L. Gilbert, IEEE Trans. Magn. 40 (2004) 3443; chart:
 * stereographic projection from -m0, the inverse of the Cayley turn. */
#include "llg_kernels.h"
#include "kernels.h"

void mt_kernel_llg_rate(const double m[3], const double B[3], const double s[3], double gamma, double alpha,
                        double v[3]) {
  double mB[3], tau[3], damped[3];
  mt_cross3(m, B, mB);
  for (int c = 0; c < 3; c++) tau[c] = s[c] - gamma * mB[c];
  mt_cross3(m, tau, damped);
  for (int c = 0; c < 3; c++) v[c] = (tau[c] + alpha * damped[c]) / (1 + alpha * alpha);
}

void mt_kernel_llg_drift(const double m[3], const double a[3], double xi, double s[3]) {
  double t[3] = {a[0], a[1], a[2]}, turned[3];
  mt_tangent3(m, t);
  mt_cross3(m, t, turned);
  for (int c = 0; c < 3; c++) s[c] = xi * turned[c] - t[c];
}

void mt_kernel_llg_pull(const double m0[3], const double m[3], const double v[3], double f[3]) {
  double c = mt_dot3(m, m0), dc = mt_dot3(v, m0), scale = 2 / (1 + c);
  for (int i = 0; i < 3; i++) f[i] = scale * (v[i] - dc * m0[i]) - scale * dc / (1 + c) * (m[i] - c * m0[i]);
}

void mt_kernel_llg_invert(const double h[3], double s, const double e1[3], const double e2[3], double S[6],
                          double *skew) {
  double det = h[0] * h[2] - h[1] * h[1] + s * s, inverse[3] = {h[2] / det, -h[1] / det, h[0] / det};
  mt_kernel_expand(inverse, e1, e2, S);
  *skew = -s / det;
}
