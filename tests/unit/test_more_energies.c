/* ranks: 1 2 */
/* Energies that few magnets have, on meshes: surface anisotropy, Dzyaloshinskii-Moriya interaction, magneto-elastic
 * term, K1 integrated exactly.  First derivatives against central differences of the energy, second derivatives against
 * those of the slope along a turn, and physics against closed forms. */
#include "../../src/micromagnetics/kernels.h"
#include "../../src/micromagnetics/preconditioner.h"
#include "magtwin/h5.h"
#include "near.h"
#include "noise.h"
#include "refused.h"
#include "relax.h"

static const double AXES[3][3] = {{0, 0, 1}, {.6, 0, .8}, {0, .28, .96}};
static const double TURNS[3][4] = {{1, 0, 0, 0}, {.5, .1, -.7, .5}, {.8, 0, .6, 0}};
static const double B[3] = {.3, -.2, 1.1};

static int three_slabs(const double x[3]) {
  return x[0] < 2 ? 0 : x[0] < 4 ? 1 : 2;
}
static Brick slabs(void) {
  return (Brick){
      .n = {6, 3, 3}, .hi = {6, 4, 5}, .nregions = 3, .axis = AXES, .orientation = TURNS, .region = three_slabs};
}
/* Everything at once, different in each slab; the last one has no DMI. */
static const MtMaterial EVERYTHING[3] = {{.name = "a",
                                          .A = 8e-12,
                                          .Js = 1.6,
                                          .K1 = 4e6,
                                          .K3 = 1e6,
                                          .Ks = 2e-3,
                                          .Ks_inner = -1e-3,
                                          .D = 5e-3,
                                          .B1 = 2e8,
                                          .B2 = -3e8},
                                         {.name = "b",
                                          .A = 5e-12,
                                          .Js = .7,
                                          .Kc1 = 4e5,
                                          .Kc2 = -2e5,
                                          .Di = 4e-3,
                                          .dmi_normal = {.6, 0, .8},
                                          .B1 = 1e8,
                                          .B2 = 1e8,
                                          .lambda100 = 1e-4,
                                          .lambda111 = -2e-4},
                                         {.name = "c", .A = 2e-12, .Js = 1.1, .K1 = -1e6, .Ks = 1e-3}};

/* The same strain and stress of each tet on any number of ranks. */
static PetscErrorCode elastic_data(const MtMesh *mesh, MtEnergyExtras *extras) {
  PetscCall(PetscMalloc1(6 * mesh->nt_local, &extras->strain));
  PetscCall(PetscMalloc1(6 * mesh->nt_local, &extras->stress));
  for (PetscInt t = 0; t < mesh->nt_local; t++)
    for (int c = 0; c < 6; c++) {
      extras->strain[6 * t + c] = 1e-2 * noise(2 * mesh->tid[t], c, 5);
      extras->stress[6 * t + c] = 1e9 * noise(2 * mesh->tid[t] + 1, c, 6);
    }
  return 0;
}
static PetscErrorCode make_everything(MtMesh **mesh, MtEnergy **e) {
  MtEnergyExtras extras = {.exact = true};
  Brick b = slabs();
  PetscCall(brick_mesh(&b, mesh));
  PetscCall(elastic_data(*mesh, &extras));
  PetscCall(mt_energy_create_with(*mesh, EVERYTHING, -1, &extras, e));
  return mt_energy_extras_free(&extras);
}

/* Random vectors, made unit, or tangent to m. */
static PetscErrorCode randomize(const MtMesh *mesh, MtEnergy *e, Vec m, Vec v) {
  const MtNodes *nodes = mt_energy_nodes(e);
  PetscScalar *x, *y;
  PetscCall(VecGetArray(m, &x));
  PetscCall(VecGetArray(v, &y));
  for (PetscInt i = 0; i < nodes->n_owned; i++) {
    for (int c = 0; c < 3; c++) {
      x[3 * i + c] = noise(mesh->vid[nodes->node[i]], c, 1);
      y[3 * i + c] = noise(mesh->vid[nodes->node[i]], c, 2);
    }
    double norm = sqrt(mt_dot3(x + 3 * i, x + 3 * i));
    for (int c = 0; c < 3; c++) x[3 * i + c] /= norm;
    mt_tangent3(x + 3 * i, y + 3 * i);
  }
  PetscCall(VecRestoreArray(v, &y));
  return VecRestoreArray(m, &x);
}

