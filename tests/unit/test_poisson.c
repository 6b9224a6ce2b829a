/* ranks: 1 2 */
/* The open-boundary potential: demagnetizing factors of bodies whose value is known, symmetry, independence of the
 * sphere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ball.h"
#include "magtwin/error.h"
#include "magtwin/fem.h"

static char path[64];

typedef struct {
  MtMesh *mesh;
  MtNodes *nodes;
  Mat D, G;
  MtPoisson *p;
  double volume;
  Vec m, b, u;
} Body;

static void body_create(const Ball *ball, int modes, Body *y) {
  double *coef, *flag;
  bool *member;
  assert_int_equal(ball_mesh(PETSC_COMM_WORLD, ball, path, &y->mesh), 0);
  MtMesh *mesh = y->mesh;
  PetscCalloc1(mesh->nt_local, &coef);
  PetscCalloc1(mesh->nv_local, &flag);
  PetscCalloc1(mesh->nv_local, &member);
  for (PetscInt t = 0; t < mesh->nt_local; t++)
    for (int k = 0; k < 4 && mesh->region[t] == 0; k++) flag[mesh->tet[4 * t + k]] = coef[t] = 1;
  mt_mesh_ghosts(mesh, 1, flag);
  for (PetscInt i = 0; i < mesh->nv_local; i++) member[i] = flag[i] != 0;
  assert_int_equal(mt_nodes_create(mesh, member, &y->nodes), 0);
  assert_int_equal(mt_fem_divergence(mesh, y->nodes, coef, &y->D, &y->G), 0);
  assert_int_equal(mt_poisson_create(mesh, modes, &y->p), 0);
  MatCreateVecs(y->D, &y->m, &y->b);
  assert_int_equal(mt_poisson_create_vec(y->p, &y->u), 0);
  y->volume = mesh->regions.volume[0];
  PetscFree(coef);
  PetscFree(flag);
  PetscFree(member);
}

static void body_destroy(Body *y) {
  MatDestroy(&y->D);
  MatDestroy(&y->G);
  VecDestroy(&y->m);
  VecDestroy(&y->b);
  VecDestroy(&y->u);
  mt_poisson_destroy(&y->p);
  mt_nodes_destroy(&y->nodes);
  mt_mesh_destroy(&y->mesh);
}

static PetscInt solve_uniform(Body *y, const double m[3], double rtol) {
  PetscScalar *a;
  PetscInt its;
  VecGetArray(y->m, &a);
  for (PetscInt i = 0; i < 3 * y->nodes->n_owned; i++) a[i] = m[i % 3];
  VecRestoreArray(y->m, &a);
  MatMult(y->D, y->m, y->b);
  VecZeroEntries(y->u);
  assert_int_equal(mt_poisson_solve(y->p, y->b, y->u, rtol, 0, &its), 0);
  return its;
}

/* Energy of the field / (Js^2 V / 2 mu0). */
static double factor(Body *y, const double m[3]) {
  PetscScalar e;
  solve_uniform(y, m, 1e-9);
  VecDot(y->b, y->u, &e);
  return e / y->volume;
}

static double factor_of(const Ball *ball, int modes, int axis) {
  Body y;
  double m[3] = {axis == 0, axis == 1, axis == 2};
  body_create(ball, modes, &y);
  const double n = factor(&y, m);
  body_destroy(&y);
  return n;
}

static const double x_axis[3] = {1, 0, 0}, y_axis[3] = {0, 1, 0}, z_axis[3] = {0, 0, 1};

