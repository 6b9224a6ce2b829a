/* Generated grains: volumes as drawn, their log-normal law, the texture, and the same bits for the same seed. */
#include "../../src/microstructure/power_transport.h"
#include "magtwin/error.h"
#include "magtwin/microstructure.h"
#include "magtwin/random.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void assert_near(double a, double b, double tolerance) {
  if (!(fabs(a - b) <= tolerance)) fail_msg("%.17g differs from %.17g by more than %g", a, b, tolerance);
}

static PetscErrorCode generate(const char *keys, MtPower *p) {
  char path[] = "/tmp/magtwin-generate-XXXXXX";
  const MtKey *const tables[] = {mt_grains_keys, NULL};
  MtInput *in;
  int fd = mkstemp(path);
  FILE *f = fdopen(fd, "w");
  fprintf(f, "grains:\n  source: generated\n%s", keys);
  fclose(f);
  PetscErrorCode rc = mt_input_read(MPI_COMM_SELF, path, 0, NULL, tables, &in);
  unlink(path);
  if (rc != 0) return rc;
  rc = mt_power_generate(in, p);
  mt_input_destroy(&in);
  return rc;
}

static void must_generate(const char *keys, MtPower *p) {
  if (generate(keys, p) != 0) fail_msg("%s", mt_error_message());
}

/* First outputs of xoshiro256** from the state (1, 2, 3, 4), worked out by hand from its definition: rotl(2 * 5, 7) * 9
 * = 11520; the next state has s1 = 2 ^ 3 ^ 1 = 0, so 0 follows.  splitmix64(1234567): Rosetta Code, "Pseudo-random
 * numbers/Splitmix64". */
static void random_numbers_are_the_published_ones(void **unused) {
  (void)unused;
  MtRandom r = {{1, 2, 3, 4}};
  assert_true(mt_random_bits(&r) == 11520);
  assert_true(mt_random_bits(&r) == 0);
  uint64_t state = 1234567;
  assert_true(mt_splitmix64(&state) == UINT64_C(6457827717110365317));
  assert_true(mt_splitmix64(&state) == UINT64_C(3203168211198807973));
}

static void volumes_are_met(void **unused) {
  (void)unused;
  enum { N = 150 };
  MtPower p;
  MtCells c;
  double volume[N], sum = 0;
  must_generate("  count: 150\n  box: [90, 100, 110]\n  lloyd: 0\n", &p);
  for (int k = 0; k < N; k++) sum += volume[k] = 1 + k % 7;
  for (int k = 0; k < N; k++) volume[k] *= 90. * 100 * 110 / sum;
  assert_int_equal(mt_power_set_volumes(&p, volume, 1e-9, &c), 0);
  assert_int_equal(mt_cells_check(&c), 0);
  for (int k = 0; k < N; k++) assert_near(c.volume[k] / volume[k], 1, 1e-9);
  mt_cells_free(&c);
  mt_power_free(&p);
}

static void equal_volumes_when_the_spread_is_zero(void **unused) {
  (void)unused;
  MtPower p;
  MtCells c;
  must_generate("  count: 64\n  box: [80, 80, 80]\n  size_spread: 0\n  lloyd: 2\n", &p);
  assert_int_equal(mt_cells_build(&p, &c), 0);
  for (int k = 0; k < 64; k++) assert_near(c.volume[k], 8000, 1e-5);
  mt_cells_free(&c);
  mt_power_free(&p);
}

/* The standard error of a standard deviation from n normal numbers is sd / sqrt(2 (n - 1)): bounds at four of them. */
static void diameters_are_log_normal(void **unused) {
  (void)unused;
  enum { N = 500 };
  MtPower p;
  MtCells c;
  double mean = 0, square = 0, cube = 0;
  must_generate("  count: 500\n  box: [200, 200, 200]\n  size_spread: 0.3\n  lloyd: 1\n  seed: 7\n", &p);
  assert_int_equal(mt_cells_build(&p, &c), 0);
  for (int k = 0; k < N; k++) mean += log(c.volume[k]) / 3 / N;
  for (int k = 0; k < N; k++) {
    double z = (log(c.volume[k]) / 3 - mean) / .3;
    square += z * z / (N - 1);
    cube += z * z * z / N;
  }
  assert_near(sqrt(square), 1, 4 / sqrt(2. * (N - 1)));
  assert_near(cube, 0, 4 * sqrt(6. / N)); /* skewness of a normal sample: standard error sqrt(6/n) */
  mt_cells_free(&c);
  mt_power_free(&p);
}

