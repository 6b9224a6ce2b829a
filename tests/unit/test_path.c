/* ranks: 1 2 */
/* Minimum-energy paths and their saddles against closed forms, on one group of ranks and on several. */
#include "near.h"
#include "relax.h"

#include "../../src/micromagnetics/path_kernels.h"
#include "../../src/micromagnetics/path_method.h"

static const double AXES[1][3] = {{0, 0, 1}};
static const MtMaterial HARD = {.name = "Nd2Fe14B", .A = 7.7e-12, .Js = 1.61, .K1 = 4.3e6};
static const double ANISOTROPY_FIELD = 2 * 4.3e6 * MT_MU0 / 1.61; /* T */
static const double WALL = 4.2;                                   /* nm, pi sqrt(A/K1) */

static void geodesics_have_their_angle_and_hit_their_ends(void **state) {
  (void)state;
  const double a[3] = {0, 0, 1}, b[3] = {0, .6, .8}, down[3] = {0, 0, -1}, aside[3] = {1, 0, 0};
  double v[3], c[3];
  assert_near(mt_kernel_log(a, b, v), acos(.8), 1e-14);
  assert_near(v[1], acos(.8), 1e-14);
  assert_near(mt_kernel_log(a, down, v), MT_PI, 1e-14);
  assert_near(v[2], 0, 1e-14);
  mt_kernel_slerp(a, b, .5, c);
  assert_near(c[2], cos(.5 * acos(.8)), 1e-14);
  mt_kernel_detour(a, down, aside, .25, c);
  assert_near(c[0], sqrt(.5), 1e-14);
  assert_near(c[2], sqrt(.5), 1e-14);
  mt_kernel_detour(a, down, aside, 1, c);
  assert_near(c[2], -1, 1e-14);
  mt_kernel_detour(a, a, aside, .5, c);
  assert_near(c[2], 1, 1e-14);
}

/* One path in a brick of hard magnet, reversed from z = 0 upwards, in the field h 2 K1/Js against it. */
typedef struct {
  MtTeam team;
  MtMesh *mesh;
  MtEnergy *energy;
  MtPath path;
  double barrier, height; /* J/m3 nm3; nm of the brick */
  double lambda[2];       /* T, at the saddle */
} Case;

static PetscErrorCode start(Case *c) {
  const MtNodes *nodes = mt_energy_nodes(c->energy);
  const double up[3] = {0, 0, 1}, down[3] = {0, 0, -1}, aside[3] = {1, 0, 0};
  MtPath *p = &c->path;
  for (int i = p->start; i < p->end; i++) {
    double at = -WALL + (c->height + 2 * WALL) * i / (p->n - 1);
    PetscScalar *m;
    PetscCall(VecGetArray(p->image[i].m, &m));
    for (PetscInt k = 0; k < nodes->n_owned; k++) {
      double z = c->mesh->x[3 * nodes->node[k] + 2], t = 1 / (1 + exp(2 * (z - at) / WALL));
      mt_kernel_detour(up, down, aside, i == 0 ? 0 : i == p->n - 1 ? 1 : t, m + 3 * k);
    }
    PetscCall(VecRestoreArray(p->image[i].m, &m));
  }
  return 0;
}

static PetscErrorCode saddle(Case *c) {
  MtPath *p = &c->path;
  int products, top = mt_path_top(p);
  Vec mode;
  c->barrier = p->E[top].total - p->E[0].total;
  c->lambda[0] = c->lambda[1] = 0;
  PetscCall(VecDuplicate(p->tangent, &mode));
  if (top >= p->start && top < p->end)
    PetscCall(mt_stability_lowest(c->energy, p->image[top].m, p->B, 2, c->lambda, mode, &products));
  PetscCall(VecDestroy(&mode));
  return mt_team_share(&c->team, 2, c->lambda);
}