/* With the changes of two solutions kept, a sum of the two needs no iteration; forgotten, it does. */
static void sums_of_solutions_are_remembered(void **state) {
  (void)state;
  const Ball ball = {.n = 12, .s0 = 2.0 / 3, .a = {10}, .round = true, .R = 13};
  const double sum[3] = {1, 2, 0};
  Body y;
  body_create(&ball, 4, &y);
  assert_int_equal(mt_poisson_remember(y.p, 4), 0);
  assert_true(solve_uniform(&y, x_axis, 1e-9) > 0);
  assert_true(solve_uniform(&y, y_axis, 1e-9) > 0);
  assert_int_equal(solve_uniform(&y, sum, 1e-7), 0);
  assert_int_equal(mt_poisson_remember(y.p, 4), 0);
  assert_true(solve_uniform(&y, sum, 1e-7) > 0);
  body_destroy(&y);
}

static void sphere_has_one_third(void **state) {
  (void)state;
  const Ball ball = {.n = 24, .s0 = 2.0 / 3, .a = {10}, .round = true, .R = 13};
  const double n = factor_of(&ball, 7, 2);
  print_message("sphere: %.6f\n", n);
  assert_float_equal(3 * n, 1, .02); /* 16 bricks across */
}

/* Order 2 in h. */
static void sphere_error_falls_with_the_square_of_h(void **state) {
  (void)state;
  const Ball coarse = {.n = 12, .s0 = 2.0 / 3, .a = {10}, .round = true, .R = 13};
  Ball fine = coarse;
  fine.n = 24;
  const double a = 3 * factor_of(&coarse, 7, 0) - 1, b = 3 * factor_of(&fine, 7, 0) - 1;
  print_message("sphere errors: %.3e %.3e, order %.2f\n", a, b, log2(a / b));
  assert_in_range((int)(100 * log2(a / b)), 160, 240);
}

static void cube_has_one_third_along_every_axis(void **state) {
  (void)state;
  const Ball ball = {.n = 18, .s0 = 2.0 / 3, .a = {10, 10, 10}, .R = 20};
  Body y;
  body_create(&ball, 7, &y);
  const double n[3] = {factor(&y, x_axis), factor(&y, y_axis), factor(&y, z_axis)};
  print_message("cube: %.6f %.6f %.6f\n", n[0], n[1], n[2]);
  assert_float_equal(n[0], n[1], 1e-6); /* the six tets of a brick look the same along each axis */
  assert_float_equal(n[0], n[2], 1e-6);
  assert_float_equal(3 * n[0], 1, .03);
  body_destroy(&y);
}

/* A. Aharoni, J. Appl. Phys. 83 (1998) 3432: prism 2x1x1, .198316 along the long axis, .400842 across. */
static void prism_has_aharonis_factor(void **state) {
  (void)state;
  const Ball ball = {.n = 18, .s0 = 2.0 / 3, .a = {20, 10, 10}, .R = 30};
  Body y;
  body_create(&ball, 7, &y);
  const double n[3] = {factor(&y, x_axis), factor(&y, y_axis), factor(&y, z_axis)};
  print_message("prism 2x1x1: %.6f %.6f %.6f\n", n[0], n[1], n[2]);
  assert_float_equal(n[0] / .198316, 1, .05);
  assert_float_equal(n[1] / .400842, 1, .05);
  assert_float_equal(n[2] / .400842, 1, .05);
  body_destroy(&y);
}

/* The closure makes the radius irrelevant (air equally fine in both); what is left is the error of the elements, about
 * 1 %. */
static void radius_does_not_matter(void **state) {
  (void)state;
  const Ball near = {.n = 18, .s0 = 2.0 / 3, .a = {10, 10, 10}, .R = 18},
             far = {.n = 24, .s0 = .5, .a = {10, 10, 10}, .R = 26};
  const double a = factor_of(&near, 7, 2), b = factor_of(&far, 7, 2);
  print_message("cube R 18: %.6f, R 26: %.6f\n", a, b);
  assert_float_equal(a / b, 1, .01);
}

