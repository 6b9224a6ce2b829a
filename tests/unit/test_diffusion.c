/* ranks: 1 2 */
/* Diffusion: one medium against erfc and against a mode under a temperature program; two media; mass; programs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "magtwin/diffusion.h"
#include "magtwin/error.h"
#include "magtwin/units.h"
#include "near.h"
#include <stdlib.h>

static const double INF = HUGE_VAL;

typedef struct {
  MtDomain *domain;
  MtDiffusion *diffusion;
  MtFlow *flow;
  MtMarch *march;
  int *of;
  double *fixed;
} Run;

static bool right_half(const MtDomain *d, PetscInt e, double middle) {
  double x[4][3], sum = 0;
  mt_domain_corners(d, e, x);
  for (int k = 0; k <= d->dim; k++) sum += x[k][0] / (d->dim + 1);
  return sum > middle;
}

/* The second medium, if there is one, is beyond the middle of x; c is held at both ends of x where held. */
static void run_create(Run *r, const MtBox *b, int n, const MtMedium *medium, const MtProgram *p, bool held,
                       const MtMarchOptions *o) {
  const MtFreeEnergy none = {.low = -INF, .high = INF};
  const MtFlowOptions opt = {.newton_tolerance = 1e-10, .linear_rtol = 1e-6};
  assert_int_equal(mt_domain_box(PETSC_COMM_WORLD, b, &r->domain), 0);
  r->of = calloc((size_t)r->domain->ne, sizeof *r->of);
  r->fixed = calloc((size_t)r->domain->n_owned, sizeof *r->fixed);
  for (PetscInt e = 0; e < r->domain->ne; e++) r->of[e] = n > 1 && right_half(r->domain, e, .5 * b->size[0]);
  for (PetscInt i = 0; i < r->domain->n_owned; i++) {
    const double x = r->domain->x[3 * i];
    r->fixed[i] = x < 1e-9 ? 1 : x > b->size[0] - 1e-9 ? 0 : NAN;
  }
  const MtDiffusionModel model = {
      .n = n, .medium = medium, .of = r->of, .program = p, .fixed = held ? r->fixed : NULL, .linear_rtol = 1e-6};
  assert_int_equal(mt_diffusion_create(r->domain, &model, &r->diffusion), 0);
  const MtFlowModel flow = {.kind = MT_FLOW_DIFFUSION, .energy = &none, .diffusion = r->diffusion};
  assert_int_equal(mt_flow_create(r->domain, &flow, &opt, &r->flow), 0);
  assert_int_equal(mt_march_create(r->flow, o, &r->march), 0);
}

static void run_destroy(Run *r) {
  assert_int_equal(mt_march_destroy(&r->march), 0);
  assert_int_equal(mt_flow_destroy(&r->flow), 0);
  assert_int_equal(mt_diffusion_destroy(&r->diffusion), 0);
  assert_int_equal(mt_domain_destroy(&r->domain), 0);
  free(r->of);
  free(r->fixed);
}

static void run_to(Run *r, double end) {
  while (mt_march_state(r->march)->t < end) assert_int_equal(mt_march_step(r->march, end), 0);
}

/* The largest difference of c from a function of x and t. */
static double largest_error(Run *r, double (*exact)(double x, double t)) {
  const PetscScalar *a;
  double worst = 0;
  VecGetArrayRead(mt_march_field(r->march, 0), &a);
  for (PetscInt i = 0; i < r->domain->n_owned; i++)
    worst = fmax(worst, fabs(a[i] - exact(r->domain->x[3 * i], mt_march_state(r->march)->t)));
  VecRestoreArrayRead(mt_march_field(r->march, 0), &a);
  MPI_Allreduce(MPI_IN_PLACE, &worst, 1, MPI_DOUBLE, MPI_MAX, PETSC_COMM_WORLD);
  return worst;
}

static const MtMarchOptions ADAPTIVE = {
    .first = 1e-3, .min = 1e-12, .max = HUGE_VAL, .tolerance = 3e-4, .low = -HUGE_VAL, .high = HUGE_VAL};

/* J. Crank, The Mathematics of Diffusion (1975) 2.45, D = 2 nm2/s */
static double half_space(double x, double t) {
  return erfc(x / (2 * sqrt(2 * t)));
}

static void test_half_space(void **state) {
  const MtBox b = {.dim = 2, .cells = {80, 3}, .size = {40, 1.5}};
  const MtMedium medium = {.D0 = 2};
  Run r;
  (void)state;
  run_create(&r, &b, 1, &medium, NULL, true, &ADAPTIVE);
  assert_false(mt_diffusion_closed(r.diffusion));
  assert_int_equal(mt_diffusion_impose(r.diffusion, mt_march_field(r.march, 0)), 0);
  assert_int_equal(mt_march_start(r.march, 0), 0);
  for (int k = 1; k <= 3; k++) {
    run_to(&r, 4. * k);
    const double error = largest_error(&r, half_space);
    print_message("t = %d s: error %.1e\n", 4 * k, error);
    assert_near(error, 0, 2e-3);
  }
  run_destroy(&r);
}

