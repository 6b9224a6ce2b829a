/* Acquisition: log h against quadrature where EI itself underflows, expected hypervolume improvement against quadrature
 * and its gradient, fronts and areas. */
#include "../../src/optimize/acquisition.h"
#include "../../src/optimize/normal.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

static const double front[] = {1, 5, 2, 3, 4, 2, 6, 0.5, 5, 5}; /* the last is beaten */
static const double reference[] = {8, 7};

/* log h(z) = log phi(z) + log int_0^inf t exp(z t - t^2/2) dt, by Simpson's rule with s = t * scale. */
static double log_h_quadrature(double z) {
  const int n = 40000;
  const double scale = z < -1 ? -z : 1, top = z < -1 ? 60 : 12 + fabs(z);
  double sum = 0, width = top / n, shift = z > 0 ? 0.5 * z * z : 0; /* largest exponent */
  for (int i = 0; i <= n; i++) {
    double s = i * width, t = s / scale, f = t * exp(z * t - 0.5 * t * t - shift) / scale;
    sum += f * (i == 0 || i == n ? 1 : i % 2 ? 4 : 2);
  }
  return -0.5 * z * z - 0.5 * log(2 * acos(-1)) + shift + log(sum * width / 3);
}

static void test_log_h(void **state) {
  (void)state;
  const double z[] = {-1e4, -1e3, -200, -51, -50, -49, -38, -20, -8, -5, -2, -1.0001, -0.9999, -0.3, 0, 0.5, 3};
  for (size_t i = 0; i < sizeof z / sizeof *z; i++) {
    double slope, value = mt_log_h(z[i], &slope), other = log_h_quadrature(z[i]);
    assert_true(fabs(value - other) < 1e-9 + 4e-16 * z[i] * z[i]);
    double h = 1e-5 * fmax(1, fabs(z[i]));
    double difference = (mt_log_h(z[i] + h, NULL) - mt_log_h(z[i] - h, NULL)) / (2 * h);
    assert_true(fabs(slope - difference) < 1e-5 * fabs(slope));
  }
  /* h(0) = phi(0); h(z) -> z */
  assert_true(fabs(mt_log_h(0, NULL) + 0.5 * log(2 * acos(-1))) < 1e-15);
  assert_true(fabs(mt_log_h(40, NULL) - log(40)) < 1e-15);
  assert_true(isfinite(mt_log_h(-1e100, NULL)));
}

static void test_log_cdf(void **state) {
  (void)state;
  /* mpmath, 40 digits */
  const double known[][2] = {{-40, -804.60844201375379}, {-10, -53.231285150512471}, {-1, -1.8410216450092635},
                             {0, -0.69314718055994531},  {2, -0.023012909328963488}, {8, -6.2209605742717861e-16}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    assert_true(fabs(mt_log_cdf(known[i][0]) / known[i][1] - 1) < 1e-12);
}

/* E max(c - |y - t|, 0) over phi(z), by Simpson's rule over the tent, with the factor exp(z v - v^2/2) that is left. */
static double log_tent(double z, double d) {
  const int n = 20000;
  double sum = 0, top = -INFINITY;
  for (int pass = 0; pass < 2; pass++)
    for (int i = 0; i <= n; i++) {
      double v = -d + 2 * d * i / n, e = z * v - 0.5 * v * v;
      if (!pass)
        top = fmax(top, e);
      else
        sum += (d - fabs(v)) * exp(e - top) * (i == 0 || i == n ? 1 : i % 2 ? 4 : 2);
    }
  return mt_log_density(z) + top + log(sum * 2 * d / n / 3);
}

static void test_target(void **state) {
  (void)state;
  const double cases[][2] = {{0, 1e-9}, {0, 0.3}, {0, 1.9},    {0, 2.1},  {0, 9},      {3, 1e-4},  {-3, 0.4},
                             {-3, 0.6}, {3, 3},   {-20, 0.05}, {20, 0.2}, {-40, 1e-3}, {-40, 0.1}, {5, 8}};
  const double target = 1.5, sd = 0.7;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const double mean = target - sd * cases[i][0], c = sd * cases[i][1],
                 expected = log(sd) + log_tent(cases[i][0], cases[i][1]);
    MtLogValue v = mt_log_improvement(target, c, mean, sd);
    assert_true(fabs(v.value - expected) < 1e-8 * (1 + fabs(expected)));
    const double h = 1e-6;
    double by_mean =
        (mt_log_improvement(target, c, mean + h, sd).value - mt_log_improvement(target, c, mean - h, sd).value) /
        (2 * h);
    double by_sd =
        (mt_log_improvement(target, c, mean, sd + h).value - mt_log_improvement(target, c, mean, sd - h).value) /
        (2 * h);
    assert_true(fabs(v.mean - by_mean) < 1e-5 * (1 + fabs(by_mean)));
    assert_true(fabs(v.sd - by_sd) < 1e-5 * (1 + fabs(by_sd)));
  }
  assert_true(mt_log_improvement(target, 0, 1, 1).value == -INFINITY);
}

