/* ranks: 1 2 4  timeout: 300 */
/* Several goals: hypervolumes against counted cells, inclusion and exclusion and the ball; boxes against points drawn
 * by chance; the expected growth of the hypervolume against quadrature; a search of a known front, the same on any
 * number of ranks. */
#include "../../src/optimize/acquisition.h"
#include "magtwin/error.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { ROOM = 200 * MT_GOALS_MAX };

/* Whole numbers from 0 to top - 1: many equal ones. */
static void draw_whole(int n, int goals, int top, uint64_t seed, double *y) {
  MtRandom random;
  mt_random_seed(&random, seed);
  for (int i = 0; i < n * goals; i++) y[i] = floor(mt_random_uniform(&random) * top);
}

/* On the sphere of radius 1 around the origin: none beats another. */
static void draw_sphere(int n, int goals, uint64_t seed, double *y) {
  MtRandom random;
  mt_random_seed(&random, seed);
  for (int i = 0; i < n; i++) {
    double square = 0, *p = y + (ptrdiff_t)i * goals;
    for (int g = 0; g < goals; g++) {
      p[g] = 0.01 + mt_random_uniform(&random);
      square += p[g] * p[g];
    }
    for (int g = 0; g < goals; g++) p[g] /= sqrt(square);
  }
}

static bool dominated(int goals, int n, const double *y, const double *z) {
  for (int i = 0; i < n; i++) {
    bool beyond = true;
    for (int g = 0; g < goals; g++) beyond = beyond && z[g] >= y[goals * i + g];
    if (beyond) return true;
  }
  return false;
}

/* Cells of the grid of whole numbers whose middle is dominated. */
static double counted(int goals, int n, const double *y, int top) {
  int cells = 1, count = 0;
  for (int g = 0; g < goals; g++) cells *= top;
  for (int c = 0; c < cells; c++) {
    double z[MT_GOALS_MAX];
    for (int g = 0, rest = c; g < goals; g++, rest /= top) z[g] = rest % top + 0.5;
    count += dominated(goals, n, y, z);
  }
  return count;
}

static void test_counted(void **state) {
  (void)state;
  const double reference[MT_GOALS_MAX] = {7, 7, 7, 7, 7, 7};
  double y[ROOM];
  for (int goals = 1; goals <= MT_GOALS_MAX; goals++)
    for (int n = 1; n < 20; n += 6) {
      draw_whole(n, goals, 9, (uint64_t)(10 * goals + n), y); /* some beyond the reference */
      assert_true(mt_hypervolume(goals, n, y, reference) == counted(goals, n, y, 7));
    }
}

/* Volume of what all points of a set dominate, added over all sets with alternating signs. */
static void test_inclusion(void **state) {
  (void)state;
  enum { N = 9, GOALS = 4 };
  const double reference[GOALS] = {1.1, 1.2, 1.3, 1.4};
  double y[N * GOALS], sum = 0;
  draw_sphere(N, GOALS, 3, y);
  for (int set = 1; set < 1 << N; set++) {
    double part = -1;
    for (int i = 0; i < N; i++)
      if (set >> i & 1) part = -part;
    for (int g = 0; g < GOALS; g++) {
      double low = -INFINITY;
      for (int i = 0; i < N; i++)
        if (set >> i & 1) low = fmax(low, y[GOALS * i + g]);
      part *= reference[g] - low;
    }
    sum += part;
  }
  assert_true(fabs(mt_hypervolume(GOALS, N, y, reference) / sum - 1) < 1e-12);
}

/* Volume of the boxes above 0. */
static double volume_of(const MtBoxes *b) {
  double sum = 0;
  for (int i = 0; i < b->n; i++) {
    double part = 1;
    for (int g = 0; g < b->goals; g++) {
      const double *ends = b->ends[g] + 2 * (ptrdiff_t)b->which[b->goals * i + g];
      part *= fmax(ends[1] - fmax(ends[0], 0), 0);
    }
    sum += part;
  }
  return sum;
}

static int boxes_around(const MtBoxes *b, const double *z) {
  int count = 0;
  for (int i = 0; i < b->n; i++) {
    bool in = true;
    for (int g = 0; g < b->goals; g++) {
      const double *ends = b->ends[g] + 2 * (ptrdiff_t)b->which[b->goals * i + g];
      in = in && z[g] > ends[0] && z[g] < ends[1];
    }
    count += in;
  }
  return count;
}

/* Boxes and dominated part make the whole, and each undominated point lies in one box. */
static void check_boxes(int goals, int n, const double *y, double reference, int *boxes) {
  double all[MT_GOALS_MAX], z[MT_GOALS_MAX], whole = pow(reference, goals);
  MtRandom random;
  for (int g = 0; g < goals; g++) all[g] = reference;
  MtBoxes b = mt_boxes(goals, n, y, all);
  assert_true(fabs((volume_of(&b) + mt_hypervolume(goals, n, y, all)) / whole - 1) < 1e-12);
  mt_random_seed(&random, 6);
  for (int k = 0; k < 500; k++) {
    for (int g = 0; g < goals; g++) z[g] = (mt_random_uniform(&random) * 1.1 - 0.1) * reference;
    assert_int_equal(boxes_around(&b, z), !dominated(goals, n, y, z));
  }
  *boxes = b.n;
  mt_boxes_free(&b);
}

