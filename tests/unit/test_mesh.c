/* ranks: 1 2 4 */
/* The mesh file and the distributed mesh: everything is there once, owners and halos agree, damage is found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ball.h"
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include <sys/stat.h>
#include <unistd.h>

static const Ball ball = {.n = 6, .s0 = 2.0 / 3, .a = {10}, .round = true, .R = 14};
static char path[64];

static double sum(double x) {
  double all;
  MPI_Allreduce(&x, &all, 1, MPI_DOUBLE, MPI_SUM, PETSC_COMM_WORLD);
  return all;
}

static int my_rank(void) {
  int rank;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  return rank;
}

static MtMesh *read_ball(void) {
  MtMesh *m;
  assert_int_equal(ball_mesh(PETSC_COMM_WORLD, &ball, path, &m), 0);
  return m;
}

static void tet_x(const MtMesh *m, PetscInt t, double x[4][3]) {
  for (int k = 0; k < 4; k++) memcpy(x[k], m->x + 3 * m->tet[4 * t + k], 3 * sizeof(double));
}

static void regular_tet_has_quality_one(void **state) {
  (void)state;
  const double x[4][3] = {{1, 1, 1}, {1, -1, -1}, {-1, 1, -1}, {-1, -1, 1}};
  double min, max;
  assert_float_equal(fabs(mt_tet_gamma(x)), 1, 1e-14);
  assert_float_equal(fabs(mt_tet_volume(x)), 8.0 / 3, 1e-14);
  mt_tet_dihedral(x, &min, &max);
  assert_float_equal(min, 70.528779365509308, 1e-10); /* acos(1/3) */
  assert_float_equal(max, 70.528779365509308, 1e-10);
}

