/* ranks: 1 2 4 */
/* Grains with nodes of their own on shared faces: the stray field does not notice, and their coupling -J m1.m2 per area
 * gives the stiffness of two coupled moments and of layers with a weakened interface. */
#include "../../src/micromagnetics/kernels.h"
#include "../../src/micromagnetics/preconditioner.h"
#include "near.h"
#include "noise.h"
#include "refused.h"
#include "relax.h"

static const double AXES[3][3] = {{0, 0, 1}, {0, 0, 1}, {0, 0, 1}};
static const double B[3] = {.3, -.2, 1.1};

typedef struct {
  MtMesh *mesh;
  MtEnergy *e;
  Vec m, g;
} Case;
static PetscErrorCode open_case(const Brick *b, const MtMaterial *material, int modes, int n, MtInterface *interface,
                                Case *c) {
  const MtEnergyExtras extras = {.ninterfaces = n, .interface = interface};
  PetscCall(brick_mesh(b, &c->mesh));
  PetscErrorCode rc = mt_energy_create_with(c->mesh, material, modes, &extras, &c->e);
  if (rc) return rc;
  PetscCall(mt_energy_create_vec(c->e, &c->m));
  return VecDuplicate(c->m, &c->g);
}
static PetscErrorCode close_case(Case *c) {
  PetscCall(VecDestroy(&c->m));
  PetscCall(VecDestroy(&c->g));
  PetscCall(mt_energy_destroy(&c->e));
  return mt_mesh_destroy(&c->mesh);
}

/* m that depends on the place alone, or is noise of each node. */
static PetscErrorCode set(Case *c, bool smooth, uint64_t seed, Vec m) {
  const MtNodes *nodes = mt_energy_nodes(c->e);
  PetscScalar *y;
  PetscCall(VecGetArray(m, &y));
  for (PetscInt i = 0; i < nodes->n_owned; i++) {
    const double *x = c->mesh->x + 3 * nodes->node[i];
    double *v = y + 3 * i, norm = 0;
    for (int k = 0; k < 3; k++) {
      v[k] = smooth ? cos(.1 * x[k] + .07 * x[(k + 1) % 3] + k) : noise(c->mesh->vid[nodes->node[i]], k, seed);
      norm += v[k] * v[k];
    }
    for (int k = 0; k < 3; k++) v[k] /= sqrt(norm);
  }
  return VecRestoreArray(m, &y);
}

/* A smooth state has the same energies on the mesh with shared nodes and on that with twins; parallel twins are not
 * coupled. */
static PetscErrorCode twins(void) {
  static const MtMaterial material[3] = {{.name = "a", .A = 7.7e-12, .Js = 1.61, .K1 = 4.3e6},
                                         {.name = "b", .A = 2e-12, .Js = .9, .K1 = 1e6},
                                         {.name = "air"}};
  MtInterface all = {.pair = "*", .J = 3e-3};
  MtEnergyValues E[2];
  for (int i = 0; i < 2; i++) {
    Case c = {0};
    Brick b = brick_cube_in_air(8, AXES);
    b.split = i;
    PetscCall(open_case(&b, material, 4, i, &all, &c));
    assert_int_equal(c.mesh->nv_global, 9 * 9 * 9 + i * 25);
    PetscCall(set(&c, true, 0, c.m));
    PetscCall(mt_energy_eval(c.e, c.m, B, 1e-11, &E[i], c.g));
    assert_true(mt_energy_uses(c.e, MT_TERM_INTERFACE) == (i == 1));
    PetscCall(close_case(&c));
  }
  for (int k = 0; k < MT_TERM_SURFACE; k++) assert_near(E[1].term[k] / E[0].term[k], 1, 1e-10);
  assert_near(E[1].term[MT_TERM_INTERFACE] / E[1].term[MT_TERM_EXCHANGE], 0, 1e-12);
  return 0;
}
static void stray_field_does_not_notice_twins(void **state) {
  (void)state;
  assert_int_equal(twins(), 0);
}

