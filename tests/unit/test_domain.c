/* ranks: 1 2 3 */
/* Domains of triangles and tetrahedra on any number of ranks, their fields in files; cuts of simplices; formulas. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "folder.h"
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/phasefield.h"
#include "near.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64] = "/tmp/magtwin_phasefield_XXXXXX";
static int rank;

static int make_folder(void **state) {
  (void)state;
  return folder_make(folder, &rank);
}

static int remove_folder(void **state) {
  (void)state;
  MPI_Barrier(PETSC_COMM_WORLD);
  return rank == 0 ? rmdir(folder) : 0;
}

static void test_formula(void **state) {
  char why[200];
  const double at[MT_NVARS] = {2, 3, 5, 7};
  static const struct {
    const char *text;
    double value;
  } good[] = {{"-2^2", -4},
              {"2^-2 + 2^3^2", 512.25},
              {"a = x*y; b = a^2; b - z/t", 36 - 5 / 7.},
              {"min(x, y)*step(z - 5) - step(4 - z)", 2},
              {"tanh((y - 3)/sqrt(2*.1)) + cos(pi)", -1}};
  static const char *const bad[] = {"",   "2 +", "sin 3", "q + 1", "x = 3; x", "a = 3; a = 4; a",
                                    "(1", "1)",  "1 2",   "a = 3"};
  (void)state;
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    MtFormula *f = mt_formula_read(good[i].text, why);
    assert_non_null(f);
    assert_near(mt_formula_value(f, at), good[i].value, 1e-14);
    mt_formula_free(&f);
  }
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_null(mt_formula_read(bad[i], why));
  char deep[2001];
  memset(deep, '(', 2000);
  deep[2000] = 0;
  assert_null(mt_formula_read(deep, why));
}

/* Against the exact volume of {x: n.x > d} in the simplex, by adding both sides and by the derivative in the level. */
static void test_cut(void **state) {
  const double x[4][3] = {{0, 0, 0}, {1, .1, 0}, {.2, 1.3, 0}, {.1, .2, .9}};
  (void)state;
  for (int dim = 2; dim <= 3; dim++) {
    double grad[4][3], volume, g[3] = {0, 0, 0};
    const double u[4] = {.1, .9, .4, .6};
    mt_simplex(dim, x, grad, &volume);
    for (int k = 0; k <= dim; k++)
      for (int c = 0; c < 3; c++) g[c] += u[k] * grad[k][c];
    const double slope = sqrt(g[0] * g[0] + g[1] * g[1] + g[2] * g[2]);
    for (double level = .15; level < .9; level += .1) {
      double above, cut, more, less, unused, below;
      const double minus[4] = {-u[0], -u[1], -u[2], -u[3]};
      mt_simplex_cut(dim, x, u, level, &above, &cut);
      mt_simplex_cut(dim, x, minus, -level, &below, &unused);
      assert_near(above + below, volume, 1e-14);
      mt_simplex_cut(dim, x, u, level - 1e-6, &more, &unused);
      mt_simplex_cut(dim, x, u, level + 1e-6, &less, &unused);
      assert_near((more - less) / 2e-6, cut / slope, 1e-5 * cut / slope); /* coarea formula */
    }
  }
}

static MtBox box_of(int dim, int64_t n, double size, bool periodic) {
  MtBox b = {.dim = dim};
  for (int c = 0; c < dim; c++) {
    b.cells[c] = n + c;
    b.size[c] = size * (1 + .2 * c);
    b.periodic[c] = periodic && c != 1;
  }
  return b;
}

/* Nodes and, twice, the edges along the axes: K of a box has no other entries. */
static double entries_of(const MtBox *b) {
  double nodes = 1, share = 1;
  for (int c = 0; c < b->dim; c++) {
    const double n = (double)(b->cells[c] + !b->periodic[c]);
    nodes *= n;
    share += 2 * (double)b->cells[c] / n;
  }
  return nodes * share;
}

