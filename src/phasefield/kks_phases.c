/* Two phases at one place: their compositions of equal potential, and the derivatives of the energy. */
#include "magtwin/kks.h"
#include <math.h>
#include <stdlib.h>

enum { MAX_ITERATIONS = 100, SAMPLES = 1000 };

void mt_kks_interface(MtKksModel *m, double sigma, double width) {
  const double s = 1e9 * sigma; /* J/m3 nm */
  m->kappa = 3 * s * width;
  m->well = 6 * s / width;
}

void mt_kks_free(MtKksModel *m) {
  for (int k = 0; k < 2; k++) {
    mt_free_energy_free(&m->phase[k].f);
    free(m->diagram.c[k]);
  }
  free(m->diagram.T);
  m->diagram = (MtKksDiagram){0};
}

void mt_kks_phase_at(const MtKksPhase *p, double c, double f[3]) {
  mt_free_energy_at(&p->f, c, f);
  f[0] += (1 - c) * p->tilt[0] + c * p->tilt[1];
  f[1] += p->tilt[1] - p->tilt[0];
}

void mt_kks_phase_range(const MtKksPhase *p, double *low, double *high) {
  *low = isinf(p->f.low) ? 0 : p->f.low;
  *high = isinf(p->f.high) ? 1 : p->f.high;
}

double mt_kks_concave(const MtKksPhase *p, double low, double high) {
  for (int i = 1; i < SAMPLES; i++) {
    double f[3], c = low + (high - low) * i / SAMPLES;
    mt_kks_phase_at(p, c, f);
    if (!(f[2] > 0)) return c;
  }
  return NAN;
}

/* h and its first two derivatives, 0 and 1 outside [0, 1]: without a jump in them. */
static void share(double phi, double h[3]) {
  const double x = fmin(fmax(phi, 0), 1);
  h[0] = x * x * x * (10 + x * (6 * x - 15));
  h[1] = 30 * x * x * (1 - x) * (1 - x);
  h[2] = 60 * x * (1 - x) * (1 - 2 * x);
}

/* Newton's method for the composition of the rarer phase, whose potential less the other's is monotonic in it; steps
 * that make it larger are halved. */
static bool split(const MtKksModel *m, double h, double c, double at[2], double f[2][3]) {
  const int rare = h < .5 ? 1 : 0, other = 1 - rare;
  const double part = rare == 1 ? h : 1 - h, ratio = part / (1 - part);
  double before = INFINITY, step = 0;
  at[0] = at[1] = c;
  for (int i = 0; i < MAX_ITERATIONS; i++) {
    at[other] = c + ratio * (c - at[rare]);
    for (int k = 0; k < 2; k++) mt_kks_phase_at(&m->phase[k], at[k], f[k]);
    const double gap = f[rare][1] - f[other][1], slope = f[rare][2] + ratio * f[other][2];
    if (!(slope > 0) || !isfinite(gap)) return false;
    if (fabs(gap) <= 1e-13 * (fabs(f[rare][1]) + fabs(f[other][1])) || fabs(gap / slope) < 1e-15) return true;
    if (fabs(gap) >= before && fabs(step) > 1e-14) { /* back half of the way */
      step *= .5;
      at[rare] += step;
      continue;
    }
    before = fabs(gap);
    step = gap / slope;
    at[rare] -= step;
  }
  return fabs(step) < 1e-9;
}

bool mt_kks_at(const MtKksModel *m, const double D[2], double phi, double c, MtKksPoint *p) {
  double h[3], f[2][3];
  share(phi, h);
  if (!split(m, h[0], c, p->c, f)) return false;
  const double part[2] = {1 - h[0], h[0]}, W = m->well, u = phi * (1 - phi), jump = p->c[1] - p->c[0];
  p->mu = part[0] * f[0][1] + part[1] * f[1][1];
  p->chi = part[0] / f[0][2] + part[1] / f[1][2];
  p->mobility = D[0] * part[0] / f[0][2] + D[1] * part[1] / f[1][2];
  p->f = part[0] * f[0][0] + part[1] * f[1][0] + W * u * u;
  const double force = f[1][0] - f[0][0] - p->mu * jump;
  p->slope = h[1] * force + 2 * W * u * (1 - 2 * phi);
  p->second = h[2] * force + 2 * W * (1 - 6 * u);
  p->s = -h[1] * jump;
  return true;
}