/* A cube's quadrupole vanishes, its next poles are small: the modes are seen on a long bar close to the sphere. */
static void modes_matter_on_a_close_sphere(void **state) {
  (void)state;
  const Ball bar = {.n = 18, .s0 = 2.0 / 3, .a = {20, 10, 10}, .R = 25};
  const double n0 = factor_of(&bar, 0, 0), n4 = factor_of(&bar, 4, 0), n7 = factor_of(&bar, 7, 0);
  print_message("bar 2x1x1, R = 1.02 radii: modes 0 %.6f, 4 %.6f, 7 %.6f\n", n0, n4, n7);
  assert_true(fabs(n4 - n7) < .2 * fabs(n0 - n7));
}

static void operator_is_symmetric(void **state) {
  (void)state;
  const Ball ball = {.n = 12, .s0 = 2.0 / 3, .a = {10, 10, 10}, .R = 20};
  Body y;
  Vec v, w, Av, Aw;
  PetscScalar a, b, norm;
  body_create(&ball, 4, &y);
  VecDuplicate(y.u, &v);
  VecDuplicate(y.u, &w);
  VecDuplicate(y.u, &Av);
  VecDuplicate(y.u, &Aw);
  PetscScalar *va, *wa;
  VecGetArray(v, &va);
  VecGetArray(w, &wa);
  for (PetscInt i = 0; i < y.mesh->nv_owned; i++) {
    va[i] = sin(.7 * (double)y.mesh->vid[i]);
    wa[i] = cos(1.3 * (double)y.mesh->vid[i]);
  }
  VecRestoreArray(v, &va);
  VecRestoreArray(w, &wa);
  mt_poisson_apply(y.p, v, Av);
  mt_poisson_apply(y.p, w, Aw);
  VecDot(w, Av, &a);
  VecDot(v, Aw, &b);
  VecDot(v, Av, &norm);
  assert_true(norm > 0);
  assert_float_equal(a, b, 1e-12 * norm);
  VecDestroy(&v);
  VecDestroy(&w);
  VecDestroy(&Av);
  VecDestroy(&Aw);
  body_destroy(&y);
}

/* On the exact sphere the harmonics are orthogonal. */
static void harmonics_are_orthogonal(void **state) {
  (void)state;
  enum { L = 5, N = (L + 1) * (L + 1), NT = 64, NP = 16 };
  void mt_harmonics(int, const double *, double *);
  double gram[N][N] = {{0}};
  for (int i = 0; i < NT; i++)
    for (int j = 0; j < NP; j++) {
      /* midpoint rule in z with error 1/NT^2, exact in phi */
      const double z = -1 + (2 * i + 1.0) / NT, phi = 2 * 3.14159265358979323846 * j / NP, s = sqrt(1 - z * z);
      const double p[3] = {s * cos(phi), s * sin(phi), z};
      double y[N];
      mt_harmonics(L, p, y);
      for (int a = 0; a < N; a++)
        for (int b = 0; b < N; b++) gram[a][b] += y[a] * y[b] / (NT * NP);
    }
  for (int a = 0; a < N; a++)
    for (int b = 0; b < N; b++) assert_float_equal(gram[a][b] / sqrt(gram[a][a] * gram[b][b]), a == b, 2e-2);
}

static void same_bits_twice_and_work_is_counted(void **state) {
  (void)state;
  const Ball ball = {.n = 12, .s0 = 2.0 / 3, .a = {10, 10, 10}, .R = 20};
  Body y, z;
  const double m[3] = {.6, 0, .8};
  PetscBool same;
  body_create(&ball, 7, &y);
  body_create(&ball, 7, &z);
  const PetscInt a = solve_uniform(&y, m, 1e-8), b = solve_uniform(&z, m, 1e-8);
  assert_int_equal(a, b);
  VecEqual(y.u, z.u, &same);
  assert_true(same);
  const MtPoissonCount c = mt_poisson_count(y.p);
  print_message("%d nodes: %d iterations, %.1f products, operator complexity %.2f\n", (int)y.mesh->nv_global, (int)a,
                c.spmv, c.operator_complexity);
  assert_true(c.solves == 1 && c.iterations == a && c.spmv > a && c.operator_complexity > 1 && a < 30);
  PetscInt its;
  assert_int_equal(mt_poisson_solve(y.p, y.b, y.u, 1e-7, 0, &its), 0); /* from the solution: nothing to do */
  assert_int_equal(its, 0);
  VecZeroEntries(y.b);
  assert_int_equal(mt_poisson_solve(y.p, y.b, y.u, 1e-8, 0, &its), 0);
  PetscReal norm;
  VecNorm(y.u, NORM_2, &norm);
  assert_true(norm == 0 && its == 0);
  body_destroy(&y);
  body_destroy(&z);
}