/* Two targets: the sum over boxes is the integral of the growth of the area of distances. */
static void test_two_targets(void **state) {
  (void)state;
  MtBoxes s = mt_boxes(2, 5, front, reference);
  const int n = 400;
  double mean[2] = {2, 1}, sd[2] = {1.2, 0.7}, y[12], sum = 0, base = mt_hypervolume(2, 5, front, reference), dm[2],
         ds[2];
  s.target[0] = 1;
  s.target[1] = -1;
  for (int i = 0; i < 10; i++) y[i] = front[i];
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) {
      double a = -7 + 14 * (i + 0.5) / n, b = -7 + 14 * (j + 0.5) / n;
      y[10] = fabs(mean[0] + a * sd[0] - s.target[0]);
      y[11] = fabs(mean[1] + b * sd[1] - s.target[1]);
      sum += (mt_hypervolume(2, 6, y, reference) - base) * exp(-0.5 * (a * a + b * b)) / (2 * acos(-1)) * (14.0 / n) *
             (14.0 / n);
    }
  assert_true(fabs(exp(mt_log_ehvi(&s, mean, sd, dm, ds)) / sum - 1) < 2e-3);
  mt_boxes_free(&s);
}

/* E of the growth of the area, by the midpoint rule over both normals. */
static double ehvi_quadrature(const double *mean, const double *sd) {
  const int n = 300;
  double sum = 0, y[12], base = mt_hypervolume(2, 5, front, reference);
  for (int i = 0; i < 10; i++) y[i] = front[i];
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) {
      double s = -7 + 14 * (i + 0.5) / n, t = -7 + 14 * (j + 0.5) / n;
      y[10] = mean[0] + s * sd[0];
      y[11] = mean[1] + t * sd[1];
      double grown = mt_hypervolume(2, 6, y, reference) - base;
      sum += grown * exp(-0.5 * (s * s + t * t)) / (2 * acos(-1)) * (14.0 / n) * (14.0 / n);
    }
  return sum;
}

static void test_ehvi(void **state) {
  (void)state;
  MtBoxes s = mt_boxes(2, 5, front, reference);
  const double means[][2] = {{3, 3}, {0, 0}, {6, 6}, {9, 2}}, sd[2] = {1.2, 0.7};
  for (size_t i = 0; i < 4; i++) {
    double dm[2], ds[2], value = mt_log_ehvi(&s, means[i], sd, dm, ds);
    assert_true(fabs(exp(value) / ehvi_quadrature(means[i], sd) - 1) < 2e-3);
    for (int k = 0; k < 4; k++) {
      double m[2] = {means[i][0], means[i][1]}, w[2] = {sd[0], sd[1]}, h = 1e-6, a[2], b[2];
      double *at = k < 2 ? &m[k] : &w[k - 2], expected = k < 2 ? dm[k] : ds[k - 2];
      *at += h;
      double up = mt_log_ehvi(&s, m, w, a, b);
      *at -= 2 * h;
      double down = mt_log_ehvi(&s, m, w, a, b);
      assert_true(fabs((up - down) / (2 * h) - expected) < 1e-6 * (1 + fabs(expected)));
    }
  }
  /* far from the front: finite, with a slope that leads back */
  double dm[2], ds[2], value = mt_log_ehvi(&s, (double[]){80, 90}, sd, dm, ds);
  assert_true(isfinite(value) && value < -1000 && dm[0] < 0 && dm[1] < 0);
  mt_boxes_free(&s);
}

