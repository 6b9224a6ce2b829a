/* ranks: 1 2 */
/* Two phases: derivatives at a point, equilibrium by the common tangent, energy of an interface, mass, refused phases.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "magtwin/error.h"
#include "magtwin/kks.h"
#include "near.h"
#include <stdlib.h>

static double parabola0[] = {.5e9 * .04, -.2e9, .5e9}, parabola1[] = {1e9 * .64, -1.6e9, 1e9};
static double hump[] = {0, 0, 1e9, -2e9, 1e9}; /* c^2 (1 - c)^2 */

/* f'' of 1e9 and 2e9 J/m3 about 0.2 and 0.8, the second tilted. */
static MtKksModel two_parabolas(void) {
  MtKksModel m = {
      .phase = {{.f = {.kind = MT_ENERGY_POLYNOMIAL, .n = 3, .a = parabola0, .low = -HUGE_VAL, .high = HUGE_VAL},
                 .D0 = 1},
                {.f = {.kind = MT_ENERGY_POLYNOMIAL, .n = 3, .a = parabola1, .low = -HUGE_VAL, .high = HUGE_VAL},
                 .tilt = {3e7, -2e7},
                 .D0 = .3}},
      .rate = 1e-8};
  mt_kks_interface(&m, .3, 1);
  return m;
}

static void point_agrees(const MtKksModel *m, double phi, double c) {
  const double D[2] = {1, 1}, e = 1e-5;
  MtKksPoint p, a, b;
  assert_true(mt_kks_at(m, D, phi, c, &p));
  assert_true(mt_kks_at(m, D, phi, c - e, &a) && mt_kks_at(m, D, phi, c + e, &b));
  assert_near(p.mu, (b.f - a.f) / (2 * e), 1e-6 * m->well);
  assert_near(1 / p.chi, (b.mu - a.mu) / (2 * e), 1e-4 / p.chi);
  assert_near(p.s / p.chi, (b.slope - a.slope) / (2 * e), 1e-4 * (fabs(p.s / p.chi) + m->well));
  assert_true(mt_kks_at(m, D, phi - e, c, &a) && mt_kks_at(m, D, phi + e, c, &b));
  assert_near(p.slope, (b.f - a.f) / (2 * e), 1e-6 * m->well);
  assert_near(p.s / p.chi, (b.mu - a.mu) / (2 * e), 1e-4 * (fabs(p.s / p.chi) + m->well));
  assert_near(p.second + p.s * p.s / p.chi, (b.slope - a.slope) / (2 * e), 1e-4 * m->well);
}

static void test_point(void **state) {
  MtKksModel m = two_parabolas();
  (void)state;
  for (int i = 1; i < 10; i++) point_agrees(&m, .1 * i, .15 + .06 * i);
  m.phase[0] = (MtKksPhase){.f = {.kind = MT_ENERGY_REGULAR_SOLUTION, .rt = 1.2e9, .omega = 1e9}, .tilt = {1e8, 3e8}};
  for (int i = 1; i < 10; i++) point_agrees(&m, .1 * i, .05 + .08 * i);
  assert_true(isnan(mt_kks_concave(&m.phase[0], 0, 1)));
  const MtKksPhase two = {.f = {.kind = MT_ENERGY_POLYNOMIAL, .n = 5, .a = hump}};
  assert_true(mt_kks_concave(&two, 0, 1) > .2 && mt_kks_concave(&two, 0, 1) < .22); /* f'' = 0 at (3 - sqrt 3)/6 */
}

/* c and the potential of the common tangent of two parabolas, by bisection in the potential (f' of both): the
 * intercepts f - mu c must be equal. */
static double intercept(const MtKksPhase *p, double curvature, double mu, double *c) {
  double f[3];
  mt_kks_phase_at(p, 0, f);
  *c = (mu - f[1]) / curvature;
  mt_kks_phase_at(p, *c, f);
  return f[0] - mu * *c;
}

