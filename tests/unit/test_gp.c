/* ranks: 1 2 */
/* Gaussian process: prediction against elimination in long double, gradients against differences, a fit that every
 * number of ranks agrees on, draws that pass through the data. */
#include "magtwin/error.h"
#include "magtwin/gp.h"
#include "magtwin/random.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the headers above first */
#include <cmocka.h>

enum { DIM = 3, N = 14 };

typedef struct {
  double x[N * DIM], y[N];
} Data;

static Data make_data(void) {
  Data d;
  MtRandom r;
  mt_random_seed(&r, 11);
  for (int i = 0; i < N * DIM; i++) d.x[i] = mt_random_uniform(&r);
  for (int i = 0; i < N; i++)
    d.y[i] = 100 + 7 * sin(5 * d.x[3 * i]) + 20 * d.x[3 * i + 1] * d.x[3 * i + 1] - 3 * d.x[3 * i + 2];
  return d;
}

static double lengths[DIM] = {0.4, 0.9, 1.7};
static const MtGpHyper hyper = {lengths, 1.3, 1e-3};

/* Matern kernels written from their definition. */
static long double kernel(MtKernel k, const double *a, const double *b) {
  long double r2 = 0;
  for (int i = 0; i < DIM; i++) r2 += powl(((long double)a[i] - b[i]) / lengths[i], 2);
  long double r = sqrtl(r2), s = k == MT_MATERN52 ? sqrtl(5) * r : sqrtl(3) * r;
  return 1.3L * (k == MT_MATERN52 ? 1 + s + 5 * r2 / 3 : 1 + s) * expl(-s);
}

/* Gauss elimination with row exchange: a [n, n] by rows, b -> solution; returns log |det a|. */
static long double eliminate(int n, long double *a, long double *b) {
  long double log_det = 0;
  for (int k = 0; k < n; k++) {
    int p = k;
    for (int i = k + 1; i < n; i++)
      if (fabsl(a[i * n + k]) > fabsl(a[p * n + k])) p = i;
    for (int j = 0; j < n; j++) {
      long double t = a[k * n + j];
      a[k * n + j] = a[p * n + j];
      a[p * n + j] = t;
    }
    long double t = b[k];
    b[k] = b[p];
    b[p] = t;
    log_det += logl(fabsl(a[k * n + k]));
    for (int i = k + 1; i < n; i++) {
      long double f = a[i * n + k] / a[k * n + k];
      for (int j = k; j < n; j++) a[i * n + j] -= f * a[k * n + j];
      b[i] -= f * b[k];
    }
  }
  for (int i = n - 1; i >= 0; i--) {
    for (int j = i + 1; j < n; j++) b[i] -= a[i * n + j] * b[j];
    b[i] /= a[i * n + i];
  }
  return log_det;
}

typedef struct {
  long double mean, sd, likelihood;
} Oracle;

static void covariance(MtKernel k, const Data *d, long double *a) {
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) a[i * N + j] = kernel(k, d->x + i * DIM, d->x + j * DIM) + (i == j) * 1.3L * 1e-3;
}

/* Posterior at x and likelihood of the standardized data, straight from RW eqs. 2.25, 2.26, 2.30. */
static Oracle oracle(MtKernel k, const Data *d, const double *x) {
  static long double a[N * N], one[N], y[N], ks[N], s[N];
  long double shift = 0, var = 0, over = 0, under = 0;
  Oracle o = {0, 1.3L, -0.5L * N * logl(2 * acosl(-1))};
  for (int i = 0; i < N; i++) shift += (long double)d->y[i] / N;
  for (int i = 0; i < N; i++) var += powl(d->y[i] - shift, 2) / (N - 1);
  for (int i = 0; i < N; i++) {
    one[i] = 1;
    y[i] = (d->y[i] - shift) / sqrtl(var);
    ks[i] = s[i] = kernel(k, d->x + i * DIM, x);
  }
  covariance(k, d, a);
  o.likelihood -= 0.5L * eliminate(N, a, one);
  for (int i = 0; i < N; i++) {
    over += one[i] * y[i];
    under += one[i];
  }
  long double m = over / under, r[N];
  for (int i = 0; i < N; i++) r[i] = y[i] - m;
  covariance(k, d, a);
  eliminate(N, a, r);
  covariance(k, d, a);
  eliminate(N, a, s);
  o.mean = m;
  for (int i = 0; i < N; i++) {
    o.mean += ks[i] * r[i];
    o.sd -= ks[i] * s[i];
    o.likelihood -= 0.5L * (y[i] - m) * r[i];
  }
  o.mean = shift + sqrtl(var) * o.mean;
  o.sd = sqrtl(o.sd) * sqrtl(var);
  return o;
}

