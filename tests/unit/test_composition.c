/* ranks: 1 2 */
/* Constants by composition: the table's polynomials, the terms of the energy in graded media against closed forms, the
 * nucleation field of a core with a hard shell against a chain solved here, files that were written on other ranks, and
 * what is refused. */
#include "../../src/micromagnetics/composition.h"
#include "folder.h"
#include "magtwin/h5.h"
#include "near.h"
#include "refused.h"
#include "relax.h"

static const double AXES[2][3] = {{0, 0, 1}, {0, 0, 1}};
static const MtMaterial HOST[2] = {{.name = "host", .A = 8e-12, .Js = 1.6, .K1 = 4e6},
                                   {.name = "inert", .A = 8e-12, .Js = 1.6, .K1 = 4e6}};
static char folder[64];
static int rank;

/* By hand: slopes 12.5, 0, 0 and 11.11 MJ/m3 at the points, so 4.5 + 0.15625 and 7 - 0.8333 in the middles. */
static void between_points_the_table_is_monotone(void **state) {
  (void)state;
  double c[] = {0, .1, .4, 1}, K[] = {4e6, 5e6, 5e6, 9e6};
  MtCompositionTable t = {.n = 4, .c = c, .value[MT_COMPOSED_K1] = K};
  mt_composition_table_smooth(&t);
  for (int i = 0; i < 4; i++) assert_near(mt_composition_table_at(&t, MT_COMPOSED_K1, c[i]), K[i], 0);
  assert_near(mt_composition_table_at(&t, MT_COMPOSED_K1, .05), 4656250, 1e-6);
  assert_near(mt_composition_table_at(&t, MT_COMPOSED_K1, .25), 5e6, 1e-6);
  assert_near(mt_composition_table_at(&t, MT_COMPOSED_K1, .7), 6166666.666667, 1e-3);
  double before = 0;
  for (int i = 0; i <= 1000; i++) {
    const double K1 = mt_composition_table_at(&t, MT_COMPOSED_K1, i / 1000.);
    assert_true(K1 >= before - 1e-6 && K1 <= 9e6 + 1e-6);
    before = K1;
  }
  assert_true(mt_composition_table_covers(&t, 1 + 1e-10) && !mt_composition_table_covers(&t, 1.001));
  assert_near(mt_composition_table_at(&t, MT_COMPOSED_K1, 2), 9e6, 0);
  free(t.slope[MT_COMPOSED_K1]);
}

static PetscErrorCode write_field(MtMesh *mesh, double (*c)(const double x[3]), const char *path) {
  const double t = 3600;
  double *local;
  MtH5 *f;
  PetscCall(PetscMalloc1(mesh->nv_local, &local));
  for (PetscInt i = 0; i < mesh->nv_local; i++) local[i] = c(mesh->x + 3 * i);
  PetscCall(mt_h5_create(mesh->comm, path, "magtwin-fields", 1, &f));
  PetscCall(mt_mesh_write_nodal(mesh, f, "/c", 1, local, "1"));
  PetscCall(mt_h5_set_reals(f, "/", "t_s", 1, &t));
  PetscCall(PetscFree(local));
  return mt_h5_commit(&f, false);
}

/* "{...}" of the tables -> the input of a run. */
static PetscErrorCode make_input(const char *name, const char *tables, MtInput **in) {
  static const MtKey *const keys[] = {mt_materials_keys, NULL};
  char path[128], text[1024];
  snprintf(path, sizeof path, "%s/%s.yaml", folder, name);
  snprintf(text, sizeof text, "materials: {grain: host, composition: {file: %s/c.h5, tables: [%s]}}\n", folder, tables);
  PetscCall(mt_agree_root(PETSC_COMM_WORLD, rank ? 0 : mt_file_write(path, text)));
  return mt_input_read(PETSC_COMM_WORLD, path, 0, NULL, keys, in);
}

typedef struct {
  MtMesh *mesh;
  MtEnergy *energy;
  Vec m;
} Graded;

