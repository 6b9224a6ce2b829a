/* ranks: 1 2 4 */
/* P1 is exact on linear fields; operators are symmetric, adjoint, and the same bits on any number of ranks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ball.h"
#include "magtwin/fem.h"

static const Ball ball = {.n = 6, .s0 = 2.0 / 3, .a = {10, 12, 9}, .R = 20};
static char path[64];
static MtMesh *mesh;
static double *coef; /* 1 + region, 0 in the air */
static bool *member;

static int setup(void **state) {
  (void)state;
  if (ball_mesh(PETSC_COMM_WORLD, &ball, path, &mesh)) return 1;
  PetscMalloc1(mesh->nt_local, &coef);
  PetscCalloc1(mesh->nv_local, &member);
  double *flag;
  PetscCalloc1(mesh->nv_local, &flag);
  for (PetscInt t = 0; t < mesh->nt_local; t++) {
    coef[t] = mesh->region[t] == 0 ? 1.5 : 0;
    for (int k = 0; k < 4; k++)
      if (coef[t] != 0) flag[mesh->tet[4 * t + k]] = 1;
  }
  mt_mesh_ghosts(mesh, 1, flag);
  for (PetscInt i = 0; i < mesh->nv_local; i++) member[i] = flag[i] != 0;
  return PetscFree(flag);
}

static int teardown(void **state) {
  (void)state;
  PetscFree(coef);
  PetscFree(member);
  return mt_mesh_destroy(&mesh);
}

static void gradients_are_exact(void **state) {
  (void)state;
  const double x[4][3] = {{.1, .2, -.3}, {1.1, .3, .2}, {.2, 1.4, .1}, {.3, .1, 1.2}}, a[3] = {1.5, -2, .7};
  double grad[4][3], volume, g[3] = {0};
  mt_fem_tet(x, grad, &volume);
  assert_float_equal(volume, mt_tet_volume(x), 1e-15);
  for (int i = 0; i < 4; i++)
    for (int c = 0; c < 3; c++) g[c] += (2 + a[0] * x[i][0] + a[1] * x[i][1] + a[2] * x[i][2]) * grad[i][c];
  for (int c = 0; c < 3; c++) assert_float_equal(g[c], a[c], 1e-13);
}

/* Vec of rows with f(file id, x). */
static Vec nodal(double (*f)(int64_t, const double *)) {
  Vec v;
  PetscScalar *a;
  VecCreateMPI(PETSC_COMM_WORLD, mesh->nv_owned, PETSC_DETERMINE, &v);
  VecGetArray(v, &a);
  for (PetscInt i = 0; i < mesh->nv_owned; i++) a[i] = f(mesh->vid[i], mesh->x + 3 * i);
  VecRestoreArray(v, &a);
  return v;
}
static double one(int64_t id, const double *x) {
  return (void)id, (void)x, 1;
}
static double linear(int64_t id, const double *x) {
  return (void)id, 3 + 2 * x[0] - x[1] + .5 * x[2];
}
static double rough(int64_t id, const double *x) {
  return (void)x, sin(1.7 * (double)id);
}

static void stiffness_kills_constants_and_measures_linear_fields(void **state) {
  (void)state;
  Mat K;
  Vec u = nodal(one), v = nodal(linear), y;
  PetscReal norm, energy, scale;
  assert_int_equal(mt_fem_stiffness(mesh, NULL, coef, &K), 0);
  VecDuplicate(u, &y);
  MatMult(K, u, y);
  VecNorm(y, NORM_INFINITY, &norm);
  MatNorm(K, NORM_INFINITY, &scale);
  assert_true(norm < 1e-14 * scale);
  MatMult(K, v, y);
  VecDot(v, y, &energy); /* 1.5 |grad|^2 V of the 20 x 24 x 18 box */
  assert_float_equal(energy / (1.5 * 5.25 * 20 * 24 * 18), 1, 1e-12);
  PetscBool symmetric;
  Mat T;
  MatTranspose(K, MAT_INITIAL_MATRIX, &T);
  MatEqual(K, T, &symmetric); /* to the bit */
  assert_true(symmetric);
  MatDestroy(&T);
  MatDestroy(&K);
  VecDestroy(&u);
  VecDestroy(&v);
  VecDestroy(&y);
}

/* PETSc's own product for several components is the oracle. */
static void threefold_is_the_matrix_on_each_component(void **state) {
  (void)state;
  Mat K, A, maij;
  Vec x, y, z;
  PetscReal apart, size;
  PetscInt first, last;
  PetscScalar *a;
  assert_int_equal(mt_fem_stiffness(mesh, NULL, coef, &K), 0);
  assert_int_equal(mt_fem_threefold(K, &A), 0);
  MatCreateMAIJ(K, 3, &maij);
  MatCreateVecs(maij, &x, &y);
  VecDuplicate(y, &z);
  VecGetOwnershipRange(x, &first, &last);
  VecGetArray(x, &a);
  for (PetscInt i = first; i < last; i++) a[i - first] = sin(1.3 * i);
  VecRestoreArray(x, &a);
  MatMult(maij, x, y);
  MatMult(A, x, z);
  VecNorm(y, NORM_INFINITY, &size);
  VecAXPY(z, -1, y);
  VecNorm(z, NORM_INFINITY, &apart);
  assert_true(size > 0 && apart < 1e-14 * size);
  MatDestroy(&K); /* A keeps it */
  MatMult(A, x, z);
  MatDestroy(&A);
  MatDestroy(&maij);
  VecDestroy(&x);
  VecDestroy(&y);
  VecDestroy(&z);
}

