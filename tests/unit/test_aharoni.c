/* Demagnetizing factors of prisms against tabulated values of Aharoni's formula (J. Appl. Phys. 83 (1998) 3432). */
#include "magtwin/loop.h"
#include "near.h"

static void check(double x, double y, double z, double Nx, double Ny, double Nz) {
  double L[3] = {x, y, z}, N[3];
  mt_prism_factors(L, N);
  assert_true(fabs(N[0] - Nx) < 1e-6 && fabs(N[1] - Ny) < 1e-6 && fabs(N[2] - Nz) < 1e-6);
}

static void test_table(void **state) {
  (void)state;
  check(1, 1, 1, 1. / 3, 1. / 3, 1. / 3); /* by symmetry */
  check(2, 1, 1, .198316, .400842, .400842);
  check(1, 1, .1, .097461, .097461, .805078);
  check(1, 1, 10, .477134, .477134, .045731);
}

/* The trace is 1 for any shape, and the scale does not matter. */
static void test_trace(void **state) {
  (void)state;
  double shape[4][3] = {{1, 2, 3}, {500, 125, 3}, {1e-3, 1, 1}, {80, 80, 81}};
  for (int i = 0; i < 4; i++) {
    double N[3], M[3], L[3];
    for (int c = 0; c < 3; c++) L[c] = 1e3 * shape[i][c];
    mt_prism_factors(shape[i], N);
    mt_prism_factors(L, M);
    assert_true(fabs(N[0] + N[1] + N[2] - 1) < 1e-8);
    for (int c = 0; c < 3; c++) assert_true(fabs(N[c] - M[c]) < 1e-9 && N[c] > 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_table), cmocka_unit_test(test_trace)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
