/* ranks: 1 2 4 */
/* The smallest eigenvalue of the Hessian against closed forms: a stiffness in T, zero at the nucleation field. */
#include "near.h"
#include "relax.h"

static const double AXES[3][3] = {{0, 0, 1}, {0, 0, 1}, {0, 0, 1}};
static const MtMaterial HARD = {.name = "Nd2Fe14B", .A = 7.7e-12, .Js = 1.61, .K1 = 4.3e6};
static const double ANISOTROPY_FIELD = 6.7125; /* T, 2 mu0 K1/Js */

static void up(const double x[3], double m[3]) {
  (void)x;
  m[0] = m[1] = 0;
  m[2] = 1;
}

static PetscErrorCode smallest(Relax *r, double B, double *lambda, double turn[3]) {
  Vec mode;
  int products;
  PetscCall(relax_set(r, up));
  PetscCall(VecDuplicate(r->m, &mode));
  PetscCall(mt_stability_eigenvalue(r->energy, r->m, (double[3]){0, 0, B}, NULL, lambda, mode, &products));
  assert_true(products > 0 && products < 60);
  for (int c = 0; c < 3; c++) {
    double along[3] = {c == 0, c == 1, c == 2};
    PetscCall(mt_energy_polarization(r->energy, mode, along, &turn[c]));
    turn[c] /= mt_energy_saturation(r->energy);
  }
  return VecDestroy(&mode);
}

/* Uniform rotation (Stoner and Wohlfarth): anisotropy field + B for m along the axis, B along m. */
static PetscErrorCode uniform_mode(void) {
  static const double B[] = {7, 0, -3, -6.7, -6.8};
  Relax r;
  Brick b = {.n = {3, 3, 3}, .hi = {6, 6, 6}, .nregions = 1, .axis = AXES};
  PetscCall(relax_create(&b, &HARD, -1, 1e-6, &r));
  for (int i = 0; i < 5; i++) {
    double lambda = 0, turn[3];
    PetscCall(smallest(&r, B[i], &lambda, turn));
    assert_near(lambda, ANISOTROPY_FIELD + B[i], 1e-4);
    assert_near(hypot(turn[0], turn[1]), 1, .01);
    assert_near(turn[2], 0, 1e-9);
  }
  return relax_destroy(&r);
}
static void uniform_rotation_has_the_stiffness_of_Stoner_and_Wohlfarth(void **state) {
  (void)state;
  assert_int_equal(uniform_mode(), 0);
}

/* Uniform along x at one end, a wave along y towards the other: no mode, and with little of the softest one in it. */
static void misleading(const double x[3], double v[3]) {
  v[0] = 0;
  v[1] = cos(.5 * x[0]) + cos(.5 * x[1]);
  v[2] = x[0] < 1;
}
/* Where the search begins changes what it costs, not what it finds: from nothing, from a field that is no mode, and
 * from the mode itself. */
static PetscErrorCode guesses(void) {
  double lambda = 0;
  int products[3];
  Vec mode, guess;
  Relax r;
  Brick b = {.n = {8, 3, 3}, .hi = {16, 6, 6}, .nregions = 1, .axis = AXES};
  PetscCall(relax_create(&b, &HARD, -1, 1e-6, &r));
  PetscCall(relax_set(&r, misleading));
  PetscCall(VecDuplicate(r.m, &mode));
  PetscCall(VecDuplicate(r.m, &guess));
  PetscCall(VecCopy(r.m, guess));
  PetscCall(relax_set(&r, up));
  for (int i = 0; i < 3; i++) {
    PetscCall(
        mt_stability_eigenvalue(r.energy, r.m, (double[3]){0, 0, -6}, i ? guess : NULL, &lambda, mode, &products[i]));
    assert_near(lambda, ANISOTROPY_FIELD - 6, 1e-4);
    if (i == 1) PetscCall(VecCopy(mode, guess));
  }
  assert_true(products[2] <= products[0] && products[1] < 60);
  PetscCall(VecDestroy(&guess));
  PetscCall(VecDestroy(&mode));
  return relax_destroy(&r);
}
static void a_guess_does_not_change_what_is_found(void **state) {
  (void)state;
  assert_int_equal(guesses(), 0);
}

static int ball(const double x[3]) {
  return sqrt(x[0] * x[0] + x[1] * x[1] + x[2] * x[2]) < 6 ? 0 : 1;
}
static const bool AIR[] = {false, true};
/* In a sphere the stray field of uniform rotation adds N Js - N Js = 0 to the stiffness; the stairs of this one leave a
 * part of that. */
static PetscErrorCode sphere(void) {
  static const MtMaterial material[2] = {{.name = "Nd2Fe14B", .A = 7.7e-12, .Js = 1.61, .K1 = 4.3e6},
                                         {.name = "air", .A = 0, .Js = 0, .K1 = 0}};
  double lambda = 0, turn[3];
  Relax r;
  Brick b = {.n = {12, 12, 12},
             .lo = {-12, -12, -12},
             .hi = {12, 12, 12},
             .nregions = 2,
             .axis = AXES,
             .air = AIR,
             .region = ball,
             .radius = 12};
  PetscCall(relax_create(&b, material, 4, 1e-6, &r));
  PetscCall(smallest(&r, -3, &lambda, turn));
  assert_near(lambda, ANISOTROPY_FIELD - 3, .03);
  return relax_destroy(&r);
}
static void stray_field_of_a_sphere_does_not_change_it(void **state) {
  (void)state;
  assert_int_equal(sphere(), 0);
}