/* Another preconditioner by option, the same potential. */
static void the_librarys_cycle_gives_the_same(void **state) {
  (void)state;
  const Ball ball = {.n = 12, .s0 = 2.0 / 3, .a = {10, 10, 10}, .R = 20};
  Body own, other;
  const double m[3] = {.6, 0, .8};
  PetscReal size, apart;
  body_create(&ball, 7, &own);
#if defined(PETSC_HAVE_HYPRE)
  PetscOptionsSetValue(NULL, "-demag_pc_type", "hypre");
#else
  PetscOptionsSetValue(NULL, "-demag_pc_type", "bjacobi");
#endif
  body_create(&ball, 7, &other);
  PetscOptionsClearValue(NULL, "-demag_pc_type");
  const PetscInt a = solve_uniform(&own, m, 1e-8), b = solve_uniform(&other, m, 1e-8);
  VecNorm(own.u, NORM_2, &size);
  VecAXPY(other.u, -1, own.u);
  VecNorm(other.u, NORM_2, &apart);
  print_message("%d iterations, %d with the library's cycle, apart by %.1e\n", (int)a, (int)b, apart / size);
  assert_true(size > 0 && apart < 2e-8 * size && apart > 0);
  body_destroy(&own);
  body_destroy(&other);
}

static void mesh_without_air_or_nodes_is_refused(void **state) {
  (void)state;
  const Ball bare = {.n = 4, .s0 = 1, .a = {10, 10, 10}, .R = 20},
             coarse = {.n = 4, .s0 = .5, .a = {10, 10, 10}, .R = 20};
  MtMesh *mesh;
  MtPoisson *p;
  PetscPushErrorHandler(PetscReturnErrorHandler, NULL);
  assert_int_equal(ball_mesh(PETSC_COMM_WORLD, &bare, path, &mesh), 0);
  assert_int_equal(mt_poisson_create(mesh, 7, &p), MT_ERR_INPUT);
  mt_mesh_destroy(&mesh);
  mt_error_clear();
  assert_int_equal(ball_mesh(PETSC_COMM_WORLD, &coarse, path, &mesh), 0);
  assert_int_equal(mt_poisson_create(mesh, 20, &p), MT_ERR_INPUT);
  assert_non_null(strstr(mt_error_message(), "too few nodes for 20 modes"));
  mt_mesh_destroy(&mesh);
  mt_error_clear();
  PetscPopErrorHandler();
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sums_of_solutions_are_remembered),
      cmocka_unit_test(sphere_has_one_third),
      cmocka_unit_test(sphere_error_falls_with_the_square_of_h),
      cmocka_unit_test(cube_has_one_third_along_every_axis),
      cmocka_unit_test(prism_has_aharonis_factor),
      cmocka_unit_test(radius_does_not_matter),
      cmocka_unit_test(modes_matter_on_a_close_sphere),
      cmocka_unit_test(operator_is_symmetric),
      cmocka_unit_test(harmonics_are_orthogonal),
      cmocka_unit_test(same_bits_twice_and_work_is_counted),
      cmocka_unit_test(the_librarys_cycle_gives_the_same),
      cmocka_unit_test(mesh_without_air_or_nodes_is_refused),
  };
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int size;
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  snprintf(path, sizeof path, "test_poisson_%d.h5", size);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscFinalize();
  return failed;
}
