/* ranks: 1 2 */
/* Phase field: free energies and their derivatives, the decay of a mode, two phases in equilibrium, mass and energy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "magtwin/error.h"
#include "magtwin/phasefield.h"
#include "magtwin/units.h"
#include "near.h"
#include <stdlib.h>
#include <string.h>

static void derivatives_agree(const MtFreeEnergy *e, double from, double to) {
  const double h = 1e-5;
  for (int i = 1; i < 20; i++) {
    double f[3], a[3], b[3], c = from + (to - from) * i / 20;
    mt_free_energy_at(e, c, f);
    mt_free_energy_at(e, c - h, a);
    mt_free_energy_at(e, c + h, b);
    assert_near(f[1], (b[0] - a[0]) / (2 * h), 1e-6 * (1 + fabs(f[1])));
    assert_near(f[2], (b[1] - a[1]) / (2 * h), 1e-6 * (1 + fabs(f[2])));
  }
}

static void test_free_energies(void **state) {
  double well[] = {5, .3, .7}, poly[] = {1, -2, .5, 3, 4}, c[9], a[9], f[3];
  (void)state;
  const MtFreeEnergy w = {.kind = MT_ENERGY_DOUBLE_WELL, .n = 3, .a = well};
  derivatives_agree(&w, 0, 1);
  mt_free_energy_at(&w, .5, f);
  assert_near(f[0], 5 * .0016, 1e-15);
  assert_near(f[2], -.8, 1e-14); /* references: growth rate 5 k^2 (.8 - 2 k^2) at c = .5 */
  const MtFreeEnergy p = {.kind = MT_ENERGY_POLYNOMIAL, .n = 5, .a = poly};
  derivatives_agree(&p, -1, 1);
  const MtFreeEnergy r = {.kind = MT_ENERGY_REGULAR_SOLUTION, .rt = 2, .omega = 5};
  derivatives_agree(&r, .02, .98);
  mt_free_energy_at(&r, .5, f);
  assert_near(f[0], -2 * log(2) + 1.25, 1e-14);
  MtFreeEnergy t = {.kind = MT_ENERGY_TABLE, .n = 9, .c = c, .a = a};
  for (int i = 0; i < 9; i++) {
    c[i] = i < 4 ? .1 * i : .15 * i - .2;
    a[i] = sin(3 * c[i]);
  }
  mt_free_energy_spline(&t);
  derivatives_agree(&t, .013, .97);
  mt_free_energy_at(&t, .5, f);
  assert_near(f[0], sin(1.5), 2e-3);
  free(t.second);
}

typedef struct {
  MtDomain *domain;
  MtFlow *flow;
  MtMarch *march;
} Run;

static void run_create(const MtBox *b, const MtFlowModel *model, const MtMarchOptions *o, Run *r) {
  const MtFlowOptions opt = {.newton_tolerance = 1e-9, .linear_rtol = 1e-4};
  assert_int_equal(mt_domain_box(PETSC_COMM_WORLD, b, &r->domain), 0);
  assert_int_equal(mt_flow_create(r->domain, model, &opt, &r->flow), 0);
  assert_int_equal(mt_march_create(r->flow, o, &r->march), 0);
}

static void run_destroy(Run *r) {
  assert_int_equal(mt_march_destroy(&r->march), 0);
  assert_int_equal(mt_flow_destroy(&r->flow), 0);
  assert_int_equal(mt_domain_destroy(&r->domain), 0);
}

static void run_start(Run *r, const char *formula) {
  char why[200];
  MtFormula *f = mt_formula_read(formula, why);
  PetscScalar *a;
  assert_non_null(f);
  VecGetArray(mt_march_field(r->march, 0), &a);
  for (PetscInt i = 0; i < r->domain->n_owned; i++) {
    const double *x = r->domain->x + 3 * i, at[MT_NVARS] = {x[0], x[1], x[2], 0};
    a[i] = mt_formula_value(f, at);
  }
  VecRestoreArray(mt_march_field(r->march, 0), &a);
  mt_formula_free(&f);
  assert_int_equal(mt_march_start(r->march, 0), 0);
}