static PetscErrorCode term_slope(MtEnergy *e, MtTerm term, Vec m, Vec v, Vec g) {
  Vec moved;
  double up, down, E, h = 1e-4;
  PetscScalar gv;
  PetscCall(VecDuplicate(m, &moved));
  PetscCall(VecWAXPY(moved, h, v, m));
  PetscCall(mt_energy_term(e, term, moved, B, &up, NULL));
  PetscCall(VecWAXPY(moved, -h, v, m));
  PetscCall(mt_energy_term(e, term, moved, B, &down, NULL));
  PetscCall(mt_energy_term(e, term, m, B, &E, g));
  PetscCall(VecDot(g, v, &gv));
  assert_true(fabs(gv) > 1e3);
  assert_near((up - down) / (2 * h) / gv, 1, 1e-6);
  return VecDestroy(&moved);
}

/* m(t) turned along v; returns the slope of the whole energy there, and its derivative. */
static PetscErrorCode turned_slope(MtEnergy *e, Vec m, Vec v, double t, Vec moved, Vec g, double *slope) {
  const PetscScalar *x, *d, *y;
  PetscScalar *z;
  MtEnergyValues E;
  double sum = 0;
  PetscInt n = mt_energy_nodes(e)->n_owned;
  PetscCall(VecGetArrayRead(m, &x));
  PetscCall(VecGetArrayRead(v, &d));
  PetscCall(VecGetArray(moved, &z));
  for (PetscInt i = 0; i < n; i++) mt_kernel_turn(x + 3 * i, d + 3 * i, t, z + 3 * i);
  PetscCall(VecRestoreArray(moved, &z));
  PetscCall(mt_energy_eval(e, moved, B, 1e-8, &E, g));
  PetscCall(VecGetArrayRead(g, &y));
  for (PetscInt i = 0; i < n; i++) sum += mt_kernel_slope(x + 3 * i, d + 3 * i, t, y + 3 * i);
  PetscCall(VecRestoreArrayRead(g, &y));
  PetscCall(VecRestoreArrayRead(v, &d));
  PetscCall(VecRestoreArrayRead(m, &x));
  PetscCallMPI(MPI_Allreduce(&sum, slope, 1, MPI_DOUBLE, MPI_SUM, PETSC_COMM_WORLD));
  return 0;
}

/* The preconditioner's second derivative along v, and as a product, against the slopes on both sides. */
static PetscErrorCode check_hessian(MtEnergy *e, Vec m, Vec v, Vec g) {
  MtPrecond pc = {0};
  Vec moved, w;
  double up, down, here, dHd, weight, h = 1e-4;
  PetscScalar vw;
  PetscCall(VecDuplicate(m, &moved));
  PetscCall(VecDuplicate(m, &w));
  PetscCall(turned_slope(e, m, v, h, moved, g, &up));
  PetscCall(turned_slope(e, m, v, -h, moved, g, &down));
  PetscCall(turned_slope(e, m, v, 0, moved, g, &here));
  PetscCall(mt_precond_create(e, .1, &pc));
  PetscCall(mt_precond_setup(&pc, m, g));
  PetscCall(mt_precond_along(&pc, m, g, v, &dHd, &weight));
  PetscCall(mt_precond_hessian(&pc, m, v, w));
  PetscCall(VecDot(v, w, &vw));
  assert_near(dHd / ((up - down) / (2 * h)), 1, 1e-6);
  assert_near(vw / ((up - down) / (2 * h)), 1, 1e-6);
  PetscCall(mt_precond_destroy(&pc));
  PetscCall(VecDestroy(&w));
  return VecDestroy(&moved);
}

