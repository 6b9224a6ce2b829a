/* ranks: 1 2 4 */
/* Spaces and proposals: constraints, spread points, the same bits for any number of ranks, waiting and failed trials, a
 * pool, a space that ends, and a short search that finds a minimum. */
#include "magtwin/error.h"
#include "magtwin/optimize.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

static void test_constraints(void **state) {
  (void)state;
  MtSpace s = {0};
  char why[200];
  mt_space_add(&s, "a", MT_VAR_REAL, 0, 10, false, 0, NULL);
  mt_space_add(&s, "mesh.gb", MT_VAR_REAL, 0, 10, false, 0, NULL);
  mt_space_add(&s, "kind", MT_VAR_CATEGORICAL, 0, 0, false, 2, (const char *const[]){"x", "y"});
  assert_true(mt_space_constrain(&s, "2*a - mesh.gb + 1 <= 5 + 0.5 a", why));
  assert_true(mt_space_constrain(&s, "a >= 1", why));
  assert_true(mt_space_contains(&s, (double[]){2, 0, 0}, why));
  assert_false(mt_space_contains(&s, (double[]){4, 1, 0}, why));
  assert_string_equal(why, "the constraint 2*a - mesh.gb + 1 <= 5 + 0.5 a does not hold");
  assert_false(mt_space_contains(&s, (double[]){0.5, 1, 0}, why));
  const char *const bad[] = {"a < 3", "a + <= 3", "b <= 3", "1 <= 2", "a <= 3 4", "kind <= 1", "", "a - a <= 3"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(mt_space_constrain(&s, bad[i], why));
  assert_int_equal(s.nlinear, 2);
  mt_space_free(&s);
}

/* Every dimension of 2^k Sobol points has one of them in each of 2^k slices, and of dimensions 1 and 2 every box of a
 * 4 x 4 division holds the same number; a Latin hypercube's slices hold one each. */
static void test_spread(void **state) {
  (void)state;
  enum { K = 64 };
  static double u[K][MT_SOBOL_DIM];
  int seen[MT_SOBOL_DIM][K] = {{0}}, box[16] = {0};
  for (int i = 0; i < K; i++) {
    mt_sobol(MT_SOBOL_DIM, 3, (uint32_t)i, u[i]);
    for (int d = 0; d < MT_SOBOL_DIM; d++) seen[d][(int)(u[i][d] * K)]++;
    box[4 * (int)(u[i][0] * 4) + (int)(u[i][1] * 4)]++;
  }
  for (int d = 0; d < MT_SOBOL_DIM; d++)
    for (int i = 0; i < K; i++) assert_int_equal(seen[d][i], 1);
  for (int i = 0; i < 16; i++) assert_int_equal(box[i], K / 16);
  double latin[30];
  int row[3][10] = {{0}};
  mt_latin(3, 10, 8, latin);
  for (int i = 0; i < 30; i++) row[i % 3][(int)(latin[i] * 10)]++;
  for (int i = 0; i < 30; i++) assert_int_equal(row[i % 3][i / 3], 1);
}

/* A mixed space: three kinds of variables and a constraint. */
static MtSpace mixed(void) {
  MtSpace s = {0};
  char why[200];
  mt_space_add(&s, "t", MT_VAR_REAL, 0.01, 10, true, 0, NULL);
  mt_space_add(&s, "a", MT_VAR_REAL, -1, 1, false, 0, NULL);
  mt_space_add(&s, "n", MT_VAR_INTEGER, 1, 9, false, 0, NULL);
  mt_space_add(&s, "c", MT_VAR_CATEGORICAL, 0, 0, false, 3, (const char *const[]){"x", "y", "z"});
  assert_true(mt_space_constrain(&s, "a + 0.1*n <= 0.9", why));
  return s;
}

/* Smallest, 0, at t = 0.5, a = 0.2, n = 6, c = y. */
static double bowl(const double *x) {
  double t = log(x[0] / 0.5), a = x[1] - 0.2, n = (x[2] - 6) / 4;
  return t * t / 4 + 3 * a * a + n * n + (x[3] == 1 ? 0 : 0.7);
}

static const MtProposer settings = {.ngoals = 1, .sign = {1, 1}, .initial = 8, .seed = 4, .kappa = 2};

/* A search of `total` trials; those in the corner c = z with n > 7 fail.  Returns the best value. */
static double search(MPI_Comm comm, const MtSpace *s, const MtProposer *p, int total, MtTrial *trial) {
  double best = INFINITY;
  for (int i = 0; i < total; i++) {
    MtProposal how;
    trial[i].x = malloc(sizeof(double) * (size_t)s->nvars);
    assert_int_equal(mt_propose(comm, s, p, i, trial, trial[i].x, &how), 0);
    assert_false(how.exhausted);
    assert_true(mt_space_contains(s, trial[i].x, NULL));
    trial[i].status = trial[i].x[3] == 2 && trial[i].x[2] > 7 ? MT_TRIAL_FAILED : MT_TRIAL_DONE;
    trial[i].y[0] = bowl(trial[i].x);
    trial[i].cost = 1 + trial[i].x[2];
    if (trial[i].status == MT_TRIAL_DONE) best = fmin(best, trial[i].y[0]);
  }
  return best;
}

static void free_trials(int n, MtTrial *trial) {
  for (int i = 0; i < n; i++) free(trial[i].x);
}

/* All ranks together propose what one rank proposes, bit by bit, with every acquisition. */
static void test_ranks(void **state) {
  (void)state;
  enum { TOTAL = 12 };
  MtSpace s = mixed();
  for (int k = 0; k < 4; k++) {
    MtTrial a[TOTAL] = {{0}}, b[TOTAL] = {{0}};
    MtProposer p = settings;
    p.acquisition = (MtAcquisition)k;
    p.cost_aware = k == 0;
    p.noisy = k == 1;
    search(PETSC_COMM_WORLD, &s, &p, TOTAL, a);
    search(PETSC_COMM_SELF, &s, &p, TOTAL, b);
    for (int i = 0; i < TOTAL; i++) assert_memory_equal(a[i].x, b[i].x, sizeof(double) * 4);
    free_trials(TOTAL, a);
    free_trials(TOTAL, b);
  }
  mt_space_free(&s);
}

static void test_search(void **state) {
  (void)state;
  enum { TOTAL = 32 };
  MtSpace s = mixed();
  MtTrial trial[TOTAL] = {{0}};
  assert_true(search(PETSC_COMM_WORLD, &s, &settings, TOTAL, trial) < 0.02);
  free_trials(TOTAL, trial);
  mt_space_free(&s);
}

/* Trials that wait are not proposed again, nor their neighbourhood: two proposals in a row differ by more than
 * rounding.
 */
static void test_waiting(void **state) {
  (void)state;
  enum { TOTAL = 12 };
  MtSpace s = mixed();
  MtTrial trial[TOTAL + 2] = {{0}};
  MtProposal how;
  double u[2][6], distance = 0;
  search(PETSC_COMM_WORLD, &s, &settings, TOTAL, trial);
  for (int i = 0; i < 2; i++) {
    trial[TOTAL + i].x = malloc(sizeof(double) * 4);
    assert_int_equal(mt_propose(PETSC_COMM_WORLD, &s, &settings, TOTAL + i, trial, trial[TOTAL + i].x, &how), 0);
    assert_string_equal(how.how, "log_ei");
    mt_space_encode(&s, trial[TOTAL + i].x, u[i]);
  }
  for (int k = 0; k < 6; k++) distance += fabs(u[0][k] - u[1][k]);
  assert_true(distance > 1e-3);
  free_trials(TOTAL + 2, trial);
  mt_space_free(&s);
}

/* The last tenth of a known budget goes where the model expects the least, unless a trial waits. */
static void test_end(void **state) {
  (void)state;
  enum { TOTAL = 20 };
  MtSpace s = {0};
  MtTrial trial[TOTAL] = {{0}};
  MtProposer p = {.ngoals = 1, .sign = {1}, .initial = 6, .budget = TOTAL, .seed = 11};
  MtProposal how;
  mt_space_add(&s, "a", MT_VAR_REAL, -2, 2, false, 0, NULL);
  mt_space_add(&s, "b", MT_VAR_REAL, -2, 2, false, 0, NULL);
  for (int i = 0; i < TOTAL; i++) {
    double *x = trial[i].x = malloc(sizeof *x * 2);
    assert_int_equal(mt_propose(PETSC_COMM_WORLD, &s, &p, i, trial, x, &how), 0);
    assert_string_equal(how.how, i < 6 ? "spread" : (i < 18 ? "log_ei" : "mean"));
    trial[i].y[0] = pow(x[0] - 0.3, 2) + pow(x[1] + 0.7, 2) + 0.2 * cos(3 * x[0]);
    trial[i].status = MT_TRIAL_DONE;
  }
  /* the least of (a - .3)^2 + .2 cos 3a lies at a = .593439 */
  assert_true(trial[TOTAL - 1].y[0] < 0.0445082 + 1e-3);
  trial[TOTAL - 2].status = MT_TRIAL_WAITING;
  assert_int_equal(mt_propose(PETSC_COMM_WORLD, &s, &p, TOTAL - 1, trial, trial[TOTAL - 1].x, &how), 0);
  assert_string_equal(how.how, "log_ei");
  free_trials(TOTAL, trial);
  mt_space_free(&s);
}

/* Five points to choose from: each once, then the end. */
static void test_pool(void **state) {
  (void)state;
  MtSpace s = {0};
  MtTrial trial[6] = {{0}};
  MtProposal how;
  mt_space_add(&s, "a", MT_VAR_REAL, 0, 4, false, 0, NULL);
  s.npool = 5;
  s.pool = malloc(sizeof(double) * 5);
  for (int i = 0; i < 5; i++) s.pool[i] = i * 0.7 + 0.1;
  int seen = 0;
  for (int i = 0; i < 6; i++) {
    MtProposer p = settings;
    p.initial = 3;
    trial[i].x = malloc(sizeof(double));
    trial[i].status = MT_TRIAL_DONE;
    assert_int_equal(mt_propose(PETSC_COMM_WORLD, &s, &p, i, trial, trial[i].x, &how), 0);
    assert_int_equal(how.exhausted, i == 5);
    for (int k = 0; k < 5 && i < 5; k++) seen |= (trial[i].x[0] == s.pool[k]) << k;
    trial[i].y[0] = trial[i].x[0];
  }
  assert_int_equal(seen, 31);
  free_trials(6, trial);
  mt_space_free(&s);
}

static void test_impossible(void **state) {
  (void)state;
  MtSpace s = {0};
  MtProposal how;
  char why[200];
  double x[1];
  mt_space_add(&s, "a", MT_VAR_REAL, 0, 4, false, 0, NULL);
  assert_true(mt_space_constrain(&s, "a >= 5", why));
  assert_int_equal(mt_propose(PETSC_COMM_WORLD, &s, &settings, 0, NULL, x, &how), MT_ERR_INPUT);
  mt_error_clear();
  mt_space_free(&s);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_constraints), cmocka_unit_test(test_spread),     cmocka_unit_test(test_ranks),
      cmocka_unit_test(test_search),      cmocka_unit_test(test_waiting),    cmocka_unit_test(test_end),
      cmocka_unit_test(test_pool),        cmocka_unit_test(test_impossible),
  };
  if (PetscInitialize(&argc, &argv, NULL, NULL) || mt_error_install()) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failed;
}
