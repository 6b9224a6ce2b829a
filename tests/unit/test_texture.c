/* ranks: 1 */
/* The steerable pyramid keeps energy and turns with the picture; ridge regression against its normal equations. */
#include "magtwin/error.h"
#include "magtwin/random.h"
#include "magtwin/texture.h"
#include "near.h"
#include <math.h>
#include <string.h>

static double mean_square(int n, const double *v) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += v[i] * v[i];
  return sum / n;
}

/* Parseval: the mean squares of all bands, as the filters say and as the bands are, add up to that of the picture. */
static void test_parseval(void **state) {
  static const int size[][4] = {{64, 64, 4, 4}, {60, 45, 3, 5}, {33, 70, 3, 2}, {128, 96, 4, 7}};
  MtRandom r;
  (void)state;
  mt_random_seed(&r, 5);
  for (int t = 0; t < 4; t++) {
    const int n = size[t][0] * size[t][1];
    double *v = malloc((size_t)n * sizeof *v), *b = malloc((size_t)n * sizeof *b), sum = 0, real = 0;
    for (int i = 0; i < n; i++) v[i] = mt_random_normal(&r) + 2;
    MtPyramid *p = mt_pyramid_new(size[t][0], size[t][1], size[t][2], size[t][3]);
    mt_pyramid_set(p, v);
    sum += mt_pyramid_high(p, b);
    real += mean_square(n, b);
    sum += mt_pyramid_low(p, b);
    real += mean_square(n, b);
    for (int s = 0; s < size[t][2]; s++)
      for (int k = 0; k < size[t][3]; k++) {
        sum += mt_pyramid_band(p, s, k, b, NULL);
        real += mean_square(n, b);
      }
    assert_near(sum / mean_square(n, v), 1, 1e-12);
    assert_near(real / mean_square(n, v), 1, 1e-12);
    mt_pyramid_free(&p);
    free(v);
    free(b);
  }
}

/* A pattern known everywhere, turned by an angle about the middle: waves under Gaussians that fade out long before the
 * edges, so that neither sampling nor the edges matter. */
static void paint(int n, double angle, double *v) {
  static const double wave[3][5] = {{.9, .2, 3, -5, 9}, {-.3, .55, -8, 4, 7}, {.15, -.25, 2, 6, 10}};
  for (int y = 0; y < n; y++)
    for (int x = 0; x < n; x++) {
      const double dx = x - n / 2, dy = y - n / 2, c = cos(angle), s = sin(angle);
      const double u = c * dx + s * dy, w = -s * dx + c * dy;
      v[y * n + x] = 0;
      for (int k = 0; k < 3; k++) {
        const double *q = wave[k], r2 = (u - q[2]) * (u - q[2]) + (w - q[3]) * (w - q[3]);
        v[y * n + x] += exp(-r2 / (2 * q[4] * q[4])) * cos(q[0] * u + q[1] * w);
      }
    }
}

/* Largest difference between a band's energy and that of the next one after a turn by pi/K, over all energy. */
static double turn_error(int n, int orientations) {
  enum { SCALES = 4 };
  double *v = malloc((size_t)n * (size_t)n * sizeof *v), energy[2][SCALES][8], total = 0, worst = 0;
  MtPyramid *p = mt_pyramid_new(n, n, SCALES, orientations);
  for (int turned = 0; turned < 2; turned++) {
    paint(n, turned * M_PI / orientations, v);
    mt_pyramid_set(p, v);
    for (int s = 0; s < SCALES; s++)
      for (int k = 0; k < orientations; k++) total += energy[turned][s][k] = mt_pyramid_band(p, s, k, NULL, NULL);
  }
  for (int s = 0; s < SCALES; s++)
    for (int k = 0; k < orientations; k++)
      worst = fmax(worst, fabs(energy[1][s][(k + 1) % orientations] - energy[0][s][k]));
  mt_pyramid_free(&p);
  free(v);
  return 2 * worst / total;
}

/* Turned by pi/K, the bands follow.  The frequencies of a picture are a lattice that does not turn: the second
 * derivative of the radial filters jumps, so that sums over it come near with a high power of its size only. */
static void test_rotation(void **state) {
  (void)state;
  for (int orientations = 2; orientations <= 6; orientations++) {
    const double coarse = turn_error(128, orientations), fine = turn_error(256, orientations);
    assert_true(fine < 6e-6);
    assert_true(fine < coarse / 5);
  }
}

