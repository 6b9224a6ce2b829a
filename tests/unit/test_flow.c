/* Where an event ends: the flow against the Landau-Lifshitz-Gilbert equation with damping 1, integrated by small
 * explicit steps from the same start. */
#include "near.h"
#include "relax.h"

static const double AXES[4][3] = {{0, 0, 1}, {0, .28, .96}, {0, 0, 1}, {0, 0, 1}};

static void up(const double x[3], double m[3]) {
  (void)x;
  m[0] = m[1] = 0;
  m[2] = 1;
}

static void cross(const double a[3], const double b[3], double c[3]) {
  for (int i = 0; i < 3; i++) c[i] = a[(i + 1) % 3] * b[(i + 2) % 3] - a[(i + 2) % 3] * b[(i + 1) % 3];
}

/* dm/dt = -m x B - alpha m x (m x B) with alpha 1 at every node, B = -g mu0/moment, t in 1/T; the largest torque. */
static PetscErrorCode llg_rate(Relax *r, Vec m, Vec g, Vec moment, Vec rate, double *torque) {
  const PetscScalar *x, *y, *w;
  PetscScalar *v;
  *torque = 0;
  PetscCall(VecGetArrayRead(m, &x));
  PetscCall(VecGetArrayRead(g, &y));
  PetscCall(VecGetArrayRead(moment, &w));
  PetscCall(VecGetArray(rate, &v));
  for (PetscInt i = 0; i < mt_energy_nodes(r->energy)->n_owned; i++) {
    double B[3], a[3], b[3];
    for (int c = 0; c < 3; c++)
      B[c] = y[3 * i + c] / w[3 * i + c]; /* derivative of the field term for 1 T is -moment/mu0 */
    cross(x + 3 * i, B, a);
    cross(x + 3 * i, a, b);
    *torque = fmax(*torque, sqrt(a[0] * a[0] + a[1] * a[1] + a[2] * a[2]));
    for (int c = 0; c < 3; c++) v[3 * i + c] = -a[c] - b[c];
  }
  PetscCall(VecRestoreArray(rate, &v));
  PetscCall(VecRestoreArrayRead(moment, &w));
  PetscCall(VecRestoreArrayRead(g, &y));
  return VecRestoreArrayRead(m, &x);
}

static PetscErrorCode unit_length(Relax *r, Vec m) {
  PetscScalar *x;
  PetscCall(VecGetArray(m, &x));
  for (PetscInt i = 0; i < mt_energy_nodes(r->energy)->n_owned; i++) {
    double n = sqrt(x[3 * i] * x[3 * i] + x[3 * i + 1] * x[3 * i + 1] + x[3 * i + 2] * x[3 * i + 2]);
    for (int c = 0; c < 3; c++) x[3 * i + c] /= n;
  }
  return VecRestoreArray(m, &x);
}

/* -moment/mu0 in each component: the derivative of the field's energy in 1 T along each axis. */
static PetscErrorCode negative_moments(Relax *r, Vec moment) {
  double E;
  PetscCall(VecZeroEntries(moment));
  return mt_energy_term(r->energy, MT_TERM_ZEEMAN, r->m, (double[3]){1, 1, 1}, &E, moment);
}

/* Heun's method to a torque of 1e-4 T. */
static PetscErrorCode llg(Relax *r, const double B[3], double dt, int *evaluations) {
  Vec g, moment, rate, next, second;
  double torque = 1, other;
  MtEnergyValues E;
  Vec *all[] = {&g, &moment, &rate, &next, &second};
  for (int i = 0; i < 5; i++) PetscCall(VecDuplicate(r->m, all[i]));
  PetscCall(negative_moments(r, moment));
  for (*evaluations = 0; *evaluations < 100000;) {
    PetscCall(mt_energy_eval(r->energy, r->m, B, 1e-5, &E, g));
    ++*evaluations;
    PetscCall(llg_rate(r, r->m, g, moment, rate, &torque));
    if (torque < 1e-4) break;
    PetscCall(VecWAXPY(next, dt, rate, r->m));
    PetscCall(unit_length(r, next));
    PetscCall(mt_energy_eval(r->energy, next, B, 1e-5, &E, g));
    ++*evaluations;
    PetscCall(llg_rate(r, next, g, moment, second, &other));
    PetscCall(VecAXPBYPCZ(r->m, .5 * dt, .5 * dt, 1, rate, second));
    PetscCall(unit_length(r, r->m));
  }
  assert_true(torque < 1e-4);
  for (int i = 0; i < 5; i++) PetscCall(VecDestroy(all[i]));
  return 0;
}