static int corners(const double x[3]) {
  return x[0] < 2 ? 0 : x[1] < 2 ? 1 : 2;
}
/* Three grains around an edge; coupling by pair, the later entry wins. */
static PetscErrorCode derivatives(void) {
  static const MtMaterial material[3] = {{.name = "a", .A = 7.7e-12, .Js = 1.61, .K1 = 4.3e6},
                                         {.name = "b", .A = 2e-12, .Js = .9, .Kc1 = 0},
                                         {.name = "c", .A = 2e-12, .Js = .9, .K1 = 1e6}};
  MtInterface f[3] = {
      {.pair = "*", .J = 3e-3}, {.pair = "0-?", .J = NAN, .factor = .2, .distance = .4}, {.pair = "1-2", .J = -1e-3}};
  Case c = {0};
  Vec v, moved;
  double up, down, E, h = 1e-4;
  PetscScalar gv;
  Brick b = {.n = {4, 4, 3}, .hi = {4, 4, 5}, .nregions = 3, .axis = AXES, .region = corners, .split = true};
  PetscCall(open_case(&b, material, -1, 3, f, &c));
  PetscCall(VecDuplicate(c.m, &v));
  PetscCall(VecDuplicate(c.m, &moved));
  PetscCall(set(&c, false, 1, c.m));
  PetscCall(set(&c, false, 2, v));
  PetscCall(VecWAXPY(moved, h, v, c.m));
  PetscCall(mt_energy_term(c.e, MT_TERM_INTERFACE, moved, B, &up, NULL));
  PetscCall(VecWAXPY(moved, -h, v, c.m));
  PetscCall(mt_energy_term(c.e, MT_TERM_INTERFACE, moved, B, &down, NULL));
  PetscCall(mt_energy_term(c.e, MT_TERM_INTERFACE, c.m, B, &E, c.g));
  PetscCall(VecDot(c.g, v, &gv));
  assert_near((up - down) / (2 * h) / gv, 1, 1e-6);
  /* grain 0 up, 1 and 2 down: 2 J area for 20 nm2 of 0-1 and 0-2, J = .2 2 A/d with the harmonic mean of A */
  PetscCall(VecSet(c.m, 0));
  PetscScalar *y;
  PetscCall(VecGetArray(c.m, &y));
  for (PetscInt t = 0; t < c.mesh->nt_local; t++)
    for (int k = 0; k < 4; k++) {
      PetscInt i = mt_energy_nodes(c.e)->index[c.mesh->tet[4 * t + k]];
      if (i < mt_energy_nodes(c.e)->n_owned) y[3 * i + 2] = c.mesh->region[t] ? -1 : 1;
    }
  PetscCall(VecRestoreArray(c.m, &y));
  PetscCall(mt_energy_term(c.e, MT_TERM_INTERFACE, c.m, B, &E, NULL));
  const double A = 2 * 7.7e-12 * 2e-12 / 9.7e-12, J = .2 * 2 * A / .4e-9;
  assert_near(E / (2 * J * 1e9 * 20), 1, 1e-12);
  PetscCall(VecDestroy(&v));
  PetscCall(VecDestroy(&moved));
  return close_case(&c);
}
static void coupling_matches_central_differences(void **state) {
  (void)state;
  assert_int_equal(derivatives(), 0);
}

static double at; /* nm, where region 1 begins */
static int layer(const double x[3]) {
  return x[0] < at ? 0 : 1;
}
static PetscErrorCode stiffness(Case *c, double field, double *lambda) {
  Vec mode;
  int products;
  PetscCall(VecSet(c->m, 0));
  PetscCall(VecStrideSet(c->m, 2, 1));
  PetscCall(VecDuplicate(c->m, &mode));
  PetscCall(mt_stability_eigenvalue(c->e, c->m, (double[3]){0, 0, field}, NULL, lambda, mode, &products));
  return VecDestroy(&mode);
}

/* Two rigid layers: smallest root of (2 K1 t1 + J + M1 (B - x))(2 K2 t2 + J + M2 (B - x)) = J^2, M = Js t/mu0 (a pair
 * of Stoner-Wohlfarth moments; E. E. Fullerton et al., Phys. Rev. B 58 (1998) 12193, for thin bilayers). */
static double two_moments(double J, double t1, double t2, const MtMaterial m[2], double B0) {
  const double a = 2 * m[0].K1 * t1 + J, d = 2 * m[1].K1 * t2 + J;
  const double M1 = m[0].Js * t1 / MT_MU0, M2 = m[1].Js * t2 / MT_MU0, p = a / M1, q = d / M2;
  return B0 + .5 * (p + q) - sqrt(.25 * (p - q) * (p - q) + J * J / (M1 * M2));
}
static PetscErrorCode bilayer(void) {
  /* so stiff that each layer turns as one */
  static const MtMaterial material[2] = {{.name = "hard", .A = 1e-8, .Js = 1.2, .K1 = 2e6},
                                         {.name = "soft", .A = 1e-8, .Js = 1.7, .K1 = 0}};
  static const double J[] = {0, 5e-4, 5e-3}, field[] = {0, -.2, -1};
  Brick b = {.n = {5, 2, 2}, .hi = {5, 2, 2}, .nregions = 2, .axis = AXES, .region = layer, .split = true};
  at = 2;
  for (int i = 0; i < 3; i++) {
    MtInterface all = {.pair = "0-1", .J = J[i]};
    Case c = {0};
    double lambda = 0;
    PetscCall(open_case(&b, material, -1, 1, &all, &c));
    PetscCall(stiffness(&c, field[i], &lambda));
    assert_near(lambda, two_moments(J[i], 2e-9, 3e-9, material, field[i]), 2e-3 * (1 + fabs(lambda)));
    PetscCall(close_case(&c));
  }
  return 0;
}
static void bilayer_has_the_stiffness_of_two_coupled_moments(void **state) {
  (void)state;
  assert_int_equal(bilayer(), 0);
}