static PetscErrorCode graded_create(const Brick *b, double (*c)(const double x[3]), const char *tables, Graded *g) {
  char path[128];
  MtInput *in;
  snprintf(path, sizeof path, "%s/c.h5", folder);
  PetscCall(brick_mesh(b, &g->mesh));
  PetscCall(write_field(g->mesh, c, path));
  PetscCall(make_input("graded", tables, &in));
  PetscErrorCode rc = mt_energy_open(g->mesh, in, HOST, -1, &g->energy);
  mt_input_destroy(&in);
  return rc ? rc : mt_energy_create_vec(g->energy, &g->m);
}
static PetscErrorCode graded_destroy(Graded *g) {
  PetscCall(VecDestroy(&g->m));
  PetscCall(mt_energy_destroy(&g->energy));
  return mt_mesh_destroy(&g->mesh);
}
static PetscErrorCode set_state(Graded *g, void (*state)(const double x[3], double m[3])) {
  const MtNodes *nodes = mt_energy_nodes(g->energy);
  PetscScalar *y;
  PetscCall(VecGetArray(g->m, &y));
  for (PetscInt i = 0; i < nodes->n_owned; i++) state(g->mesh->x + 3 * nodes->node[i], y + 3 * i);
  return VecRestoreArray(g->m, &y);
}

static double along_x(const double x[3]) {
  return x[0] / 6;
}
static void tilted(const double x[3], double m[3]) {
  (void)x;
  m[0] = .6;
  m[1] = 0;
  m[2] = .8;
}
static const double PITCH = .3; /* rad/nm */
static void helix(const double x[3], double m[3]) {
  m[0] = 0;
  m[1] = sin(PITCH * x[0]);
  m[2] = cos(PITCH * x[0]);
}
/* c = x/6 nm in a box of 6 x 4 x 5 nm, and tables of two points: linear.  The means are those of the ends: <Js> = 1.4
 * T, <K1> = 5 MJ/m3, <A> = 6 pJ/m.  Integrals of linear functions are exact. */
static PetscErrorCode linear_medium(void) {
  static const double B[3] = {0, 0, 2}, V = 6 * 4 * 5, none[3] = {0, 0, 0};
  Brick b = {.n = {6, 2, 2}, .hi = {6, 4, 5}, .nregions = 1, .axis = AXES};
  Graded g = {0};
  double E, h = 1;
  PetscCall(graded_create(&b, along_x, "{c: [0, 1], Js: [1.6, 1.2], K1: [4e6, 6e6], A: [8e-12, 4e-12]}", &g));
  PetscCall(set_state(&g, tilted));
  PetscCall(mt_energy_term(g.energy, MT_TERM_ANISOTROPY, g.m, none, &E, NULL));
  assert_near(E / (5e6 * .36 * V), 1, 1e-12);
  PetscCall(mt_energy_term(g.energy, MT_TERM_ZEEMAN, g.m, B, &E, NULL));
  assert_near(E / (-1.4 / MT_MU0 * 2 * .8 * V), 1, 1e-12);
  assert_near(mt_energy_saturation(g.energy), 1.4, 1e-12);
  PetscCall(set_state(&g, helix)); /* linear between planes h apart: |grad m| = 2 sin(PITCH h/2)/h */
  PetscCall(mt_energy_term(g.energy, MT_TERM_EXCHANGE, g.m, none, &E, NULL));
  assert_near(E / (6e-12 * 1e18 * pow(2 * sin(PITCH * h / 2) / h, 2) * V), 1, 1e-12);
  return graded_destroy(&g);
}
static void terms_of_a_linear_medium_are_those_of_its_means(void **state) {
  (void)state;
  assert_int_equal(linear_medium(), 0);
}

/* Constants that vary slowly against the wall: its energy is that of the K1 and A where it is, 4 sqrt(A K1) (L. D.
 * Landau and E. M. Lifshitz) at c = 1/2: K1 = 4.25 MJ/m3 and A = 7 pJ/m, 21.8174 mJ/m2, to second order in the wall's
 * width over the length of the gradient.  Chords in place of the profile miss (h/width)^2/24 of it, h = 0.25 nm. */
