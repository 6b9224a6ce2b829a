/* ranks: 1 */
/* Barrier against field: constants come back, and the coercivity of a particle is that of Sharrock's formula. */
#include "magtwin/barrier.h"
#include "near.h"

#include <math.h>

static void constants_come_back(void **state) {
  (void)state;
  static const double H[] = {1, 2, 3.5, 4, 5};
  double E[5];
  MtBarrierFit fit;
  for (int i = 0; i < 5; i++) E[i] = 4e-19 * pow(1 - H[i] / 6.2, 1.43);
  mt_barrier_fit(5, H, E, &fit);
  assert_int_equal(fit.points, 5);
  assert_near(fit.E0, 4e-19, 1e-23);
  assert_near(fit.H0, 6.2, 1e-4);
  assert_near(fit.n, 1.43, 1e-3);
  assert_near(fit.error, 0, 1e-24);
  assert_false(fit.at_bound);
}

/* exp(-H) is (1 - H/H0)^n in the limit of n and H0 = n: no n that is tried. */
static void another_law_is_told_by_the_bound_of_n(void **state) {
  (void)state;
  static const double H[] = {0, 1, 2, 3};
  double E[4];
  MtBarrierFit fit;
  for (int i = 0; i < 4; i++) E[i] = 4e-19 * exp(-H[i]);
  mt_barrier_fit(4, H, E, &fit);
  assert_true(fit.at_bound);
  assert_near(fit.n, 10, 0);
}

/* Hc = HK (1 - sqrt(kB T ln(f0 t)/K V)): M. P. Sharrock, J. Appl. Phys. 76 (1994) 6413. */
static void two_points_of_a_particle_give_Sharrocks_coercivity(void **state) {
  (void)state;
  const double KV = 3e-19, HK = 6.7, E25 = 25 * MT_KB * 300, H[] = {4, 1};
  const double E[] = {KV * pow(1 - 4 / HK, 2), KV * pow(1 - 1 / HK, 2)};
  MtBarrierFit fit;
  mt_barrier_fit(2, H, E, &fit);
  bool between;
  assert_near(mt_barrier_field(2, H, E, &fit, E25, &between), HK * (1 - sqrt(E25 / KV)), 1e-6);
  assert_true(between);
  assert_near(mt_barrier_field(2, H, E, &fit, KV / 100, &between), .9 * HK, 1e-3);
  assert_false(between);
  assert_near(mt_barrier_field(2, H, E, &fit, 2 * KV, &between), 0, 0);
}

static void one_point_gives_no_fit(void **state) {
  (void)state;
  const double H = 1, E = 1e-19;
  bool between;
  MtBarrierFit fit;
  mt_barrier_fit(1, &H, &E, &fit);
  assert_int_equal(fit.points, 0);
  assert_true(isnan(mt_barrier_field(1, &H, &E, &fit, 1e-19, &between)));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(constants_come_back),
      cmocka_unit_test(another_law_is_told_by_the_bound_of_n),
      cmocka_unit_test(two_points_of_a_particle_give_Sharrocks_coercivity),
      cmocka_unit_test(one_point_gives_no_fit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
