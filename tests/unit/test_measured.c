/* ranks: 1 2 */
/* Measured curves: distances that are known in closed form, and what is read from a file. */
#include "folder.h"
#include "magtwin/error.h"
#include "magtwin/measured.h"
#include "near.h"
#include "refused.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define near(a, b, tol) assert_true(fabs((a) - (b)) <= (tol))

static double distance(int n, const double *H, const double *J, int nm, double *Hm, double *Jm, double weight) {
  const MtMeasured m = {nm, Hm, Jm};
  double largest;
  return mt_curve_distance(n, H, J, &m, weight, &largest);
}

/* Square loops of height 2 Js = 2 T whose jumps are d = 0.1 T apart, cut at J = -1 T.  Of 1 + Hc + 2 T of the line with
 * the later jump the last d of its plateau and the jump are off: int_0^d s^2 ds + 2 d^2, less where the corner is near
 * the other's; of the earlier one only the jump, whose top d lies nearer to the plateau: int_0^d s^2 ds + (2 - d) d^2.
 */
static void test_square(void **state) {
  (void)state;
  const double d = 0.1, Hc = 3, H[] = {1, -Hc, -Hc}, J[] = {1, 1, -1};
  double Hm[] = {1, -Hc - d, -Hc - d}, Jm[] = {1, 1, -1};
  const double plateau = d * d * d / 3, late = (plateau + 2 * d * d) / (1 + Hc + d + 2),
               early = (plateau + (2 - d) * d * d) / (1 + Hc + 2);
  near(distance(3, H, J, 3, Hm, Jm, 1), sqrt(0.5 * (late + early)), 2e-3 * d);
  near(distance(3, Hm, Jm, 3, (double *)H, (double *)J, 1), sqrt(0.5 * (late + early)), 2e-3 * d);
  near(distance(3, H, J, 3, (double *)H, (double *)J, 1), 0, 0);
}

/* Straight lines J = H shifted by d in H: d/sqrt(2) apart, whatever the points; with weight w the lines J = x/w are w d
 * / sqrt(1 + w^2) apart.  Ends: cut at the same field and polarization, where the nearest point is the end. */
static void test_parallel(void **state) {
  (void)state;
  enum { N = 23 };
  const double d = 0.01;
  double H[N], J[N], Hm[] = {2, 0.3, -7}, Jm[] = {2 + d, 0.3 + d, -7 + d};
  for (int i = 0; i < N; i++) H[i] = J[i] = 5 - 10.0 * i / (N - 1);
  near(distance(N, H, J, 3, Hm, Jm, 1), d / sqrt(2), 3e-3 * d);
  near(distance(N, H, J, 3, Hm, Jm, 4), 4 * d / sqrt(17), 3e-3 * d);
}

/* A curve that ends before the magnet has reversed is compared where both are. */
static void test_shared(void **state) {
  (void)state;
  double H[] = {1, -1, -1}, J[] = {1, 1, 0}, Hm[] = {3, -1, -1, -6}, Jm[] = {1, 1, -1, -1};
  near(distance(3, H, J, 4, Hm, Jm, 1), 0, 1e-12);
  double far[] = {-2, -3}, low[] = {-3, -4};
  assert_true(isnan(distance(3, H, J, 2, far, low, 1)));
}

static char folder[64] = "/tmp/magtwin_measured_XXXXXX";

static void write_file(const char *name, const char *text, char path[128]) {
  int rank;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  snprintf(path, 128, "%s/%s", folder, name);
  if (rank == 0) {
    FILE *f = fopen(path, "w");
    fputs(text, f);
    fclose(f);
  }
  MPI_Barrier(PETSC_COMM_WORLD);
}

static PetscErrorCode load(const char *text, const char *more, MtMeasured *m) {
  const MtKey *const tables[] = {mt_measured_keys, NULL};
  char data[128], input[128], override[160], other[80];
  MtInput *in;
  write_file("measured.csv", text, data);
  write_file("measured.yaml", "measured:\n  weight: 1\n", input);
  snprintf(override, sizeof override, "measured.file=%s", data);
  snprintf(other, sizeof other, "%s", more);
  PetscErrorCode rc = mt_input_read(PETSC_COMM_WORLD, input, 2, (char *[]){override, other}, tables, &in);
  assert_int_equal(rc, 0);
  rc = mt_measured_read(PETSC_COMM_WORLD, in, m);
  mt_input_destroy(&in);
  MPI_Barrier(PETSC_COMM_WORLD);
  return rc;
}

static void refuse(const char *text, const char *more, const char *why) {
  MtMeasured m;
  assert_refused(load(text, more, &m), why);
}

static void test_file(void **state) {
  (void)state;
  MtMeasured m;
  assert_int_equal(
      load("# a sample\nmu0_Hext_T, x, J_T\n-1,0,-0.5\n\n0;0;1.25\n 2 \t 0  1.5\n", "measured.field_unit=mT", &m), 0);
  assert_int_equal(m.n, 3); /* was rising */
  near(m.H[0], 2e-3, 1e-15);
  near(m.J[0], 1.5, 0);
  near(m.H[2], -1e-3, 1e-15);
  near(m.J[1], 1.25, 0);
  mt_measured_free(&m);
  refuse("mu0_Hext_T,J\n1,2\n", "measured.weight=1", "no column J_T; did you mean J?");
  refuse("mu0_Hext_T,J_T\n1,2\n0,1x\n", "measured.weight=1", "measured.csv:3: no number in column 2");
  refuse("mu0_Hext_T,J_T\n1,2\n0\n", "measured.weight=1", ":3: no number in column 2");
  refuse("mu0_Hext_T,J_T\n1,2\n0,1\n", "measured.weight=1", "holds 2 points");
  refuse("mu0_Hext_T,J_T\n1,2\n0,1\n1,0.5\n0.5,1\n", "measured.weight=1", "goes back and forth");
  refuse("mu0_Hext_T,J_T\n1,2\n1,1\n1,0.5\n", "measured.weight=1", "all points have the field 1 T");
  refuse("", "measured.weight=1", "holds 0 points");
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_square), cmocka_unit_test(test_parallel),
                                     cmocka_unit_test(test_shared), cmocka_unit_test(test_file)};
  if (PetscInitialize(&argc, &argv, NULL, NULL) || mt_error_install()) return 1;
  int rank, failed = folder_make(folder, &rank) || cmocka_run_group_tests(tests, NULL, NULL);
  char path[128];
  for (int k = 0; k < 2 && rank == 0; k++) {
    snprintf(path, sizeof path, "%s/%s", folder, k ? "measured.csv" : "measured.yaml");
    unlink(path);
  }
  if (rank == 0) rmdir(folder);
  return PetscFinalize() ? 1 : failed;
}