/* (H + s b b')^-1 b = H^-1 b/(1 + s b H^-1 b) (J. Sherman, W. J. Morrison, Ann. Math. Stat. 21 (1950) 124): half of y =
 * H^-1 b with s = 1/(b y). */
static PetscErrorCode check_ridge(MtPrecond *pc, Vec m, Vec b, const MtPrecondStop *stop, Vec y) {
  Vec half;
  PetscScalar by;
  PetscReal all, left;
  bool definite;
  int64_t its = 0;
  PetscCall(VecDuplicate(y, &half));
  PetscCall(VecDot(b, y, &by));
  pc->ridge = b;
  pc->steepness = 1 / by;
  PetscCall(mt_precond_solve(pc, m, b, stop, half, &definite, &its));
  pc->ridge = NULL;
  assert_true(definite);
  PetscCall(VecNorm(y, NORM_2, &all));
  PetscCall(VecAXPY(half, -.5, y));
  PetscCall(VecNorm(half, NORM_2, &left));
  assert_true(left < 1e-4 * all);
  return VecDestroy(&half);
}

/* The inner solver, in single precision, against the same operator in double: what is left of b after a solution to
 * 1e-5 in the norm of the preconditioner; and a shift below any curvature is seen at once. */
static PetscErrorCode check_inner(MtEnergy *e, Vec m, Vec b, Vec g) {
  const MtPrecondStop stop = {400, 1e-5};
  MtPrecond pc = {.shift = 0};
  Vec y, w;
  PetscReal all, left;
  bool definite;
  int64_t its = 0;
  PetscCall(VecDuplicate(b, &y));
  PetscCall(VecDuplicate(b, &w));
  PetscCall(mt_precond_create(e, .1, &pc));
  pc.shift = 100;
  PetscCall(mt_precond_setup(&pc, m, g));
  PetscCall(mt_precond_solve(&pc, m, b, &stop, y, &definite, &its));
  assert_true(definite && its > 2);
  PetscCall(check_ridge(&pc, m, b, &stop, y));
  PetscCall(mt_precond_hessian(&pc, m, y, w));
  PetscCall(VecAXPY(w, -1, b));
  PetscCall(VecNorm(b, NORM_2, &all));
  PetscCall(VecNorm(w, NORM_2, &left));
  assert_true(left < 1e-4 * all);
  pc.shift = -1e4;
  PetscCall(mt_precond_setup(&pc, m, g));
  PetscCall(mt_precond_solve(&pc, m, b, &stop, y, &definite, &its));
  assert_false(definite);
  PetscCall(mt_precond_destroy(&pc));
  PetscCall(VecDestroy(&w));
  return VecDestroy(&y);
}

static PetscErrorCode derivatives(void) {
  static const MtTerm more[] = {MT_TERM_SURFACE, MT_TERM_DMI, MT_TERM_ELASTIC};
  MtMesh *mesh;
  MtEnergy *e;
  Vec m, v, g;
  PetscCall(make_everything(&mesh, &e));
  PetscCall(mt_energy_create_vec(e, &m));
  PetscCall(VecDuplicate(m, &v));
  PetscCall(VecDuplicate(m, &g));
  PetscCall(randomize(mesh, e, m, v));
  for (int i = 0; i < 3; i++) {
    assert_true(mt_energy_uses(e, more[i]));
    PetscCall(term_slope(e, more[i], m, v, g));
  }
  PetscCall(check_hessian(e, m, v, g));
  PetscCall(check_inner(e, m, v, g));
  PetscCall(VecDestroy(&m));
  PetscCall(VecDestroy(&v));
  PetscCall(VecDestroy(&g));
  PetscCall(mt_energy_destroy(&e));
  return mt_mesh_destroy(&mesh);
}
static void first_and_second_derivatives_match_differences(void **state) {
  (void)state;
  assert_int_equal(derivatives(), 0);
}

static void up(const double x[3], double m[3]) {
  (void)x;
  m[0] = m[1] = 0;
  m[2] = 1;
}
static double tilt; /* rad, of the state `tilted` in the xz plane */
static void tilted(const double x[3], double m[3]) {
  (void)x;
  m[0] = sin(tilt);
  m[1] = 0;
  m[2] = cos(tilt);
}

