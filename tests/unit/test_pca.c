/* ranks: 1 2 3 */
/* Principal components of a table whose covariance is known, by both methods, dealt by rows and by columns. */
#include "magtwin/error.h"
#include "magtwin/pca.h"
#include "magtwin/random.h"
#include "refused.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { ROWS = 48, COLUMNS = 23, K = 6 };

/* n vectors of length m, orthonormal (Gram-Schmidt twice); the first is given. */
static void orthonormal(int n, int m, double *v) {
  for (int a = 0; a < n; a++)
    for (int pass = 0; pass < 2; pass++) {
      double norm = 0;
      for (int b = 0; b < a; b++) {
        double dot = 0;
        for (int i = 0; i < m; i++) dot += v[a * m + i] * v[b * m + i];
        for (int i = 0; i < m; i++) v[a * m + i] -= dot * v[b * m + i];
      }
      for (int i = 0; i < m; i++) norm += v[a * m + i] * v[a * m + i];
      for (int i = 0; i < m; i++) v[a * m + i] /= sqrt(norm);
    }
}

/* x = mean + sum over c of s_c u_c v_c with u orthonormal and free of means: its covariance is v diag(s^2/(ROWS-1)) v'.
 */
typedef struct {
  double u[(K + 3) * ROWS], v[(K + 2) * COLUMNS], s[K + 2], mean;
} Truth;

static Truth make_truth(double ratio, double mean) {
  Truth t = {.mean = mean};
  MtRandom r;
  mt_random_seed(&r, 5);
  for (int i = 0; i < (K + 3) * ROWS; i++) t.u[i] = i < ROWS ? 1 : mt_random_normal(&r);
  for (int i = 0; i < (K + 2) * COLUMNS; i++) t.v[i] = mt_random_normal(&r);
  orthonormal(K + 3, ROWS, t.u);
  orthonormal(K + 2, COLUMNS, t.v);
  for (int c = 0; c < K + 2; c++) t.s[c] = 3 * pow(ratio, c);
  return t;
}

static double entry(const Truth *t, int64_t row, int64_t column) {
  double x = t->mean;
  for (int c = 0; c < K + 2; c++) x += t->s[c] * t->u[(c + 1) * ROWS + row] * t->v[c * COLUMNS + column];
  return x;
}

static MtTable make_table(const Truth *t, bool by_columns) {
  MtTable table;
  assert_int_equal(mt_table_create(PETSC_COMM_WORLD, ROWS, COLUMNS, by_columns, 1, &table), 0);
  for (int64_t i = 0; i < table.n; i++)
    for (int64_t j = 0; j < table.width; j++)
      table.value[i * table.width + j] = by_columns ? entry(t, j, table.start + i) : entry(t, table.start + i, j);
  return table;
}

/* Largest distance of component c of one side from +-truth. */
static double apart(int64_t start, int64_t n, int k, int c, const double *found, const double *truth, double scale,
                    double sign) {
  double worst = 0;
  for (int64_t i = 0; i < n; i++) worst = fmax(worst, fabs(found[i * k + c] - sign * scale * truth[start + i]));
  return worst;
}

static void compare(const Truth *t, const MtTable *table, const MtPca *p, double tolerance) {
  assert_int_equal(p->components, K);
  for (int c = 0; c < K; c++) {
    const double *loading = t->v + c * COLUMNS, *score = t->u + (c + 1) * ROWS;
    double sign = 1, top = 0;
    for (int i = 0; i < COLUMNS; i++)
      if (fabs(loading[i]) > top) top = fabs(loading[i]), sign = loading[i] < 0 ? -1 : 1;
    assert_true(fabs(p->variance[c] - t->s[c] * t->s[c] / (ROWS - 1)) < 1e-10 * t->s[0] * t->s[0] / (ROWS - 1));
    const bool columns = table->by_columns;
    const double lines = apart(table->start, table->n, K, c, p->lines, columns ? loading : score, columns ? 1 : t->s[c],
                               sign),
                 across =
                     apart(0, table->width, K, c, p->across, columns ? score : loading, columns ? t->s[c] : 1, sign);
    assert_true(lines < tolerance && across < tolerance);
  }
  assert_true(p->residual < 1e-12);
}

static void check(const Truth *t, MtPcaMethod method, MtPcaMethod expected, double tolerance) {
  for (int deal = 0; deal < 2; deal++) {
    MtTable table = make_table(t, deal);
    MtPca p;
    assert_int_equal(mt_pca(&table, &(MtPcaOptions){.components = K, .method = method, .center = true}, &p), 0);
    assert_int_equal(p.method, expected);
    compare(t, &table, &p, tolerance);
    mt_pca_free(&p);
    mt_table_clear(&table);
  }
}

