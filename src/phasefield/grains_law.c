/* Boundaries of grains: their energies and mobilities, and the coefficients of the model that has them.
 *
 * With kappa and m common to all pairs the functional keeps one gradient term, and its energy falls node by node; the
 * energy of a boundary is set by gamma alone: sigma = g(gamma) sqrt(m kappa) (N. Moelans, B. Blanpain, P. Wollants,
 * Phys. Rev. B 78 (2008) 024113).  Its width then is sqrt(kappa/(m f0)), f0 = (2 gamma - 1)/(4 (2 gamma + 1)), and
 * L = M sigma/kappa, for a profile moves with L kappa times its curvature. */
#include "magtwin/graingrowth.h"
#include "magtwin/units.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double NM = 1e9; /* nm in a metre */

void mt_boundary_law_free(MtBoundaryLaw *law) {
  free(law->orientation);
  free(law->pair);
  free(law->pair_energy);
  free(law->pair_mobility);
  *law = (MtBoundaryLaw){0};
}

/* The rotations of 422: by 0, 90, 180, 270 deg about c, and half turns about four axes normal to it. */
static void tetragonal(int k, double q[4]) {
  const double angle = .25 * MT_PI * (k % 4);
  const double c = cos(angle), s = sin(angle);
  const double turn[2][4] = {{c, 0, 0, s}, {0, c, s, 0}};
  memcpy(q, turn[k / 4], 4 * sizeof *q);
}

double mt_disorientation(const double a[4], const double b[4]) {
  /* conj(a) b */
  const double d[4] = {
      a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3], a[0] * b[1] - a[1] * b[0] - a[2] * b[3] + a[3] * b[2],
      a[0] * b[2] - a[2] * b[0] - a[3] * b[1] + a[1] * b[3], a[0] * b[3] - a[3] * b[0] - a[1] * b[2] + a[2] * b[1]};
  double q[4], most = 0;
  for (int k = 0; k < 8; k++) {
    tetragonal(k, q);
    most = fmax(most, fabs(d[0] * q[0] - d[1] * q[1] - d[2] * q[2] - d[3] * q[3]));
  }
  return 360 / MT_PI * acos(fmin(1, most));
}

/* W. T. Read, W. Shockley, Phys. Rev. 78 (1950) 275; angle over the cutoff. */
static double read_shockley(const MtBoundaryLaw *law, double angle) {
  if (angle >= 1) return law->energy;
  return fmax(law->lowest, angle > 0 ? law->energy * angle * (1 - log(angle)) : 0);
}

/* F. J. Humphreys, Acta Mater. 45 (1997) 4231. */
static double humphreys(const MtBoundaryLaw *law, double angle) {
  return fmax(law->slowest, law->mobility * (1 - exp(-5 * angle * angle * angle * angle)));
}

static int by_pair(const void *a, const void *b) {
  const int32_t *x = a, *y = b;
  return x[0] != y[0] ? (x[0] > y[0]) - (x[0] < y[0]) : (x[1] > y[1]) - (x[1] < y[1]);
}

bool mt_boundary(const MtBoundaryLaw *law, int32_t a, int32_t b, double *energy, double *mobility) {
  *energy = law->energy;
  *mobility = law->mobility;
  if (law->kind == MT_BOUNDARY_READ_SHOCKLEY) {
    const double angle = mt_disorientation(law->orientation + 4 * a, law->orientation + 4 * b) / law->cutoff;
    *energy = read_shockley(law, angle);
    if (law->slowest > 0) *mobility = humphreys(law, angle);
  }
  if (law->kind != MT_BOUNDARY_TABLE) return true;
  const int32_t key[2] = {a < b ? a : b, a < b ? b : a};
  const int32_t *found = bsearch(key, law->pair, (size_t)law->npairs, sizeof key, by_pair);
  if (!found) return false;
  *energy = law->pair_energy[(found - law->pair) / 2];
  *mobility = law->pair_mobility[(found - law->pair) / 2];
  return true;
}

enum { PARTS = 400 };
/* sqrt(f), f = (1 - s)^2/4 + (gamma - 1/2) q on the plane of two order parameters (1 + u + d)/2 and (1 + u - d)/2, and
 * its first two derivatives by u. */
static void root_of_well(double gamma, double u, double d, double r[3]) {
  const double v = 1 + u, s = .5 * (v * v + d * d), p = .25 * (v * v - d * d);
  const double f = .25 * (1 - s) * (1 - s) + (gamma - .5) * p * p;
  const double f1 = -.5 * (1 - s) * v + (gamma - .5) * p * v;
  const double f2 = -.5 * (1 - s) + .5 * v * v + (gamma - .5) * (p + .5 * v * v);
  r[0] = sqrt(f);
  r[1] = .5 * f1 / r[0];
  r[2] = .5 * f2 / r[0] - r[1] * r[1] / r[0];
}