static void lumped_weights_add_up_to_the_volume(void **state) {
  (void)state;
  MtNodes *nodes;
  assert_int_equal(mt_nodes_create(mesh, member, &nodes), 0);
  assert_true(nodes->n_global == 125);
  double *w, sum = 0, all;
  PetscMalloc1(nodes->n_owned, &w);
  assert_int_equal(mt_fem_lumped(mesh, nodes, coef, w), 0);
  for (PetscInt i = 0; i < nodes->n_owned; i++) sum += w[i];
  MPI_Allreduce(&sum, &all, 1, MPI_DOUBLE, MPI_SUM, PETSC_COMM_WORLD);
  assert_float_equal(all, 1.5 * 20 * 24 * 18, 1e-9);
  PetscFree(w);
  assert_int_equal(mt_nodes_destroy(&nodes), 0);
}

/* G = D^T, and (grad v, m) of v linear and m uniform is exact. */
static void divergence_and_gradient_are_adjoint(void **state) {
  (void)state;
  MtNodes *nodes;
  Mat D, G;
  Vec m, b, g, v = nodal(linear), r = nodal(rough);
  PetscReal dm, gm, exact = 1.5 * 20 * 24 * 18 * (2 * .3 - .4 + .5 * .5);
  assert_int_equal(mt_nodes_create(mesh, member, &nodes), 0);
  assert_int_equal(mt_fem_divergence(mesh, nodes, coef, &D, &G), 0);
  MatCreateVecs(D, &m, &b);
  VecDuplicate(m, &g);
  PetscScalar *a;
  VecGetArray(m, &a);
  for (PetscInt i = 0; i < 3 * nodes->n_owned; i++) a[i] = i % 3 == 0 ? .3 : i % 3 == 1 ? .4 : .5;
  VecRestoreArray(m, &a);
  MatMult(D, m, b);
  VecDot(v, b, &dm);
  assert_float_equal(dm / exact, 1, 1e-12);
  MatMult(G, v, g);
  VecDot(m, g, &gm);
  assert_float_equal(gm / exact, 1, 1e-12);
  MatMult(G, r, g);
  VecDot(g, m, &gm);
  VecDot(b, r, &dm);
  assert_float_equal(gm, dm, 1e-9 * fabs(exact));
  MatDestroy(&D);
  MatDestroy(&G);
  VecDestroy(&m);
  VecDestroy(&b);
  VecDestroy(&g);
  VecDestroy(&v);
  VecDestroy(&r);
  assert_int_equal(mt_nodes_destroy(&nodes), 0);
}

/* The entries of a row, found on one rank from the whole mesh, are those of the owner to the bit. */
static void entries_do_not_depend_on_the_ranks(void **state) {
  (void)state;
  MtMesh *whole;
  Mat K, S;
  char alone[80];
  int rank;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  snprintf(alone, sizeof alone, "%d_%s", rank, path);
  assert_int_equal(ball_mesh(PETSC_COMM_SELF, &ball, alone, &whole), 0);
  double *air;
  PetscMalloc1(whole->nt_local, &air);
  for (PetscInt t = 0; t < whole->nt_local; t++) air[t] = whole->region[t] == 0 ? 1.5 : 0;
  assert_int_equal(mt_fem_stiffness(whole, NULL, air, &S), 0);
  assert_int_equal(mt_fem_stiffness(mesh, NULL, coef, &K), 0);
  for (PetscInt i = 0; i < mesh->nv_owned; i++)
    for (PetscInt j = 0; j < mesh->nv_local; j++) {
      PetscInt row = (PetscInt)mesh->vid[i], col = (PetscInt)mesh->vid[j];
      PetscScalar a, b;
      MatGetValues(K, 1, mesh->row + i, 1, mesh->row + j, &a);
      MatGetValues(S, 1, &row, 1, &col, &b);
      assert_true(a == b);
    }
  PetscFree(air);
  MatDestroy(&S);
  MatDestroy(&K);
  assert_int_equal(mt_mesh_destroy(&whole), 0);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gradients_are_exact),
      cmocka_unit_test(stiffness_kills_constants_and_measures_linear_fields),
      cmocka_unit_test(threefold_is_the_matrix_on_each_component),
      cmocka_unit_test(lumped_weights_add_up_to_the_volume),
      cmocka_unit_test(divergence_and_gradient_are_adjoint),
      cmocka_unit_test(entries_do_not_depend_on_the_ranks),
  };
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int size;
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  snprintf(path, sizeof path, "test_fem_%d.h5", size);
  int failed = cmocka_run_group_tests(tests, setup, teardown);
  PetscFinalize();
  return failed;
}
