/* ranks: 1 2 */
/* Boundaries between grains: their area and energy, the derivatives of the energy with them, a wall that gets wet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../src/phasefield/flow_impl.h"
#include "magtwin/error.h"
#include "near.h"
#include <stdlib.h>

static double energy_of(const void *context, int a, int b) {
  (void)context;
  return a + b == 1 ? .3 : .5;
}

static double middle(const MtDomain *d, PetscInt e, int axis) {
  double x[4][3], sum = 0;
  mt_domain_corners(d, e, x);
  for (int k = 0; k <= d->dim; k++) sum += x[k][axis] / (d->dim + 1);
  return sum;
}

static double *make_wall(const MtDomain *d, double at, double *area) {
  int *grain = calloc((size_t)d->ne + 1, sizeof *grain);
  double *wall = calloc((size_t)d->n_owned + 1, sizeof *wall);
  for (PetscInt e = 0; e < d->ne; e++) grain[e] = middle(d, e, 0) > at;
  assert_int_equal(mt_wall_create(d, grain, energy_of, NULL, wall, area), 0);
  free(grain);
  return wall;
}

static void test_area(void **state) {
  (void)state;
  for (int dim = 2; dim <= 3; dim++) {
    const MtBox b = {.dim = dim, .cells = {8, 6, dim == 3 ? 5 : 0}, .size = {8, 9, dim == 3 ? 5 : 0}};
    const double all = dim == 3 ? 45 : 9;
    double area, sum = 0;
    MtDomain *d;
    assert_int_equal(mt_domain_box(PETSC_COMM_WORLD, &b, &d), 0);
    double *wall = make_wall(d, 3, &area);
    for (PetscInt i = 0; i < d->n_owned; i++) {
      sum += wall[i];
      if (fabs(d->x[3 * i] - 3) > 1e-9) assert_near(wall[i], 0, 0);
    }
    MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_DOUBLE, MPI_SUM, PETSC_COMM_WORLD);
    assert_near(area, all, 1e-11);
    assert_near(sum, .3e9 * all, 1);
    free(wall);
    mt_domain_destroy(&d);
  }
}

/* A dry wall at the plane x = 12 nm, liquid at the end x = 0 only: energy and dry part after relaxation.  sigma_sl =
 * 0.3 J/m2; beyond 2 sigma_sl the wall becomes wet though no liquid is near (allen_cahn makes it). */
static double share_wet(double factor) {
  double well[] = {9e8, 0, 1}, area, *wall, wet = 0, high = 0;
  const MtFreeEnergy energy = {.kind = MT_ENERGY_DOUBLE_WELL, .n = 3, .a = well};
  const MtBox b = {.dim = 2, .cells = {32, 3}, .size = {24, 2.25}, .periodic = {false, true}};
  const MtFlowOptions opt = {.newton_tolerance = 1e-6, .linear_rtol = 1e-4};
  const MtMarchOptions o = {
      .first = 1e-4, .min = 1e-12, .max = HUGE_VAL, .tolerance = 1e-3, .low = -HUGE_VAL, .high = HUGE_VAL};
  MtDomain *d;
  MtFlow *flow;
  MtMarch *march;
  PetscScalar *a;
  assert_int_equal(mt_domain_box(PETSC_COMM_WORLD, &b, &d), 0);
  wall = make_wall(d, 12, &area);
  for (PetscInt i = 0; i < d->n_owned; i++) wall[i] *= factor;
  const MtFlowModel model = {
      .kind = MT_FLOW_RELAXED, .energy = &energy, .kappa = 1.8e9, .mobility = 1e-9, .wall = wall, .wet = 1};
  assert_int_equal(mt_flow_create(d, &model, &opt, &flow), 0);
  assert_int_equal(mt_march_create(flow, &o, &march), 0);
  VecSet(mt_march_field(march, 0), .02);
  assert_int_equal(mt_march_start(march, 0), 0);
  while (mt_march_state(march)->t < 60) assert_int_equal(mt_march_step(march, 60), 0);
  VecGetArray(mt_march_field(march, 0), &a);
  for (PetscInt i = 0; i < d->n_owned; i++)
    if (fabs(d->x[3 * i] - 12) < 1e-9) wet = fmax(wet, a[i]);
  VecRestoreArray(mt_march_field(march, 0), &a);
  MPI_Allreduce(&wet, &high, 1, MPI_DOUBLE, MPI_MAX, PETSC_COMM_WORLD);
  mt_march_destroy(&march);
  mt_flow_destroy(&flow);
  mt_domain_destroy(&d);
  free(wall);
  return high;
}

static void test_transition(void **state) {
  (void)state;
  const double dry = share_wet(1.8), wet = share_wet(2.3);
  print_message("c on the boundary: %.4f at 0.9, %.4f at 1.15 of the transition\n", dry, wet);
  assert_true(dry < .01);
  assert_true(wet > .5);
}

static void test_wall_energy(void **state) {
  const MtFlowModel m = {.dry = .2, .wet = .8};
  double p[3], a[3], b[3];
  (void)state;
  mt_wall_at(&m, .2, p);
  assert_near(p[0], 1, 1e-15);
  assert_near(p[1], 0, 1e-15);
  mt_wall_at(&m, .8, p);
  assert_near(p[0], 0, 1e-15);
  for (int i = 0; i < 10; i++) {
    const double c = .1 * i, h = 1e-5;
    mt_wall_at(&m, c, p);
    mt_wall_at(&m, c - h, a);
    mt_wall_at(&m, c + h, b);
    assert_near(p[1], (b[0] - a[0]) / (2 * h), 1e-7);
    assert_near(p[2], (b[1] - a[1]) / (2 * h), 1e-7);
  }
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_wall_energy), cmocka_unit_test(test_area),
                                     cmocka_unit_test(test_transition)};
  if (PetscInitialize(&argc, &argv, NULL, NULL) || mt_error_install()) return 1;
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() || failed;
}