static void corner_tet_has_known_shape(void **state) {
  (void)state;
  /* unit corner: r_in = 1/(3+sqrt3), R = sqrt3/2; angles 90 and acos(1/sqrt3) */
  const double x[4][3] = {{0, 0, 0}, {1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
               y[4][3] = {{0, 0, 0}, {0, 1, 0}, {1, 0, 0}, {0, 0, 1}};
  double min, max;
  assert_float_equal(mt_tet_gamma(x), 3 / (3 + sqrt(3)) / (sqrt(3) / 2), 1e-14);
  assert_float_equal(mt_tet_gamma(y), -mt_tet_gamma(x), 1e-14);
  mt_tet_dihedral(x, &min, &max);
  assert_float_equal(min, 54.735610317245346, 1e-10);
  assert_float_equal(max, 90, 1e-10);
  const double flat[4][3] = {{0, 0, 0}, {1, 0, 0}, {0, 1, 0}, {1, 1, 0}};
  assert_float_equal(mt_tet_gamma(flat), 0, 1e-14);
}

static void each_node_and_tet_has_one_owner(void **state) {
  (void)state;
  MtMesh *m = read_ball();
  double tets = 0, volume = 0;
  for (PetscInt t = 0; t < m->nt_local; t++) {
    double x[4][3];
    tet_x(m, t, x);
    tets += m->tet_owned[t];
    volume += m->tet_owned[t] ? mt_tet_volume((const double(*)[3])x) : 0;
    if (t) assert_true(m->tid[t] > m->tid[t - 1]);
  }
  assert_true(m->nv_global == 343 && m->nt_global == 1296);
  assert_float_equal(sum(m->nv_owned), 343, 0);
  assert_float_equal(sum(tets), 1296, 0);
  assert_float_equal(sum(volume), m->regions.volume[0] + m->regions.volume[1], 1e-9);
  for (PetscInt i = 1; i < m->nv_owned; i++) assert_true(m->vid[i] > m->vid[i - 1]);
  assert_int_equal(mt_mesh_destroy(&m), 0);
}

/* Every tet of the file that touches an owned node is here, and no other. */
static void halo_is_complete(void **state) {
  (void)state;
  MtMesh *m = read_ball();
  MtMeshData d;
  ball_make(&ball, &d);
  char *mine = calloc((size_t)d.nv, 1);
  for (PetscInt i = 0; i < m->nv_owned; i++) mine[m->vid[i]] = 1;
  PetscInt at = 0;
  for (int64_t t = 0; t < d.nt; t++) {
    const int64_t *v = d.tet + 4 * t;
    if (!mine[v[0]] && !mine[v[1]] && !mine[v[2]] && !mine[v[3]]) continue;
    assert_true(at < m->nt_local && m->tid[at] == t && m->region[at] == d.region[t]);
    for (int k = 0; k < 4; k++) {
      assert_true(m->vid[m->tet[4 * at + k]] == v[k]);
      assert_memory_equal(m->x + 3 * m->tet[4 * at + k], d.x + 3 * v[k], 3 * sizeof(double));
    }
    at++;
  }
  assert_int_equal(at, m->nt_local);
  free(mine);
  mt_mesh_data_free(&d);
  assert_int_equal(mt_mesh_destroy(&m), 0);
}

static void ghosts_get_the_owners_values(void **state) {
  (void)state;
  MtMesh *m = read_ball();
  double *f;
  PetscMalloc1(2 * m->nv_local, &f);
  for (PetscInt i = 0; i < 2 * m->nv_local; i++) f[i] = i < 2 * m->nv_owned ? (double)(2 * m->vid[i / 2] + i % 2) : -1;
  assert_int_equal(mt_mesh_ghosts(m, 2, f), 0);
  for (PetscInt i = 0; i < 2 * m->nv_local; i++) assert_true(f[i] == (double)(2 * m->vid[i / 2] + i % 2));
  PetscFree(f);
  assert_int_equal(mt_mesh_destroy(&m), 0);
}

static void nodal_field_lies_by_file_id(void **state) {
  (void)state;
  MtMesh *m = read_ball();
  MtH5 *f;
  int64_t n;
  double *a;
  void *file;
  PetscMalloc1(3 * m->nv_local, &a);
  for (PetscInt i = 0; i < 3 * m->nv_local; i++) a[i] = i < 3 * m->nv_owned ? m->x[i] : 0;
  assert_int_equal(mt_h5_create(PETSC_COMM_WORLD, "test_mesh_field.h5", "magtwin-test", 1, &f), 0);
  assert_int_equal(mt_mesh_write_nodal(m, f, "/x", 3, a, "nm"), 0);
  assert_int_equal(mt_h5_commit(&f, false), 0);
  assert_int_equal(mt_h5_open(PETSC_COMM_WORLD, "test_mesh_field.h5", "magtwin-test", 1, &f), 0);
  assert_int_equal(mt_h5_read_all(f, "/x", H5T_NATIVE_DOUBLE, 3, &n, &file), 0);
  MtMeshData d;
  ball_make(&ball, &d);
  assert_memory_equal(file, d.x, sizeof(double) * 3 * (size_t)d.nv);
  memset(a, 0, sizeof(double) * 3 * (size_t)m->nv_local);
  assert_int_equal(mt_mesh_read_nodal(m, f, "/x", 3, a), 0);
  assert_memory_equal(a, m->x, sizeof(double) * 3 * (size_t)m->nv_local);
  assert_int_equal(mt_h5_close(&f), 0);
  free(file);
  mt_mesh_data_free(&d);
  PetscFree(a);
  assert_int_equal(mt_mesh_destroy(&m), 0);
}

static void partition_is_kept_and_a_foreign_one_is_not_used(void **state) {
  (void)state;
  int size;
  char part[96];
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  MtMesh *a = read_ball(), *b;
  snprintf(part, sizeof part, "%s.part%d.h5", path, size);
  assert_int_equal(access(part, R_OK) == 0, size > 1);
  assert_int_equal(mt_mesh_read(PETSC_COMM_WORLD, path, &b), 0);
  assert_int_equal(a->nv_local, b->nv_local);
  assert_memory_equal(a->vid, b->vid, sizeof(int64_t) * (size_t)a->nv_local);
  assert_int_equal(mt_mesh_destroy(&b), 0);
  MPI_Barrier(PETSC_COMM_WORLD);
  if (size > 1 && !my_rank()) assert_int_equal(truncate(part, 700), 0);
  MPI_Barrier(PETSC_COMM_WORLD);
  assert_int_equal(mt_mesh_read(PETSC_COMM_WORLD, path, &b), 0);
  assert_int_equal(a->nv_local, b->nv_local);
  assert_memory_equal(a->vid, b->vid, sizeof(int64_t) * (size_t)a->nv_local);
  assert_int_equal(mt_mesh_destroy(&a), 0);
  assert_int_equal(mt_mesh_destroy(&b), 0);
}

/* A folder in the place of the partition: it can neither be read nor written, and the mesh is read all the same. */
static void partition_that_cannot_be_kept_costs_nothing(void **state) {
  (void)state;
  int size;
  char part[96];
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  MtMesh *a = read_ball(), *b;
  snprintf(part, sizeof part, "%s.part%d.h5", path, size);
  MPI_Barrier(PETSC_COMM_WORLD);
  if (size > 1 && !my_rank()) assert_int_equal(unlink(part) || mkdir(part, 0777), 0);
  MPI_Barrier(PETSC_COMM_WORLD);
  assert_int_equal(mt_mesh_read(PETSC_COMM_WORLD, path, &b), 0);
  assert_string_equal(mt_error_message(), "");
  assert_memory_equal(a->vid, b->vid, sizeof(int64_t) * (size_t)a->nv_local);
  MPI_Barrier(PETSC_COMM_WORLD);
  if (size > 1 && !my_rank()) assert_int_equal(rmdir(part), 0);
  assert_int_equal(mt_mesh_destroy(&a), 0);
  assert_int_equal(mt_mesh_destroy(&b), 0);
}

/* Makes the ball, spoils it, and expects a refusal that says `word`. */
static void refuse(void (*spoil)(MtMeshData *), const char *word) {
  MtMeshData d;
  MtMesh *m;
  ball_make(&ball, &d);
  spoil(&d);
  assert_int_equal(mt_mesh_data_write(PETSC_COMM_WORLD, my_rank() ? NULL : &d, path, ""), 0);
  mt_mesh_data_free(&d);
  PetscPushErrorHandler(PetscReturnErrorHandler, NULL);
  assert_int_equal(mt_mesh_read(PETSC_COMM_WORLD, path, &m), MT_ERR_INPUT);
  PetscPopErrorHandler();
  assert_null(m);
  if (!strstr(mt_error_message(), word)) fail_msg("\"%s\" does not say \"%s\"", mt_error_message(), word);
  mt_error_clear();
}

static void point_too_far(MtMeshData *d) {
  d->tet[4 * 700 + 2] = d->nv;
}
static void point_negative(MtMeshData *d) {
  d->tet[1] = -1;
}
static void turn_over(MtMeshData *d) {
  const int64_t v = d->tet[4 * 900];
  d->tet[4 * 900] = d->tet[4 * 900 + 1];
  d->tet[4 * 900 + 1] = v;
}
static void unknown_region(MtMeshData *d) {
  d->region[1200] = 2;
}
static void infinite_node(MtMeshData *d) {
  d->x[3 * 300] = INFINITY;
}
static void unknown_grain(MtMeshData *d) {
  d->regions.grains[0] = 5;
}
static void lose_a_corner(MtMeshData *d) {
  d->nt -= 6; /* the last brick: its far corner is in no other */
}

static void damage_is_refused(void **state) {
  (void)state;
  refuse(point_too_far, "tet 700 names node 343");
  refuse(point_negative, "tet 0 names node -1");
  refuse(turn_over, "tet 900 has volume -");
  refuse(unknown_region, "tet 1200 has region 2");
  refuse(infinite_node, "node 300");
  refuse(unknown_grain, "grain 5");
  refuse(lose_a_corner, "node 342 belongs to no tet");
}

static void truncated_file_is_refused(void **state) {
  (void)state;
  MtMesh *m = read_ball();
  assert_int_equal(mt_mesh_destroy(&m), 0);
  MPI_Barrier(PETSC_COMM_WORLD);
  if (!my_rank()) assert_int_equal(truncate(path, 20000), 0);
  MPI_Barrier(PETSC_COMM_WORLD);
  PetscPushErrorHandler(PetscReturnErrorHandler, NULL);
  assert_int_equal(mt_mesh_read(PETSC_COMM_WORLD, path, &m), MT_ERR_INPUT);
  PetscPopErrorHandler();
  mt_error_clear();
}

static void whole_mesh_comes_back_on_rank_0(void **state) {
  (void)state;
  MtMesh *m = read_ball();
  MtMeshData d, e;
  ball_make(&ball, &d);
  assert_int_equal(mt_mesh_data_read(PETSC_COMM_WORLD, path, &e), 0);
  if (!my_rank()) {
    assert_true(e.nv == d.nv && e.nt == d.nt && e.regions.n == 2 && e.sphere[3] == 14);
    assert_memory_equal(e.tet, d.tet, sizeof(int64_t) * 4 * (size_t)d.nt);
    assert_string_equal(e.regions.name[1], "air");
  } else
    assert_null(e.x);
  mt_mesh_data_free(&d);
  mt_mesh_data_free(&e);
  assert_int_equal(mt_mesh_destroy(&m), 0);
}

/* The air can be left out of a picture where it comes last in the file, and only there. */
static void the_body_comes_first(void **state) {
  (void)state;
  MtMesh *m = read_ball();
  MtMeshData d;
  ball_make(&ball, &d);
  int64_t body = 0, after = 0;
  while (body < d.nt && d.regions.kind[d.region[body]] != MT_REGION_AIR) body++;
  for (int64_t t = body; t < d.nt; t++) after += d.regions.kind[d.region[t]] != MT_REGION_AIR;
  assert_true(m->nt_body == (after ? d.nt : body));
  mt_mesh_data_free(&d);
  assert_int_equal(mt_mesh_destroy(&m), 0);
}

/* The same tets at the same places, tets of one region together, and nodes of a tet closer in number than before. */
static void reordering_brings_neighbours_together(void **state) {
  (void)state;
  MtMeshData d, e;
  ball_make(&ball, &d);
  ball_make(&ball, &e);
  for (int64_t i = 0; i < d.nv; i++) /* a bad order: every 11th node after the other */
    for (int c = 0; c < 3; c++) d.x[3 * i + c] = e.x[3 * (i * 11 % d.nv) + c];
  int64_t *number = malloc((size_t)d.nv * sizeof *number);
  for (int64_t i = 0; i < d.nv; i++) number[i * 11 % d.nv] = i;
  for (int64_t i = 0; i < 4 * d.nt; i++) d.tet[i] = number[e.tet[i]];
  free(number);
  assert_true(d.nv % 11 != 0);
  double volume[2] = {0, 0}, span[2] = {0, 0}, moment[2] = {0, 0};
  for (int pass = 0; pass < 2; pass++) {
    for (int64_t t = 0; t < d.nt; t++) {
      double x[4][3];
      int64_t low = d.nv, high = 0;
      for (int k = 0; k < 4; k++) {
        const int64_t v = d.tet[4 * t + k];
        low = v < low ? v : low;
        high = v > high ? v : high;
        for (int c = 0; c < 3; c++) x[k][c] = d.x[3 * v + c];
      }
      const double V = mt_tet_volume((const double(*)[3])x);
      volume[pass] += V;
      moment[pass] += V * (x[0][0] + 2 * x[1][1] - x[2][2]) * (1 + d.region[t]);
      span[pass] += (double)(high - low);
      if (pass) assert_true(V > 0 && (t == 0 || d.region[t - 1] <= d.region[t]));
    }
    if (!pass) mt_mesh_data_reorder(&d);
  }
  assert_float_equal(volume[1] / volume[0], 1, 1e-12);
  assert_float_equal(moment[1] / moment[0], 1, 1e-9);
  assert_true(span[1] < span[0] / 2);
  mt_mesh_data_free(&d);
  mt_mesh_data_free(&e);
}

static void xdmf_names_the_arrays(void **state) {
  (void)state;
  const MtXdmfField field[] = {
      {.time = 0, .file = "states.h5", .dataset = "/0/m", .name = "m", .ncomp = 3, .nodal = true},
      {.time = 1, .file = "states.h5", .dataset = "/1/m", .name = "m", .ncomp = 3, .nodal = true}};
  const MtXdmf x = {.mesh = "mesh.h5", .nv = 10, .nt = 20, .shown = 12, .tet_bytes = 4, .n = 2, .field = field};
  assert_int_equal(mt_xdmf_write(PETSC_COMM_WORLD, &x, "test_mesh.xdmf"), 0);
  MPI_Barrier(PETSC_COMM_WORLD);
  FILE *f = fopen("test_mesh.xdmf", "r");
  char text[8192] = "";
  assert_non_null(f);
  assert_true(fread(text, 1, sizeof text - 1, f) > 0);
  fclose(f);
  assert_non_null(
      strstr(text, "Dimensions=\"12 4\" NumberType=\"Int\" Precision=\"4\" Format=\"HDF\">mesh.h5:/body/tet<"));
  assert_non_null(
      strstr(text, "Dimensions=\"12\" NumberType=\"Int\" Precision=\"4\" Format=\"HDF\">mesh.h5:/body/region<"));
  assert_non_null(
      strstr(text, "Dimensions=\"10 3\" NumberType=\"Float\" Precision=\"8\" Format=\"HDF\">states.h5:/1/m<"));
  assert_non_null(strstr(text, "<Time Value=\"1\"/>"));
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(regular_tet_has_quality_one),
      cmocka_unit_test(corner_tet_has_known_shape),
      cmocka_unit_test(each_node_and_tet_has_one_owner),
      cmocka_unit_test(halo_is_complete),
      cmocka_unit_test(ghosts_get_the_owners_values),
      cmocka_unit_test(nodal_field_lies_by_file_id),
      cmocka_unit_test(partition_is_kept_and_a_foreign_one_is_not_used),
      cmocka_unit_test(partition_that_cannot_be_kept_costs_nothing),
      cmocka_unit_test(damage_is_refused),
      cmocka_unit_test(truncated_file_is_refused),
      cmocka_unit_test(whole_mesh_comes_back_on_rank_0),
      cmocka_unit_test(the_body_comes_first),
      cmocka_unit_test(reordering_brings_neighbours_together),
      cmocka_unit_test(xdmf_names_the_arrays),
  };
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int size;
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  snprintf(path, sizeof path, "test_mesh_%d.h5", size);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscFinalize();
  return failed;
}