static double half(const double x[3]) {
  (void)x;
  return .5;
}
static void wall(const double x[3], double m[3]) {
  const double angle = 2 * atan(exp(x[0] / 1.2833948));
  m[0] = 0;
  m[1] = sin(angle);
  m[2] = -cos(angle);
}
static double slow(const double x[3]) {
  return .5 + x[0] / 80;
}
static PetscErrorCode wall_energy(double (*c)(const double x[3])) {
  Brick b = {.n = {160, 1, 1}, .lo = {-20, 0, 0}, .hi = {20, .5, .5}, .nregions = 1, .axis = AXES};
  Graded g = {0};
  double E[2];
  PetscCall(graded_create(&b, c, "{c: [0, 0.5, 1], K1: [4e6, 4.25e6, 4.5e6], A: [8e-12, 7e-12, 6e-12]}", &g));
  PetscCall(set_state(&g, wall));
  PetscCall(mt_energy_term(g.energy, MT_TERM_ANISOTROPY, g.m, (double[3]){0}, &E[0], NULL));
  PetscCall(mt_energy_term(g.energy, MT_TERM_EXCHANGE, g.m, (double[3]){0}, &E[1], NULL));
  assert_near((E[0] + E[1]) / .25 * 1e-9 * 1e3, 21.8174 * (1 - pow(.25 / 1.2833948, 2) / 24), .01);
  return graded_destroy(&g);
}
static void wall_has_the_energy_of_the_place_where_it_is(void **state) {
  (void)state;
  assert_int_equal(wall_energy(half), 0);
  assert_int_equal(wall_energy(slow), 0);
}

static double length, shell; /* nm */
/* 1 at both ends of a bar, falling linearly to 0 over `shell`. */
static double in_shell(const double x[3]) {
  return fmax(0, 1 - fmin(x[0], length - x[0]) / shell);
}
static double slice_K1(int i, double h) {
  const double left[3] = {i * h}, right[3] = {(i + 1) * h};
  return 4e6 + 4e6 * .5 * (in_shell(left) + in_shell(right));
}

enum { PLANES = 400 };
typedef struct {
  double diagonal[PLANES + 1], off[PLANES], mass[PLANES + 1];
} Chain;
static void chain_make(int n, Chain *s) {
  const double h = length / n, a = 2 * HOST->A * 1e18 / h;
  *s = (Chain){.mass = {0}};
  for (int i = 0; i < n; i++) {
    s->off[i] = -a;
    for (int k = 0; k < 2; k++) {
      s->diagonal[i + k] += a + slice_K1(i, h) * h;
      s->mass[i + k] += HOST->Js / MT_MU0 * h / 2;
    }
  }
}
/* w = (exchange + 2 K1)^-1 mass v */
static void chain_solve(const Chain *s, int n, const double *v, double *w) {
  double d[PLANES + 1];
  for (int i = 0; i <= n; i++) {
    const double ratio = i ? s->off[i - 1] / d[i - 1] : 0;
    d[i] = s->diagonal[i] - (i ? ratio * s->off[i - 1] : 0);
    w[i] = s->mass[i] * v[i] - (i ? ratio * w[i - 1] : 0);
  }
  for (int i = n; i >= 0; i--) w[i] = (w[i] - (i < n ? s->off[i] * w[i + 1] : 0)) / d[i];
}
/* A chain of planes with the constants of the slices between them is left along the easy axis in the field that is the
 * smallest eigenvalue of (exchange + 2 K1) v = B (Js/mu0) v (W. F. Brown); by inverse iteration. */
static double chain_nucleation(int n) {
  double v[PLANES + 1], w[PLANES + 1], lambda = 0;
  Chain s;
  chain_make(n, &s);
  for (int i = 0; i <= n; i++) v[i] = 1;
  for (int it = 0; it < 300; it++) {
    double vw = 0, ww = 0;
    chain_solve(&s, n, v, w);
    for (int i = 0; i <= n; i++) {
      vw += s.mass[i] * v[i] * w[i];
      ww += s.mass[i] * w[i] * w[i];
    }
    lambda = vw / ww;
    for (int i = 0; i <= n; i++) v[i] = w[i] / sqrt(ww);
  }
  return lambda;
}