static const double INF = HUGE_VAL;

/* A small cosine about c = .5 decays or grows as exp(rate t); the box scheme's k^2 is 2 (1 - cos kh)/h^2, so that the
 * rate of the semidiscrete problem is known: what is left is the error of the time steps.  rate: 5 k^2 (.8 - 2 k^2)
 * (shared references, PFHub 1b). */
static double mode_error(MtFlowKind kind, double dt, int dim) {
  double well[] = {5, .3, .7}, k = 2 * MT_PI / 30, h = 1, mean, amplitude;
  const MtFreeEnergy energy = {.kind = MT_ENERGY_DOUBLE_WELL, .n = 3, .a = well};
  const MtFlowModel model = {.kind = kind, .energy = &energy, .kappa = 2, .mobility = 5};
  const MtMarchOptions o = {.first = dt, .min = 1e-9, .max = INF, .low = -INF, .high = INF};
  const double k2 = 2 * (1 - cos(k * h)) / (h * h);
  const double rate = 5 * (kind == MT_FLOW_CONSERVED ? k2 : 1) * (.8 - 2 * k2);
  const double end = (kind == MT_FLOW_CONSERVED ? 8 : .4);
  const MtBox b = {.dim = dim,
                   .cells = {30, 3, dim == 3 ? 3 : 0},
                   .size = {30, 3, dim == 3 ? 3 : 0},
                   .periodic = {true, true, dim == 3}};
  Run r;
  run_create(&b, &model, &o, &r);
  run_start(&r, ".5 + 1e-5*cos(2*pi*x/30)");
  while (mt_march_state(r.march)->t < end) assert_int_equal(mt_march_step(r.march, end), 0);
  VecMax(mt_march_field(r.march, 0), NULL, &amplitude);
  mt_flow_mean(r.flow, mt_march_field(r.march, 0), &mean);
  run_destroy(&r);
  if (kind == MT_FLOW_CONSERVED) assert_near(mean, .5, 1e-14);
  return (amplitude - .5) / 1e-5 / exp(rate * end) - 1;
}

static void test_mode(void **state) {
  (void)state;
  for (int kind = 0; kind < 2; kind++) {
    const double dt = kind == MT_FLOW_CONSERVED ? .5 : .025;
    const double coarse = mode_error((MtFlowKind)kind, dt, 2), fine = mode_error((MtFlowKind)kind, .5 * dt, 2);
    print_message("order of the time steps %.3f, error %.1e\n", log2(fabs(coarse / fine)), fine);
    assert_near(log2(fabs(coarse / fine)), 2, .1);
    assert_near(mode_error((MtFlowKind)kind, dt, 3), coarse, 1e-5); /* tetrahedra give the same numbers */
  }
}

/* Decomposition: the energy falls in every step, the mean stays; few iterations of Newton. */
static void test_spinodal(void **state) {
  double well[] = {5, .3, .7}, mean;
  const MtFreeEnergy energy = {.kind = MT_ENERGY_DOUBLE_WELL, .n = 3, .a = well};
  const MtFlowModel model = {.kind = MT_FLOW_CONSERVED, .energy = &energy, .kappa = 2, .mobility = 5};
  const MtMarchOptions o = {.first = .01, .min = 1e-9, .max = INF, .tolerance = 1e-3, .low = -INF, .high = INF};
  const MtBox b = {.dim = 2, .cells = {32, 32}, .size = {64, 64}};
  Run r;
  (void)state;
  run_create(&b, &model, &o, &r);
  run_start(&r, ".5 + .01*(cos(.2*x)*cos(.11*y) + cos(.3*y - .1*x))");
  const MtMarchState *s = mt_march_state(r.march);
  const double mean0 = s->mean0;
  for (double before = INF; s->t < 60; before = mt_march_energy(r.march).total) {
    assert_int_equal(mt_march_step(r.march, 60), 0);
    assert_true(mt_march_energy(r.march).total <= before * (1 + 1e-12));
    mt_flow_mean(r.flow, mt_march_field(r.march, 0), &mean);
    assert_near(mean, mean0, 1e-13);
  }
  print_message("%.0f steps, %.0f rejected, %.2f Newton a step, %.1f linear a Newton\n", s->steps, s->rejected,
                s->newton / (s->steps + s->rejected), s->linear / s->newton);
  assert_true(s->newton <= 5 * (s->steps + s->rejected));
  run_destroy(&r);
}