static double common_tangent(const MtKksModel *m, double c[2], double *at0) {
  double low = -1e9, high = 1e9, mu = 0, a = 0;
  for (int i = 0; i < 100; i++) {
    mu = .5 * (low + high);
    a = intercept(&m->phase[0], 1e9, mu, &c[0]);
    *(intercept(&m->phase[1], 2e9, mu, &c[1]) > a ? &low : &high) = mu;
  }
  *at0 = a;
  return mu;
}

static void fill(MtKks *k, const MtDomain *d) {
  for (int f = 0; f < MT_KKS_FIELDS; f++) {
    PetscScalar *a;
    VecGetArray(mt_kks_field(k, 0, f), &a);
    for (PetscInt i = 0; i < d->n_owned; i++) {
      const double phi = .5 * (1 + tanh((d->x[3 * i] - 8) / 1.5));
      a[i] = f == MT_KKS_PHI ? phi : .25 + .4 * phi;
    }
    VecRestoreArray(mt_kks_field(k, 0, f), &a);
  }
}

/* Away from equilibrium at the start; in the end c of both phases and the potential are those of the common tangent,
 * and what lies above the tangent is the interface's energy. */
static void test_equilibrium(void **state) {
  MtKksModel m = two_parabolas();
  const MtBox b = {.dim = 2, .cells = {80, 3}, .size = {16, .6}, .periodic = {false, true}};
  const MtFlowOptions opt = {.newton_tolerance = 1e-9, .linear_rtol = 1e-5};
  const MtMarchOptions march = {
      .first = 1e-3, .min = 1e-9, .max = HUGE_VAL, .tolerance = 1e-3, .low = -HUGE_VAL, .high = HUGE_VAL};
  double c[2], at0, mean, share, low, high;
  MtDomain *domain;
  MtKks *k;
  (void)state;
  assert_int_equal(mt_domain_box(PETSC_COMM_WORLD, &b, &domain), 0);
  assert_int_equal(mt_kks_create(domain, &m, &opt, &march, &k), 0);
  fill(k, domain);
  assert_int_equal(mt_kks_start(k, 0), 0);
  const MtMarchState *s = mt_kks_state(k);
  for (double before = mt_kks_energy(k).total; s->t < 3000; before = mt_kks_energy(k).total) {
    assert_int_equal(mt_kks_step(k, 3000), 0);
    assert_true(mt_kks_energy(k).total <= before + 1e-11 * fabs(before));
    mt_kks_means(k, &mean, &share);
    assert_near(mean, s->mean0, 1e-13);
  }
  print_message("%.0f steps, %.0f rejected, %.2f Newton a step, %.1f linear a Newton\n", s->steps, s->rejected,
                s->newton / (s->steps + s->rejected), s->linear / s->newton);
  assert_true(s->newton <= 5 * (s->steps + s->rejected));
  const double mu = common_tangent(&m, c, &at0);
  VecMin(mt_kks_field(k, 0, MT_KKS_C), NULL, &low);
  VecMax(mt_kks_field(k, 0, MT_KKS_C), NULL, &high);
  assert_near(low, c[0], 1e-5);
  assert_near(high, c[1], 1e-5);
  const double sigma = 1e-9 * 16 * (mt_kks_energy(k).total - at0 - mu * mean);
  print_message("interface %.6f J/m2\n", sigma);
  assert_near(sigma / .3, 1 - .04 / 30, 2e-3); /* (h/l)^2/30: of linear elements, docs/numerics.md */
  assert_int_equal(mt_kks_destroy(&k), 0);
  assert_int_equal(mt_domain_destroy(&domain), 0);
}

