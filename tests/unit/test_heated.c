/* ranks: 1 2 */
/* Free energies that follow a temperature program: their numbers at a temperature, and domains that are held, cooled
 * and dissolved. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "magtwin/error.h"
#include "magtwin/phasefield.h"
#include "near.h"
#include <stdlib.h>

static const double R = 8.31446261815324;    /* J/(mol K), CODATA 2018 */
static const double W = 6000, VOLUME = 1e-5; /* J/mol, m3/mol: two phases below W/2R = 360.8 K */
enum { CELLS = 80 };

static MtFreeEnergy solution(void) {
  return (MtFreeEnergy){
      .kind = MT_ENERGY_REGULAR_SOLUTION, .gas = R / VOLUME, .omega = W / VOLUME, .low = 0, .high = 1};
}

/* c < 1/2 of ln(c/(1 - c)) = W/RT (2c - 1), by bisection. */
static double binodal(double T) {
  double low = 1e-12, high = .5 - 1e-6;
  for (int i = 0; i < 200; i++) {
    const double c = .5 * (low + high);
    *(log(c / (1 - c)) > W / (R * T) * (2 * c - 1) ? &high : &low) = c;
  }
  return .5 * (low + high);
}

static void test_energies(void **state) {
  const MtFreeEnergy s = solution();
  double c[9], a[9], rise[9], f[3], g[3];
  (void)state;
  assert_true(mt_free_energy_follows(&s));
  const MtFreeEnergy at = mt_free_energy_heated(&s, 500),
                     same = {.kind = MT_ENERGY_REGULAR_SOLUTION, .rt = R * 500 / VOLUME, .omega = W / VOLUME};
  assert_false(mt_free_energy_follows(&same));
  mt_free_energy_at(&at, .3, f);
  mt_free_energy_at(&same, .3, g);
  for (int k = 0; k < 3; k++) assert_near(f[k], g[k], 1e-15 * fabs(g[k]));
  /* A table between two: the spline of what lies between their values. */
  for (int i = 0; i < 9; i++) {
    c[i] = .1 * (i + 1);
    a[i] = cos(3 * c[i]);
    rise[i] = (exp(c[i]) - a[i]) / 200; /* to exp(c) at 1100 K */
  }
  MtFreeEnergy t = {.kind = MT_ENERGY_TABLE, .n = 9, .c = c, .a = a, .rise = rise, .known_at = 900}, u = t;
  double between[9];
  for (int i = 0; i < 9; i++) between[i] = .25 * a[i] + .75 * exp(c[i]);
  u.a = between;
  u.rise = NULL;
  mt_free_energy_spline(&t);
  mt_free_energy_spline(&u);
  const MtFreeEnergy warm = mt_free_energy_heated(&t, 1050);
  for (double x = .05; x < 1; x += .07) {
    mt_free_energy_at(&warm, x, f);
    mt_free_energy_at(&u, x, g);
    for (int k = 0; k < 3; k++) assert_near(f[k], g[k], 1e-13 * (1 + fabs(g[k])));
  }
  free(t.second);
  free(t.rise_second);
  free(u.second);
}

/* RT/Vm ln c ... of a state is linear in T: what heating adds to it, by hand. */
static double entropy_term(const MtDomain *d, Vec v) {
  const PetscScalar *c;
  double sum[2] = {0, (double)d->n_owned};
  VecGetArrayRead(v, &c);
  for (PetscInt i = 0; i < d->n_owned; i++) sum[0] += c[i] * log(c[i]) + (1 - c[i]) * log(1 - c[i]);
  VecRestoreArrayRead(v, &c);
  MPI_Allreduce(MPI_IN_PLACE, sum, 2, MPI_DOUBLE, MPI_SUM, d->comm);
  return R / VOLUME * sum[0] / sum[1]; /* periodic: all nodes have the same weight */
}