static void test_boxes(void **state) {
  (void)state;
  double y[ROOM];
  int boxes;
  for (int goals = 2; goals <= MT_GOALS_MAX; goals++)
    for (int n = 1; n < 20; n += 6) {
      draw_whole(n, goals, 9, (uint64_t)(20 * goals + n), y);
      check_boxes(goals, n, y, 7, &boxes);
      draw_sphere(n, goals, (uint64_t)n, y);
      check_boxes(goals, n, y, 1.1, &boxes);
      if (goals < 4) assert_int_equal(boxes, goals == 2 ? n + 1 : 2 * n + 1);
    }
  check_boxes(3, 0, y, 1, &boxes); /* nothing yet: the whole */
  assert_int_equal(boxes, 1);
  draw_sphere(200, 3, 8, y);
  check_boxes(3, 200, y, 1.1, &boxes);
  assert_int_equal(boxes, 401);
}

/* What K x K points of the sphere's octant, even in area, leave of its 1.1^3 - pi/6. */
static double missing(int K) {
  const double reference[3] = {1.1, 1.1, 1.1}, whole = 1.331 - acos(-1) / 6;
  double *y = malloc(sizeof *y * 3 * (size_t)(K * K));
  for (int i = 0; i < K * K; i++) {
    const double z = (i / K + 0.5) / K, angle = 0.5 * acos(-1) * (i % K + 0.5) / K, r = sqrt(1 - z * z);
    y[3 * i] = r * cos(angle);
    y[3 * i + 1] = r * sin(angle);
    y[3 * i + 2] = z;
  }
  const double volume = mt_hypervolume(3, K * K, y, reference);
  MtBoxes b = mt_boxes(3, K * K, y, reference);
  assert_true(fabs(volume_of(&b) + volume - 1.331) < 1e-12);
  mt_boxes_free(&b);
  free(y);
  return 1 - volume / whole;
}

/* It vanishes with the distance of the points. */
static void test_ball(void **state) {
  (void)state;
  const double few = missing(8), many = missing(32);
  assert_true(few > 0 && few < 0.25 && fabs(4 * many / few - 1) < 0.1);
}

/* E of the growth of the hypervolume by the losses of normal values: the midpoint rule over all of them. */
static double by_quadrature(int goals, int n, const double *y, const double *reference, const MtBoxes *b,
                            const double *mean, const double *sd, int nodes) {
  double *all = malloc(sizeof *all * (size_t)(goals * (n + 1))), sum = 0;
  const double base = mt_hypervolume(goals, n, y, reference), width = 11.0 / nodes;
  int count = 1;
  memcpy(all, y, sizeof *all * (size_t)(goals * n));
  for (int g = 0; g < goals; g++) count *= nodes;
  for (int k = 0; k < count; k++) {
    double weight = 1;
    for (int g = 0, rest = k; g < goals; g++, rest /= nodes) {
      const double z = -5.5 + (rest % nodes + 0.5) * width, value = mean[g] + sd[g] * z;
      weight *= width * exp(-0.5 * z * z) / sqrt(2 * acos(-1));
      all[goals * n + g] = isnan(b->target[g]) ? value : fabs(value - b->target[g]);
    }
    sum += weight * (mt_hypervolume(goals, n + 1, all, reference) - base);
  }
  free(all);
  return sum;
}

static void check_slopes(const MtBoxes *b, const double *mean, const double *sd) {
  double m[MT_GOALS_MAX], w[MT_GOALS_MAX], by_mean[MT_GOALS_MAX], by_sd[MT_GOALS_MAX], rest[2][MT_GOALS_MAX];
  const double h = 1e-6;
  mt_log_ehvi(b, mean, sd, by_mean, by_sd);
  for (int k = 0; k < 2 * b->goals; k++) {
    const int g = k % b->goals;
    memcpy(m, mean, sizeof *m * (size_t)b->goals);
    memcpy(w, sd, sizeof *w * (size_t)b->goals);
    double *at = k < b->goals ? &m[g] : &w[g], expected = k < b->goals ? by_mean[g] : by_sd[g];
    *at += h;
    const double up = mt_log_ehvi(b, m, w, rest[0], rest[1]);
    *at -= 2 * h;
    const double down = mt_log_ehvi(b, m, w, rest[0], rest[1]);
    assert_true(fabs((up - down) / (2 * h) - expected) < 1e-5 * (1 + fabs(expected)));
  }
}