/* A box of one material in the hand. */
static PetscErrorCode box(const double edge[3], const int n[3], const MtMaterial *material, Relax *r) {
  Brick b = {.n = {n[0], n[1], n[2]}, .nregions = 1, .axis = AXES};
  for (int c = 0; c < 3; c++) b.lo[c] = -edge[c] / 2, b.hi[c] = edge[c] / 2;
  return relax_create(&b, material, -1, 1e-6, r);
}
static PetscErrorCode stiffness(Relax *r, double field, double *lambda) {
  Vec mode;
  int products;
  PetscCall(relax_set(r, up));
  PetscCall(VecDuplicate(r->m, &mode));
  PetscCall(mt_stability_eigenvalue(r->energy, r->m, (double[3]){0, 0, field}, NULL, lambda, mode, &products));
  return VecDestroy(&mode);
}

/* Each face has Ks sin^2 of the angle to its normal; the effective anisotropy of a film is 2 Ks/t (M. T. Johnson et
 * al., Rep. Prog. Phys. 59 (1996) 1409), less that of its rim. */
static PetscErrorCode film(void) {
  static const MtMaterial material = {.name = "film", .A = 1e-9, .Js = 1.2, .K1 = 2e5, .Ks = 1e-4};
  static const double edge[3] = {12, 12, 2};
  static const int n[3] = {6, 6, 2};
  Relax r;
  double E, lambda = 0, faces[3] = {2 * 12 * 2, 2 * 12 * 2, 2 * 12 * 12};
  PetscCall(box(edge, n, &material, &r));
  for (tilt = 0; tilt < 1.6; tilt += .5) {
    double s = sin(tilt), c = cos(tilt);
    PetscCall(relax_set(&r, tilted));
    PetscCall(mt_energy_term(r.energy, MT_TERM_SURFACE, r.m, B, &E, NULL));
    assert_near(E / (1e-4 * 1e9 * (faces[0] * c * c + faces[1] + faces[2] * s * s)), 1, 1e-12);
  }
  const double film_K = 1e-4 * 1e9 * 2 * (1 / edge[2] - 1 / edge[0]);
  PetscCall(stiffness(&r, -.3, &lambda));
  assert_near(lambda, 2 * MT_MU0 * (2e5 + film_K) / 1.2 - .3, 1e-4);
  return relax_destroy(&r);
}
static void surface_anisotropy_adds_2Ks_over_t(void **state) {
  (void)state;
  assert_int_equal(film(), 0);
}

static int phase(const double x[3]) {
  return x[0] < 0 ? 0 : 1;
}
/* Ks_inner acts at faces to other regions only, on the side that has it. */
static PetscErrorCode inner_faces(void) {
  static const MtMaterial material[2] = {{.name = "a", .A = 1e-11, .Js = 1, .Ks_inner = 3e-3},
                                         {.name = "b", .A = 1e-11, .Js = 1}};
  Relax r;
  double E;
  Brick b = {.n = {4, 3, 3}, .lo = {-2, 0, 0}, .hi = {2, 3, 5}, .nregions = 2, .axis = AXES, .region = phase};
  PetscCall(relax_create(&b, material, -1, 1e-6, &r));
  tilt = .7;
  PetscCall(relax_set(&r, tilted));
  PetscCall(mt_energy_term(r.energy, MT_TERM_SURFACE, r.m, B, &E, NULL));
  assert_near(E / (3e-3 * 1e9 * 15 * cos(.7) * cos(.7)), 1, 1e-12);
  return relax_destroy(&r);
}
static void surface_anisotropy_between_regions(void **state) {
  (void)state;
  assert_int_equal(inner_faces(), 0);
}

static double wave; /* 1/nm */
static void helix(const double x[3], double m[3]) {
  m[0] = 0;
  m[1] = cos(wave * x[0]);
  m[2] = sin(wave * x[0]);
}
/* A helix of wave number q about x has A q^2 - D q: least at q = D/(2A), a period of 4 pi A/D, with -D^2/(4A) (P. Bak
 * and M. H. Jensen, J. Phys. C 13 (1980) L881).  On bricks of length h, q is 2 sin(qh/2)/h in A q^2 and sin(qh)/h in
 * D q. */
