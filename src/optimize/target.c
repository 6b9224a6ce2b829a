/* Expected improvement of the distance of a normal value from a target: the value with its derivatives, in logarithms.
 *
 * E max(c - |y - t|, 0) for y ~ N(mean, sd) is the second difference F(t + c) - 2 F(t) + F(t - c) of F(b) = E max(b -
 * y, 0) = sd h((b - mean)/sd), that is the integral of (d - |v|) phi(z - v) over |v| < d, with z = (t - mean)/sd and d
 * = c/sd.  Where d is small the difference cancels and the integral is taken by quadrature. */
#include "acquisition.h"
#include "normal.h"
#include <math.h>

/* Gauss-Legendre, 12 points on (-1, 1): the positive half. */
static const double node[6] = {0.1252334085114689, 0.3678314989981802, 0.5873179542866175,
                               0.7699026741943047, 0.9041172563704749, 0.9815606342467193};
static const double weight[6] = {0.2491470458134028, 0.2334925365383548, 0.2031674267230659,
                                 0.1600783285433462, 0.1069393259953184, 0.0471753363865118};

static MtLogValue by_quadrature(double z, double d, double sd) {
  double sum[3] = {0};
  for (int k = 0; k < 24; k++) {
    const int i = k / 4;
    const double t = 0.5 * d * (1 + (k & 1 ? node[i] : -node[i])), v = k & 2 ? t : -t;
    const double w = 0.5 * d * weight[i] * (d - t) * exp(z * v - 0.5 * v * v);
    sum[0] += w;
    sum[1] += w * (z - v);
    sum[2] += w * ((z - v) * (z - v) - 1);
  }
  return (MtLogValue){log(sd) + mt_log_density(z) + log(sum[0]), sum[1] / (sum[0] * sd), sum[2] / (sum[0] * sd)};
}

/* Parts over that of F(t + c), the largest when the mean lies above the target. */
static MtLogValue by_difference(double z, double d, double sd) {
  const double below = -fabs(z), at[3] = {below + d, below, below - d}, times[3] = {1, -2, 1};
  double slope, top = mt_log_h(at[0], &slope), q = 0, by_mean = 0, by_sd = 0;
  for (int k = 0; k < 3; k++) {
    const double part = exp(mt_log_h(at[k], &slope) - top);
    q += times[k] * part;
    by_mean -= times[k] * part * slope;
    by_sd += times[k] * exp(mt_log_density(at[k]) - top);
  }
  return (MtLogValue){log(sd) + top + log(q), (z > 0 ? -by_mean : by_mean) / (q * sd), by_sd / (q * sd)};
}

MtLogValue mt_log_improvement(double target, double c, double mean, double sd) {
  if (isnan(target)) {
    double slope, z = (c - mean) / sd, h = mt_log_h(z, &slope);
    return (MtLogValue){log(sd) + h, -slope / sd, exp(mt_log_density(z) - h) / sd};
  }
  if (!(c > 0)) return (MtLogValue){-INFINITY, 0, 0};
  const double z = (target - mean) / sd, d = c / sd;
  return d * (1 + fabs(z)) < 2 ? by_quadrature(z, d, sd) : by_difference(z, d, sd);
}