/* One point under way: what another adds to both is the integral of its EI over what may come out at the first, here by
 * the midpoint rule with a process made for every value; and its gradient against differences.  Draws in pairs of
 * opposite sign: their mean is the mean expected. */
static void test_joint(void **state) {
  (void)state;
  enum { K = 7, DRAWS = 6000, GRID = 400 };
  double x[2 * K], y[K], lengths[2] = {0.5, 0.8}, waiting[2] = {0.42, 0.3}, at[2] = {0.55, 0.4}, mean, sd, gradient[2];
  const MtGpHyper h = {lengths, 1.2, 1e-6};
  for (int i = 0; i < K; i++) {
    mt_sobol(2, 4, (uint32_t)i, x + 2 * i);
    y[i] = sin(6 * x[2 * i]) + x[2 * i + 1];
  }
  MtGp *gp = mt_gp_create(MT_MATERN52, 2, K, x, y), *more;
  assert_int_equal(mt_gp_condition(gp, &h), 0);
  mt_gp_predict(gp, waiting, &mean, &sd, NULL, NULL);
  const double best = mean - 0.3 * sd;
  double sum = 0;
  for (int i = 0; i < GRID; i++) {
    const double z = -6 + 12 * (i + 0.5) / GRID, value = mean + z * sd;
    double m, s;
    assert_int_equal(mt_gp_extend(gp, 1, waiting, &value, &more), 0);
    mt_gp_predict(more, at, &m, &s, NULL, NULL);
    sum += exp(mt_log_density(z) + mt_log_improvement(NAN, fmin(best, value), m, s).value) * 12 / GRID;
    mt_gp_destroy(&more);
  }
  assert_int_equal(mt_gp_extend(gp, 1, waiting, &mean, &more), 0);
  const MtProposer p = {.ngoals = 1, .sign = {1}};
  MtAcquire a = {.settings = &p, .gp = {gp}, .draws = mt_gp_draws_create(more, 1, DRAWS, 5), .best = best, .unit = 1};
  assert_true(fabs(mt_acquire(&a, 2, at, gradient) - log(sum)) < 0.03);
  for (int k = 0; k < 2; k++) {
    double up[2] = {at[0], at[1]}, down[2] = {at[0], at[1]};
    up[k] += 1e-6;
    down[k] -= 1e-6;
    const double difference = (mt_acquire(&a, 2, up, NULL) - mt_acquire(&a, 2, down, NULL)) / 2e-6;
    assert_true(fabs(gradient[k] - difference) < 1e-5 * (1 + fabs(difference)));
  }
  double means[DRAWS], total = 0, expected, other;
  mt_gp_draws_predict(a.draws, at, means, &sd, NULL, NULL);
  for (int i = 0; i < DRAWS; i++) total += means[i] / DRAWS;
  assert_int_equal(mt_gp_extend(gp, 1, waiting, &mean, &more), 0);
  mt_gp_predict(more, at, &expected, &other, NULL, NULL);
  assert_true(fabs(total - expected) < 1e-10 && fabs(sd - other) < 1e-10);
  mt_gp_destroy(&more);
  mt_gp_draws_destroy(&a.draws);
  mt_gp_destroy(&gp);
}

static void test_front(void **state) {
  (void)state;
  bool on[5];
  assert_int_equal(mt_front(2, 5, front, on), 4);
  assert_false(on[4]);
  /* strips from the left: 1*(7-5) + 2*(7-3) + 2*(7-2) + 2*(7-.5) = 33 */
  assert_true(fabs(mt_hypervolume(2, 5, front, reference) - 33) < 1e-12);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_log_h),  cmocka_unit_test(test_log_cdf),
                                     cmocka_unit_test(test_target), cmocka_unit_test(test_two_targets),
                                     cmocka_unit_test(test_ehvi),   cmocka_unit_test(test_front),
                                     cmocka_unit_test(test_joint)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