static PetscErrorCode bulk_helix(void) {
  static const MtMaterial material = {.name = "helix", .A = 1e-11, .Js = .5, .D = 3e-3};
  static const double edge[3] = {60, 1, 1};
  static const int n[3] = {120, 2, 2};
  const double q = 3e-3 / 2e-11 * 1e-9, least = -3e-3 * 3e-3 / 4e-11; /* 1/nm; J/m3 */
  double e[3];
  Relax r;
  PetscCall(box(edge, n, &material, &r));
  for (int i = 0; i < 3; i++) {
    double E[2], h = .5;
    wave = q * (1 + .1 * (i - 1));
    PetscCall(relax_set(&r, helix));
    PetscCall(mt_energy_term(r.energy, MT_TERM_EXCHANGE, r.m, B, &E[0], NULL));
    PetscCall(mt_energy_term(r.energy, MT_TERM_DMI, r.m, B, &E[1], NULL));
    e[i] = (E[0] + E[1]) / 60;
    assert_near(E[1] / 60 / (-3e-3 * 1e9 * sin(wave * h) / h), 1, 1e-12);
  }
  assert_near(e[1] / least, 1, 2e-3);
  /* parabola through the three: its minimum */
  assert_near(1 + .05 * (e[0] - e[2]) / (e[0] - 2 * e[1] + e[2]), 1, 2e-3);
  return relax_destroy(&r);
}
static void bulk_dmi_makes_a_helix_of_period_4piA_over_D(void **state) {
  (void)state;
  assert_int_equal(bulk_helix(), 0);
}

/* Relaxed: in a bar much thinner than a period m turns by q e_i x m along each direction e_i at once, and gains
 * D^2/(4A) (1 - m_i^2) of each, D^2/(2A) in all, whatever m is (the free surfaces ask for dm/dn = D/(2A) n x m). */
static PetscErrorCode thin_bar(void) {
  static const MtMaterial material = {.name = "helix", .A = 1e-11, .Js = .5, .D = 3e-3};
  static const double edge[3] = {40, 1, 1};
  static const int n[3] = {40, 2, 2};
  Relax r;
  PetscCall(box(edge, n, &material, &r));
  wave = .1;
  PetscCall(relax_set(&r, helix));
  PetscCall(relax_run(&r, 0, 0));
  assert_true(r.report.converged);
  assert_near(r.report.energy.total / 40 / (-3e-3 * 3e-3 / 2e-11), 1, .01);
  return relax_destroy(&r);
}
static void bulk_dmi_twists_a_thin_bar(void **state) {
  (void)state;
  assert_int_equal(thin_bar(), 0);
}

/* mx at the middle of the edge x = sign * 20 nm. */
static PetscErrorCode edge_mx(const Relax *r, double sign, double *mx) {
  const MtNodes *nodes = mt_energy_nodes(r->energy);
  const PetscScalar *m;
  double local[2] = {0, 0}, sum[2];
  PetscCall(VecGetArrayRead(r->m, &m));
  for (PetscInt i = 0; i < nodes->n_owned; i++) {
    const double *x = r->mesh->x + 3 * nodes->node[i];
    if (fabs(x[0] - 20 * sign) > 1e-9 || fabs(x[1]) > 1e-9) continue;
    local[0] += m[3 * i];
    local[1]++;
  }
  PetscCall(VecRestoreArrayRead(r->m, &m));
  PetscCallMPI(MPI_Allreduce(local, sum, 2, MPI_DOUBLE, MPI_SUM, PETSC_COMM_WORLD));
  *mx = sum[0] / sum[1];
  return 0;
}
/* A perpendicular film with interfacial DMI tilts at its edges by sin = D/(2 sqrt(A K)) (S. Rohart and A. Thiaville,
 * Phys. Rev. B 88 (2013) 184422, eq. 18); with e = D (mz dx mx - mx dx mz) and mz = 1 inwards for D > 0: the natural
 * boundary condition is 2 A dmx/dx = -D mz. */
