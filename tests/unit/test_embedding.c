/* ranks: 1 2 */
/* A cut-out of a larger sample: demagnetizing factors of the meshed body, and the mean field that replaces those of the
 * cut-out by the sample's. */
#include "ball.h"
#include "magtwin/error.h"
#include "magtwin/loop.h"
#include "magtwin/micromagnetics.h"
#include "near.h"
#include <unistd.h>

static const MtMaterial MATERIAL[2] = {{.name = "Nd2Fe14B", .A = 7.7e-12, .Js = 1.61, .K1 = 4.3e6}, {.name = "air"}};
static const double ANISOTROPY_FIELD = 6.7125; /* T, 2 mu0 K1/Js */
static const double CLOSED[6] = {0};
static char path[64];

typedef struct {
  MtMesh *mesh;
  MtEnergy *energy;
  Vec m, g;
  double N[6];
} Body;

static void remove_partition(void) {
  char partition[96];
  int rank, size;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  snprintf(partition, sizeof partition, "%s.part%d.h5", path, size);
  if (!rank) unlink(partition);
}

static PetscErrorCode open_body(const Ball *ball, Body *b) {
  PetscCall(ball_mesh(PETSC_COMM_WORLD, ball, path, &b->mesh));
  remove_partition(); /* the next body has another */
  PetscCall(mt_energy_create(b->mesh, MATERIAL, 4, &b->energy));
  PetscCall(mt_energy_create_vec(b->energy, &b->m));
  PetscCall(VecDuplicate(b->m, &b->g));
  return mt_energy_body_factors(b->energy, b->N);
}

static PetscErrorCode close_body(Body *b) {
  PetscCall(VecDestroy(&b->m));
  PetscCall(VecDestroy(&b->g));
  PetscCall(mt_energy_destroy(&b->energy));
  return mt_mesh_destroy(&b->mesh);
}

static PetscErrorCode set_uniform(Body *b, const double d[3]) {
  PetscScalar *x;
  PetscInt n;
  PetscCall(VecGetLocalSize(b->m, &n));
  PetscCall(VecGetArray(b->m, &x));
  for (PetscInt i = 0; i < n; i++) x[i] = d[i % 3];
  return VecRestoreArray(b->m, &x);
}

/* A sphere has 1/3 in every direction; embedded in a sphere nothing is left of its mean stray field but rounding, in a
 * closed circuit neither energy nor mean field. */
static PetscErrorCode sphere(void) {
  const Ball ball = {.n = 16, .s0 = .5, .a = {6}, .round = true, .R = 9};
  const double d[3] = {.6, 0, .8}, third[6] = {1. / 3, 0, 0, 1. / 3, 0, 1. / 3};
  double E = 0, open = 0, along = 0, Km = MATERIAL[0].Js * MATERIAL[0].Js / (2 * MT_MU0);
  Body b;
  PetscCall(open_body(&ball, &b));
  for (int k = 0; k < 6; k++) assert_near(b.N[k], third[k], .01);
  Km *= mt_energy_volume(b.energy);
  PetscCall(set_uniform(&b, d));
  PetscCall(mt_energy_term(b.energy, MT_TERM_DEMAG, b.m, d, &open, NULL));
  assert_near(open / Km, 1. / 3, .01);
  PetscCall(mt_energy_embed(b.energy, b.N, third)); /* one sphere for another */
  PetscCall(mt_energy_term(b.energy, MT_TERM_DEMAG, b.m, d, &E, NULL));
  assert_near(E / Km, 1. / 3, 1e-6);
  PetscCall(mt_energy_embed(b.energy, b.N, CLOSED));
  PetscCall(mt_energy_term(b.energy, MT_TERM_DEMAG, b.m, d, &E, b.g));
  assert_near(E / Km, 0, 1e-6);
  PetscCall(VecDot(b.g, b.m, &along));
  assert_near(along / Km, 0, 1e-6);
  return close_body(&b);
}
static void sphere_in_a_sphere_and_in_a_circuit(void **state) {
  (void)state;
  assert_int_equal(sphere(), 0);
}