/* Tilt = |N(0, s)|: mean square s^2 (standard error sqrt(2/n) of it), mean s sqrt(2/pi); azimuth uniform: mean
 * component 0. */
static void easy_axes_have_the_asked_spread(void **unused) {
  (void)unused;
  enum { N = 1000 };
  MtPower p;
  double square = 0, first = 0, side = 0, s = 12 * atan(1) / 45;
  must_generate("  count: 1000\n  box: [1, 1, 1]\n  lloyd: 0\n  size_spread: 0\n  texture_axis: [3, 0, 4]\n  "
                "texture_spread: 12 deg\n",
                &p);
  for (int k = 0; k < N; k++) {
    const double *a = &p.axis[3 * k];
    assert_near(a[0] * a[0] + a[1] * a[1] + a[2] * a[2], 1, 1e-14);
    double tilt = acos(fmin(1, .6 * a[0] + .8 * a[2]));
    square += tilt * tilt / N;
    first += tilt / N;
    side += a[1] / N;
  }
  assert_near(square / (s * s), 1, 4 * sqrt(2. / N));
  assert_near(first / s, sqrt(2 / acos(-1)), 4 * sqrt((1 - 2 / acos(-1)) / N));
  assert_near(side, 0, 4 * s / sqrt(2. * N));
  mt_power_free(&p);
}

/* Uniform on the hemisphere: the component along the axis is uniform on [0, 1]: mean 1/2, variance 1/12. */
static void isotropic_axes_fill_the_hemisphere(void **unused) {
  (void)unused;
  enum { N = 1000 };
  MtPower p;
  double mean = 0, square = 0;
  must_generate("  count: 1000\n  box: [1, 1, 1]\n  lloyd: 0\n  size_spread: 0\n  texture: isotropic\n", &p);
  for (int k = 0; k < N; k++) mean += p.axis[3 * k + 2] / N;
  for (int k = 0; k < N; k++) square += pow(p.axis[3 * k + 2] - .5, 2) / N;
  assert_near(mean, .5, 4 / sqrt(12. * N));
  assert_near(square, 1. / 12, 4 * sqrt(1. / 180 / N));
  mt_power_free(&p);
}

static void one_seed_gives_one_magnet(void **unused) {
  (void)unused;
  MtPower p, q, r;
  must_generate("  count: 40\n  box: [80, 80, 80]\n  seed: 3\n", &p);
  must_generate("  count: 40\n  box: [80, 80, 80]\n  seed: 3\n", &q);
  must_generate("  count: 40\n  box: [80, 80, 80]\n  seed: 4\n", &r);
  assert_memory_equal(p.seed, q.seed, 120 * sizeof(double));
  assert_memory_equal(p.weight, q.weight, 40 * sizeof(double));
  assert_memory_equal(p.axis, q.axis, 120 * sizeof(double));
  assert_memory_not_equal(p.seed, r.seed, 120 * sizeof(double));
  mt_power_free(&p);
  mt_power_free(&q);
  mt_power_free(&r);
}

static void bad_input_is_refused(void **unused) {
  (void)unused;
  const char *bad[] = {"  count: 0\n  box: [80, 80, 80]\n", "  count: 4\n  box: [80, 0, 80]\n", "  count: 4\n",
                       "  count: 4\n  box: [80, 80, 80]\n  size_spread: -1\n",
                       "  count: 4\n  box: [80, 80, 80]\n  texture_axis: [0, 0, 0]\n"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    MtPower p;
    assert_int_equal(generate(bad[i], &p), MT_ERR_INPUT);
    mt_error_clear();
  }
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(random_numbers_are_the_published_ones),
      cmocka_unit_test(volumes_are_met),
      cmocka_unit_test(equal_volumes_when_the_spread_is_zero),
      cmocka_unit_test(diameters_are_log_normal),
      cmocka_unit_test(easy_axes_have_the_asked_spread),
      cmocka_unit_test(isotropic_axes_fill_the_hemisphere),
      cmocka_unit_test(one_seed_gives_one_magnet),
      cmocka_unit_test(bad_input_is_refused),
  };
  if (PetscInitialize(&argc, &argv, NULL, NULL) || mt_error_install()) return 99;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 99 : failed;
}