static PetscErrorCode tilted_edge(void) {
  static const MtMaterial material = {
      .name = "film", .A = 1.6e-11, .Js = 1, .K1 = 1e6, .Di = 2e-3, .dmi_normal = {0, 0, 1}};
  static const double edge[3] = {40, 40, 1};
  static const int n[3] = {50, 50, 1};
  Relax r;
  double mx[2];
  PetscCall(box(edge, n, &material, &r));
  PetscCall(relax_set(&r, up));
  PetscCall(relax_run(&r, 0, 0));
  assert_true(r.report.converged);
  PetscCall(edge_mx(&r, 1, &mx[0]));
  PetscCall(edge_mx(&r, -1, &mx[1]));
  assert_near(mx[0], -.25, .25 * .01);
  assert_near(mx[1], .25, .25 * .01);
  return relax_destroy(&r);
}
static void interfacial_dmi_tilts_the_edge(void **state) {
  (void)state;
  assert_int_equal(tilted_edge(), 0);
}

/* Uniaxial stress s along the easy axis adds 3/2 lambda s to K1: the switching field rises by 3 lambda s/Ms (B. D.
 * Cullity and C. D. Graham, Introduction to Magnetic Materials (2009) 8.5). */
static PetscErrorCode stressed(double *shift, bool by_strain) {
  /* strain: B1 = B2 = -3 lambda G (C. Kittel, Rev. Mod. Phys. 21 (1949) 541, isotropic: c11 - c12 = 2 c44 = 2 G); a
   * stress s along z shears by ezz - exx = s/(2 G) */
  static const double lambda = 3e-5, s = 4e8, G = 6e10;
  MtMaterial material = {.name = "stressed", .A = 1e-11, .Js = 1.3, .K1 = 1e5};
  MtEnergyExtras extras = {0};
  MtMesh *mesh;
  MtEnergy *e;
  Vec m, mode;
  int products;
  Brick b = {.n = {3, 3, 3}, .hi = {6, 6, 6}, .nregions = 1, .axis = AXES, .orientation = TURNS};
  if (by_strain)
    material.B1 = material.B2 = -3 * lambda * G;
  else
    material.lambda100 = material.lambda111 = lambda;
  PetscCall(brick_mesh(&b, &mesh));
  PetscCall(PetscCalloc1(6 * mesh->nt_local, by_strain ? &extras.strain : &extras.stress));
  for (PetscInt t = 0; t < mesh->nt_local; t++)
    (by_strain ? extras.strain : extras.stress)[6 * t + 2] = by_strain ? s / (2 * G) : s;
  PetscCall(mt_energy_create_with(mesh, &material, -1, &extras, &e));
  PetscCall(mt_energy_extras_free(&extras));
  PetscCall(mt_energy_create_vec(e, &m));
  PetscCall(VecDuplicate(m, &mode));
  PetscCall(VecSet(m, 0));
  PetscCall(VecStrideSet(m, 2, 1));
  PetscCall(mt_stability_eigenvalue(e, m, (double[3]){0, 0, 0}, NULL, shift, mode, &products));
  *shift = (*shift - 2 * MT_MU0 * 1e5 / 1.3) / (3 * lambda * s * MT_MU0 / 1.3);
  PetscCall(VecDestroy(&m));
  PetscCall(VecDestroy(&mode));
  PetscCall(mt_energy_destroy(&e));
  return mt_mesh_destroy(&mesh);
}
static void stress_shifts_the_switching_field_by_3_lambda_s_over_Ms(void **state) {
  (void)state;
  double shift = 0; /* to the eigenvalue's residual of 3 mT, squared, over the gap */
  assert_int_equal(stressed(&shift, false), 0);
  assert_near(shift, 1, 1e-5);
  assert_int_equal(stressed(&shift, true), 0);
  assert_near(shift, 1, 1e-5);
}