/* A soft layer of half thickness t on a hard half space through a weak interface: the torque is continuous, 2 A1 k1
 * tan(k1 t) = J (jump of the angle) = 2 A2 k2, so A1 k1 tan(k1 t) = 1/(1/(A2 k2) + 2/J); k1 = sqrt(J1 H/2A1), k2 =
 * sqrt((2 K2 - J2 H)/2A2) as for J -> infinity (tests/unit/test_stability.c: 4.3667 T at t = 1.5 nm). */
static double nucleation(const MtMaterial m[2], double t, double J) {
  double low = 0, high = 2 * m[0].K1 * MT_MU0 / m[0].Js;
  for (int i = 0; i < 100; i++) {
    const double Bn = .5 * (low + high), k1 = sqrt(m[1].Js * Bn / MT_MU0 / (2 * m[1].A));
    const double k2 = sqrt((2 * m[0].K1 - m[0].Js * Bn / MT_MU0) / (2 * m[0].A));
    const double soft = k1 * t < MT_PI / 2 ? m[1].A * k1 * tan(k1 * t) : INFINITY;
    if (soft < 1 / (1 / (m[0].A * k2) + 2 / J))
      low = Bn;
    else
      high = Bn;
  }
  return low;
}
static PetscErrorCode weak_interface(double J) {
  static const MtMaterial material[2] = {{.name = "Nd2Fe14B", .A = 7.7e-12, .Js = 1.61, .K1 = 4.3e6},
                                         {.name = "GB", .A = 2.5e-12, .Js = .75}};
  Brick b = {.n = {54, 1, 1}, .hi = {13.5, .5, .5}, .nregions = 2, .axis = AXES, .region = layer, .split = true};
  MtInterface all = {.pair = "0-1", .J = J};
  Case c = {0};
  at = 12;
  const double expected = nucleation(material, 1.5e-9, J);
  double low = 0, high = 0;
  PetscCall(open_case(&b, material, -1, 1, &all, &c));
  PetscCall(stiffness(&c, -.99 * expected, &low));
  PetscCall(stiffness(&c, -1.01 * expected, &high));
  assert_true(low > 0 && high < 0);
  assert_near(.99 + .02 * low / (low - high), 1, 2e-3);
  return close_case(&c);
}
static void weak_interface_lowers_the_nucleation_field(void **state) {
  (void)state;
  static const MtMaterial material[2] = {{.name = "Nd2Fe14B", .A = 7.7e-12, .Js = 1.61, .K1 = 4.3e6},
                                         {.name = "GB", .A = 2.5e-12, .Js = .75}};
  assert_near(nucleation(material, 1.5e-9, 1e6), 4.3667, 1e-3);
  assert_int_equal(weak_interface(1e-1), 0);
  assert_int_equal(weak_interface(2e-3), 0);
  assert_int_equal(weak_interface(2e-4), 0);
}

static void refused(bool split, int n, MtInterface *f, const char *rule) {
  static const MtMaterial material[2] = {{.name = "a", .A = 1e-11, .Js = 1}, {.name = "b", .A = 1e-11, .Js = 1}};
  Case c = {0};
  Brick b = {.n = {4, 2, 2}, .hi = {4, 2, 2}, .nregions = 2, .axis = AXES, .region = layer, .split = split};
  at = 2;
  assert_refused(open_case(&b, material, -1, n, f, &c), rule);
  assert_int_equal(close_case(&c), 0);
}
static void couplings_that_do_not_fit_are_refused(void **state) {
  (void)state;
  MtInterface f = {.pair = "1-2", .J = 1e-3};
  refused(true, 1, &f, "the grains 0-1 touch");
  refused(false, 1, &f, "mesh.split_grains: true");
}

int main(int argc, char **argv) {
  PetscCall(PetscInitialize(&argc, &argv, NULL, NULL));
  PetscCall(mt_error_install());
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(stray_field_does_not_notice_twins),
      cmocka_unit_test(coupling_matches_central_differences),
      cmocka_unit_test(bilayer_has_the_stiffness_of_two_coupled_moments),
      cmocka_unit_test(weak_interface_lowers_the_nucleation_field),
      cmocka_unit_test(couplings_that_do_not_fit_are_refused),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscCall(PetscFinalize());
  return failed;
}
