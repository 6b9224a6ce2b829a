/* ranks: 1 2 3 */
/* Slopes of parabolas, passes, ranks by counting against all pairs, and ridge regression against its equations. */
#include "magtwin/error.h"
#include "magtwin/landscape.h"
#include "magtwin/random.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

static void test_slopes(void **state) {
  double y[9], slope[9];
  (void)state;
  for (int s = 0; s < 9; s++) y[s] = 1e3 + 2 * s - .7 * s * s;
  for (int half = 1; half < 7; half++) {
    mt_path_slopes(9, half, y, slope);
    for (int s = 0; s < 9; s++) assert_true(fabs(slope[s] - (2 - 1.4 * s)) < 1e-10);
  }
  mt_path_slopes(3, 5, y, slope);
  assert_true(fabs(slope[2] - (2 - 2.8)) < 1e-10);
}

static void test_passes(void **state) {
  const double E[] = {0, 1, .9, 3, 3, 1, 1.05, .5, 2, 2.5};
  MtPass p[6];
  (void)state;
  assert_int_equal(mt_passes(10, E, .2, p), 2);
  assert_true(p[0].from == 0 && p[0].top == 3 && p[0].rise == 3);
  assert_true(p[1].from == 7 && p[1].top == 9 && p[1].rise == 2);
  assert_int_equal(mt_passes(10, E, .01, p), 4);
  assert_int_equal(mt_passes(10, E, 2.5, p), 1);
  assert_int_equal(mt_passes(5, (double[]){5, 4, 3, 2, 1}, .1, p), 0);
  assert_int_equal(mt_passes(5, (double[]){1, 1, 1, 1, 1}, .1, p), 0);
}

enum { N = 240 };

/* Values far enough apart to fall into boxes of their own, of both signs, and some equal. */
static void test_roc(void **state) {
  double score[N], weight[N], area, pairs = 0, threshold;
  bool label[N];
  int rank, ranks, positive = 0;
  MtRandom r;
  (void)state;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  MPI_Comm_size(PETSC_COMM_WORLD, &ranks);
  mt_random_seed(&r, 4);
  for (int i = 0; i < N; i++) {
    label[i] = mt_random_uniform(&r) < .3;
    const int step = (int)(40 * mt_random_uniform(&r)) - 20 + 5 * label[i];
    score[i] = step;
    weight[i] = 1;
    positive += label[i];
  }
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      if (label[i] && !label[j]) pairs += score[i] > score[j] ? 1 : (score[i] == score[j] ? .5 : 0);
  const int first = rank * N / ranks, n = (rank + 1) * N / ranks - first;
  assert_int_equal(mt_roc_area(PETSC_COMM_WORLD, n, score + first, label + first, &area), 0);
  assert_true(fabs(area - pairs / (positive * (double)(N - positive))) < 1e-12);
  assert_int_equal(mt_top_threshold(PETSC_COMM_WORLD, n, score + first, weight + first, .25, &threshold), 0);
  int above = 0, beyond = 0;
  for (int i = 0; i < N; i++) above += score[i] >= threshold, beyond += score[i] > threshold;
  assert_true(above >= N / 4 && beyond < N / 4);
}

enum { S = 24, P = 6, TERMS = 2 };

/* y is linear in the features: the regression finds it, noise it does not; alpha solves (K + lambda) alpha = y - mean.
 */
static void test_ridge(void **state) {
  double x[S][P], K[S * S], y[S * TERMS], alpha[S * TERMS], noise[2];
  MtRegression r[TERMS];
  MtRandom random;
  (void)state;
  mt_random_seed(&random, 8);
  for (int a = 0; a < P; a++) {
    double mean = 0;
    for (int s = 0; s < S; s++) x[s][a] = mt_random_normal(&random), mean += x[s][a] / S;
    for (int s = 0; s < S; s++) x[s][a] -= mean;
  }
  for (int s = 0; s < S; s++) {
    y[TERMS * s] = 5 + 3 * x[s][0] - 2 * x[s][4];
    y[TERMS * s + 1] = mt_random_normal(&random);
    for (int t = 0; t < S; t++) {
      K[s * S + t] = 0;
      for (int a = 0; a < P; a++) K[s * S + t] += x[s][a] * x[t][a];
    }
  }
  for (int blocks = 0; blocks < 2; blocks++) {
    const MtRegressionOptions o = {.folds = 5, .blocks = blocks, .permutations = 99, .seed = 3};
    assert_int_equal(mt_regression(PETSC_COMM_WORLD, &o, S, K, TERMS, y, r, alpha), 0);
    assert_true(r[0].score > .999 && r[0].chance == .01 && r[0].permuted < .2);
    assert_true(r[1].score < .3 && r[1].chance > .05);
    noise[blocks] = r[1].score;
    for (int t = 0; t < TERMS; t++) {
      double mean = 0, worst = 0;
      for (int s = 0; s < S; s++) mean += y[TERMS * s + t] / S;
      for (int s = 0; s < S; s++) {
        double left = r[t].lambda * alpha[TERMS * s + t];
        for (int u = 0; u < S; u++) left += K[s * S + u] * alpha[TERMS * u + t];
        worst = fmax(worst, fabs(left - (y[TERMS * s + t] - mean)));
      }
      assert_true(worst < 1e-9);
    }
  }
  assert_true(noise[0] != noise[1]); /* other samples were held out */
  assert_int_equal(mt_regression(PETSC_COMM_WORLD, &(MtRegressionOptions){.folds = 5}, 4, K, TERMS, y, r, alpha),
                   MT_ERR_INPUT);
  mt_error_clear();
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_slopes), cmocka_unit_test(test_passes),
                                     cmocka_unit_test(test_roc), cmocka_unit_test(test_ridge)};
  if (PetscInitialize(&argc, &argv, NULL, NULL) || mt_error_install()) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() || failed;
}