/* A quarter turn of a square picture, where nothing is sampled anew, moves every number by K/2 bands. */
static void test_rotation_exact(void **state) {
  enum { N = 64 };
  static double a[N * N], b[N * N], x[N * N], y[N * N];
  MtRandom r;
  (void)state;
  mt_random_seed(&r, 8);
  for (int i = 0; i < N * N; i++) a[i] = mt_random_normal(&r);
  for (int i = 0; i < N * N; i++) b[(i % N) * N + (N - i / N) % N] = a[i]; /* (x, y) -> (-y, x) on the torus */
  for (int orientations = 2; orientations <= 6; orientations += 2) {
    MtPyramid *p = mt_pyramid_new(N, N, 3, orientations);
    for (int s = 0; s < 3; s++)
      for (int k = 0; k < orientations; k++) {
        mt_pyramid_set(p, a);
        mt_pyramid_band(p, s, k, x, NULL);
        mt_pyramid_set(p, b);
        mt_pyramid_band(p, s, (k + orientations / 2) % orientations, y, NULL);
        for (int i = 0; i < N * N; i++) assert_near(y[(i % N) * N + (N - i / N) % N], x[i], 1e-12);
      }
    mt_pyramid_free(&p);
  }
}

/* Stripes belong to one band; nothing is not a number for a constant picture. */
static void test_features(void **state) {
  enum { N = 64, S = 3, K = 4 };
  static double v[N * N];
  double f[400], kept;
  char name[64];
  const int m = mt_texture_count(S, K);
  (void)state;
  MtPyramid *p = mt_pyramid_new(N, N, S, K);
  for (int i = 0; i < N * N; i++) v[i] = 3 + cos(2 * M_PI * 8 * (i / N) / N); /* along y: orientation 2, pi/4 a pixel */
  mt_texture_features(p, v, f, &kept);
  assert_true(kept < 1e-12);
  double most = 0, sum = 0, deviation = 0, mean = 0;
  for (int i = 0; i < m; i++) {
    mt_texture_name(S, K, i, name);
    assert_true(isfinite(f[i]));
    if (!strncmp(name, "energy", 6)) sum += f[i];
    if (!strcmp(name, "energy_1_2")) most = f[i];
    if (!strcmp(name, "deviation")) deviation = f[i];
    if (!strcmp(name, "mean")) mean = f[i];
  }
  assert_near(deviation, sqrt(.5), 1e-12);
  assert_near(mean, 3, 1e-12);
  assert_near(sum, 1, 1e-12);
  assert_near(most, .8, 1e-12); /* alpha^2 = 16/20, and 1/20 * 8 / 4 on each neighbour */
  for (int i = 0; i < N * N; i++) v[i] = .1;
  mt_texture_features(p, v, f, &kept);
  for (int i = 0; i < m; i++) assert_near(f[i], i ? 0 : .1, 1e-12);
  mt_pyramid_free(&p);
}

/* With more features than pictures and fewer; a linear law without noise is found. */
static void test_ridge(void **state) {
  MtRandom r;
  (void)state;
  mt_random_seed(&r, 4);
  for (int m = 3; m <= 60; m += 57) {
    enum { N = 30, NEW = 10 };
    double x[(N + NEW) * 60], y[N + NEW], got[NEW], score[N * 2], more[NEW * 2];
    for (int i = 0; i < N + NEW; i++) {
      const double u = mt_random_normal(&r), w = mt_random_normal(&r); /* two causes of all features */
      for (int c = 0; c < m; c++) x[i * m + c] = c == 1 ? 7 : u * cos(c) + w * sin(2 * c) + 100;
      y[i] = 5 + 2 * u - 3 * w;
    }
    mt_ridge(N, m, x, y, NEW, x + N * m, got);
    for (int i = 0; i < NEW; i++) assert_near(got[i], y[N + i], .02);
    assert_int_equal(mt_scores(N, m, x, 2, NEW, x + N * m, score, more), 2);
    double again[N * 2], same[N * 2];
    mt_scores(N, m, x, 2, N, x, again, same); /* rows seen before have the scores they had */
    for (int i = 0; i < 2 * N; i++) assert_near(same[i], again[i], 1e-9);
  }
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_parseval), cmocka_unit_test(test_rotation), cmocka_unit_test(test_rotation_exact),
      cmocka_unit_test(test_features), cmocka_unit_test(test_ridge),
  };
  if (PetscInitialize(&argc, &argv, NULL, NULL) || mt_error_install()) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() || failed;
}