static const MtPathOptions OPTIONS = {.torque = 1e-3,
                                      .path_torque = 2e-2,
                                      .max_turn = .35,
                                      .demag_rtol = 1e-6,
                                      .inner_iterations = 40,
                                      .inner_rtol = .02,
                                      .max_rounds = 200};

static PetscErrorCode find_path(const Brick *b, int groups, int n, double h, Case *c) {
  MtPathEnd end = MT_PATH_GOES_ON;
  *c = (Case){.height = b->hi[2]};
  PetscCall(mt_team_create(PETSC_COMM_WORLD, groups, &c->team));
  PetscCall(brick_mesh_on(b, c->team.group, &c->mesh));
  PetscCall(mt_energy_create(c->mesh, &HARD, -1, &c->energy));
  PetscCall(mt_path_create(&c->team, c->energy, n, &OPTIONS, &c->path));
  PetscCall(start(c));
  PetscCall(mt_path_begin(&c->path, (double[3]){0, 0, -h * ANISOTROPY_FIELD}));
  while (end == MT_PATH_GOES_ON) PetscCall(mt_path_round(&c->path, &end));
  assert_int_equal(end, MT_PATH_CONVERGED);
  PetscCall(mt_path_measure(&c->path));
  return saddle(c);
}

static PetscErrorCode close_case(Case *c) {
  PetscCall(mt_path_destroy(&c->path));
  PetscCall(mt_energy_destroy(&c->energy));
  PetscCall(mt_mesh_destroy(&c->mesh));
  return mt_team_destroy(&c->team);
}

static int most_groups(void) {
  int size;
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  return size;
}

/* K V (1 - h)^2: E. C. Stoner and E. P. Wohlfarth, Phil. Trans. R. Soc. A 240 (1948) 599, field along the axis.  One
 * direction is unstable; the azimuth costs nothing. */
static void a_small_particle_turns_coherently(void **state) {
  (void)state;
  const Brick b = {.n = {2, 2, 2}, .hi = {3, 3, 3}, .nregions = 1, .axis = AXES};
  for (int groups = 1; groups <= most_groups(); groups++)
    for (int i = 0; i < 3; i++) {
      const double h = .3 * i;
      Case c;
      assert_int_equal(find_path(&b, groups, 10, h, &c), 0);
      assert_near(c.barrier / (HARD.K1 * 27), (1 - h) * (1 - h), 1e-3);
      assert_near(c.lambda[0], -ANISOTROPY_FIELD * (1 - h * h), 1e-2);
      assert_near(c.lambda[1], 0, 2e-3);
      assert_int_equal(close_case(&c), 0);
    }
}

/* From its end, half of the pair of solitons: 4 sqrt(AK) S (tanh R - h R), cosh^2 R = 1/h: H.-B. Braun, Phys. Rev.
 * Lett. 71 (1993) 3557.  h = .5 nm = .37 sqrt(A/K). */
static void a_rod_reverses_by_a_wall_from_its_end(void **state) {
  (void)state;
  const Brick b = {.n = {1, 1, 80}, .hi = {1, 1, 40}, .nregions = 1, .axis = AXES};
  static const double H[] = {.2, .7};
  for (int i = 0; i < 2; i++) {
    const double R = acosh(1 / sqrt(H[i])), E = 4 * sqrt(HARD.A * HARD.K1) * 1e9 * (tanh(R) - H[i] * R);
    Case c;
    assert_int_equal(find_path(&b, most_groups(), 12, H[i], &c), 0);
    assert_near(c.barrier, E, .01 * E);
    assert_true(c.lambda[0] < -.1 && c.lambda[1] > -2e-3);
    assert_int_equal(close_case(&c), 0);
  }
}

int main(int argc, char **argv) {
  PetscCall(PetscInitialize(&argc, &argv, NULL, NULL));
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(geodesics_have_their_angle_and_hit_their_ends),
      cmocka_unit_test(a_small_particle_turns_coherently),
      cmocka_unit_test(a_rod_reverses_by_a_wall_from_its_end),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscCall(PetscFinalize());
  return failed;
}