/* That of two parabolas against bisection in the potential; phases with none, and with two. */
static void test_common_tangent(void **state) {
  MtKksModel m = two_parabolas();
  MtKksEquilibrium e;
  double c[2], at0;
  (void)state;
  (void)common_tangent(&m, c, &at0);
  assert_int_equal(mt_kks_equilibrium(&m, &e), 1);
  for (int k = 0; k < 2; k++) {
    assert_near(e.c[k], c[k], 1e-12);
    assert_near(e.curvature[k], k ? 2e9 : 1e9, 1);
  }
  m.phase[1].tilt[0] = m.phase[1].tilt[1] = 1e9;
  assert_int_equal(mt_kks_equilibrium(&m, &e), 0);
  m.phase[0] = (MtKksPhase){.f = {.kind = MT_ENERGY_REGULAR_SOLUTION, .rt = 1e9, .high = 1}}; /* wide, about 1/2 */
  m.phase[1] = (MtKksPhase){.f = {.kind = MT_ENERGY_POLYNOMIAL, .n = 3, .low = -HUGE_VAL, .high = HUGE_VAL},
                            .tilt = {-8e8, -8e8}};
  m.phase[1].f.a = (double[]){1e11 * .25, -1e11, 1e11}; /* narrow, at 1/2: on either side of it */
  assert_int_equal(mt_kks_equilibrium(&m, &e), 2);
  assert_near(e.c[0], 1 - .5 * (1 + tanh(.5 * 1e-9 * (2e11 * (.5 - e.c[1])))), 1e-6); /* f' = rt ln(c/(1 - c)) */
}

static double share_at(double x) {
  const double p = 1 / (1 + exp(2 * x));
  return p * p * p * (10 + p * (6 * p - 15));
}

/* mu outside of a moving interface, continued to it from either bulk, less that of equilibrium: by direct summation of
 * M mu' = j1 + v (c1 - c0) (1 - h - q), for j1 = 0 (or 0 flux in phase 0 where that is the slower); over v. */
static void outside(const MtKksModel *m, const double D[2], double mu[2]) {
  enum { STEPS = 30000 };
  const double reach = 15, step = 2 * reach / STEPS, l = sqrt(2 * m->kappa / m->well),
               L = mt_kks_local_equilibrium(m, D);
  const MtKksEquilibrium *e = &m->equilibrium;
  const double jump = e->c[1] - e->c[0], A = mt_kks_uneven(m, D),
               M[2] = {D[0] / e->curvature[0], D[1] / e->curvature[1]};
  const double flux[2] = {M[0] >= M[1] ? jump : 0, M[0] >= M[1] ? 0 : -jump}; /* far in phases 0 and 1 */
  double at = 0, mean = 0;                                                    /* mu less that at -reach */
  for (int i = 0; i < STEPS; i++) {
    const double x = -reach + i * step, h = share_at(x + .5 * step), rest = share_at(-x - .5 * step);
    const double slope = (flux[1] + jump * (rest - A * h * rest)) / (M[1] * h + M[0] * rest);
    mean += (at + .5 * slope * step * l) * (share_at(x) - share_at(x + step));
    at += slope * step * l;
  }
  const double origin = sqrt(2 * m->kappa * m->well) / 6 / (m->kappa * L * jump) - mean;
  mu[1] = origin + flux[1] / M[1] * reach * l;
  mu[0] = origin + at - flux[0] / M[0] * reach * l;
}

static void test_local_equilibrium(void **state) {
  static const double D[][2] = {{1, 1}, {1, .5}, {1, 1e-3}, {.01, 3}};
  MtKksModel m = two_parabolas();
  (void)state;
  assert_int_equal(mt_kks_equilibrium(&m, &m.equilibrium), 1);
  for (size_t i = 0; i < sizeof D / sizeof *D; i++) {
    double mu[2];
    const double scale = fabs(m.equilibrium.c[1] - m.equilibrium.c[0]) * 1e9 / fmax(D[i][0], D[i][1]); /* v l/M */
    outside(&m, D[i], mu);
    print_message("D %g and %g: %.2e %.2e\n", D[i][0], D[i][1], mu[0] / scale, mu[1] / scale);
    for (int k = 0; k < 2; k++) assert_near(mu[k] / scale, 0, 1e-6);
  }
}