static void test_expected(void **state) {
  (void)state;
  const double reference[3] = {1.1, 1.2, 1.3}, sd[3] = {0.3, 0.2, 0.4};
  const double means[][3] = {{0.5, 0.5, 0.5}, {0.9, 0.8, 0.7}, {0.1, 1.0, 0.4}, {1.3, 0.6, 0.2}};
  double y[3 * 6], dm[3], ds[3];
  draw_sphere(6, 3, 12, y);
  MtBoxes b = mt_boxes(3, 6, y, reference);
  for (int k = 0; k < 5; k++) {
    const double *mean = means[k % 4];
    if (k == 4) { /* distances from targets */
      b.target[0] = 0.3;
      b.target[2] = 0.6;
    }
    const double value = mt_log_ehvi(&b, mean, sd, dm, ds);
    assert_true(fabs(exp(value) / by_quadrature(3, 6, y, reference, &b, mean, sd, 64) - 1) < 4e-3);
    check_slopes(&b, mean, sd);
  }
  mt_boxes_free(&b);
  /* far beyond: finite, with slopes that lead back */
  b = mt_boxes(3, 6, y, reference);
  assert_true(mt_log_ehvi(&b, (double[]){30, 20, 40}, sd, dm, ds) < -1000);
  for (int g = 0; g < 3; g++) assert_true(isfinite(dm[g]) && dm[g] < 0);
  mt_boxes_free(&b);
}

/* One, two and four goals by the same boxes: one goal less counts a factor where that one is sure to be reached. */
static void test_sure(void **state) {
  (void)state;
  const double reference[4] = {1.1, 1.1, 1.1, 1.1}, sd[4] = {0.3, 0.2, 0.25, 1e-9};
  double y[4 * 8], flat[3 * 8], mean[4] = {0.6, 0.5, 0.7, 0.1}, dm[4], ds[4];
  draw_sphere(8, 4, 5, y);
  for (int i = 0; i < 8; i++) {
    y[4 * i + 3] = 0.1; /* all alike in the last goal: a prism of height 1 */
    memcpy(flat + 3 * i, y + 4 * i, 3 * sizeof *y);
  }
  MtBoxes four = mt_boxes(4, 8, y, reference), three = mt_boxes(3, 8, flat, reference);
  const double a = mt_log_ehvi(&four, mean, sd, dm, ds), b = mt_log_ehvi(&three, mean, sd, dm, ds);
  assert_true(fabs(a - b) < 1e-6); /* (1.1 - 0.1) times the same */
  mt_boxes_free(&four);
  mt_boxes_free(&three);
}

/* K. Deb et al., CEC 2002, 825: DTLZ2 of three goals; its front is the octant of the sphere. */
static void dtlz2(const double *x, double *y) {
  const double right = 0.5 * acos(-1);
  double g = 1;
  for (int k = 2; k < 4; k++) g += (x[k] - 0.5) * (x[k] - 0.5);
  y[0] = g * cos(x[0] * right) * cos(x[1] * right);
  y[1] = g * cos(x[0] * right) * sin(x[1] * right);
  y[2] = g * sin(x[0] * right);
}

/* 24 evaluations after 10 spread ones, two at a time: 0.70 of the volume on the way (no 24 points reach 0.95), and on
 * all ranks together the bits of each rank alone. */
static void test_search(void **state) {
  (void)state;
  enum { N = 24 };
  const MtProposer p = {
      .ngoals = 3, .sign = {1, 1, -1}, .has_reference = true, .reference = {1.1, 1.1, -1.1}, .initial = 10, .seed = 7};
  const double reference[3] = {1.1, 1.1, 1.1}, whole = 1.331 - acos(-1) / 6;
  double x[N][4], alone[4], y[3 * N];
  MtTrial trial[N];
  MtProposal how;
  MtSpace s = {0};
  char name[4] = "x0";
  for (int k = 0; k < 4; k++, name[1]++) mt_space_add(&s, name, MT_VAR_REAL, 0, 1, false, 0, NULL);
  for (int i = 0; i < N; i++) {
    assert_int_equal(mt_propose(PETSC_COMM_WORLD, &s, &p, i, trial, x[i], &how), 0);
    if (i == 10 || i == 11) {
      assert_int_equal(mt_propose(PETSC_COMM_SELF, &s, &p, i, trial, alone, &how), 0);
      assert_memory_equal(alone, x[i], sizeof alone);
      assert_string_equal(how.how, "log_ehvi");
    }
    trial[i] = (MtTrial){.x = x[i], .status = MT_TRIAL_WAITING};
    dtlz2(x[i], trial[i].y);
    memcpy(y + 3 * i, trial[i].y, 3 * sizeof *y);
    trial[i].y[2] = -trial[i].y[2]; /* told as a goal to maximize */
    for (int k = i; i % 2 && k > i - 2; k--) trial[k].status = MT_TRIAL_DONE;
  }
  const double begun = mt_hypervolume(3, 10, y, reference) / whole, found = mt_hypervolume(3, N, y, reference) / whole;
  assert_true(found > 0.55 && found > begun + 0.2);
  mt_space_free(&s);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_counted),  cmocka_unit_test(test_inclusion),
                                     cmocka_unit_test(test_boxes),    cmocka_unit_test(test_ball),
                                     cmocka_unit_test(test_expected), cmocka_unit_test(test_sure),
                                     cmocka_unit_test(test_search)};
  if (PetscInitialize(&argc, &argv, NULL, NULL) || mt_error_install()) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() || failed;
}
