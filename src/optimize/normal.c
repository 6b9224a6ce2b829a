/* Logarithms of the normal distribution's functions (normal.h). */
#include "normal.h"
#include "magtwin/units.h"
#include <math.h>
#include <stddef.h>

static const double log_sqrt_2pi = 0.91893853320467274178;

double mt_erfcx(double x) {
  if (x < 20) {
    double square = x * x, rest = fma(x, x, -square); /* x^2 to twice the digits: exp would magnify its rounding */
    return exp(square) * (1 + rest) * erfc(x);
  }
  double t = 1 / (2 * x * x); /* asymptotic series, terms below 1e-16 left out */
  return (1 - t * (1 - 3 * t * (1 - 5 * t * (1 - 7 * t)))) / (x * sqrt(MT_PI));
}

double mt_log_density(double z) {
  return -0.5 * z * z - log_sqrt_2pi;
}

double mt_log_cdf(double z) {
  if (z > 0) return log1p(-0.5 * erfc(z * M_SQRT1_2));
  return -0.5 * z * z + log(0.5 * mt_erfcx(-z * M_SQRT1_2));
}

/* 1 - a R(a), R Mills' ratio (1 - Phi(a))/phi(a): h = phi times this.  For a >= 50 its asymptotic series. */
static double h_over_density(double a) {
  if (a < 50) return 1 - a * sqrt(MT_PI / 2) * mt_erfcx(a * M_SQRT1_2);
  double t = 1 / (a * a);
  return t * (1 - 3 * t * (1 - 5 * t * (1 - 7 * t * (1 - 9 * t * (1 - 11 * t)))));
}

double mt_log_h(double z, double *slope) {
  double value;
  if (z > -1)
    value = log(exp(mt_log_density(z)) + z * 0.5 * erfc(-z * M_SQRT1_2));
  else
    value = mt_log_density(z) + log(h_over_density(-z));
  if (slope) *slope = exp(mt_log_cdf(z) - value);
  return value;
}

double mt_log_difference(double a, double b) {
  double d = b - a;
  return a + (d > -M_LN2 ? log(-expm1(d)) : log1p(-exp(d)));
}
