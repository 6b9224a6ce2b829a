/* ranks: 1 2 */
/* Looking at the model: shares of the variance of a function whose shares are known, and the
 * posterior of variables of which the data know one, a sum, or nothing; a search for a target. */
#include "magtwin/error.h"
#include "magtwin/optimize.h"
#include "near.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = 40 };

static MtSpace cube(void) {
  MtSpace s = {0};
  mt_space_add(&s, "a", MT_VAR_REAL, 0, 1, false, 0, NULL);
  mt_space_add(&s, "b", MT_VAR_REAL, 2, 4, false, 0, NULL);
  mt_space_add(&s, "c", MT_VAR_REAL, -1, 1, false, 0, NULL);
  return s;
}

/* N points of the cube with the value of f, and their model. */
static MtModel *model_of(const MtSpace *s, MtProposer *p, double (*f)(const double *x), MtTrial *trial) {
  double u[3];
  MtModel *m;
  for (int i = 0; i < N; i++) {
    trial[i].x = malloc(sizeof u);
    mt_sobol(3, 9, (uint32_t)i, u);
    mt_space_spread(s, u, trial[i].x);
    trial[i].status = MT_TRIAL_DONE;
    trial[i].y[0] = f(trial[i].x);
  }
  assert_int_equal(mt_model_create(PETSC_COMM_WORLD, s, p, N, trial, &m), 0);
  return m;
}

static void done(MtModel **m, MtTrial *trial, MtSpace *s) {
  mt_model_destroy(m);
  for (int i = 0; i < N; i++) free(trial[i].x);
  mt_space_free(s);
}

/* a + (b - 3)/2 with a uniform in 0..1 and (b - 3)/2 in -1/2..1/2: half of the variance each, nothing of c. */
static double sum_of_two(const double *x) {
  return x[0] + (x[1] - 3) / 2;
}

/* (a - 1/2) c: each alone explains nothing, both together all. */
static double product(const double *x) {
  return (x[0] - 0.5) * x[2];
}

static double only_a(const double *x) {
  return 3 * x[0];
}

static void test_importance(void **state) {
  (void)state;
  MtSpace s = cube();
  MtTrial trial[N] = {{0}};
  MtProposer p = {.ngoals = 1, .sign = {1}, .initial = 4, .seed = 1};
  const double first[2][3] = {{0.5, 0.5, 0}, {0, 0, 0}}, total[2][3] = {{0.5, 0.5, 0}, {1, 0, 1}};
  for (int k = 0; k < 2; k++) {
    double a[3], b[3];
    MtModel *m = model_of(&s, &p, k ? product : sum_of_two, trial);
    mt_model_importance(m, 0, 1024, 1, a, b);
    for (int i = 0; i < 3; i++) {
      assert_near(a[i], first[k][i], 0.03);
      assert_near(b[i], total[k][i], 0.03);
    }
    mt_model_destroy(&m);
    for (int i = 0; i < N; i++) free(trial[i].x);
  }
  mt_space_free(&s);
}

static void spread_of(int n, const double *u, int k, double *mean, double *sd) {
  *mean = *sd = 0;
  for (int i = 0; i < n; i++) *mean += u[3 * i + k] / n;
  for (int i = 0; i < n; i++) *sd += pow(u[3 * i + k] - *mean, 2) / n;
  *sd = sqrt(*sd);
}

static double correlation(int n, const double *u, int a, int b) {
  double ma, sa, mb, sb, sum = 0;
  spread_of(n, u, a, &ma, &sa);
  spread_of(n, u, b, &mb, &sb);
  for (int i = 0; i < n; i++) sum += (u[3 * i + a] - ma) * (u[3 * i + b] - mb) / n;
  return sum / (sa * sb);
}

/* 3 a = 1.2 +- 0.06: a = 0.4 +- 0.02, b and c as they were. */
static void test_one_known(void **state) {
  (void)state;
  MtSpace s = cube();
  MtTrial trial[N] = {{0}};
  MtProposer p = {.ngoals = 1, .sign = {1}, .has_target = {true}, .target = {1.2}, .initial = 4, .seed = 1};
  MtModel *m = model_of(&s, &p, only_a, trial);
  double *u, mean, sd;
  int n = mt_model_posterior(m, (double[]){0.06}, 3, &u);
  assert_true(n > 500);
  spread_of(n, u, 0, &mean, &sd);
  assert_near(mean, 0.4, 0.004);
  assert_near(sd, 0.02, 0.004);
  for (int k = 1; k < 3; k++) {
    spread_of(n, u, k, &mean, &sd);
    assert_near(mean, 0.5, 0.06);
    assert_near(sd, sqrt(1 / 12.0), 0.04);
  }
  free(u);
  done(&m, trial, &s);
}

