/* ranks: 1 2 3 */
/* What is done to the slices of a stack, each step against pictures whose answer is known. */
#include "../../src/tomography/clean.h"
#include "../../src/tomography/drift.h"
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/memory.h"
#include "magtwin/random.h"
#include "near.h"
#include "refused.h"
#include <math.h>
#include <string.h>

enum { W = 64, H = 48, NZ = 12 };
static int rank, size;

/* A smooth pattern that is known between the pixels, too: sums of waves of periods from 5 to 40 pixels. */
static double pattern(double x, double y) {
  MtRandom r;
  double v = .5;
  mt_random_seed(&r, 5);
  for (int n = 0; n < 12; n++) {
    const double period = 5 + 35 * mt_random_uniform(&r), angle = MT_PI * mt_random_uniform(&r);
    const double phase = 2 * MT_PI * mt_random_uniform(&r);
    v += .03 * cos(2 * MT_PI * (x * cos(angle) + y * sin(angle)) / period + phase);
  }
  return v;
}

static void wavelets_come_back(void **unused) {
  (void)unused;
  double x[32], y[32], z[32], before = 0, after = 0;
  MtRandom r;
  mt_random_seed(&r, 1);
  for (int i = 0; i < 32; i++) x[i] = mt_random_normal(&r);
  mt_wavelet_forward(32, x, y);
  mt_wavelet_back(32, y, z);
  for (int i = 0; i < 32; i++) {
    assert_near(z[i], x[i], 1e-11); /* the table's numbers are good to 1e-12 */
    before += x[i] * x[i];
    after += y[i] * y[i];
  }
  assert_near(after, before, 1e-9); /* orthogonal */
}

/* Streaks of .02 under noise of .04: less than a third of their power is left, and the picture below is changed by less
 * than the streaks. */
static void streaks_go(void **unused) {
  (void)unused;
  float clean[W * H], gray[W * H];
  double streak[W], left = 0, was = 0;
  MtRandom r;
  mt_random_seed(&r, 2);
  for (int i = 0; i < W; i++) streak[i] = .02 * mt_random_normal(&r);
  for (int v = 0; v < W * H; v++) {
    clean[v] = (float)(.5 + (v % W > 30 ? .1 : 0) + .04 * mt_random_normal(&r));
    gray[v] = clean[v] + (float)streak[v % W];
  }
  assert_int_equal(mt_clean_stripes(W, H, 4, 1.5, gray), 0);
  for (int i = 0; i < W; i++) {
    double mean = 0;
    for (int j = 0; j < H; j++) mean += (gray[j * W + i] - clean[j * W + i]) / H;
    left += mean * mean;
    was += streak[i] * streak[i];
  }
  assert_true(left < was / 3);
}

static void noise_is_measured_and_lessened(void **unused) {
  (void)unused;
  float gray[W * H], noisy[W * H];
  MtRandom r;
  mt_random_seed(&r, 3);
  for (int v = 0; v < W * H; v++) noisy[v] = (float)((v % W < 25 ? .3 : .6) + .05 * mt_random_normal(&r));
  assert_near(mt_noise_level(W, H, noisy), .05, .004);
  for (int way = 0; way < 2; way++) {
    double left = 0;
    memcpy(gray, noisy, sizeof gray);
    if (way)
      mt_denoise_tv(W, H, 1, .05, gray);
    else
      mt_denoise_means(W, H, 2, 5, .7, .05, gray);
    for (int v = 0; v < W * H; v++) left += pow(gray[v] - (v % W < 25 ? .3 : .6), 2) / (W * H);
    assert_true(sqrt(left) < .025); /* half; the edge stays where it is */
  }
}

static void paint(double dx, double dy, double noise, uint64_t seed, int w, int h, float *gray) {
  MtRandom r;
  mt_random_seed(&r, seed);
  for (int j = 0; j < h; j++)
    for (int i = 0; i < w; i++) gray[j * w + i] = (float)(pattern(i - dx, j - dy) + noise * mt_random_normal(&r));
}

/* To the pixel; below it: test_segment.c. */
static void shifts_are_found(void **unused) {
  (void)unused;
  const double shift[][2] = {{0, 0}, {.25, -.4}, {3.3, 1.7}, {-4.6, 2.2}};
  float a[W * H], b[W * H];
  int found[2];
  MtMatcher *m = mt_matcher_create(W, H, 0);
  for (int t = 0; t < 4; t++) {
    paint(0, 0, .01, 8, W, H, a);
    paint(shift[t][0], shift[t][1], .01, 9, W, H, b);
    mt_match(m, a, b, W, found);
    for (int d = 0; d < 2; d++) assert_near(found[d], shift[t][d], 1);
  }
  mt_matcher_destroy(&m);
  /* phases alone, where every frequency holds signal */
  m = mt_matcher_create(W, H, 1);
  MtRandom r;
  mt_random_seed(&r, 12);
  for (int v = 0; v < W * H; v++) a[v] = (float)mt_random_uniform(&r);
  for (int v = 0; v < W * H; v++) b[v] = a[(v / W + H - 2) % H * W + (v % W + 3) % W];
  mt_match(m, a, b, W, found);
  assert_int_equal(found[0], -3);
  assert_int_equal(found[1], 2);
  mt_matcher_destroy(&m);
}