/* Two phases side by side come to the compositions at which f' and f - c f' are equal: in a symmetric regular solution
 * ln(c/(1 - c)) = W/RT (2c - 1) (R. DeHoff, Thermodynamics in Materials Science (2006) 8), .0707 for W = 3 RT. */
static void plateau(const MtFreeEnergy *energy, double tolerance) {
  double low, c = .05;
  for (int i = 0; i < 200; i++) c = 1 / (1 + exp(3 * (1 - 2 * c)));
  const MtFlowModel model = {.kind = MT_FLOW_CONSERVED, .energy = energy, .kappa = 1, .mobility = 1};
  const MtMarchOptions o = {
      .first = .01, .min = 1e-9, .max = INF, .tolerance = 1e-3, .low = energy->low, .high = energy->high};
  const MtBox b = {.dim = 2, .cells = {60, 3}, .size = {30, 1.5}, .periodic = {false, true}};
  Run r;
  run_create(&b, &model, &o, &r);
  run_start(&r, ".5 + .35*tanh(x - 15)");
  while (mt_march_state(r.march)->t < 1e3) assert_int_equal(mt_march_step(r.march, 1e3), 0);
  VecMin(mt_march_field(r.march, 0), NULL, &low);
  assert_near(low, c, tolerance);
  run_destroy(&r);
}

static void test_binodal(void **state) {
  double c[99], a[99], f[3];
  const MtFreeEnergy solution = {.kind = MT_ENERGY_REGULAR_SOLUTION, .rt = 1, .omega = 3, .low = 0, .high = 1};
  MtFreeEnergy t = {.kind = MT_ENERGY_TABLE, .n = 99, .c = c, .a = a, .low = .01, .high = .99};
  (void)state;
  plateau(&solution, 1e-5);
  for (int i = 0; i < 99; i++) {
    c[i] = .01 * (i + 1);
    mt_free_energy_at(&solution, c[i], f);
    a[i] = f[0];
  }
  mt_free_energy_spline(&t);
  plateau(&t, 1e-4);
  free(t.second);
}

/* A step below the least, and a range that is left, end with time, place and value. */
static void test_failure(void **state) {
  double well[] = {5, .3, .7};
  const MtFreeEnergy energy = {.kind = MT_ENERGY_DOUBLE_WELL, .n = 3, .a = well};
  const MtFlowModel model = {.kind = MT_FLOW_RELAXED, .energy = &energy, .kappa = 2, .mobility = 5};
  const MtMarchOptions o = {.first = .1, .min = .01, .max = INF, .tolerance = 1e-3, .low = .35, .high = .65};
  const MtBox b = {.dim = 2, .cells = {20, 20}, .size = {40, 40}};
  Run r;
  (void)state;
  run_create(&b, &model, &o, &r);
  run_start(&r, ".5 + .01*cos(pi*x/40)");
  PetscErrorCode rc = 0;
  while (!rc && mt_march_state(r.march)->t < 100) rc = mt_march_step(r.march, 100);
  assert_int_equal(rc, MT_ERR_FAIL);
  assert_non_null(strstr(mt_error_message(), "leaves its range"));
  double high;
  VecMax(mt_march_field(r.march, 0), NULL, &high);
  assert_true(high <= .65);
  mt_error_clear();
  run_destroy(&r);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_free_energies), cmocka_unit_test(test_mode),    cmocka_unit_test(test_spinodal),
      cmocka_unit_test(test_binodal),       cmocka_unit_test(test_failure),
  };
  if (PetscInitialize(&argc, &argv, NULL, NULL) || mt_error_install()) return 1;
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() || failed;
}