/* Weights add up to the volume; linear functions have the energy |grad|^2 V/2, constants none. */
static void test_domain(void **state) {
  (void)state;
  for (int k = 0; k < 4; k++) {
    const MtBox b = box_of(k < 2 ? 2 : 3, 5, 2, k % 2);
    MtDomain *d;
    Mat K;
    Vec w, u, v;
    PetscScalar sum, *a, e;
    int64_t count = 0, nodes = 1;
    MatInfo info;
    assert_int_equal(mt_domain_box(PETSC_COMM_WORLD, &b, &d), 0);
    assert_int_equal(mt_domain_operators(d, &K, &w), 0);
    VecSum(w, &sum);
    assert_near(sum, d->volume, 1e-13 * d->volume);
    for (int c = 0; c < b.dim; c++) nodes *= b.cells[c] + !b.periodic[c];
    assert_int_equal(d->n_global, nodes);
    MatGetInfo(K, MAT_GLOBAL_SUM, &info);
    assert_near(info.nz_used, entries_of(&b), 1e-9);
    for (PetscInt i = 0; i < d->ne; i++) count += d->element_owned[i];
    MPI_Allreduce(MPI_IN_PLACE, &count, 1, MPI_INT64_T, MPI_SUM, PETSC_COMM_WORLD);
    assert_int_equal(count, d->ne_global);
    MatCreateVecs(K, &u, &v);
    VecGetArray(u, &a);
    for (PetscInt i = 0; i < d->n_owned; i++) a[i] = 3 * d->x[3 * i + 1] + 1; /* y is never periodic here */
    VecRestoreArray(u, &a);
    MatMult(K, u, v);
    VecDot(u, v, &e);
    assert_near(e, 9 * d->volume, 1e-11 * d->volume);
    VecDestroy(&u);
    VecDestroy(&v);
    VecDestroy(&w);
    MatDestroy(&K);
    assert_int_equal(mt_domain_destroy(&d), 0);
  }
}

/* A field goes to a file by id and comes back; the file does not depend on the ranks. */
static void test_files(void **state) {
  const MtBox b = box_of(3, 4, 2, true);
  MtDomain *d;
  MtH5 *f;
  Mat K;
  Vec w, u;
  PetscScalar *a;
  char path[80];
  int64_t n;
  double *all;
  (void)state;
  snprintf(path, sizeof path, "%s/field.h5", folder);
  assert_int_equal(mt_domain_box(PETSC_COMM_WORLD, &b, &d), 0);
  assert_int_equal(mt_domain_operators(d, &K, &w), 0);
  VecDuplicate(w, &u);
  VecGetArray(u, &a);
  for (PetscInt i = 0; i < d->n_owned; i++) a[i] = 2. * (double)d->id[i] + 1;
  VecRestoreArray(u, &a);
  assert_int_equal(mt_h5_create(PETSC_COMM_WORLD, path, "magtwin-fields", 1, &f), 0);
  assert_int_equal(mt_domain_write(d, f, "/c", u, "1"), 0);
  assert_int_equal(mt_h5_commit(&f, false), 0);
  assert_int_equal(mt_h5_open(PETSC_COMM_WORLD, path, "magtwin-fields", 1, &f), 0);
  assert_int_equal(mt_h5_read_all(f, "/c", H5T_NATIVE_DOUBLE, 1, &n, (void **)&all), 0);
  assert_int_equal(n, d->n_global);
  for (int64_t i = 0; i < n; i++) assert_near(all[i], 2. * (double)i + 1, 0);
  VecZeroEntries(u);
  assert_int_equal(mt_domain_read(d, f, "/c", u), 0);
  VecGetArray(u, &a);
  for (PetscInt i = 0; i < d->n_owned; i++) assert_near(a[i], 2. * (double)d->id[i] + 1, 0);
  VecRestoreArray(u, &a);
  mt_h5_close(&f);
  free(all);
  VecDestroy(&u);
  VecDestroy(&w);
  MatDestroy(&K);
  mt_domain_destroy(&d);
  MPI_Barrier(PETSC_COMM_WORLD);
  if (rank == 0) remove(path);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_formula),
      cmocka_unit_test(test_cut),
      cmocka_unit_test(test_domain),
      cmocka_unit_test(test_files),
  };
  if (PetscInitialize(&argc, &argv, NULL, NULL) || mt_error_install()) return 1;
  const int failed = cmocka_run_group_tests(tests, make_folder, remove_folder);
  return PetscFinalize() || failed;
}
