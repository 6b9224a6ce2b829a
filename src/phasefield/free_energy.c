/* Free energies of a homogeneous phase with two derivatives. */
#include "magtwin/phasefield.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double EDGE = 1e-9; /* of the logarithms */

static void double_well(const MtFreeEnergy *e, double c, double f[3]) {
  const double a = c - e->a[1], b = e->a[2] - c, h = e->a[0];
  f[0] = h * a * a * b * b;
  f[1] = 2 * h * a * b * (b - a);
  f[2] = 2 * h * ((b - a) * (b - a) - 2 * a * b);
}

static void polynomial(const MtFreeEnergy *e, double c, double f[3]) {
  f[0] = f[1] = f[2] = 0;
  for (int k = e->n - 1; k >= 0; k--) { /* Horner, each derivative from the one before */
    f[2] = f[2] * c + 2 * f[1];
    f[1] = f[1] * c + f[0];
    f[0] = f[0] * c + e->a[k];
  }
}

/* c ln c, with the parabola that continues it below EDGE. */
static void entropy(double c, double f[3]) {
  const double at = c < EDGE ? EDGE : c, d = c - at;
  const double value = at * log(at), slope = log(at) + 1, curvature = 1 / at;
  f[0] = value + slope * d + .5 * curvature * d * d;
  f[1] = slope + curvature * d;
  f[2] = curvature;
}

static void regular_solution(const MtFreeEnergy *e, double c, double f[3]) {
  double a[3], b[3];
  entropy(c, a);
  entropy(1 - c, b);
  f[0] = e->rt * (a[0] + b[0]) + e->omega * c * (1 - c);
  f[1] = e->rt * (a[1] - b[1]) + e->omega * (1 - 2 * c);
  f[2] = e->rt * (a[2] + b[2]) - 2 * e->omega;
}

static int interval_of(const MtFreeEnergy *e, double c) {
  int low = 0, high = e->n - 1;
  while (high - low > 1) {
    const int middle = (low + high) / 2;
    *(e->c[middle] <= c ? &low : &high) = middle;
  }
  return low;
}

static void knot(const MtFreeEnergy *e, int i, double *value, double *second) {
  *value = e->a[i] + (e->rise ? e->above * e->rise[i] : 0);
  *second = e->second[i] + (e->rise ? e->above * e->rise_second[i] : 0);
}

static void table(const MtFreeEnergy *e, double c, double f[3]) {
  const double at = fmin(fmax(c, e->c[0]), e->c[e->n - 1]), d = c - at;
  const int i = interval_of(e, at);
  const double h = e->c[i + 1] - e->c[i], a = (e->c[i + 1] - at) / h, b = 1 - a;
  double left, right, p, q;
  knot(e, i, &left, &p);
  knot(e, i + 1, &right, &q);
  f[0] = a * left + b * right + ((a * a * a - a) * p + (b * b * b - b) * q) * h * h / 6;
  f[1] = (right - left) / h + ((3 * b * b - 1) * q - (3 * a * a - 1) * p) * h / 6;
  f[2] = a * p + b * q;
  f[0] += f[1] * d + .5 * f[2] * d * d;
  f[1] += f[2] * d;
}

void mt_free_energy_at(const MtFreeEnergy *e, double c, double f[3]) {
  static void (*const of[])(const MtFreeEnergy *, double, double[3]) = {[MT_ENERGY_DOUBLE_WELL] = double_well,
                                                                        [MT_ENERGY_POLYNOMIAL] = polynomial,
                                                                        [MT_ENERGY_REGULAR_SOLUTION] = regular_solution,
                                                                        [MT_ENERGY_TABLE] = table};
  of[e->kind](e, c, f);
}

/* Natural spline: the tridiagonal system of the second derivatives (G. E. Forsythe, M. A. Malcolm, C. B. Moler,
 * Computer Methods for Mathematical Computations (1977) 4.4). */
static double *natural_spline(int n, const double *c, const double *a) {
  double *pivot = calloc((size_t)n, sizeof *pivot), *second = calloc((size_t)n, sizeof *second);
  if (!pivot || !second) abort();
  for (int i = 1; i < n - 1; i++) {
    const double h = c[i] - c[i - 1], k = c[i + 1] - c[i];
    const double right = 6 * ((a[i + 1] - a[i]) / k - (a[i] - a[i - 1]) / h);
    pivot[i] = 2 * (h + k) - (i > 1 ? h * h / pivot[i - 1] : 0);
    second[i] = right - (i > 1 ? h * second[i - 1] / pivot[i - 1] : 0);
  }
  for (int i = n - 2; i > 0; i--) second[i] = (second[i] - (c[i + 1] - c[i]) * second[i + 1]) / pivot[i];
  free(pivot);
  return second;
}

void mt_free_energy_spline(MtFreeEnergy *e) {
  e->second = natural_spline(e->n, e->c, e->a);
  free(e->rise_second);
  e->rise_second = e->rise ? natural_spline(e->n, e->c, e->rise) : NULL; /* linear in the values */
}

bool mt_free_energy_follows(const MtFreeEnergy *e) {
  return e->gas > 0 || e->rise;
}

MtFreeEnergy mt_free_energy_heated(const MtFreeEnergy *e, double T) {
  MtFreeEnergy now = *e;
  if (e->gas > 0) now.rt = e->gas * T;
  if (e->rise) now.above = T - e->known_at;
  return now;
}

void mt_free_energy_free(MtFreeEnergy *e) {
  free(e->c);
  free(e->a);
  free(e->second);
  free(e->rise);
  free(e->rise_second);
  *e = (MtFreeEnergy){0};
}
