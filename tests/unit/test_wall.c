/* ranks: 1 2 */
/* Walls and nuclei in one dimension, without demagnetizing field, against their closed forms (values and sources:
 * docs/numerics.md). Bars of bricks along x, m in the yz plane, easy axis z. */
#include "near.h"
#include "relax.h"

static const double AXES[2][3] = {{0, 0, 1}, {0, 0, 1}};
static const MtMaterial HARD = {.name = "Nd2Fe14B", .A = 7.7e-12, .Js = 1.61, .K1 = 4.3e6};

static void wall(const double x[3], double m[3]) {
  double angle = 2 * atan(exp(x[0] / 2)); /* too wide by half */
  m[0] = 0;
  m[1] = sin(angle);
  m[2] = -cos(angle);
}
static void up(const double x[3], double m[3]) {
  (void)x;
  m[0] = m[1] = 0;
  m[2] = 1;
}

/* Integral of sin^2 over x is 2 sqrt(A/K): a width that uses the whole profile.  It is the anisotropy energy per K1. */
static PetscErrorCode wall_width(const Relax *r, double area, double *width) {
  double E;
  PetscCall(mt_energy_term(r->energy, MT_TERM_ANISOTROPY, r->m, (double[3]){0}, &E, NULL));
  *width = E / HARD.K1 / area / 2;
  return 0;
}

/* 4 sqrt(AK) = 23.017 mJ/m2 and sqrt(A/K) = 1.3382 nm (W. F. Brown; the profile 2 atan exp(x/sqrt(A/K)) is Landau and
 * Lifshitz's). */
static PetscErrorCode bloch_wall(void) {
  Relax r;
  double width = 0;
  Brick b = {.n = {160, 1, 1}, .lo = {-20, 0, 0}, .hi = {20, .5, .5}, .nregions = 1, .axis = AXES};
  PetscCall(relax_create(&b, &HARD, -1, 1e-6, &r));
  PetscCall(relax_set(&r, wall));
  PetscCall(relax_run(&r, 0, 0));
  assert_true(r.report.converged);
  assert_true(r.report.iterations > 0);
  assert_near(r.report.energy.total / .25 * 1e-9 * 1e3, 23.017, .23);
  PetscCall(wall_width(&r, .25, &width));
  assert_near(width, 1.3382, .0134);
  return relax_destroy(&r);
}
static void wall_has_the_width_and_energy_of_Nd2Fe14B(void **state) {
  (void)state;
  assert_int_equal(bloch_wall(), 0);
}

static double half; /* nm, half thickness of the soft layer */
static int layer(const double x[3]) {
  return fabs(x[0]) < half ? 1 : 0;
}
/* mz after relaxing the saturated state in the reverse field B, tilted by .002 deg, which alone lowers the field by .2
 * %.  The tilt's torque is 1.5e-4 T: the limit must lie well below, or the unstable state passes for an equilibrium. */
static PetscErrorCode layer_at(const MtMaterial *soft, double thickness, int n, double B, double *mz) {
  Relax r;
  Brick b = {.n = {n, 1, 1}, .lo = {-12, 0, 0}, .hi = {12, .5, .5}, .nregions = 2, .axis = AXES, .region = layer};
  MtMaterial material[2] = {HARD, *soft};
  half = thickness / 2;
  PetscCall(relax_create(&b, material, -1, 1e-6, &r));
  PetscCall(relax_set(&r, up));
  PetscCall(relax_run(&r, -B, .002));
  assert_true(r.report.converged);
  PetscCall(relax_mz(&r, mz));
  return relax_destroy(&r);
}
/* The soft layer reverses alone and continuously first: its deviation 1 - mz grows as the square of the amplitude,
 * linearly with the field above the nucleation field.  (The whole bar follows at 4.58 T.)  A1 k1 tan(k1 t/2) = A2 k2
 * for a planar mode in a soft layer between hard half spaces, k1 = sqrt(J1 H/2 A1), k2 = sqrt((2 K2 - J2 H)/2 A2),
 * solved independently: 4.3667 T. */
static void soft_layer_nucleates_at_4_3667_T(void **state) {
  (void)state;
  MtMaterial soft = {.name = "GB", .A = 2.5e-12, .Js = .75, .K1 = 0};
  const double field = 4.3667;
  double below = 0, low = 0, high = 0;
  assert_int_equal(layer_at(&soft, 3, 96, .98 * field, &below), 0);
  assert_near(below, 1, 1e-5);
  assert_int_equal(layer_at(&soft, 3, 96, 1.01 * field, &low), 0);
  assert_int_equal(layer_at(&soft, 3, 96, 1.02 * field, &high), 0);
  assert_near(1.01 * field - .01 * field * (1 - low) / (low - high), field, .01 * field);
}
/* The same with the constants of the host but for K1: here the bar switches at once. */
static void layer_without_anisotropy_nucleates_at_4_4985_T(void **state) {
  (void)state;
  MtMaterial soft = {.name = "defect", .A = 7.7e-12, .Js = 1.61, .K1 = 0};
  double mz = 0;
  assert_int_equal(layer_at(&soft, 2, 96, .985 * 4.4985, &mz), 0);
  assert_true(mz > .99);
  assert_int_equal(layer_at(&soft, 2, 96, 1.015 * 4.4985, &mz), 0);
  assert_true(mz < -.99);
}

static int phase(const double x[3]) {
  return x[0] < 0 ? 0 : 1;
}
static void wall_in_soft(const double x[3], double m[3]) {
  double angle = 2 * atan(exp((x[0] + 12) / 5));
  m[0] = 0;
  m[1] = sin(angle);
  m[2] = cos(angle);
}
/* Domain along the field on the left, which the field drives to the right. */
static PetscErrorCode pinned_at(Relax *r, double B, double *mz) {
  PetscCall(relax_set(r, wall_in_soft));
  PetscCall(relax_run(r, B, 0));
  assert_true(r->report.converged);
  return relax_mz(r, mz);
}
/* Heistracher et al., J. Magn. Magn. Mater. 548 (2022) 168875: 1.568 T for these two phases. */
static PetscErrorCode pinning(void) {
  static const MtMaterial material[2] = {{.name = "soft", .A = 2.5e-12, .Js = .25, .K1 = 1e5},
                                         {.name = "hard", .A = 1e-11, .Js = 1, .K1 = 1e6}};
  Relax r;
  double mz = 0;
  Brick b = {.n = {160, 1, 1}, .lo = {-40, 0, 0}, .hi = {40, .5, .5}, .nregions = 2, .axis = AXES, .region = phase};
  PetscCall(relax_create(&b, material, -1, 1e-4, &r));
  PetscCall(pinned_at(&r, .985 * 1.568, &mz));
  assert_true(fabs(mz) < .9);
  PetscCall(pinned_at(&r, 1.015 * 1.568, &mz));
  assert_true(fabs(mz) > .99);
  return relax_destroy(&r);
}
static void wall_is_pinned_at_the_phase_boundary_to_1_568_T(void **state) {
  (void)state;
  assert_int_equal(pinning(), 0);
}

int main(int argc, char **argv) {
  PetscCall(PetscInitialize(&argc, &argv, NULL, NULL));
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(wall_has_the_width_and_energy_of_Nd2Fe14B),
      cmocka_unit_test(soft_layer_nucleates_at_4_3667_T),
      cmocka_unit_test(layer_without_anisotropy_nucleates_at_4_4985_T),
      cmocka_unit_test(wall_is_pinned_at_the_phase_boundary_to_1_568_T),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscCall(PetscFinalize());
  return failed;
}