/* Of a sum the data know the sum alone: the draws lie on the line a + u_b = 1. */
static void test_not_apart(void **state) {
  (void)state;
  MtSpace s = cube();
  MtTrial trial[N] = {{0}};
  MtProposer p = {.ngoals = 1, .sign = {1}, .has_target = {true}, .target = {0.5}, .initial = 4, .seed = 1};
  MtModel *m = model_of(&s, &p, sum_of_two, trial);
  double *u, mean, sd;
  int n = mt_model_posterior(m, (double[]){0.02}, 3, &u);
  assert_true(correlation(n, u, 0, 1) < -0.95);
  assert_true(fabs(correlation(n, u, 0, 2)) < 0.2);
  spread_of(n, u, 0, &mean, &sd);
  assert_true(sd > 0.2);
  free(u);
  done(&m, trial, &s);
}

/* A target between the values of the first points is met, also by draws of the model. */
static void test_target(void **state) {
  (void)state;
  enum { TOTAL = 22 };
  for (int k = 0; k < 2; k++) {
    MtSpace s = cube();
    MtTrial trial[TOTAL] = {{0}};
    MtProposer p = {.ngoals = 1,
                    .sign = {1},
                    .has_target = {true},
                    .target = {0.137},
                    .initial = 8,
                    .seed = 2,
                    .acquisition = k ? MT_ACQUIRE_THOMPSON : MT_ACQUIRE_LOG_EI};
    double least = INFINITY;
    for (int i = 0; i < TOTAL; i++) {
      MtProposal how;
      trial[i].x = malloc(sizeof(double) * 3);
      assert_int_equal(mt_propose(PETSC_COMM_WORLD, &s, &p, i, trial, trial[i].x, &how), 0);
      trial[i].status = MT_TRIAL_DONE;
      trial[i].y[0] = product(trial[i].x) + 0.2 * sin(3 * trial[i].x[1]);
      least = fmin(least, fabs(trial[i].y[0] - 0.137));
    }
    assert_true(least < 2e-3);
    for (int i = 0; i < TOTAL; i++) free(trial[i].x);
    mt_space_free(&s);
  }
}

/* A bowl with a narrow well beside it, at (0.8, 3.4, 0.2), where it is lowest. */
static double well(const double *x) {
  const double u[3] = {x[0], (x[1] - 2) / 2, (x[2] + 1) / 2}, at[3] = {0.8, 0.7, 0.6};
  double bowl = 0, near = 0;
  for (int k = 0; k < 3; k++) {
    bowl += pow(u[k] - 0.3, 2);
    near += pow(u[k] - at[k], 2);
  }
  return bowl - 2 * exp(-60 * near);
}

/* Seven evaluations of a related function, with and without 60 trials of the first, of which some lie in its well. */
static double short_search(const MtSpace *s, const MtTrial *prior, int nprior) {
  MtTrial trial[7] = {{0}};
  MtProposer p = {.ngoals = 1, .sign = {-1}, .initial = 3, .seed = 5, .prior = prior, .nprior = nprior};
  double best = INFINITY;
  for (int i = 0; i < 7; i++) {
    MtProposal how;
    trial[i].x = malloc(sizeof(double) * 3);
    assert_int_equal(mt_propose(PETSC_COMM_WORLD, s, &p, i, trial, trial[i].x, &how), 0);
    trial[i].status = MT_TRIAL_DONE;
    trial[i].y[0] = -(1.4 * well(trial[i].x) + 0.1 * trial[i].x[0] + 3); /* maximized */
    best = fmin(best, -trial[i].y[0]);
  }
  for (int i = 0; i < 7; i++) free(trial[i].x);
  return best;
}

static void test_transfer(void **state) {
  (void)state;
  enum { PRIOR = 60 };
  MtSpace s = cube();
  MtTrial prior[PRIOR] = {{0}};
  double u[3];
  for (int i = 0; i < PRIOR; i++) {
    prior[i].x = malloc(sizeof u);
    mt_sobol(3, 9, (uint32_t)i, u);
    for (int k = 0; k < 3 && i >= 40; k++) u[k] = (const double[]){0.8, 0.7, 0.6}[k] + 0.3 * (u[k] - 0.5);
    mt_space_spread(&s, u, prior[i].x);
    prior[i].status = MT_TRIAL_DONE;
    prior[i].y[0] = -well(prior[i].x);
  }
  const double lowest = 1.4 * well((const double[]){0.8, 3.4, 0.2}) + 0.1 * 0.8 + 3;
  assert_true(short_search(&s, prior, PRIOR) < lowest + 0.1);
  assert_true(short_search(&s, NULL, 0) > lowest + 0.5);
  for (int i = 0; i < PRIOR; i++) free(prior[i].x);
  mt_space_free(&s);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_importance), cmocka_unit_test(test_one_known),
                                     cmocka_unit_test(test_not_apart), cmocka_unit_test(test_target),
                                     cmocka_unit_test(test_transfer)};
  if (PetscInitialize(&argc, &argv, NULL, NULL) || mt_error_install()) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failed;
}
