/* ranks: 1 2 3 */
/* Exchange Monte Carlo against the closed form of a model that is linear in its parameters, with Gaussian priors. */
#include "magtwin/error.h"
#include "magtwin/exchange.h"
#include "magtwin/random.h"
#include "near.h"
#include <math.h>
#include <string.h>

enum { N = 20, D = 3, SEEDS = 24 };
typedef struct {
  double x[N], y[N], prior, noise;
} Linear;

/* Quantile of the normal distribution, by Newton's method on erfc from the logistic one. */
static double normal_quantile(double p) {
  p = fmin(fmax(p, 1e-14), 1 - 1e-14);
  double z = fmin(8, fmax(-8, log(p / (1 - p)) / 1.702));
  for (int i = 0; i < 60; i++) {
    const double error = .5 * erfc(-z / sqrt(2)) - p, slope = exp(-z * z / 2) / sqrt(2 * M_PI);
    const double change = fmax(-1, fmin(1, error / slope));
    z -= change;
    if (fabs(change) < 1e-10) break;
  }
  return z;
}

static double basis(double x, int d) {
  return d == 0 ? 1 : (d == 1 ? x : x * x);
}

static double energy(const void *model, const double *u) {
  const Linear *m = model;
  double w[D], sum = 0;
  for (int d = 0; d < D; d++) w[d] = m->prior * normal_quantile(u[d]);
  for (int i = 0; i < N; i++) {
    double f = 0;
    for (int d = 0; d < D; d++) f += w[d] * basis(m->x[i], d);
    sum += .5 * (m->y[i] - f) * (m->y[i] - f);
  }
  return sum;
}

static void weights(const void *model, const double *u, double *fact) {
  for (int d = 0; d < D; d++) fact[d] = ((const Linear *)model)->prior * normal_quantile(u[d]);
}

/* log of N(y; 0, noise^2 I + prior^2 B B^T), by elimination. */
static double log_evidence(const Linear *m) {
  double c[N][N], y[N], log_det = 0, square = 0;
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) {
      c[i][j] = i == j ? m->noise * m->noise : 0;
      for (int d = 0; d < D; d++) c[i][j] += m->prior * m->prior * basis(m->x[i], d) * basis(m->x[j], d);
    }
  memcpy(y, m->y, sizeof y);
  for (int k = 0; k < N; k++) {
    log_det += log(c[k][k]);
    square += y[k] * y[k] / c[k][k];
    for (int i = k + 1; i < N; i++) {
      const double f = c[i][k] / c[k][k];
      for (int j = k; j < N; j++) c[i][j] -= f * c[k][j];
      y[i] -= f * y[k];
    }
  }
  return -.5 * (square + log_det + N * log(2 * M_PI));
}

static void make(Linear *m, uint64_t seed) {
  MtRandom r;
  mt_random_seed(&r, seed);
  m->prior = 2, m->noise = .3;
  for (int i = 0; i < N; i++) {
    m->x[i] = -1 + 2. * i / (N - 1);
    m->y[i] = 1 - .5 * m->x[i] + 1.5 * m->x[i] * m->x[i] + m->noise * mt_random_normal(&r);
  }
}

/* The logarithm of the integral to the last temperature: the evidence less what the noise alone gives. */
static double closed_form(const Linear *m) {
  return log_evidence(m) + .5 * N * log(2 * M_PI * m->noise * m->noise);
}

/* The error of one run is .025 with so many samples, a quarter of 1 % of the smaller of the two evidences. */
static void test_linear(void **state) {
  const MtExchangeOptions o = {
      .replicas = 16, .lowest = 1e-3, .highest = 1 / .09, .burn = 500, .sweeps = 24000, .seed = 3};
  (void)state;
  for (uint64_t seed = 1; seed <= 2; seed++) {
    Linear m;
    MtExchange e;
    make(&m, seed);
    const MtTarget t = {D, energy, D, weights, &m};
    assert_int_equal(mt_exchange_run(MPI_COMM_WORLD, &t, &o, &e), 0);
    const double exact = log_evidence(&m);
    assert_true(fabs(exact) > 10);
    assert_near(e.log_integral[15], closed_form(&m), .01 * fabs(exact));
    for (int k = 1; k < 16; k++) assert_true(e.moved[k] > .15 && e.exchanged[k - 1] > .1);
    /* the mean of the posterior: here the prior is wide, so that it is nearly that of least squares, and near the truth
     */
    assert_near(e.mean[15 * D], 1, 4 * e.deviation[15 * D] + .02);
    assert_near(e.mean[15 * D + 2], 1.5, 4 * e.deviation[15 * D + 2] + .02);
    mt_exchange_free(&e);
  }
}

/* What is left is sampling and no bias: over 24 runs of few samples the mean error is 0 within three times its own
 * error, and the errors stated are the spread of the runs, which is known to a seventh. */
static void test_unbiased(void **state) {
  MtExchangeOptions o = {.replicas = 16, .lowest = 1e-3, .highest = 1 / .09, .burn = 200, .sweeps = 800};
  double mean = 0, square = 0, stated = 0;
  Linear m;
  (void)state;
  make(&m, 1);
  const MtTarget t = {D, energy, 0, NULL, &m};
  for (o.seed = 1; o.seed <= SEEDS; o.seed++) {
    MtExchange e;
    assert_int_equal(mt_exchange_run(MPI_COMM_WORLD, &t, &o, &e), 0);
    const double error = e.log_integral[15] - closed_form(&m);
    mean += error / SEEDS;
    square += error * error / SEEDS;
    stated += e.log_error[15] * e.log_error[15] / SEEDS;
    mt_exchange_free(&e);
  }
  const double spread = sqrt((square - mean * mean) * SEEDS / (SEEDS - 1));
  assert_near(mean, 0, 3 * spread / sqrt(SEEDS));
  assert_near(sqrt(stated) / spread, 1, .4);
}

/* Energies of one coordinate, E = u: the integral of exp(-b u) over 0..1 is (1 - exp(-b)) / b. */
static double first(const void *model, const double *u) {
  (void)model;
  return u[0];
}

static void test_ladder(void **state) {
  const MtTarget t = {1, first, 0, NULL, NULL};
  const MtExchangeOptions o = {.replicas = 8, .lowest = .3, .highest = 30, .burn = 500, .sweeps = 8000, .seed = 1};
  MtExchange e;
  (void)state;
  assert_int_equal(mt_exchange_run(MPI_COMM_WORLD, &t, &o, &e), 0);
  for (int k = 1; k < 8; k++) assert_near(e.log_integral[k], log((1 - exp(-e.b[k])) / e.b[k]), .03);
  assert_near(e.energy[0], .5, .02);
  assert_true(e.least < 1e-3 && e.least == e.best[0]);
  mt_exchange_free(&e);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_linear), cmocka_unit_test(test_unbiased),
                                     cmocka_unit_test(test_ladder)};
  if (PetscInitialize(&argc, &argv, NULL, NULL) || mt_error_install()) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() || failed;
}