/* A file with the tet's number in every row, read on the ranks that hold the tet. */
static PetscErrorCode write_strain(const char *path, int64_t rows, double bad) {
  PetscMPIInt rank;
  MtH5 *f;
  double *data;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  int64_t n = rank ? 0 : rows;
  PetscCall(PetscMalloc1(6 * n + 1, &data));
  for (int64_t i = 0; i < 6 * n; i++) data[i] = (double)i;
  if (n) data[7] += bad;
  PetscCall(mt_h5_create(PETSC_COMM_WORLD, path, "magtwin-elements", 1, &f));
  PetscCall(mt_h5_write(f, "/strain", H5T_NATIVE_DOUBLE, rows, 6, 0, n, data, "1"));
  PetscCall(PetscFree(data));
  return mt_h5_commit(&f, false);
}
static PetscErrorCode read_strain(const MtMesh *mesh, const char *path, MtEnergyExtras *extras) {
  static const MtKey *const tables[] = {mt_materials_keys, NULL};
  char key[128], yaml[160], *override = key;
  PetscMPIInt rank;
  MtInput *in;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  snprintf(key, sizeof key, "materials.strain=%s", path);
  snprintf(yaml, sizeof yaml, "%s.yaml", path);
  PetscCall(mt_agree_root(PETSC_COMM_WORLD, rank ? 0 : mt_file_write(yaml, "materials: {grain: X}\n")));
  PetscCall(mt_input_read(PETSC_COMM_WORLD, yaml, 1, &override, tables, &in));
  PetscErrorCode rc = mt_energy_extras_read(mesh, in, extras);
  mt_input_destroy(&in);
  PetscCallMPI(MPI_Barrier(PETSC_COMM_WORLD));
  if (!rank) unlink(yaml);
  return rc;
}
static PetscErrorCode strain_file(void) {
  char path[] = "/tmp/magtwin-strain-XXXXXX";
  PetscMPIInt rank;
  MtMesh *mesh;
  MtEnergyExtras extras;
  Brick b = slabs();
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (!rank) close(mkstemp(path));
  PetscCallMPI(MPI_Bcast(path, sizeof path, MPI_CHAR, 0, PETSC_COMM_WORLD));
  PetscCall(brick_mesh(&b, &mesh));
  PetscCall(write_strain(path, mesh->nt_global, 0));
  PetscCall(read_strain(mesh, path, &extras));
  for (PetscInt t = 0; t < mesh->nt_local; t++)
    for (int c = 0; c < 6; c++) assert_near(extras.strain[6 * t + c], 6. * (double)mesh->tid[t] + c, 0);
  assert_null(extras.stress);
  PetscCall(mt_energy_extras_free(&extras));
  PetscCall(write_strain(path, mesh->nt_global - 1, 0));
  assert_refused(read_strain(mesh, path, &extras), "has 323 rows, but the mesh has 324 tetrahedra");
  PetscCall(write_strain(path, mesh->nt_global, NAN));
  assert_refused(read_strain(mesh, path, &extras), "not a number at tetrahedron 1");
  PetscCallMPI(MPI_Barrier(PETSC_COMM_WORLD));
  if (!rank) unlink(path);
  return mt_mesh_destroy(&mesh);
}
static void strain_is_read_by_tet_id(void **state) {
  (void)state;
  assert_int_equal(strain_file(), 0);
}

int main(int argc, char **argv) {
  PetscCall(PetscInitialize(&argc, &argv, NULL, NULL));
  PetscCall(mt_error_install());
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(first_and_second_derivatives_match_differences),
      cmocka_unit_test(surface_anisotropy_adds_2Ks_over_t),
      cmocka_unit_test(surface_anisotropy_between_regions),
      cmocka_unit_test(bulk_dmi_makes_a_helix_of_period_4piA_over_D),
      cmocka_unit_test(bulk_dmi_twists_a_thin_bar),
      cmocka_unit_test(interfacial_dmi_tilts_the_edge),
      cmocka_unit_test(stress_shifts_the_switching_field_by_3_lambda_s_over_Ms),
      cmocka_unit_test(strain_is_read_by_tet_id),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscCall(PetscFinalize());
  return failed;
}
