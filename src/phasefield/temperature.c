/* Temperature programs and Arrhenius coefficients. */
#include "magtwin/temperature.h"
#include <math.h>
#include <stdlib.h>

static const double GAS = 8.31446261815324; /* J/(mol K), CODATA 2018 */

double mt_polyline(int n, const double *x, const double *y, double at) {
  if (n == 0) return NAN;
  if (at <= x[0]) return y[0];
  for (int i = 1; i < n; i++)
    if (at <= x[i]) return y[i - 1] + (y[i] - y[i - 1]) * (at - x[i - 1]) / (x[i] - x[i - 1]);
  return y[n - 1];
}

double mt_program_at(const MtProgram *p, double t) {
  return mt_polyline(p->n, p->t, p->T, t);
}

double mt_program_corner(const MtProgram *p, double t) {
  for (int i = 0; i < p->n; i++)
    if (p->t[i] > t * (1 + 1e-9)) return p->t[i];
  return INFINITY;
}

void mt_program_free(MtProgram *p) {
  free(p->t);
  free(p->T);
  *p = (MtProgram){0};
}

double mt_arrhenius(double Q, double T) {
  const double least = 1e-100; /* nothing moves in any time a run may have, and one may divide by it */
  return Q == 0 ? 1 : fmax(least, exp(-Q / (GAS * T)));
}