/* Newton's method for the path u(d) of least int sqrt(f (1 + u'^2)) dd, d from 0 (where it is level, by symmetry) to 1
 * (the well, u = 0).  One correction; its largest part. */
static double improve_path(double gamma, double *u, double *length) {
  const double h = 1. / PARTS;
  double diagonal[PARTS + 1] = {0}, beside[PARTS + 1] = {0}, force[PARTS + 1] = {0}, largest = 0;
  *length = 0;
  for (int k = 0; k < PARTS; k++) {
    double r[3];
    const double slope = (u[k + 1] - u[k]) / h, b = sqrt(1 + slope * slope), b1 = slope / b, b2 = 1 / (b * b * b);
    root_of_well(gamma, .5 * (u[k] + u[k + 1]), (k + .5) * h, r);
    *length += h * r[0] * b;
    force[k] += .5 * h * r[1] * b - r[0] * b1;
    force[k + 1] += .5 * h * r[1] * b + r[0] * b1;
    const double same = .25 * h * r[2] * b + r[0] * b2 / h, cross = r[1] * b1;
    diagonal[k] += same - cross;
    diagonal[k + 1] += same + cross;
    beside[k] += .25 * h * r[2] * b - r[0] * b2 / h;
  }
  for (int k = 1; k < PARTS; k++) {
    const double factor = beside[k - 1] / diagonal[k - 1];
    diagonal[k] -= factor * beside[k - 1];
    force[k] -= factor * force[k - 1];
  }
  for (int k = PARTS - 1; k >= 0; k--) {
    force[k] = (force[k] - (k + 1 < PARTS ? beside[k] * force[k + 1] : 0)) / diagonal[k];
    largest = fmax(largest, fabs(force[k]));
  }
  const double part = fmin(1, .1 / fmax(largest, 1e-300));
  for (int k = 0; k < PARTS; k++) u[k] -= part * force[k];
  return largest;
}

double mt_grain_energy_factor(double gamma) {
  double u[PARTS + 1], length = 0;
  const double middle = 2 / sqrt(1 + 2 * gamma) - 1; /* of the saddle */
  for (int k = 0; k <= PARTS; k++) u[k] = middle * (1 - (double)k * k / ((double)PARTS * PARTS));
  for (int i = 0; i < 50 && improve_path(gamma, u, &length) > 1e-10; i++) continue;
  return 2 * length; /* sqrt(2 f) times half of sqrt(2) dd, both sides */
}

enum { KNOTS = 48 };
static const double LOWEST = .505, HIGHEST = 12; /* gamma */

static double knot(int k) {
  const double a = log(LOWEST - .5), b = log(HIGHEST - .5);
  return .5 + exp(a + (b - a) * k / (KNOTS - 1));
}

/* gamma of g as a spline. */
static void make_inverse(MtFreeEnergy *e) {
  *e = (MtFreeEnergy){.kind = MT_ENERGY_TABLE, .n = KNOTS};
  e->c = malloc(KNOTS * sizeof *e->c);
  e->a = malloc(KNOTS * sizeof *e->a);
  if (!e->c || !e->a) abort();
  for (int k = 0; k < KNOTS; k++) {
    e->a[k] = knot(k);
    e->c[k] = mt_grain_energy_factor(e->a[k]);
  }
  mt_free_energy_spline(e);
}

void mt_grain_model(const MtBoundaryLaw *law, double width, MtGrainModel *m) {
  const double middle = sqrt(2) / 3; /* g(3/2): of the energies' geometric mean, as far as the table reaches */
  double gamma[3] = {1.5};
  *m = (MtGrainModel){.uniform = law->kind == MT_BOUNDARY_CONSTANT};
  double g = middle;
  if (!m->uniform) {
    make_inverse(&m->inverse);
    g = fmin(middle * sqrt(law->energy / law->lowest), m->inverse.c[KNOTS - 1]);
    mt_free_energy_at(&m->inverse, g, gamma);
  }
  const double root = .5 * sqrt((2 * gamma[0] - 1) / (2 * gamma[0] + 1)); /* of f0 */
  m->gamma = gamma[0];
  m->kappa = NM * law->energy * width * root / g;
  m->m = NM * law->energy / (g * width * root);
  m->rate = NM * law->mobility * NM * law->energy / m->kappa;
}

void mt_grain_model_free(MtGrainModel *m) {
  mt_free_energy_free(&m->inverse);
}

double mt_grain_model_gamma(const MtGrainModel *m, double energy) {
  double gamma[3];
  mt_free_energy_at(&m->inverse, NM * energy / sqrt(m->m * m->kappa), gamma);
  return gamma[0];
}

double mt_grain_model_rate(const MtGrainModel *m, double energy, double mobility) {
  return NM * mobility * NM * energy / m->kappa;
}