/* Both from the equilibrium in zero field, in B1: end states and evaluations. */
static PetscErrorCode compare(Relax *r, double B1, double dt, double *mz, double *difference, double *factor) {
  const double tilt = MT_PI / 180, B[3] = {0, B1 * sin(tilt), B1 * cos(tilt)};
  Vec start, end;
  int explicit_evaluations = 0;
  PetscCall(relax_set(r, up));
  PetscCall(relax_run(r, 0, 1));
  assert_true(r->report.converged);
  PetscCall(VecDuplicate(r->m, &start));
  PetscCall(VecDuplicate(r->m, &end));
  PetscCall(VecCopy(r->m, start));
  PetscCall(mt_minimizer_flow(r->minimizer, r->m, B, &r->report));
  assert_true(r->report.converged && r->report.torque < 1e-4);
  PetscCall(relax_mz(r, mz));
  PetscCall(VecCopy(r->m, end));
  PetscCall(VecCopy(start, r->m));
  PetscCall(llg(r, B, dt, &explicit_evaluations));
  PetscCall(VecAXPY(end, -1, r->m));
  PetscCall(VecNorm(end, NORM_INFINITY, difference));
  *factor = (double)explicit_evaluations / r->report.evaluations;
  PetscCall(VecDestroy(&start));
  return VecDestroy(&end);
}

static int phases(const double x[3]) {
  return x[0] < -16 ? 0 : x[0] < 4 ? 1 : 2;
}
/* A wall that starts in a soft end, crosses a phase and is held by the next one. */
static PetscErrorCode bar(void) {
  static const MtMaterial material[3] = {{.name = "soft", .A = 7.7e-12, .Js = 1.61, .K1 = 0},
                                         {.name = "hard", .A = 7.7e-12, .Js = 1.61, .K1 = 2e6},
                                         {.name = "hardest", .A = 7.7e-12, .Js = 1.61, .K1 = 6e6}};
  double mz = 1, difference = 1, factor = 0;
  Relax r;
  Brick b = {.n = {32, 1, 1}, .lo = {-24, 0, 0}, .hi = {24, 1.5, 1.5}, .nregions = 3, .axis = AXES, .region = phases};
  PetscCall(relax_create(&b, material, -1, 1e-4, &r));
  PetscCall(compare(&r, -1.6, .005, &mz, &difference, &factor));
  assert_near(mz, 1 - 2 * 28. / 48, .1); /* 28 nm of 48 lie before the phase that holds it */
  assert_true(difference < 2e-3);
  assert_true(factor > 20);
  return relax_destroy(&r);
}
static void wall_ends_where_the_dynamics_leaves_it(void **state) {
  (void)state;
  assert_int_equal(bar(), 0);
}

static int grains_in_air(const double x[3]) {
  return fmax(fabs(x[0]), fmax(fabs(x[1]), fabs(x[2]))) < 12 ? x[0] < -3 ? 0 : x[2] < 0 ? 1 : 2 : 3;
}
static const bool AIR[] = {false, false, false, true};
/* With the stray field: one grain of three reverses. */
static PetscErrorCode cube(void) {
  static const MtMaterial material[4] = {{.name = "a", .A = 7.7e-12, .Js = 1.61, .K1 = 2e6},
                                         {.name = "b", .A = 7.7e-12, .Js = 1.61, .K1 = 6e6},
                                         {.name = "c", .A = 7.7e-12, .Js = 1.61, .K1 = 7e6},
                                         {.name = "air", .A = 0, .Js = 0, .K1 = 0}};
  double mz = 1, difference = 1, factor = 0;
  Relax r;
  Brick b = {.n = {16, 16, 16},
             .lo = {-24, -24, -24},
             .hi = {24, 24, 24},
             .nregions = 4,
             .axis = AXES,
             .air = AIR,
             .region = grains_in_air,
             .radius = 24};
  PetscCall(relax_create(&b, material, 2, 1e-4, &r));
  PetscCall(compare(&r, -3, .015, &mz, &difference, &factor));
  assert_true(fabs(mz) < .6);
  assert_true(difference < 2e-3);
  assert_true(factor > 20);
  return relax_destroy(&r);
}
static void event_with_stray_field_ends_where_the_dynamics_does(void **state) {
  (void)state;
  assert_int_equal(cube(), 0);
}

int main(int argc, char **argv) {
  PetscCall(PetscInitialize(&argc, &argv, NULL, NULL));
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(wall_ends_where_the_dynamics_leaves_it),
      cmocka_unit_test(event_with_stray_field_ends_where_the_dynamics_does),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscCall(PetscFinalize());
  return failed;
}
