/* What a demagnetization curve is judged by: Br, Hc, Hk, squareness and (BH)max, for the applied or the internal field,
 * and the demagnetizing factor of a prism (Aharoni, J. Appl. Phys. 83 (1998) 3432, eq. 1).
 *
 * The curve is piecewise linear in (H, J); the figures are exact for that.  In the internal field Hint = H - N J a jump
 * runs back along the load line: no state of it belongs to a field of its own, and the magnet had been in the larger
 * opposing field before.  It is drawn as a closed circuit would show it, vertical at the field where it began, until
 * Hint falls below that again: Hint is replaced by its least value so far. */
#include "magtwin/loop.h"
#include <math.h>
#include <stdlib.h>

/* First point along the curve at which a falls through `level`; *b there.  False if it never does. */
static bool first_fall(int n, const double *a, double level, const double *b, double *at) {
  for (int i = 0; i + 1 < n; i++) {
    if (a[i] >= level && a[i + 1] < level) {
      double t = (a[i] - level) / (a[i] - a[i + 1]);
      *at = b[i] + t * (b[i + 1] - b[i]);
      return true;
    }
  }
  if (n > 0 && a[n - 1] == level) {
    *at = b[n - 1];
    return true;
  }
  return false;
}

/* Largest -B H with B = H + J on the straight piece between two points, where H <= 0 <= B (T2). */
static double largest_product(double H0, double J0, double H1, double J1) {
  double dH = H1 - H0, dB = dH + J1 - J0, B0 = H0 + J0;
  /* -(B0 + t dB)(H0 + t dH): its stationary point, and the ends */
  double t[3] = {0, 1, dH * dB != 0 ? -(B0 * dH + H0 * dB) / (2 * dH * dB) : 0}, best = 0;
  for (int i = 0; i < 3; i++) {
    if (!(t[i] >= 0 && t[i] <= 1)) continue;
    double H = H0 + t[i] * dH, B = B0 + t[i] * dB;
    if (H <= 0 && B >= 0) best = fmax(best, -B * H);
  }
  return best;
}

void mt_loop_figures(int n, const double *H, const double *J, double N, MtLoopFigures *f) {
  f->Br = f->Hc = f->Hk = f->squareness = f->BHmax = NAN;
  double *Hint = malloc((size_t)(n > 0 ? n : 1) * sizeof *Hint);
  if (!Hint) return;
  for (int i = 0; i < n; i++) Hint[i] = H[i] - N * J[i];
  for (int i = 1; N != 0 && i < n; i++) Hint[i] = fmin(Hint[i], Hint[i - 1]);
  double at;
  if (first_fall(n, Hint, 0, J, &at)) f->Br = at;
  if (first_fall(n, J, 0, Hint, &at)) f->Hc = -at;
  if (f->Br > 0 && first_fall(n, J, .9 * f->Br, Hint, &at)) f->Hk = -at;
  if (f->Hc > 0) f->squareness = f->Hk / f->Hc;
  double best = 0;
  for (int i = 0; i + 1 < n; i++) best = fmax(best, largest_product(Hint[i], J[i], Hint[i + 1], J[i + 1]));
  if (f->Br > 0) f->BHmax = best / MT_MU0 * 1e-3;
  free(Hint);
}

static double along(const double a[3], const double b[3]) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

int mt_loop_branch(const MtCurve *curve, const double axis[3], int *first) {
  int best = 0, begin = 0;
  *first = 0;
  for (int i = 0; i < curve->n; i++) {
    if (i > 0 && along(curve->row[i].B, axis) > along(curve->row[i - 1].B, axis)) begin = i;
    if (i + 1 - begin > best) {
      best = i + 1 - begin;
      *first = begin;
    }
  }
  return best;
}

static double hypot3(double a, double b, double c) {
  return sqrt(a * a + b * b + c * c);
}

/* ln((r - a)/(r + a)) without cancellation when a is nearly r: r2 = r^2 - a^2. */
static double log_ratio(double r, double a, double r2) {
  return log(r2 / ((r + a) * (r + a)));
}

/* Factor along the edge of length 2c of the prism 2a x 2b x 2c. */
static double prism_factor(double a, double b, double c) {
  double a2 = a * a, b2 = b * b, c2 = c * c, r = hypot3(a, b, c);
  double ab = hypot(a, b), bc = hypot(b, c), ac = hypot(a, c);
  double sum = (b2 - c2) / (2 * b * c) * log_ratio(r, a, b2 + c2) + (a2 - c2) / (2 * a * c) * log_ratio(r, b, a2 + c2);
  sum -= b / (2 * c) * log_ratio(ab, a, b2) + a / (2 * c) * log_ratio(ab, b, a2);
  sum += c / (2 * a) * log_ratio(bc, b, c2) + c / (2 * b) * log_ratio(ac, a, c2);
  sum += 2 * atan(a * b / (c * r)) + (a2 * a + b2 * b - 2 * c2 * c) / (3 * a * b * c);
  sum += (a2 + b2 - 2 * c2) / (3 * a * b * c) * r + c / (a * b) * (ac + bc);
  sum -= (ab * ab * ab + bc * bc * bc + ac * ac * ac) / (3 * a * b * c);
  return sum / MT_PI;
}

void mt_prism_factors(const double L[3], double N[3]) {
  for (int d = 0; d < 3; d++) N[d] = prism_factor(L[(d + 1) % 3] / 2, L[(d + 2) % 3] / 2, L[d] / 2);
}