/* Each point from the others, about the mean that all points give, with the noise: straight from the definition. */
static void test_left_out(void **state) {
  (void)state;
  static long double a[N * N], few[(N - 1) * (N - 1)], one[N], r[N - 1], s[N - 1], ks[N - 1];
  Data d = make_data();
  double mean[N], sd[N];
  long double y[N], shift = 0, var = 0, over = 0, under = 0;
  MtGp *gp = mt_gp_create(MT_MATERN52, DIM, N, d.x, d.y);
  assert_int_equal(mt_gp_condition(gp, &hyper), 0);
  mt_gp_left_out(gp, mean, sd);
  for (int i = 0; i < N; i++) shift += (long double)d.y[i] / N;
  for (int i = 0; i < N; i++) var += powl(d.y[i] - shift, 2) / (N - 1);
  for (int i = 0; i < N; i++) {
    one[i] = 1;
    y[i] = (d.y[i] - shift) / sqrtl(var);
  }
  covariance(MT_MATERN52, &d, a);
  eliminate(N, a, one);
  for (int i = 0; i < N; i++) {
    over += one[i] * y[i];
    under += one[i];
  }
  for (int left = 0; left < N; left++) {
    long double expected = over / under, square = 1.3L * (1 + 1e-3L);
    covariance(MT_MATERN52, &d, a);
    for (int pass = 0; pass < 2; pass++) {
      for (int i = 0, p = 0; i < N; i++) {
        if (i == left) continue;
        for (int j = 0, q = 0; j < N; j++)
          if (j != left) few[p * (N - 1) + q++] = a[i * N + j];
        r[p] = y[i] - over / under;
        ks[p] = s[p] = a[i * N + left];
        p++;
      }
      eliminate(N - 1, few, pass ? s : r);
      for (int p = 0; p < N - 1; p++) {
        if (pass)
          square -= ks[p] * s[p];
        else
          expected += ks[p] * r[p];
      }
    }
    assert_true(fabs(mean[left] - (double)(shift + sqrtl(var) * expected)) < 1e-9 * fabs(mean[left]));
    assert_true(fabs(sd[left] / (double)sqrtl(square * var) - 1) < 1e-8);
  }
  mt_gp_destroy(&gp);
}

static void check_oracle(MtKernel k) {
  Data d = make_data();
  const double x[DIM] = {0.3, 0.6, 0.2};
  double mean, sd, value;
  MtGp *gp = mt_gp_create(k, DIM, N, d.x, d.y);
  assert_true(mt_gp_likelihood(gp, &hyper, &value, NULL));
  assert_int_equal(mt_gp_condition(gp, &hyper), 0);
  mt_gp_predict(gp, x, &mean, &sd, NULL, NULL);
  Oracle o = oracle(k, &d, x);
  assert_true(fabs(mean - (double)o.mean) < 1e-10 * fabs(mean));
  assert_true(fabs(sd - (double)o.sd) < 1e-9 * sd);
  assert_true(fabs(value - (double)o.likelihood) < 1e-10 * fabs(value));
  mt_gp_destroy(&gp);
}

static void test_oracle(void **state) {
  (void)state;
  check_oracle(MT_MATERN52);
  check_oracle(MT_MATERN32);
}

/* Each derivative of the likelihood by a central difference. */
static void test_likelihood_gradient(void **state) {
  (void)state;
  Data d = make_data();
  for (int k = 0; k < 2; k++) {
    MtGp *gp = mt_gp_create(k ? MT_MATERN32 : MT_MATERN52, DIM, N, d.x, d.y);
    double gradient[DIM + 2], value, up, down, h = 1e-5;
    assert_true(mt_gp_likelihood(gp, &hyper, &value, gradient));
    for (int i = 0; i < DIM + 2; i++) {
      double l[DIM];
      memcpy(l, lengths, sizeof l);
      MtGpHyper at = {l, hyper.variance, hyper.noise};
      double *one = i < DIM ? &l[i] : i == DIM ? &at.variance : &at.noise, middle = *one;
      *one = middle * exp(h);
      assert_true(mt_gp_likelihood(gp, &at, &up, NULL));
      *one = middle * exp(-h);
      assert_true(mt_gp_likelihood(gp, &at, &down, NULL));
      assert_true(fabs((up - down) / (2 * h) - gradient[i]) < 1e-6 * (1 + fabs(gradient[i])));
    }
    mt_gp_destroy(&gp);
  }
}