/* Spectrum to 1e-10, vectors to 1e-8, also where the means are 1e5 times the deviations. */
static void test_known_covariance(void **state) {
  const Truth near = make_truth(.6, .3), far = make_truth(.6, 1e5);
  (void)state;
  check(&near, MT_PCA_GRAM, MT_PCA_GRAM, 1e-12);
  check(&near, MT_PCA_SVD, MT_PCA_SVD, 1e-12);
  check(&near, MT_PCA_AUTO, MT_PCA_GRAM, 1e-12);
  check(&far, MT_PCA_GRAM, MT_PCA_GRAM, 1e-8);
  check(&far, MT_PCA_SVD, MT_PCA_SVD, 1e-8);
}

/* Largest error of the covariance, over its first eigenvalue: from products of the numbers less n times those of the
 * means, or of what is centred where it lies. */
static double covariance_error(const Truth *t, bool implicit) {
  double mean[COLUMNS] = {0}, worst = 0;
  for (int j = 0; j < COLUMNS; j++) {
    for (int i = 0; i < ROWS; i++) mean[j] += entry(t, i, j) / ROWS;
    double rest = 0; /* what rounding left */
    for (int i = 0; i < ROWS && !implicit; i++) rest += (entry(t, i, j) - mean[j]) / ROWS;
    mean[j] += rest;
  }
  for (int a = 0; a < COLUMNS; a++)
    for (int b = 0; b < COLUMNS; b++) {
      double sum = implicit ? -ROWS * mean[a] * mean[b] : 0, known = 0;
      for (int i = 0; i < ROWS; i++)
        sum += implicit ? entry(t, i, a) * entry(t, i, b) : (entry(t, i, a) - mean[a]) * (entry(t, i, b) - mean[b]);
      for (int c = 0; c < K + 2; c++) known += t->s[c] * t->s[c] * t->v[c * COLUMNS + a] * t->v[c * COLUMNS + b];
      worst = fmax(worst, fabs(sum - known));
    }
  return worst / (t->s[0] * t->s[0]);
}

/* Why the table is centred where it lies: a correction of rank one after products of the numbers as they are costs the
 * square of mean over deviation, and with means 1e5 times it the 1e-10 that is asked of the spectrum. */
static void test_implicit_centring(void **state) {
  const Truth near = make_truth(.6, .3), far = make_truth(.6, 1e5);
  (void)state;
  assert_true(covariance_error(&near, true) < 1e-12);
  assert_true(covariance_error(&far, true) > 1e-8);
  assert_true(covariance_error(&far, false) < 1e-10);
}

/* The products hold no singular value below 1e-8 of the first: the automatic choice must see that. */
static void test_steep_spectrum(void **state) {
  const Truth steep = make_truth(1e-2, 0);
  (void)state;
  MtTable table = make_table(&steep, true);
  MtPca p;
  assert_int_equal(mt_pca(&table, &(MtPcaOptions){.components = K, .center = true}, &p), 0);
  assert_int_equal(p.method, MT_PCA_SVD);
  for (int c = 0; c < K; c++)
    assert_true(fabs(sqrt(p.variance[c] * (ROWS - 1)) / steep.s[c] - 1) < (c < 4 ? 1e-9 : 1e-5));
  mt_pca_free(&p);
  mt_table_clear(&table);
}

/* With equal weights per variable the scores scale; a variable divided by its deviation has variance 1. */
static void test_weights(void **state) {
  const Truth t = make_truth(.6, .3);
  double factor[COLUMNS];
  (void)state;
  for (int i = 0; i < COLUMNS; i++) factor[i] = 2;
  MtTable table = make_table(&t, false);
  MtPca p;
  assert_int_equal(mt_pca(&table, &(MtPcaOptions){.components = 2, .center = true, .factor = factor}, &p), 0);
  for (int c = 0; c < 2; c++) assert_true(fabs(p.variance[c] * (ROWS - 1) / (4 * t.s[c] * t.s[c]) - 1) < 1e-12);
  mt_pca_free(&p);
  mt_table_clear(&table);
  for (int deal = 0; deal < 2; deal++) {
    table = make_table(&t, deal);
    assert_int_equal(mt_pca(&table, &(MtPcaOptions){.components = 2, .center = true, .scale = true}, &p), 0);
    assert_true(fabs(p.total - COLUMNS) < 1e-10);
    mt_pca_free(&p);
    mt_table_clear(&table);
  }
}

static void refused(const Truth *t, int components, const char *text) {
  MtTable table = make_table(t, true);
  MtPca p;
  assert_refused(mt_pca(&table, &(MtPcaOptions){.components = components, .center = true}, &p), text);
  mt_pca_free(&p);
  mt_table_clear(&table);
}

static void test_bad_tables(void **state) {
  Truth t = make_truth(.6, .3);
  (void)state;
  refused(&t, COLUMNS + 1, "at most 23 components");
  memset(t.s, 0, sizeof t.s);
  refused(&t, 2, "all 48 samples are equal");
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_known_covariance), cmocka_unit_test(test_implicit_centring),
                                     cmocka_unit_test(test_steep_spectrum), cmocka_unit_test(test_weights),
                                     cmocka_unit_test(test_bad_tables)};
  if (PetscInitialize(&argc, &argv, NULL, NULL) || mt_error_install()) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() || failed;
}
