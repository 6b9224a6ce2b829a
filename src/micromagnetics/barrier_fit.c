/* Barrier against field, and the field at which thermal activation overcomes it.
 *
 * E = E0 (1 - H/H0)^n: R. H. Victora, Phys. Rev. Lett. 63 (1989) 457 (n = 3/2 in general, 2 for fields along a symmetry
 * axis); solved for H at E = kB T ln(f0 t): M. P. Sharrock, J. Appl. Phys. 76 (1994) 6413. */
#include "magtwin/barrier.h"
#include <math.h>

static const double N_LEAST = .5, N_MOST = 10;
static const double N_OF_TWO = 2;
enum { SCANS = 400, HALVINGS = 80 };

/* ln E = ln E0 + n ln(1 - H/H0) for given H0: weighted with E^2, so that differences of E count. */
static double linear(int count, const double *H, const double *E, double H0, MtBarrierFit *fit) {
  double S = 0, Sx = 0, Sy = 0, Sxx = 0, Sxy = 0, sum = 0;
  for (int i = 0; i < count; i++) {
    double w = E[i] * E[i], x = log(1 - H[i] / H0), y = log(E[i]);
    S += w;
    Sx += w * x;
    Sy += w * y;
    Sxx += w * x * x;
    Sxy += w * x * y;
  }
  double d = S * Sxx - Sx * Sx, n = d > 0 ? (S * Sxy - Sx * Sy) / d : N_OF_TWO;
  n = count < 3 ? N_OF_TWO : fmin(fmax(n, N_LEAST), N_MOST);
  const bool at_bound = n <= N_LEAST || n >= N_MOST;
  *fit = (MtBarrierFit){.points = count, .E0 = exp((Sy - n * Sx) / S), .H0 = H0, .n = n, .at_bound = at_bound};
  for (int i = 0; i < count; i++) {
    double e = fit->E0 * pow(1 - H[i] / H0, n) - E[i];
    sum += e * e;
  }
  fit->error = sqrt(sum / count);
  return fit->error;
}

/* H0 beyond the largest field by a part of the range of the fields that grows geometrically; then golden section. */
void mt_barrier_fit(int count, const double *H, const double *E, MtBarrierFit *fit) {
  const double golden = .5 * (sqrt(5) - 1);
  double most = -INFINITY, least = INFINITY, best = INFINITY, at = 0;
  *fit = (MtBarrierFit){.E0 = NAN, .H0 = NAN, .n = NAN, .error = NAN};
  for (int i = 0; i < count; i++) {
    most = fmax(most, H[i]);
    least = fmin(least, H[i]);
  }
  double range = most - least;
  if (count < 2 || !(range > 0)) return;
  for (int k = 0; k <= SCANS; k++) {
    double x = -7 + 11. * k / SCANS, H0 = most + range * pow(10, x),
           error = H0 > 0 ? linear(count, H, E, H0, fit) : INFINITY;
    if (error >= best) continue;
    best = error;
    at = x;
  }
  double a = at - 11. / SCANS, b = at + 11. / SCANS;
  for (int k = 0; k < HALVINGS; k++) {
    double c = b - golden * (b - a), d = a + golden * (b - a);
    bool left =
        linear(count, H, E, most + range * pow(10, c), fit) < linear(count, H, E, most + range * pow(10, d), fit);
    *(left ? &b : &a) = left ? d : c;
  }
  linear(count, H, E, most + range * pow(10, .5 * (a + b)), fit);
}

/* Nearest point with a higher barrier (side 1) or a lower one (-1) than wanted; -1: none. */
static int neighbour(int count, const double *E, double wanted, int side) {
  int best = -1;
  for (int i = 0; i < count; i++)
    if (side * (E[i] - wanted) >= 0 && (best < 0 || side * (E[i] - E[best]) < 0)) best = i;
  return best;
}

double mt_barrier_field(int count, const double *H, const double *E, const MtBarrierFit *fit, double wanted,
                        bool *between) {
  *between = false;
  if (!fit->points) return NAN;
  int above = neighbour(count, E, wanted, 1), below = neighbour(count, E, wanted, -1);
  *between = above >= 0 && below >= 0;
  if (!*between) return wanted < fit->E0 ? fit->H0 * (1 - pow(wanted / fit->E0, 1 / fit->n)) : 0;
  double a = pow(E[above], 1 / fit->n), b = pow(E[below], 1 / fit->n), x = pow(wanted, 1 / fit->n);
  return a > b ? H[above] + (H[below] - H[above]) * (a - x) / (a - b) : H[above];
}