static void test_predict_gradient(void **state) {
  (void)state;
  Data d = make_data();
  const double h = 1e-6;
  double x[DIM] = {0.31, 0.62, 0.23}, dm[DIM], ds[DIM], mean, sd, m[2], s[2];
  MtGp *gp = mt_gp_create(MT_MATERN52, DIM, N, d.x, d.y);
  assert_int_equal(mt_gp_condition(gp, &hyper), 0);
  mt_gp_predict(gp, x, &mean, &sd, dm, ds);
  for (int i = 0; i < DIM; i++) {
    double middle = x[i];
    for (int k = 0; k < 2; k++) {
      x[i] = middle + (k ? -h : h);
      mt_gp_predict(gp, x, &m[k], &s[k], NULL, NULL);
    }
    x[i] = middle;
    assert_true(fabs((m[0] - m[1]) / (2 * h) - dm[i]) < 1e-6 * (1 + fabs(dm[i])));
    assert_true(fabs((s[0] - s[1]) / (2 * h) - ds[i]) < 1e-6 * (1 + fabs(ds[i])));
  }
  mt_gp_destroy(&gp);
}

/* The fit of all ranks together has the bits of the fit of one, and predicts a point that it has not seen. */
static void test_fit(void **state) {
  (void)state;
  Data d = make_data();
  MtGp *all = mt_gp_create(MT_MATERN52, DIM, N, d.x, d.y), *alone = mt_gp_create(MT_MATERN52, DIM, N, d.x, d.y);
  assert_int_equal(mt_gp_fit(PETSC_COMM_WORLD, all, &mt_gp_fit_default), 0);
  assert_int_equal(mt_gp_fit(PETSC_COMM_SELF, alone, &mt_gp_fit_default), 0);
  MtGpHyper a = mt_gp_hyper(all), b = mt_gp_hyper(alone);
  assert_memory_equal(a.length, b.length, sizeof(double) * DIM);
  assert_true(a.variance == b.variance && a.noise == b.noise);
  const double x[DIM] = {0.5, 0.5, 0.5};
  double mean, sd, truth = 100 + 7 * sin(2.5) + 5 - 1.5;
  mt_gp_predict(all, x, &mean, &sd, NULL, NULL);
  assert_true(fabs(mean - truth) < 3 * sd && sd < 3);
  mt_gp_destroy(&all);
  mt_gp_destroy(&alone);
}

/* A process that is told its own expectation expects the same, more surely. */
/* A process over another one: through its data, slopes against differences, also of a draw; a far point has a times the
 * other's mean. */
static void test_over(void **state) {
  (void)state;
  Data d = make_data();
  double few[N], mean, sd, up, down, dm[DIM], ds[DIM], slope[DIM];
  const double x[DIM] = {0.3, 0.6, 0.2};
  MtGp *base = mt_gp_create(MT_MATERN52, DIM, N, d.x, d.y), *gp, *more;
  assert_int_equal(mt_gp_condition(base, &hyper), 0);
  for (int i = 0; i < 6; i++) few[i] = 2 * d.y[i] + d.x[i * DIM] - 50;
  gp = mt_gp_create_over(base, MT_MATERN52, DIM, 6, d.x, few);
  assert_int_equal(mt_gp_condition(gp, &hyper), 0);
  for (int i = 0; i < 6; i++) {
    mt_gp_predict(gp, d.x + i * DIM, &mean, &sd, NULL, NULL);
    assert_true(fabs(mean - few[i]) < 2e-2);
  }
  mt_gp_predict(gp, x, &mean, &sd, dm, ds);
  MtGpSample *draw = mt_gp_sample(gp, 64, 3);
  mt_gp_sample_at(draw, x, slope);
  for (int k = 0; k < DIM; k++) {
    double a[DIM] = {x[0], x[1], x[2]}, b[DIM] = {x[0], x[1], x[2]};
    a[k] += 1e-6;
    b[k] -= 1e-6;
    mt_gp_predict(gp, a, &up, NULL, NULL, NULL);
    mt_gp_predict(gp, b, &down, NULL, NULL, NULL);
    assert_true(fabs((up - down) / 2e-6 - dm[k]) < 1e-5 * (1 + fabs(dm[k])));
    double difference = (mt_gp_sample_at(draw, a, NULL) - mt_gp_sample_at(draw, b, NULL)) / 2e-6;
    assert_true(fabs(difference - slope[k]) < 1e-5 * (1 + fabs(slope[k])));
  }
  const double value = mean + sd;
  assert_int_equal(mt_gp_extend(gp, 1, x, &value, &more), 0);
  mt_gp_predict(more, x, &mean, &sd, NULL, NULL);
  assert_true(fabs(mean - value) < 2e-2);
  mt_gp_sample_destroy(&draw);
  mt_gp_destroy(&more);
  mt_gp_destroy(&gp);
  mt_gp_destroy(&base);
}