static void up(const double x[3], double m[3]) {
  (void)x;
  m[0] = m[1] = 0;
  m[2] = 1;
}
/* Smallest eigenvalue of the state along +z without a field: the opposite field in which it is left. */
static PetscErrorCode nucleation(double bar, double thickness, int n, double *B) {
  Brick b = {.n = {n, 1, 1}, .hi = {bar, .5, .5}, .nregions = 1, .axis = AXES};
  Graded g = {0};
  Vec mode;
  int products;
  length = bar;
  shell = thickness;
  PetscCall(graded_create(&b, in_shell, "{c: [0, 1], K1: [4e6, 8e6]}", &g));
  PetscCall(set_state(&g, up));
  PetscCall(VecDuplicate(g.m, &mode));
  PetscCall(mt_stability_eigenvalue(g.energy, g.m, (double[3]){0, 0, 0}, NULL, B, mode, &products));
  PetscCall(VecDestroy(&mode));
  return graded_destroy(&g);
}
static void hard_shell_raises_the_nucleation_field(void **state) {
  (void)state;
  const double plain = 2 * MT_MU0 * 4e6 / 1.6; /* 6.283 T */
  double B = 0, before = plain;
  /* a particle much smaller than a wall turns as one, in 2 mu0 <K1>/Js (E. C. Stoner and E. P. Wohlfarth): <c> = 1/2 */
  assert_int_equal(nucleation(.5, .25, 8, &B), 0);
  assert_near(B, 1.5 * plain, .002 * B);
  /* thin shells hold a core of 10 nm; the field rises with them */
  for (int k = 0; k < 3; k++) {
    static const double thickness[3] = {.5, 2, 5};
    assert_int_equal(nucleation(10, thickness[k], 80, &B), 0);
    assert_near(B, chain_nucleation(80), .002 * B);
    assert_true(B > 1.01 * before);
    before = B;
  }
  /* a core wider than a wall is left in its own field, whatever the shell */
  assert_int_equal(nucleation(40, 4, 160, &B), 0);
  assert_near(B, chain_nucleation(160), .002 * B);
  assert_true(B > plain && B < 1.1 * plain);
}

static double bump(const double x[3]) {
  return .5 + .3 * sin(x[0]) * cos(x[1] + 2 * x[2]);
}
/* What two ranks wrote is read by one alone, and the sums are the same. */
static PetscErrorCode other_ranks(void) {
  static const double none[3] = {0, 0, 0};
  Brick b = {.n = {6, 4, 3}, .hi = {6, 4, 5}, .nregions = 1, .axis = AXES};
  Graded g = {0}, alone = {0};
  double E[2];
  MtInput *in;
  PetscCall(graded_create(&b, bump, "{c: [0, 1], Js: [1.6, 1.2], K1: [4e6, 6e6]}", &g));
  PetscCall(set_state(&g, tilted));
  PetscCall(mt_energy_term(g.energy, MT_TERM_ANISOTROPY, g.m, none, &E[0], NULL));
  PetscCall(make_input("alone", "{c: [0, 1], Js: [1.6, 1.2], K1: [4e6, 6e6]}", &in));
  PetscCall(brick_mesh_on(&b, PETSC_COMM_SELF, &alone.mesh));
  PetscCall(mt_energy_open(alone.mesh, in, HOST, -1, &alone.energy));
  mt_input_destroy(&in);
  PetscCall(mt_energy_create_vec(alone.energy, &alone.m));
  PetscCall(set_state(&alone, tilted));
  PetscCall(mt_energy_term(alone.energy, MT_TERM_ANISOTROPY, alone.m, none, &E[1], NULL));
  assert_near(E[0] / E[1], 1, 1e-13);
  PetscCall(graded_destroy(&alone));
  return graded_destroy(&g);
}
static void a_field_is_read_on_any_number_of_ranks(void **state) {
  (void)state;
  assert_int_equal(other_ranks(), 0);
}

/* Where there is no polarization there is no moment: a shell that is not magnetic. */
static PetscErrorCode dead_layer(void) {
  Brick b = {.n = {8, 2, 2}, .hi = {8, 2, 2}, .nregions = 1, .axis = AXES};
  Graded g = {0};
  length = 8;
  shell = 2;
  PetscCall(graded_create(&b, in_shell, "{c: [0, 0.05, 0.1, 1], Js: [1.6, 1.6, 0, 0]}", &g));
  assert_int_equal(mt_energy_nodes(g.energy)->n_global, 5 * 9); /* planes 2 to 6 bound the 4 slices with c = 0 */
  assert_near(mt_energy_saturation(g.energy), .8, 1e-12);
  return graded_destroy(&g);
}
static void where_the_table_has_no_polarization_there_is_no_moment(void **state) {
  (void)state;
  assert_int_equal(dead_layer(), 0);
}

