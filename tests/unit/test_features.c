/* ranks: 1 */
/* Signed distances against the search over all pixels; vectors of diagrams against what they are for one pair. */
#include "magtwin/error.h"
#include "magtwin/random.h"
#include "magtwin/topology.h"
#include "near.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1000 };

static double apart(const int n[3], const bool periodic[3], MtMetric metric, int p, int q) {
  double sum = 0, largest = 0, square = 0;
  const int a[3] = {p % n[0], p / n[0] % n[1], p / n[0] / n[1]}, b[3] = {q % n[0], q / n[0] % n[1], q / n[0] / n[1]};
  for (int i = 0; i < 3; i++) {
    int d = abs(a[i] - b[i]);
    if (periodic[i] && n[i] - d < d) d = n[i] - d;
    sum += d;
    square += d * d;
    largest = d > largest ? d : largest;
  }
  return metric == MT_MANHATTAN ? sum : (metric == MT_CHESSBOARD ? largest : sqrt(square));
}

static void check_distances(const int n[3], const bool periodic[3], const uint8_t *inside) {
  double value[MOST];
  const int total = n[0] * n[1] * n[2];
  for (int m = 0; m < 3; m++) {
    mt_signed_distance(n, periodic, (MtMetric)m, inside, value);
    for (int p = 0; p < total; p++) {
      double nearest = INFINITY;
      for (int q = 0; q < total; q++)
        if (inside[p] != inside[q]) nearest = fmin(nearest, apart(n, periodic, (MtMetric)m, p, q));
      if (isinf(nearest)) nearest = 0;
      assert_true(value[p] == (inside[p] ? -nearest : nearest));
    }
  }
}

static void test_distances(void **state) {
  MtRandom r;
  (void)state;
  mt_random_seed(&r, 3);
  for (int t = 0; t < 60; t++) {
    int n[3];
    bool periodic[3];
    uint8_t inside[MOST];
    const double share = t % 4 == 0 ? .02 : mt_random_uniform(&r); /* far from anything, too */
    for (int a = 0; a < 3; a++) {
      n[a] = a == 2 && t % 2 ? 1 : 1 + (int)(9 * mt_random_uniform(&r));
      periodic[a] = t % 3 == 0 && mt_random_uniform(&r) < .5;
    }
    for (int i = 0; i < n[0] * n[1] * n[2]; i++) inside[i] = mt_random_uniform(&r) < share;
    check_distances(n, periodic, inside);
  }
}

static const MtPair one = {.birth = 2.25, .death = 6.25};
static const MtFeatures plain = {.low = 0, .high = 10, .bins = 20, .levels = 2, .weight = MT_WEIGHT_LINEAR};

static void test_image(void **state) {
  double image[400], wide[2500], sum = 0, x = 0, y = 0, spread = 0;
  MtFeatures f = plain;
  (void)state;
  mt_persistence_image(&f, 1, &one, image);
  for (int i = 0; i < 400; i++) assert_near(image[i], i == 12 * 20 + 4 ? 4 : 0, 0); /* death down, birth across */
  f = (MtFeatures){.low = -10, .high = 15, .bins = 50, .levels = 1, .weight = MT_WEIGHT_LINEAR, .sigma = 1};
  mt_persistence_image(&f, 1, &one, wide);
  for (int i = 0; i < 2500; i++) {
    sum += wide[i];
    x += wide[i] * ((i % 50 + .5) / 2 - 10);
    y += wide[i] * ((i / 50 + .5) / 2 - 10);
    spread += wide[i] * pow((i / 50 + .5) / 2 - 10 - 6.25, 2);
  }
  assert_near(sum, 4, 1e-12);
  assert_near(x / sum, 2.25, 1e-12);
  assert_near(y / sum, 6.25, 1e-12);
  assert_near(spread / sum, 1, 2e-3); /* of the Gaussian, cut at 4 sigma: 1 - 8 phi(4) = .9989 */
  f = plain;
  f.weight = MT_WEIGHT_ARCTAN;
  f.scale = .5;
  f.power = 2;
  f.sigma = 0;
  mt_persistence_image(&f, 1, &one, image);
  assert_near(image[12 * 20 + 4], atan(.5 * 16), 1e-15);
}

static void test_curves(void **state) {
  const MtPair pair[3] = {one, {.birth = 3, .death = 5}, {.birth = 9, .death = INFINITY, .death_at = -1}};
  double betti[20], landscape[40];
  (void)state;
  mt_betti_curve(&plain, 3, pair, betti);
  mt_landscape(&plain, 3, pair, landscape);
  for (int i = 0; i < 20; i++) {
    const double v = .25 + .5 * i;
    assert_near(betti[i], (v >= 2.25 && v < 6.25) + (v >= 3 && v < 5) + (v >= 9), 0);
    const double first = fmax(0, fmin(v - 2.25, 6.25 - v)), second = fmax(0, fmin(v - 3, 5 - v));
    assert_near(landscape[i], fmax(first, second), 0);
    assert_near(landscape[20 + i], fmin(first, second), 0);
  }
}

static void test_superlevel(void **state) {
  const MtPair down = {.birth = 6.25, .death = 2.25};
  double a[400], b[400];
  (void)state;
  mt_landscape(&plain, 1, &one, a);
  mt_landscape(&plain, 1, &down, b);
  assert_memory_equal(a, b, 40 * sizeof *a);
  mt_persistence_image(&plain, 1, &one, a);
  mt_persistence_image(&plain, 1, &down, b);
  for (int i = 0; i < 400; i++) assert_true(a[i] == b[i % 20 * 20 + i / 20]); /* mirrored at the diagonal */
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_distances),
      cmocka_unit_test(test_image),
      cmocka_unit_test(test_curves),
      cmocka_unit_test(test_superlevel),
  };
  if (PetscInitialize(&argc, &argv, NULL, NULL) || mt_error_install()) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() || failed;
}
