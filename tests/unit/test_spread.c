/* ranks: 1 */
/* Numbers of pairs laid on their pixels: against a flood a pair; persistence images taken back to their pairs. */
#include "magtwin/error.h"
#include "magtwin/random.h"
#include "magtwin/topology.h"
#include "near.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PIXELS = 729, PAIRS = 729 };

static bool has(int64_t n, const int64_t *pixel, int64_t p) {
  for (int64_t i = 0; i < n; i++)
    if (pixel[i] == p) return true;
  return false;
}

/* Does a neighbour across a face lie outside of the region? */
static bool on_border(const MtCubical *im, int64_t n, const int64_t *pixel, int64_t p) {
  for (int k = 0; k < 6; k++) {
    int at[3] = {(int)(p % im->n[0]), (int)(p / im->n[0] % im->n[1]), (int)(p / im->n[0] / im->n[1])};
    const int a = k / 2;
    at[a] += k % 2 ? 1 : -1;
    if (im->periodic[a]) at[a] = (at[a] + im->n[a]) % im->n[a];
    if (at[a] < 0 || at[a] >= im->n[a]) continue;
    const int64_t q = ((int64_t)at[2] * im->n[1] + at[1]) * im->n[0] + at[0];
    if (!(im->hidden && im->hidden[q]) && !has(n, pixel, q)) return true;
  }
  return false;
}

static void lay_one(const MtCubical *im, MtSpread where, int dimension, const MtPair *pair, double amount,
                    double *map) {
  static uint8_t seen[PIXELS];
  int64_t *pixel, count = 0;
  const int64_t n = mt_pair_region(im, dimension, pair, seen, &pixel);
  for (int64_t i = 0; i < n; i++) count += where == MT_SPREAD_REGION || on_border(im, n, pixel, pixel[i]);
  for (int64_t i = 0; i < n; i++)
    if (where == MT_SPREAD_REGION || on_border(im, n, pixel, pixel[i])) map[pixel[i]] += amount / (double)count;
  free(pixel);
}

static void check_dimension(const MtCubical *im, MtRandom *r, int dimension, int64_t n, const MtPair *pair) {
  double amount[PAIRS], map[PIXELS], expected[PIXELS], total = 0;
  const int pixels = im->n[0] * im->n[1] * im->n[2];
  for (int64_t i = 0; i < n; i++) {
    amount[i] = mt_random_uniform(r) - .5;
    if (pair[i].death_at >= 0) total += amount[i];
  }
  for (int w = MT_SPREAD_REGION; w <= MT_SPREAD_CELLS; w++) {
    double sum = 0;
    memset(map, 0, sizeof map);
    memset(expected, 0, sizeof expected);
    mt_pair_spread(im, (MtSpread)w, dimension, n, pair, amount, map);
    for (int64_t i = 0; i < n; i++)
      if (pair[i].death_at >= 0 && w != MT_SPREAD_CELLS)
        lay_one(im, (MtSpread)w, dimension, &pair[i], amount[i], expected);
    for (int i = 0; i < pixels; i++) {
      if (w != MT_SPREAD_CELLS) assert_near(map[i], expected[i], 1e-13);
      sum += map[i];
    }
    assert_near(sum, total, 1e-12);
  }
}

static void random_image(MtRandom *r, int t) {
  double value[PIXELS];
  uint8_t hole[PIXELS];
  MtCubical im = {.top_cells = t & 1, .superlevel = t & 2, .value = value, .hidden = t % 5 == 4 ? hole : NULL};
  MtDiagram d;
  for (int a = 0; a < 3; a++) {
    im.n[a] = a == 2 && t % 3 ? 1 : 3 + (int)(6 * mt_random_uniform(r));
    im.periodic[a] = im.n[a] > 1 && t % 7 == 6 && mt_random_uniform(r) < .5;
  }
  for (int i = 0; i < im.n[0] * im.n[1] * im.n[2]; i++) {
    value[i] = mt_random_uniform(r); /* no two are equal */
    hole[i] = mt_random_uniform(r) < .1;
  }
  assert_int_equal(mt_persistence(&im, &d), 0);
  check_dimension(&im, r, 0, d.n[0], d.pair[0]);
  check_dimension(&im, r, d.dims - 1, d.n[d.dims - 1], d.pair[d.dims - 1]);
  mt_diagram_free(&d);
}

static void test_regions(void **state) {
  MtRandom r;
  (void)state;
  mt_random_seed(&r, 11);
  for (int t = 0; t < 210; t++) random_image(&r, t);
}

/* Two equal pixels are two domains: the one that comes first keeps what lies between them. */
static void test_ties(void **state) {
  const double value[] = {1, 3, 1, 2, 0};
  const MtCubical im = {.n = {5, 1, 1}, .value = value};
  const double amount[] = {6, 10, 20};
  double map[5] = {0};
  MtDiagram d;
  (void)state;
  assert_int_equal(mt_persistence(&im, &d), 0);
  assert_int_equal(d.n[0], 3); /* 0 lasts, 1 at pixel 0 until 3, 1 at pixel 2 until 2 */
  assert_int_equal(d.pair[0][0].death_at, -1);
  mt_pair_spread(&im, MT_SPREAD_REGION, 0, d.n[0], d.pair[0], amount, map);
  assert_near(map[0], 10, 0);
  assert_near(map[2], 20, 0);
  assert_near(map[1] + map[3] + map[4], 0, 0);
  mt_diagram_free(&d);
}

/* Products of weights and persistence image add up to what the pairs are given, with each kind of weight. */
static void test_amounts(void **state) {
  enum { BINS = 12, N = 40 };
  MtRandom r;
  MtPair pair[N];
  double w[BINS * BINS], image[BINS * BINS], amount[N];
  (void)state;
  mt_random_seed(&r, 5);
  for (int t = 0; t < 9; t++) {
    const MtFeatures f = {.low = -1,
                          .high = 1,
                          .bins = BINS,
                          .sigma = .1 * (t / 3),
                          .weight = (MtWeight)(t % 3),
                          .scale = 2,
                          .power = 1.5};
    double by_bins = 0, by_pairs = 0;
    for (int i = 0; i < N; i++) {
      pair[i].birth = 2.2 * mt_random_uniform(&r) - 1.1;
      pair[i].death = i % 10 ? pair[i].birth + mt_random_uniform(&r) : INFINITY;
    }
    for (int i = 0; i < BINS * BINS; i++) w[i] = mt_random_uniform(&r) - .3;
    mt_persistence_image(&f, N, pair, image);
    mt_persistence_amounts(&f, w, N, pair, amount);
    for (int i = 0; i < BINS * BINS; i++) by_bins += w[i] * image[i];
    for (int i = 0; i < N; i++) by_pairs += amount[i];
    assert_near(by_pairs, by_bins, 1e-12);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_regions), cmocka_unit_test(test_ties),
                                     cmocka_unit_test(test_amounts)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
