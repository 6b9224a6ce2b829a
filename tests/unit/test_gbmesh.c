/* ranks: 1 2 */
/* Meshes with a GB phase: volumes known in closed form, conformity by counting faces, the same bits on any rank count.
 */
#include "cubes.h"

static int rank;

/* Planes at a and 2a cut off t/2 on either side: grains (a - t/2)^3, interfaces t (a - t/2)^2, lines t^2 (a - t/2),
 * centre t^3. */
static void cubes_have_their_volumes(void **state) {
  (void)state;
  const double a = 12, t = 2, s = a - t / 2;
  MtCells c;
  cubes(a, &c);
  for (int layers = 1; layers <= 3; layers++) {
    MtMeshData d;
    double kind[MT_REGION_NKINDS];
    mesh(PETSC_COMM_WORLD, &c, 4, t, layers, 0, &d);
    if (rank == 0) {
      assert_float_equal(volumes(&d, kind) / pow(2 * a, 3), 1, 1e-12);
      assert_float_equal(kind[MT_REGION_GRAIN], 8 * s * s * s, 1e-9);
      assert_float_equal(kind[MT_REGION_GB], 12 * t * s * s, 1e-9);
      assert_float_equal(kind[MT_REGION_TRIPLE], 6 * t * t * s, 1e-9);
      assert_float_equal(kind[MT_REGION_JUNCTION], t * t * t, 1e-9);
      assert_int_equal(d.regions.n, 8 + 12 + 6 + 1);
      for (int i = 0; i < d.regions.n; i++)
        if (d.regions.kind[i] == MT_REGION_GB) assert_float_equal(d.regions.volume[i], t * s * s, 1e-9);
      assert_true(worst_gamma(&d) > 0.05);
      assert_conforming(&d);
    }
    mt_mesh_data_free(&d);
  }
  mt_cells_free(&c);
}

static void layers_multiply_the_elements(void **state) {
  (void)state;
  MtCells c;
  int64_t count[4] = {0};
  cubes(12, &c);
  for (int layers = 1; layers <= 3; layers++) {
    MtMeshData d;
    mesh(PETSC_COMM_WORLD, &c, 6, 2, layers, 0, &d);
    for (int64_t i = 0; rank == 0 && i < d.nt; i++) count[layers] += d.regions.kind[d.region[i]] == MT_REGION_GB;
    mt_mesh_data_free(&d);
  }
  if (rank == 0) assert_true(count[1] > 0 && count[2] == 2 * count[1] && count[3] == 3 * count[1]);
  mt_cells_free(&c);
}

/* Seeds 5 and 11: the merges that are left would lay corners flat on a wall, so vertices slide apart. */
static void without_thickness_grains_touch(void **state) {
  (void)state;
  const uint64_t seeds[3] = {5, 8, 11};
  for (int i = 0; i < 3; i++) {
    MtCells c;
    MtMeshData d;
    double kind[MT_REGION_NKINDS];
    random_cells(8, 40, seeds[i], 0, 1, &c);
    mesh(PETSC_COMM_WORLD, &c, 5, 0, 1, 0, &d);
    if (rank == 0) {
      assert_float_equal(volumes(&d, kind) / 64000, 1, 1e-12);
      assert_int_equal(d.regions.n, 8);
      for (int k = 0; k < 8; k++) /* faces left a little bent by edge removal are filled in differently */
        assert_float_equal(d.regions.volume[k] / c.volume[k], 1, 1e-3);
      assert_true(worst_gamma(&d) > 0.05);
      assert_conforming(&d);
    }
    mt_mesh_data_free(&d);
    mt_cells_free(&c);
  }
}

static void random_grains_close(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 4; seed++) {
    MtCells c;
    MtMeshData d;
    double kind[MT_REGION_NKINDS];
    random_cells(8, 50, seed, 1, 2, &c);
    mesh(PETSC_COMM_WORLD, &c, 4, 2, 1 + (int)(seed % 2), seed == 1 ? 1.2 : 0, &d);
    if (rank == 0) {
      assert_float_equal(volumes(&d, kind) / 125000, 1, 1e-12);
      assert_true(worst_gamma(&d) > 0.1);
      assert_conforming(&d);
      if (seed == 1) { /* between the sphere and a polyhedron in it whose facets are 0.12 of the radius */
        double ball = 4. / 3 * 3.14159265358979 * pow(d.sphere[3], 3);
        assert_true(kind[MT_REGION_AIR] + 125000 < ball && kind[MT_REGION_AIR] + 125000 > 0.99 * ball);
      }
    }
    mt_mesh_data_free(&d);
    mt_cells_free(&c);
  }
}

/* Edges at the sphere larger than the magnet, and the sphere close to it: no triangle of it cuts the corners off. */
static void coarse_spheres_lie_outside(void **state) {
  (void)state;
  const double radius[2] = {1.02, 1.12};
  MtCells c;
  cubes(4, &c);
  for (int i = 0; i < 2; i++) {
    MtMeshData d;
    MtJson *json = mt_json_new();
    const MtMeshOptions o = {.size = 2, .layers = 1, .air_radius = radius[i], .air_size = 20};
    assert_int_equal(mt_mesh_cells(PETSC_COMM_WORLD, &c, &o, &d, json), 0);
    if (rank == 0) assert_conforming(&d);
    if (rank == 0) assert_true(worst_gamma(&d) > 0.05);
    mt_json_free(&json);
    mt_mesh_data_free(&d);
  }
  mt_cells_free(&c);
}

/* Each rank alone, and all together: the same bits. */
static void ranks_do_not_matter(void **state) {
  (void)state;
  MtCells c;
  MtMeshData one, all;
  random_cells(6, 40, 7, 1, 2, &c);
  mesh(PETSC_COMM_SELF, &c, 4, 2, 1, 1.2, &one);
  mesh(PETSC_COMM_WORLD, &c, 4, 2, 1, 1.2, &all);
  if (rank == 0) {
    assert_int_equal(one.nv, all.nv);
    assert_int_equal(one.nt, all.nt);
    assert_memory_equal(one.x, all.x, 3 * (size_t)one.nv * sizeof(double));
    assert_memory_equal(one.tet, all.tet, 4 * (size_t)one.nt * sizeof(int64_t));
    assert_memory_equal(one.region, all.region, (size_t)one.nt * sizeof(int32_t));
  }
  mt_mesh_data_free(&one);
  mt_mesh_data_free(&all);
  mt_cells_free(&c);
}

/* Thicker than the short edges of the grains: no room everywhere, yet every grain fills and nothing is inverted. */
static void thick_layers_are_thinned(void **state) {
  (void)state;
  MtCells c;
  MtMeshData d;
  double kind[MT_REGION_NKINDS];
  random_cells(12, 40, 3, 2.5, 1, &c);
  mesh(PETSC_COMM_WORLD, &c, 4, 5, 1, 0, &d);
  if (rank == 0) {
    assert_float_equal(volumes(&d, kind) / 64000, 1, 1e-12);
    assert_true(worst_gamma(&d) > 0.1);
    assert_conforming(&d);
  }
  mt_mesh_data_free(&d);
  mt_cells_free(&c);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cubes_have_their_volumes),       cmocka_unit_test(layers_multiply_the_elements),
      cmocka_unit_test(without_thickness_grains_touch), cmocka_unit_test(random_grains_close),
      cmocka_unit_test(coarse_spheres_lie_outside),     cmocka_unit_test(ranks_do_not_matter),
      cmocka_unit_test(thick_layers_are_thinned),
  };
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  if (MPI_Comm_rank(PETSC_COMM_WORLD, &rank)) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscFinalize();
  return failed;
}
