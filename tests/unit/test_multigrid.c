/* ranks: 1 2 3 */
/* The multigrid cycle in single precision: symmetric, as good as the library's own, exact on its coarsest level. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "magtwin/multigrid.h"
#include <string.h>

static const MtMultigridOptions options = {.strong_threshold = 0.5};
static const MtMultigridOptions potential = {.strong_threshold = 0.35, .aggressive_levels = 1, .two_paths = true};

/* shift + the 7-point Laplacian on n^3 nodes, with conductances from 1 to 2. */
static Mat laplacian(PetscInt n, double shift) {
  Mat A;
  PetscInt first, end;
  const PetscInt step[3] = {1, n, n * n};
  MatCreate(PETSC_COMM_WORLD, &A);
  MatSetSizes(A, PETSC_DECIDE, PETSC_DECIDE, n * n * n, n * n * n);
  MatSetType(A, MATAIJ);
  MatSetUp(A);
  MatGetOwnershipRange(A, &first, &end);
  for (PetscInt i = first; i < end; i++) {
    MatSetValue(A, i, i, shift, ADD_VALUES);
    for (int c = 0; c < 3; c++) {
      const PetscInt j = i + step[c];
      const double g = 1.5 + 0.5 * sin(7.0 * (double)i);
      if (i / step[c] % n == n - 1) continue;
      const PetscInt at[2] = {i, j};
      const double block[4] = {g, -g, -g, g};
      MatSetValues(A, 2, at, 2, at, block, ADD_VALUES);
    }
  }
  MatAssemblyBegin(A, MAT_FINAL_ASSEMBLY);
  MatAssemblyEnd(A, MAT_FINAL_ASSEMBLY);
  return A;
}

static Vec wave(Mat A, double k) {
  Vec v;
  PetscInt first, end;
  MatCreateVecs(A, &v, NULL);
  VecGetOwnershipRange(v, &first, &end);
  for (PetscInt i = first; i < end; i++) VecSetValue(v, i, cos(k * (double)(i * i % 1013)), INSERT_VALUES);
  VecAssemblyBegin(v);
  VecAssemblyEnd(v);
  return v;
}

/* The options of the library, as choosing a cycle sets them. */
static void set_options(const char *prefix, const MtMultigridOptions *o, const char **type) {
  PC pc;
  PCType chosen;
  PCCreate(PETSC_COMM_WORLD, &pc);
  PCSetOptionsPrefix(pc, prefix);
  mt_multigrid_choose(pc, o);
  PCGetType(pc, &chosen);
  *type = strcmp(chosen, PCSHELL) == 0 ? "own" : "library";
  PCDestroy(&pc);
}

static void symmetric_and_positive(const char *prefix, double most) {
  Mat A = laplacian(20, 0.01);
  MtMultigrid *mg;
  Vec a = wave(A, 1), b = wave(A, 2.3), Ma, Mb;
  PetscReal ab, ba, aa, na, nb;
  VecDuplicate(a, &Ma);
  VecDuplicate(a, &Mb);
  assert_int_equal(mt_multigrid_create(A, prefix, &mg), 0);
  if (!mg) skip(); /* PETSc without hypre */
  assert_true(mt_multigrid_complexity(mg) > 1.1 && mt_multigrid_complexity(mg) < most);
  assert_int_equal(mt_multigrid_cycle(mg, a, Ma), 0);
  assert_int_equal(mt_multigrid_cycle(mg, b, Mb), 0);
  VecDot(Ma, b, &ab);
  VecDot(Mb, a, &ba);
  VecDot(Ma, a, &aa);
  VecNorm(Ma, NORM_2, &na);
  VecNorm(b, NORM_2, &nb);
  assert_true(fabs(ab - ba) < 1e-6 * na * nb);
  assert_true(aa > 0);
  mt_multigrid_destroy(&mg);
  VecDestroy(&a);
  VecDestroy(&b);
  VecDestroy(&Ma);
  VecDestroy(&Mb);
  MatDestroy(&A);
}

static void cycle_is_symmetric_and_positive(void **state) {
  (void)state;
  symmetric_and_positive("test_", 4);
  symmetric_and_positive("potential_", 2);
}

/* A second choice with the same prefix is not misled by the defaults that the first one set. */
static void options_of_a_cycle_choose_the_librarys(void **state) {
  (void)state;
  const char *type;
  PetscOptionsSetValue(NULL, "-user_pc_hypre_boomeramg_relax_type_down", "l1-Gauss-Seidel");
  set_options("user_", &options, &type);
  assert_string_equal(type, "library");
#if defined(PETSC_HAVE_HYPRE)
  PetscOptionsSetValue(NULL, "-levels_pc_hypre_boomeramg_strong_threshold", "0.25");
  for (int k = 0; k < 2; k++) {
    set_options("levels_", &options, &type);
    assert_string_equal(type, "own");
  }
#endif
}