/* Phase 1 of equilibrium composition, the other supersaturated. */
static void fill_supersaturated(MtKks *k, const MtDomain *d, double c1) {
  PetscScalar *phi, *c;
  VecGetArray(mt_kks_field(k, 0, MT_KKS_PHI), &phi);
  VecGetArray(mt_kks_field(k, 0, MT_KKS_C), &c);
  for (PetscInt i = 0; i < d->n_owned; i++) {
    const double x = d->x[3 * i] - 6, h = share_at(x);
    phi[i] = .5 * (1 - tanh(x));
    c[i] = c1 * h + .5 * (1 - h);
  }
  VecRestoreArray(mt_kks_field(k, 0, MT_KKS_C), &c);
  VecRestoreArray(mt_kks_field(k, 0, MT_KKS_PHI), &phi);
}

/* How far c of the grown phase is from equilibrium in the end; c is conserved and F falls on the way. */
static double grown_off(const MtKksModel *m) {
  const MtBox b = {.dim = 2, .cells = {100, 3}, .size = {40, 1.2}, .periodic = {false, true}};
  const MtFlowOptions opt = {.newton_tolerance = 1e-8, .linear_rtol = 1e-4};
  const MtMarchOptions march = {
      .first = 1e-4, .min = 1e-9, .max = HUGE_VAL, .tolerance = 1e-3, .low = -HUGE_VAL, .high = HUGE_VAL};
  const double c1 = m->equilibrium.c[1];
  const PetscScalar *phi, *c;
  double off = 0, mean, share;
  MtDomain *domain;
  MtKks *k;
  assert_int_equal(mt_domain_box(PETSC_COMM_WORLD, &b, &domain), 0);
  assert_int_equal(mt_kks_create(domain, m, &opt, &march, &k), 0);
  fill_supersaturated(k, domain, c1);
  assert_int_equal(mt_kks_start(k, 0), 0);
  const MtMarchState *s = mt_kks_state(k);
  while (s->t < 60) assert_int_equal(mt_kks_step(k, 60), 0); /* a step that raises F is refused */
  mt_kks_means(k, &mean, &share);
  assert_near(mean, s->mean0, 1e-13);
  assert_true(s->newton <= 3 * (s->steps + s->rejected) && s->linear <= 8 * s->newton);
  VecGetArrayRead(mt_kks_field(k, 0, MT_KKS_PHI), &phi);
  VecGetArrayRead(mt_kks_field(k, 0, MT_KKS_C), &c);
  for (PetscInt i = 0; i < domain->n_owned; i++)
    if (domain->x[3 * i] > 8 && phi[i] > .999) off = fmax(off, fabs(c[i] - c1)); /* grown */
  VecRestoreArrayRead(mt_kks_field(k, 0, MT_KKS_C), &c);
  VecRestoreArrayRead(mt_kks_field(k, 0, MT_KKS_PHI), &phi);
  MPI_Allreduce(MPI_IN_PLACE, &off, 1, MPI_DOUBLE, MPI_MAX, PETSC_COMM_WORLD);
  print_message("%.0f steps, share %.4f, c off by %.5f\n", s->steps, share, off);
  assert_int_equal(mt_kks_destroy(&k), 0);
  assert_int_equal(mt_domain_destroy(&domain), 0);
  return off;
}

/* Behind an interface that moves, a phase that diffuses 100 times slower keeps what it was given: with L of local
 * equilibrium and the current against trapping that is its equilibrium. */
static void test_trapping(void **state) {
  MtKksModel m = two_parabolas();
  (void)state;
  m.phase[1].D0 = .01;
  assert_int_equal(mt_kks_equilibrium(&m, &m.equilibrium), 1);
  const double given = grown_off(&m);
  m.rate = 0;
  const double local = grown_off(&m);
  assert_true(local < .01);
  assert_true(given > 3 * local);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_point), cmocka_unit_test(test_common_tangent),
                                     cmocka_unit_test(test_local_equilibrium), cmocka_unit_test(test_trapping),
                                     cmocka_unit_test(test_equilibrium)};
  if (PetscInitialize(&argc, &argv, NULL, NULL) || mt_error_install()) return 1;
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() || failed;
}