/* A prism 1 x 1 x 2 turns as one: stiffness anisotropy field + B + (N_across - N_along) Js of the body, without that
 * in a closed circuit.  Factors: Aharoni, J. Appl. Phys. 83 (1998) 3432. */
static PetscErrorCode prism(void) {
  const Ball ball = {.n = 16, .s0 = .5, .a = {2, 2, 4}, .R = 7};
  const double L[3] = {1, 1, 2}, B[3] = {0, 0, -3}, up[3] = {0, 0, 1};
  double exact[3], open = 0, closed = 0;
  int products;
  Vec mode;
  Body b;
  mt_prism_factors(L, exact);
  PetscCall(open_body(&ball, &b));
  assert_near(b.N[0], exact[0], .02);
  assert_near(b.N[3], exact[1], .02);
  assert_near(b.N[5], exact[2], .02);
  PetscCall(VecDuplicate(b.m, &mode));
  PetscCall(set_uniform(&b, up));
  PetscCall(mt_stability_eigenvalue(b.energy, b.m, B, NULL, &open, mode, &products));
  PetscCall(mt_energy_embed(b.energy, b.N, CLOSED));
  PetscCall(mt_stability_eigenvalue(b.energy, b.m, B, NULL, &closed, mode, &products));
  PetscCall(VecDestroy(&mode));
  assert_near(open - closed, (b.N[0] - b.N[5]) * MATERIAL[0].Js,
              .004); /* the mesh's own factors, within .02 of those */
  assert_near(closed, ANISOTROPY_FIELD - 3, .02);
  return close_body(&b);
}
static void prism_loses_its_shape_anisotropy_in_a_circuit(void **state) {
  (void)state;
  assert_int_equal(prism(), 0);
}

/* Energy and derivative belong together: central differences along the derivative itself. */
static PetscErrorCode slope(void) {
  const Ball ball = {.n = 8, .s0 = .5, .a = {3, 4, 5}, .R = 9};
  const double d[3] = {.48, .6, .64}, B[3] = {.1, .2, -.3}, h = 1e-4;
  MtEnergyValues low, high, here;
  Vec moved, unused;
  double norm, gg;
  Body b;
  PetscCall(open_body(&ball, &b));
  PetscCall(mt_energy_embed(b.energy, b.N, CLOSED));
  PetscCall(set_uniform(&b, d));
  PetscCall(mt_energy_eval(b.energy, b.m, B, 1e-10, &here, b.g));
  PetscCall(VecDuplicate(b.m, &moved));
  PetscCall(VecDuplicate(b.m, &unused));
  PetscCall(VecNorm(b.g, NORM_INFINITY, &norm));
  PetscCall(VecDot(b.g, b.g, &gg));
  PetscCall(VecWAXPY(moved, h / norm, b.g, b.m));
  PetscCall(mt_energy_eval(b.energy, moved, B, 1e-10, &high, unused));
  PetscCall(VecWAXPY(moved, -h / norm, b.g, b.m));
  PetscCall(mt_energy_eval(b.energy, moved, B, 1e-10, &low, unused));
  assert_near((high.total - low.total) / (2 * h) * norm / gg, 1, 1e-6);
  PetscCall(VecDestroy(&moved));
  PetscCall(VecDestroy(&unused));
  return close_body(&b);
}
static void energy_and_derivative_agree(void **state) {
  (void)state;
  assert_int_equal(slope(), 0);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(sphere_in_a_sphere_and_in_a_circuit),
                                     cmocka_unit_test(prism_loses_its_shape_anisotropy_in_a_circuit),
                                     cmocka_unit_test(energy_and_derivative_agree)};
  int rank;
  if (PetscInitialize(&argc, &argv, NULL, NULL) || mt_error_install()) return 1;
  PetscCall(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  strcpy(path, "/tmp/mt_embedding_XXXXXX");
  if (!rank) close(mkstemp(path));
  PetscCall(MPI_Bcast(path, sizeof path, MPI_CHAR, 0, PETSC_COMM_WORLD));
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  if (!rank) unlink(path);
  return PetscFinalize() || failed;
}