/* Iterations of conjugate gradients to 1e-6 with this cycle, or with the library's (same levels, same smoother). */
static PetscInt iterations(Mat A, bool own, Vec x) {
  KSP ksp;
  PC pc;
  PetscInt its;
  Vec b = wave(A, 1);
  KSPCreate(PETSC_COMM_WORLD, &ksp);
  KSPSetOptionsPrefix(ksp, "test_");
  KSPSetType(ksp, KSPCG);
  KSPSetOperators(ksp, A, A);
  KSPSetTolerances(ksp, 1e-6, 0, PETSC_DEFAULT, 100);
  KSPSetNormType(ksp, KSP_NORM_UNPRECONDITIONED);
  KSPGetPC(ksp, &pc);
  if (own) {
    assert_int_equal(mt_multigrid_choose(pc, &options), 0);
  } else {
    PCSetType(pc, PCHYPRE);
    PCHYPRESetType(pc, "boomeramg");
    PCSetOptionsPrefix(pc, "test_");
    PCSetFromOptions(pc);
  }
  KSPSolve(ksp, b, x);
  KSPGetIterationNumber(ksp, &its);
  KSPDestroy(&ksp);
  VecDestroy(&b);
  return its;
}

static void as_good_as_the_librarys(void **state) {
  (void)state;
  Mat A = laplacian(24, 0);
  PetscReal size, apart;
  PetscInt own, library;
  PetscMPIInt ranks;
  Vec x, y;
  MPI_Comm_size(PETSC_COMM_WORLD, &ranks);
  MatShift(A, 1e-3);
  MatCreateVecs(A, &x, &y);
  own = iterations(A, true, x);
  library = iterations(A, false, y);
  print_message("%d iterations, the library's %d\n", (int)own, (int)library);
  /* the library's also exchanges values between ranks in the middle of a sweep */
  assert_in_range(own, 3, library + (ranks > 1));
  VecNorm(y, NORM_2, &size);
  VecAXPY(y, -1, x);
  VecNorm(y, NORM_2, &apart);
  assert_true(apart < 1e-5 * size);
  VecDestroy(&x);
  VecDestroy(&y);
  MatDestroy(&A);
}

/* Two nodes and fewer a rank: no second level, or ranks without a row on it. */
static void few_unknowns_are_solved(void **state) {
  (void)state;
  for (PetscInt n = 1; n <= 3; n++) {
    Mat A = laplacian(n, 1);
    Vec x;
    MatCreateVecs(A, &x, NULL);
    assert_in_range(iterations(A, true, x), 1, 9);
    VecDestroy(&x);
    MatDestroy(&A);
  }
}

/* Levels are scaled: entries of 1e60 are no floats, and x = A^-1 b is none either. */
static void large_matrices_are_no_matter(void **state) {
  (void)state;
  const double large = 1e60;
  Mat A = laplacian(8, 0.01);
  Vec x, y, b = wave(A, 1);
  MtMultigrid *one, *other;
  PetscReal size, apart;
  VecDuplicate(b, &x);
  VecDuplicate(b, &y);
  assert_int_equal(mt_multigrid_create(A, "test_", &one), 0);
  if (!one) skip();
  mt_multigrid_cycle(one, b, x);
  MatScale(A, large);
  assert_int_equal(mt_multigrid_create(A, "test_", &other), 0);
  mt_multigrid_cycle(other, b, y);
  VecNorm(x, NORM_2, &size);
  VecAXPY(x, -large, y);
  VecNorm(x, NORM_2, &apart);
  assert_true(size > 0 && apart < 1e-5 * size);
  mt_multigrid_destroy(&one);
  mt_multigrid_destroy(&other);
  VecDestroy(&x);
  VecDestroy(&y);
  VecDestroy(&b);
  MatDestroy(&A);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cycle_is_symmetric_and_positive), cmocka_unit_test(options_of_a_cycle_choose_the_librarys),
      cmocka_unit_test(as_good_as_the_librarys),         cmocka_unit_test(few_unknowns_are_solved),
      cmocka_unit_test(large_matrices_are_no_matter),
  };
  const char *type;
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  set_options("test_", &options, &type);
  set_options("potential_", &potential, &type);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() || failed;
}