static double not_a_number(const double x[3]) {
  return x[0] > 3 ? NAN : .5;
}
static double beyond(const double x[3]) {
  return x[0] > 3 ? 1.5 : .5;
}
static void refuses(double (*c)(const double x[3]), const char *tables, const char *words) {
  Brick b = {.n = {6, 2, 2}, .hi = {6, 4, 5}, .nregions = 1, .axis = AXES};
  Graded g = {0};
  assert_refused(graded_create(&b, c, tables, &g), words);
  assert_int_equal(graded_destroy(&g), 0);
}
static void what_does_not_fit_is_refused(void **state) {
  (void)state;
  refuses(not_a_number, "{c: [0, 1], K1: [4e6, 6e6]}", "is no number in region \"grain 0\"");
  refuses(beyond, "{c: [0, 1], K1: [4e6, 6e6]}", "is outside of the table");
  refuses(half, "{c: [0, 1], K1: [4e6, 6e6], region: \"grain 7\"}", "no region \"grain 7\"");
  refuses(half, "{c: [0, 1], K1: [4e6]}", "has 1 values, but there are 2 compositions");
  refuses(half, "{c: [1, 0], K1: [4e6, 6e6]}", "must ascend");
  refuses(half, "{c: [0, 1]}", "neither Js nor K1 nor A");
  refuses(half, "{K1: [4e6, 6e6]}", "needs either file, or c");
  Graded g = {0};
  Brick b = {.n = {6, 2, 2}, .hi = {6, 4, 5}, .nregions = 1, .axis = AXES};
  assert_int_equal(graded_create(&b, beyond, "{c: [0, 1], Js: [1.6, 1.2], beyond: nearest}", &g), 0);
  assert_int_equal(graded_destroy(&g), 0);
}

static PetscErrorCode csv(const char *text, double *K1) {
  char path[128], tables[256];
  Brick b = {.n = {6, 2, 2}, .hi = {6, 4, 5}, .nregions = 1, .axis = AXES};
  Graded g = {0};
  MtMaterial own;
  snprintf(path, sizeof path, "%s/table.csv", folder);
  PetscCall(mt_agree_root(PETSC_COMM_WORLD, rank ? 0 : mt_file_write(path, text)));
  snprintf(tables, sizeof tables, "{file: %s}", path);
  PetscErrorCode rc = graded_create(&b, half, tables, &g);
  if (!rc) *K1 = mt_composition_at(mt_energy_composition(g.energy), g.mesh, HOST, 0, &own)->K1;
  if (!rc) assert_near(own.Js, 1.4, 1e-6);
  PetscCall(graded_destroy(&g));
  return rc;
}
static void tables_come_from_csv_with_units(void **state) {
  (void)state;
  double K1 = 0;
  assert_int_equal(csv("# of a paper\ncomposition, Ms (kA/m), K1_MJ/m3\n0,1273.2395,4\n1,954.92966,6\n", &K1), 0);
  assert_near(K1, 5e6, 1e-6);
  static const char *const bad[][2] = {
      {"c,K1\n0,4e6\n1,\n", "no number in column 2 (K1) of row 2: the table has a gap"},
      {"c,Ms\n0,1e6\n", "needs a unit"},
      {"c,K1 (T)\n0,1e6\n", "\"T\" is no unit of K1"},
      {"c,K3\n0,1e6\n", "has a column \"K3\""},
      {"c,K1,K1\n0,1,2\n", "are the same constant"},
      {"K1\n0\n", "names no column composition"},
      {"", "holds no rows"}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    assert_refused(csv(bad[i][0], &K1), bad[i][1]);
  }
}

int main(int argc, char **argv) {
  char command[128];
  PetscCall(PetscInitialize(&argc, &argv, NULL, NULL));
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(between_points_the_table_is_monotone),
      cmocka_unit_test(terms_of_a_linear_medium_are_those_of_its_means),
      cmocka_unit_test(wall_has_the_energy_of_the_place_where_it_is),
      cmocka_unit_test(hard_shell_raises_the_nucleation_field),
      cmocka_unit_test(a_field_is_read_on_any_number_of_ranks),
      cmocka_unit_test(where_the_table_has_no_polarization_there_is_no_moment),
      cmocka_unit_test(what_does_not_fit_is_refused),
      cmocka_unit_test(tables_come_from_csv_with_units),
  };
  strcpy(folder, "/tmp/magtwin_composition_XXXXXX");
  if (folder_make(folder, &rank)) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscCallMPI(MPI_Barrier(PETSC_COMM_WORLD));
  snprintf(command, sizeof command, "rm -r %s", folder);
  if (!rank && system(command)) failed++;
  PetscCall(PetscFinalize());
  return failed;
}
