/* Geodesics on the unit sphere of one node. */
#include "path_kernels.h"
#include "kernels.h"
#include <math.h>

static const double DETOUR = .3; /* how far the middle of the way leans aside, for opposite ends; small beside 1 */

double mt_kernel_log(const double a[3], const double b[3], double v[3]) {
  double c[3], e2[3];
  mt_cross3(a, b, c);
  double sine = sqrt(mt_dot3(c, c)), angle = atan2(sine, mt_dot3(a, b));
  for (int i = 0; i < 3; i++) v[i] = b[i];
  mt_tangent3(a, v);
  double norm = sqrt(mt_dot3(v, v));
  if (angle > 0 && !(norm > 1e-12)) { /* opposite to rounding */
    mt_kernel_frame(a, v, e2);
    norm = 1;
  }
  for (int i = 0; i < 3; i++) v[i] = norm > 0 ? v[i] * (angle / norm) : 0;
  return angle;
}

void mt_kernel_slerp(const double a[3], const double b[3], double t, double c[3]) {
  double v[3], angle = mt_kernel_log(a, b, v);
  double cosine = cos(t * angle), sine = angle > 0 ? sin(t * angle) / angle : 0;
  for (int i = 0; i < 3; i++) c[i] = cosine * a[i] + sine * v[i];
  double norm = sqrt(mt_dot3(c, c));
  for (int i = 0; i < 3; i++) c[i] /= norm;
}

void mt_kernel_detour(const double a[3], const double b[3], const double aside[3], double t, double c[3]) {
  double middle[3], half = .5 * (1 - mt_dot3(a, b)); /* 0 for b = a, 1 for b = -a */
  for (int i = 0; i < 3; i++) middle[i] = a[i] + b[i] + DETOUR * half * half * aside[i];
  double norm = sqrt(mt_dot3(middle, middle));
  for (int i = 0; i < 3; i++) middle[i] = norm > 1e-12 ? middle[i] / norm : aside[i];
  if (t < .5)
    mt_kernel_slerp(a, middle, 2 * t, c);
  else
    mt_kernel_slerp(middle, b, 2 * t - 1, c);
}