/* Exact pairs but for two that are wrong by far, and a slice that is lost. */
static void positions_follow_from_pairs(void **unused) {
  (void)unused;
  double at[2 * NZ] = {0};
  uint8_t lost[NZ] = {0};
  MtPair pair[3 * NZ];
  MtDrift d;
  int n = 0;
  MtRandom r;
  mt_random_seed(&r, 4);
  for (int i = 2; i < 2 * NZ; i++) at[i] = at[i - 2] + mt_random_normal(&r);
  lost[5] = 1;
  for (int c = 0; c < 2; c++) at[10 + c] = .5 * (at[8 + c] + at[12 + c]);
  for (int k = 0; k < NZ; k++)
    for (int q = k + 1; q < NZ && q <= k + 3; q++)
      if (!lost[k] && !lost[q])
        pair[n++] = (MtPair){k, q, {at[2 * q] - at[2 * k], at[2 * q + 1] - at[2 * k + 1]}, 1. / (q - k)};
  pair[4].shift[0] += 7;
  pair[n - 4].shift[1] -= 5;
  assert_int_equal(mt_drift_solve(NZ, lost, n, pair, &d), 0);
  for (int i = 0; i < 2 * NZ; i++) assert_near(d.at[i], at[i], 1e-3);
  assert_int_equal(d.nrejected, 2);
  mt_drift_free(&d);
  /* nothing leads past slice 6 */
  n = 0;
  for (int k = 0; k < NZ - 1; k++)
    if (k != 6) pair[n++] = (MtPair){k, k + 1, {0, 0}, 1};
  memset(lost, 0, sizeof lost);
  assert_refused(mt_drift_solve(NZ, lost, n, pair, &d), "slice 7 has nothing in common");
}

/* A walk of .8 px a slice in a noisy stack with a lost slice: found to .05 px rms, taken out to the noise. */
static void stack_is_put_in_line(void **unused) {
  (void)unused;
  double at[2 * NZ] = {0}, square = 0, off = 0;
  int64_t z0, n;
  MtStack s = {.nx = W + 16, .ny = H + 16, .nz = NZ, .voxel = {4, 4, 4}, .nlost = 1};
  MtDrift d;
  MtRandom r;
  mt_random_seed(&r, 6);
  for (int i = 2; i < 2 * NZ; i++) at[i] = at[i - 2] + .8 * mt_random_normal(&r);
  mt_slab(NZ, rank, size, &z0, &n);
  s.z0 = (int)z0;
  s.nz_local = (int)n;
  s.gray = mt_calloc((size_t)s.nx * (size_t)s.ny * (size_t)n + 1, sizeof *s.gray);
  s.lost = mt_calloc(NZ, 1);
  s.lost[4] = 1;
  for (int k = 0; k < n; k++)
    if (z0 + k != 4)
      paint(at[2 * (z0 + k)], at[2 * (z0 + k) + 1], .02, 20 + (uint64_t)(z0 + k), s.nx, s.ny,
            s.gray + (size_t)k * (size_t)s.nx * (size_t)s.ny);
  assert_int_equal(mt_drift_find(PETSC_COMM_WORLD, &s, (MtRect){8, 8, W + 8, H + 8}, 8, 8, 0, &d), 0);
  for (int k = 0; k < NZ; k++)
    if (k != 4) square += (pow(d.at[2 * k] - at[2 * k], 2) + pow(d.at[2 * k + 1] - at[2 * k + 1], 2)) / (2 * (NZ - 1));
  assert_true(sqrt(square) < .05);
  assert_int_equal(mt_drift_apply(PETSC_COMM_WORLD, &s, &d, (MtRect){8, 8, W + 8, H + 8}), 0);
  for (int k = 0; k < n; k++)
    for (int v = 0; v < W * H; v++) off += pow(s.gray[k * W * H + v] - pattern(v % W + 8, v / W + 8), 2);
  MPI_Allreduce(MPI_IN_PLACE, &off, 1, MPI_DOUBLE, MPI_SUM, PETSC_COMM_WORLD);
  assert_true(sqrt(off / (W * H * NZ)) < .025);
  mt_drift_free(&d);
  mt_stack_free(&s);
}

static void shading_goes(void **unused) {
  (void)unused;
  int64_t z0, n;
  mt_slab(NZ, rank, size, &z0, &n);
  MtStack s = {.nx = W, .ny = H, .nz = NZ, .z0 = (int)z0, .nz_local = (int)n};
  s.gray = mt_calloc((size_t)(W * H) * (size_t)n + 1, sizeof *s.gray);
  s.lost = mt_calloc(NZ, 1);
  for (int k = 0; k < n; k++)
    for (int v = 0; v < W * H; v++) {
      const double x = 2. * (v % W) / W - 1, y = 2. * (v / W) / H - 1;
      s.gray[k * W * H + v] = (float)(.4 * (1 - .1 * (x * x + y * y) + .05 * x) * ((z0 + k) % 2 ? 1.03 : .97));
    }
  assert_int_equal(mt_clean_shading(PETSC_COMM_WORLD, &s, 2, (MtRect){0, 0, W, H}), 0);
  for (int64_t v = 1; v < W * H * n; v++) assert_near(s.gray[v], s.gray[0], .006 * s.gray[0]);
  mt_stack_free(&s);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(wavelets_come_back),
      cmocka_unit_test(streaks_go),
      cmocka_unit_test(noise_is_measured_and_lessened),
      cmocka_unit_test(shifts_are_found),
      cmocka_unit_test(positions_follow_from_pairs),
      cmocka_unit_test(stack_is_put_in_line),
      cmocka_unit_test(shading_goes),
  };
  if (PetscInitialize(&argc, &argv, NULL, NULL) || mt_error_install()) return 1;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  if (PetscFinalize()) return 1;
  return failed;
}
