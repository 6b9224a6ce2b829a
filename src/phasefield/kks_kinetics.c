/* An interface without kinetics of its own: the common tangent of two phases, and the L at which both phases are in
 * equilibrium just outside of a moving interface.
 *
 * In a frame that moves with a flat interface at v, phase 1 behind it, M mu' = j1 + v (c1 - c0) (1 - h - q), j1 the
 * flux in phase 1 and q = A h (1 - h) the current against trapping; phi' times the equation of phi is (c1 - c0) <mu -
 * mu_e> = v sigma/(kappa L), <> with weight -h'.  mu continued as a straight line from either bulk to phi = 1/2 is mu_e
 * at v > 0, j1 = 0, for this A and L; with M = h M1 + (1 - h) M0 the integrals are those of polynomials.  Source: S. G.
 * Kim, W. T. Kim, T. Suzuki, Phys. Rev. E 60 (1999) 7186 for M1 = M0; docs/numerics.md. */
#include "magtwin/kks.h"
#include <math.h>

enum { SAMPLES = 2000, BISECTIONS = 200 };

/* c of the phase at that potential, which rises with it; NAN: beyond the ends of the phase. */
static double composition(const MtKksPhase *p, double mu) {
  double low, high, f[3];
  mt_kks_phase_range(p, &low, &high);
  mt_kks_phase_at(p, low, f);
  if (!(f[1] <= mu)) return NAN;
  mt_kks_phase_at(p, high, f);
  if (!(f[1] >= mu)) return NAN;
  for (int i = 0; i < BISECTIONS && high > low; i++) {
    const double middle = .5 * (low + high);
    if (middle <= low || middle >= high) break;
    mt_kks_phase_at(p, middle, f);
    *(f[1] < mu ? &low : &high) = middle;
  }
  return .5 * (low + high);
}

/* f - mu c of phase 0 less that of phase 1, at the potential of phase 0 at c[0]; c[1] of the other, NAN: none. */
static double gap(const MtKksModel *m, double c[2]) {
  double f[2][3];
  mt_kks_phase_at(&m->phase[0], c[0], f[0]);
  c[1] = composition(&m->phase[1], f[0][1]);
  if (isnan(c[1])) return NAN;
  mt_kks_phase_at(&m->phase[1], c[1], f[1]);
  return f[0][0] - f[1][0] - f[0][1] * (c[0] - c[1]);
}

static void refine(const MtKksModel *m, double low, double high, double below, MtKksEquilibrium *e) {
  double f[3];
  for (int i = 0; i < BISECTIONS; i++) {
    e->c[0] = .5 * (low + high);
    if (e->c[0] <= low || e->c[0] >= high) break;
    *((gap(m, e->c) > 0) == (below > 0) ? &low : &high) = e->c[0];
  }
  for (int k = 0; k < 2; k++) {
    mt_kks_phase_at(&m->phase[k], e->c[k], f);
    e->curvature[k] = f[2];
  }
}

int mt_kks_equilibrium(const MtKksModel *m, MtKksEquilibrium *e) {
  double low, high, last = NAN, at = NAN;
  int found = 0;
  mt_kks_phase_range(&m->phase[0], &low, &high);
  for (int i = 0; i <= SAMPLES; i++) {
    double c[2] = {low + .5 * (high - low) * (1 - cos(M_PI * i / SAMPLES))}; /* close to each other at the ends */
    const double here = gap(m, c);
    if ((last > 0 && here <= 0) || (last < 0 && here >= 0)) {
      if (found++ == 0) refine(m, at, c[0], last, e);
    }
    last = here;
    at = c[0];
  }
  return found;
}

/* M of both phases in equilibrium. */
static void mobilities(const MtKksModel *m, const double D[2], double M[2]) {
  for (int k = 0; k < 2; k++) M[k] = D[k] / m->equilibrium.curvature[k];
}

double mt_kks_local_equilibrium(const MtKksModel *m, const double D[2]) {
  const double Z = 209. / 840; /* int h (1 - h) dx/l, phi = (1 + tanh(x/l))/2 */
  const double width = sqrt(2 * m->kappa / m->well), sigma = sqrt(2 * m->kappa * m->well) / 6;
  const double jump = m->equilibrium.c[1] - m->equilibrium.c[0];
  double M[2];
  mobilities(m, D, M);
  return sigma * fmax(M[0], M[1]) / (m->kappa * jump * jump * Z * width);
}

double mt_kks_uneven(const MtKksModel *m, const double D[2]) {
  double M[2];
  mobilities(m, D, M);
  return (M[0] - M[1]) / fmax(M[0], M[1]);
}