static void go_on(MtMarch *m, const MtDomain *d, const MtProgram *p, double end, int *steps) {
  const double size = 1e-11 * W / VOLUME;
  while (mt_march_state(m)->t < end) {
    const double before = mt_march_energy(m).total, t = mt_march_state(m)->t;
    const double term = entropy_term(d, mt_march_field(m, 0));
    assert_int_equal(mt_march_step(m, end), 0);
    const MtFlowEnergy e = mt_march_energy(m);
    const double dT = mt_program_at(p, mt_march_state(m)->t) - mt_program_at(p, t);
    assert_near(e.heat, dT * term, 1e-12 * fabs(dT * term));
    assert_true(e.total <= before + e.heat + size);
    ++*steps;
  }
}

static void phases_are(MtMarch *m, double c, double tolerance) {
  double low, high, mean;
  Vec v = mt_march_field(m, 0);
  VecMin(v, NULL, &low);
  VecMax(v, NULL, &high);
  VecSum(v, &mean);
  print_message("t %g: c %.7f %.7f, wanted %.7f\n", mt_march_state(m)->t, low, high, c);
  assert_near(low, c, tolerance);
  assert_near(high, 1 - c, tolerance);
}

/* Two flat domains between periodic ends, so that c is that of the binodal but for exp(-half width/length). */
static void test_hold_cool_dissolve(void **state) {
  double t[] = {0, 20, 25, 45, 55, 60}, T[] = {300, 300, 250, 250, 420, 420}, mean;
  const MtProgram program = {.n = 6, .t = t, .T = T};
  const MtBox box = {.dim = 2, .cells = {CELLS, 3}, .size = {24, .9}, .periodic = {true, true}};
  const MtFreeEnergy energy = solution();
  const MtFlowModel model = {
      .kind = MT_FLOW_CONSERVED, .energy = &energy, .kappa = 1e8, .mobility = 2e-7, .program = &program};
  const MtFlowOptions opt = {.newton_tolerance = 1e-7, .linear_rtol = 1e-5};
  const MtMarchOptions march = {.first = 1e-3, .min = 1e-9, .max = HUGE_VAL, .tolerance = 1e-3, .low = 0, .high = 1};
  MtDomain *d;
  MtFlow *flow;
  MtMarch *m;
  PetscScalar *c;
  int steps = 0;
  (void)state;
  assert_int_equal(mt_domain_box(PETSC_COMM_WORLD, &box, &d), 0);
  assert_int_equal(mt_flow_create(d, &model, &opt, &flow), 0);
  assert_int_equal(mt_march_create(flow, &march, &m), 0);
  VecGetArray(mt_march_field(m, 0), &c);
  for (PetscInt i = 0; i < d->n_owned; i++) c[i] = .5 + .3 * tanh(6 - fabs(d->x[3 * i] - 12));
  VecRestoreArray(mt_march_field(m, 0), &c);
  assert_int_equal(mt_march_start(m, 0), 0);
  const MtMarchState *s = mt_march_state(m);
  go_on(m, d, &program, 20, &steps);
  phases_are(m, binodal(300), 2e-5);
  for (int i = 2; i < 4; i++) go_on(m, d, &program, t[i], &steps);
  phases_are(m, binodal(250), 2e-5);
  for (int i = 4; i < 6; i++) go_on(m, d, &program, t[i], &steps);
  phases_are(m, .5, 1e-5); /* above 360.8 K: one phase */
  mt_flow_mean(flow, mt_march_field(m, 0), &mean);
  assert_near(mean, s->mean0, 1e-13);
  print_message("%d steps, %.0f rejected\n", steps, s->rejected);
  assert_int_equal(mt_march_destroy(&m), 0);
  assert_int_equal(mt_flow_destroy(&flow), 0);
  assert_int_equal(mt_domain_destroy(&d), 0);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_energies), cmocka_unit_test(test_hold_cool_dissolve)};
  if (PetscInitialize(&argc, &argv, NULL, NULL) || mt_error_install()) return 1;
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() || failed;
}