static double half; /* nm, half thickness of the soft layer */
static int layer(const double x[3]) {
  return fabs(x[0]) < half ? 1 : 0;
}
/* Field at which the eigenvalue is zero, by the straight line through two near it. */
static PetscErrorCode zero_of(const MtMaterial *soft, double thickness, double guess, double *field) {
  Relax r;
  Brick b = {.n = {96, 1, 1}, .lo = {-12, 0, 0}, .hi = {12, .5, .5}, .nregions = 2, .axis = AXES, .region = layer};
  MtMaterial material[2] = {HARD, *soft};
  double low = 0, high = 0, turn[3];
  half = thickness / 2;
  PetscCall(relax_create(&b, material, -1, 1e-6, &r));
  PetscCall(smallest(&r, -.99 * guess, &low, turn));
  PetscCall(smallest(&r, -1.01 * guess, &high, turn));
  assert_true(low > 0 && high < 0);
  *field = .99 * guess + .02 * guess * low / (low - high);
  return relax_destroy(&r);
}
/* A1 k1 tan(k1 t/2) = A2 k2, k1 = sqrt(J1 H/2 A1), k2 = sqrt((2 K2 - J2 H)/2 A2), solved independently, for a layer
 * without anisotropy between hard half spaces. */
static void planar_soft_layers_become_unstable_at_4_3667_and_4_4985_T(void **state) {
  (void)state;
  static const MtMaterial phase = {.name = "GB", .A = 2.5e-12, .Js = .75, .K1 = 0},
                          defect = {.name = "defect", .A = 7.7e-12, .Js = 1.61, .K1 = 0};
  double field = 0;
  assert_int_equal(zero_of(&phase, 3, 4.3667, &field), 0);
  assert_near(field, 4.3667, .002 * 4.3667);
  assert_int_equal(zero_of(&defect, 2, 4.4985, &field), 0);
  assert_near(field, 4.4985, .002 * 4.4985);
}

/* A small particle of cubic anisotropy with m and field along the crystal direction d: stiffness in T. */
static PetscErrorCode cubic_stiffness(double Kc1, double Kc2, const double q[4], double B, double *lambda) {
  const MtMaterial m = {.name = "cubic", .A = 21e-12, .Js = 2.15, .Kc1 = Kc1, .Kc2 = Kc2};
  Relax r;
  double turn[3];
  Brick b = {.n = {3, 3, 3}, .hi = {6, 6, 6}, .nregions = 1, .axis = AXES, .orientation = (const double(*)[4])q};
  PetscCall(relax_create(&b, &m, -1, 1e-6, &r));
  PetscCall(smallest(&r, B, lambda, turn));
  return relax_destroy(&r);
}
/* Along <100>: 2 Kc1/Ms, along <111>: -(4/3 Kc1 + 4/9 Kc2)/Ms, the switching fields of Stoner-Wohlfarth particles whose
 * easy axes they are: B. D. Cullity and C. D. Graham, Introduction to Magnetic Materials (2009) 7; from e =
 * Kc1 (a1^2 a2^2 + ...) + Kc2 a1^2 a2^2 a3^2 to second order in the angle. */
static void cubic_particles_switch_at_2K1_and_4_3_K1_over_Ms(void **state) {
  (void)state;
  static const double B[] = {0, -.05, -.2};
  /* crystal [111] along z: the turn of (1,1,1)/sqrt(3) to z about (1,-1,0) by acos(1/sqrt(3)) */
  const double c = cos(.5 * acos(sqrt(1. / 3))), s = sin(.5 * acos(sqrt(1. / 3)));
  const double q100[4] = {1, 0, 0, 0}, q111[4] = {c, s * sqrt(.5), -s * sqrt(.5), 0};
  const double f100 = 2 * MT_MU0 * 4.8e4 / 2.15, f111 = MT_MU0 * (4. / 3 * 4.8e4 - 4. / 9 * 1e4) / 2.15;
  for (int i = 0; i < 3; i++) {
    double lambda = 0;
    assert_int_equal(cubic_stiffness(4.8e4, 1e4, q100, B[i], &lambda), 0);
    assert_near(lambda, f100 + B[i], 1e-5);
    assert_int_equal(cubic_stiffness(-4.8e4, 1e4, q111, B[i], &lambda), 0);
    assert_near(lambda, f111 + B[i], 1e-5);
  }
}

int main(int argc, char **argv) {
  PetscCall(PetscInitialize(&argc, &argv, NULL, NULL));
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(uniform_rotation_has_the_stiffness_of_Stoner_and_Wohlfarth),
      cmocka_unit_test(a_guess_does_not_change_what_is_found),
      cmocka_unit_test(stray_field_of_a_sphere_does_not_change_it),
      cmocka_unit_test(cubic_particles_switch_at_2K1_and_4_3_K1_over_Ms),
      cmocka_unit_test(planar_soft_layers_become_unstable_at_4_3667_and_4_4985_T),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscCall(PetscFinalize());
  return failed;
}