/* In the end c falls in proportion to the resistance of each half: 3 at D = 3 and 1 at D = 9 nm2/s. */
static double two_halves(double x, double t) {
  (void)t;
  return x < 5 ? 1 - .75 * x / 5 : .25 * (10 - x) / 5;
}

static void test_two_media(void **state) {
  const MtBox b = {.dim = 3, .cells = {10, 3, 3}, .size = {10, 3, 3}};
  const MtMedium medium[2] = {{.D0 = 3}, {.D0 = 9}};
  Run r;
  (void)state;
  run_create(&r, &b, 2, medium, NULL, true, &ADAPTIVE);
  assert_int_equal(mt_diffusion_impose(r.diffusion, mt_march_field(r.march, 0)), 0);
  assert_int_equal(mt_march_start(r.march, 0), 0);
  run_to(&r, 200);
  assert_near(largest_error(&r, two_halves), 0, 1e-7);
  run_destroy(&r);
}

/* c = .5 + .4 cos(kx) falls as exp(-k^2 int D dt); the box scheme's k^2 is 2 (1 - cos kh)/h^2.  D = exp(-Q/RT), T from
 * 800 to 1000 K in 10 s and held: the integral by Simpson's rule. */
static double thickness(const MtProgram *p, double Q, double end) {
  double sum = 0;
  const int n = 2000;
  for (int i = 0; i <= n; i++)
    sum += (i == 0 || i == n ? 1 : i % 2 ? 4 : 2) * mt_arrhenius(Q, mt_program_at(p, end * i / n));
  return sum * end / n / 3;
}

static double mode_error(double dt) {
  double t[2] = {0, 10}, T[2] = {800, 1000}, top, mean;
  const MtProgram p = {.n = 2, .t = t, .T = T};
  const MtBox b = {.dim = 2, .cells = {40, 3}, .size = {40, 3}, .periodic = {false, true}};
  const MtMedium medium[2] = {{.D0 = 1e6, .Q = 1e5}, {.D0 = 1e6, .Q = 1e5}};
  const MtMarchOptions equal = {.first = dt, .min = 1e-9, .max = INF, .low = -INF, .high = INF};
  const double k = MT_PI / 40, k2 = 2 * (1 - cos(k));
  Run r;
  run_create(&r, &b, 2, medium, &p, false, &equal);
  assert_true(mt_diffusion_closed(r.diffusion));
  PetscScalar *a;
  VecGetArray(mt_march_field(r.march, 0), &a);
  for (PetscInt i = 0; i < r.domain->n_owned; i++) a[i] = .5 + .4 * cos(k * r.domain->x[3 * i]);
  VecRestoreArray(mt_march_field(r.march, 0), &a);
  assert_int_equal(mt_march_start(r.march, 0), 0);
  run_to(&r, 10);
  run_to(&r, 15);
  VecMax(mt_march_field(r.march, 0), NULL, &top);
  mt_flow_mean(r.flow, mt_march_field(r.march, 0), &mean);
  run_destroy(&r);
  assert_near(mean, .5, 1e-13);
  return (top - .5) / .4 / exp(-k2 * 1e6 * thickness(&p, 1e5, 15)) - 1;
}

static void test_program(void **state) {
  (void)state;
  const double coarse = mode_error(.25), fine = mode_error(.125);
  print_message("error %.2e, %.2e: order %.2f\n", coarse, fine, log2(fabs(coarse / fine)));
  assert_near(log2(fabs(coarse / fine)), 2, .15);
  assert_near(fine, 0, 1e-4);
}

static void test_temperatures(void **state) {
  double t[3] = {0, 10, 30}, T[3] = {300, 1300, 800};
  const MtProgram p = {.n = 3, .t = t, .T = T}, none = {0};
  (void)state;
  assert_near(mt_program_at(&p, -1), 300, 0);
  assert_near(mt_program_at(&p, 4), 700, 1e-12);
  assert_near(mt_program_at(&p, 20), 1050, 1e-12);
  assert_near(mt_program_at(&p, 99), 800, 0);
  assert_true(isnan(mt_program_at(&none, 0)) && isinf(mt_program_corner(&none, 0)));
  assert_near(mt_program_corner(&p, 10), 30, 0);
  assert_near(mt_arrhenius(1e5, 1000), exp(-1e5 / 8314.46261815324), 1e-18);
  assert_near(mt_arrhenius(0, NAN), 1, 0);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_temperatures), cmocka_unit_test(test_half_space),
                                     cmocka_unit_test(test_two_media), cmocka_unit_test(test_program)};
  if (PetscInitialize(&argc, &argv, NULL, NULL) || mt_error_install()) return 1;
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() || failed;
}