static void test_extend(void **state) {
  (void)state;
  Data d = make_data();
  const double x[DIM] = {0.9, 0.1, 0.5};
  double mean, sd, mean2, sd2;
  MtGp *gp = mt_gp_create(MT_MATERN52, DIM, N, d.x, d.y), *more;
  assert_int_equal(mt_gp_condition(gp, &hyper), 0);
  mt_gp_predict(gp, x, &mean, &sd, NULL, NULL);
  assert_int_equal(mt_gp_extend(gp, 1, x, &mean, &more), 0);
  mt_gp_predict(more, x, &mean2, &sd2, NULL, NULL);
  assert_true(fabs(mean2 - mean) < 1e-9 * fabs(mean));
  /* s2 n/(s2 + n), n the noise of 1e-3 of the signal, both in the targets' unit */
  assert_true(sd2 < 0.9 * sd);
  mt_gp_destroy(&gp);
  mt_gp_destroy(&more);
}

/* Draws: gradient against differences; without noise all pass through the data; their mean and spread are the
 * posterior's (400 draws of 1024 features: 5 % for the mean over sd, 15 % for the spread). */
static void test_sample(void **state) {
  (void)state;
  Data d = make_data();
  MtGpHyper quiet = hyper;
  quiet.noise = 1e-8;
  const double h = 1e-6;
  double x[DIM] = {0.9, 0.1, 0.9}, g[DIM], mean, sd, sum = 0, square = 0;
  MtGp *gp = mt_gp_create(MT_MATERN52, DIM, N, d.x, d.y);
  assert_int_equal(mt_gp_condition(gp, &quiet), 0);
  mt_gp_predict(gp, x, &mean, &sd, NULL, NULL);
  for (int k = 0; k < 400; k++) {
    MtGpSample *s = mt_gp_sample(gp, 1024, (uint64_t)k);
    double v = mt_gp_sample_at(s, x, g);
    sum += (v - mean) / sd / 400;
    square += (v - mean) * (v - mean) / (sd * sd) / 400;
    assert_true(fabs(mt_gp_sample_at(s, d.x + 3, NULL) - d.y[1]) < 2e-2);
    for (int i = 0; i < DIM && k < 3; i++) {
      double y[DIM] = {x[0], x[1], x[2]}, up, down;
      y[i] += h;
      up = mt_gp_sample_at(s, y, NULL);
      y[i] -= 2 * h;
      down = mt_gp_sample_at(s, y, NULL);
      assert_true(fabs((up - down) / (2 * h) - g[i]) < 1e-5 * (1 + fabs(g[i])));
    }
    mt_gp_sample_destroy(&s);
  }
  assert_true(fabs(sum) < 0.15);
  assert_true(fabs(square - 1) < 0.25);
  mt_gp_destroy(&gp);
}

/* Success right of the middle, failure left: learnt, with the right gradient. */
static void test_feasible(void **state) {
  (void)state;
  enum { M = 24 };
  double x[2 * M], g[2], h = 1e-6;
  bool good[M];
  MtRandom r;
  MtFeasible *f;
  mt_random_seed(&r, 5);
  for (int i = 0; i < M; i++) {
    x[2 * i] = mt_random_uniform(&r);
    x[2 * i + 1] = mt_random_uniform(&r);
    good[i] = x[2 * i] > 0.5;
  }
  assert_int_equal(mt_feasible_create(MT_MATERN52, 2, M, x, good, &f), 0);
  assert_true(exp(mt_feasible_log(f, (double[]){0.9, 0.5}, NULL)) > 0.85);
  assert_true(exp(mt_feasible_log(f, (double[]){0.1, 0.5}, NULL)) < 0.15);
  double at[2] = {0.45, 0.3};
  mt_feasible_log(f, at, g);
  for (int i = 0; i < 2; i++) {
    double up, down, p[2] = {at[0], at[1]};
    p[i] += h;
    up = mt_feasible_log(f, p, NULL);
    p[i] -= 2 * h;
    down = mt_feasible_log(f, p, NULL);
    assert_true(fabs((up - down) / (2 * h) - g[i]) < 1e-6 * (1 + fabs(g[i])));
  }
  mt_feasible_destroy(&f);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_oracle),
      cmocka_unit_test(test_left_out),
      cmocka_unit_test(test_over),
      cmocka_unit_test(test_likelihood_gradient),
      cmocka_unit_test(test_predict_gradient),
      cmocka_unit_test(test_fit),
      cmocka_unit_test(test_extend),
      cmocka_unit_test(test_sample),
      cmocka_unit_test(test_feasible),
  };
  if (PetscInitialize(&argc, &argv, NULL, NULL) || mt_error_install()) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failed;
}
