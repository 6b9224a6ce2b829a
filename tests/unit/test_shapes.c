/* Bodies for standard problems: volumes, layer planes, sound and repeatable meshes, refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "magtwin/error.h"
#include "magtwin/microstructure.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static PetscErrorCode make(const char *yaml, MtMeshData *m) {
  const MtKey *tables[] = {mt_grains_keys, mt_mesh_keys, NULL};
  MtInput *in;
  FILE *f = fopen("test_shapes.yaml", "w");
  fputs(yaml, f);
  fclose(f);
  PetscPushErrorHandler(PetscReturnErrorHandler, NULL);
  PetscErrorCode rc = mt_input_read(PETSC_COMM_SELF, "test_shapes.yaml", 0, NULL, tables, &in);
  *m = (MtMeshData){0};
  if (!rc) {
    MtJson *json = mt_json_new();
    rc = mt_mesh_shape(PETSC_COMM_SELF, in, m, json);
    mt_json_free(&json);
    mt_input_destroy(&in);
  }
  PetscPopErrorHandler();
  return rc;
}

static double worst_gamma(const MtMeshData *m) {
  double worst = 1;
  for (int64_t t = 0; t < m->nt; t++) {
    double x[4][3];
    for (int k = 0; k < 4; k++) memcpy(x[k], m->x + 3 * m->tet[4 * t + k], sizeof x[k]);
    assert_true(mt_tet_volume((const double(*)[3])x) > 0);
    worst = fmin(worst, mt_tet_gamma((const double(*)[3])x));
  }
  return worst;
}

#define SPHERE                                                                                                         \
  "grains: {source: shape, shape: {kind: sphere, size: [20 nm, 20 nm, 20 nm], easy_axis: [0, 3, 4]}}\n"                \
  "mesh: {size: 3 nm, air: {radius: 1.3, size: 4 nm}}\n"

static void sphere_in_air_has_its_volume(void **state) {
  (void)state;
  MtMeshData m;
  assert_int_equal(make(SPHERE, &m), 0);
  const double body = 4.0 / 3 * 3.14159265358979323846 * 1000, whole = body * 1.3 * 1.3 * 1.3;
  assert_int_equal(m.regions.n, 2);
  assert_true(m.regions.volume[0] < body && m.regions.volume[0] > .95 * body); /* facets: h^2/(4 R^2) = .02 */
  const double all = m.regions.volume[0] + m.regions.volume[1];
  assert_true(all < whole && all > .95 * whole);
  assert_true(worst_gamma(&m) > .1);
  assert_float_equal(m.sphere[3], 13, 1e-12);
  assert_float_equal(m.regions.axis[1], .6, 1e-15);
  for (int c = 0; c < 3; c++) assert_float_equal(m.regions.center[c], 10, .1);
  mt_mesh_data_free(&m);
}

static void same_input_same_mesh(void **state) {
  (void)state;
  MtMeshData a, b;
  assert_int_equal(make(SPHERE, &a), 0);
  assert_int_equal(make(SPHERE, &b), 0);
  assert_true(a.nv == b.nv && a.nt == b.nt);
  assert_memory_equal(a.x, b.x, sizeof(double) * 3 * (size_t)a.nv);
  assert_memory_equal(a.tet, b.tet, sizeof(int64_t) * 4 * (size_t)a.nt);
  mt_mesh_data_free(&a);
  mt_mesh_data_free(&b);
}

static void ellipsoid_and_box_in_air_are_filled(void **state) {
  (void)state;
  MtMeshData m;
  assert_int_equal(make("grains: {source: shape, shape: {kind: ellipsoid, size: [10 nm, 10 nm, 20 nm]}}\n"
                        "mesh: {size: 2 nm, air: {radius: 1.2, size: 3 nm}}\n",
                        &m),
                   0);
  assert_float_equal(m.regions.volume[0] / (3.14159265358979323846 / 6 * 2000), 1, .05);
  assert_true(worst_gamma(&m) > .05);
  mt_mesh_data_free(&m);
  assert_int_equal(make("grains: {source: shape, shape: {kind: box, size: [20 nm, 20 nm, 2 nm]}}\n"
                        "mesh: {size: 2 nm, air: {radius: 1.2, size: 5 nm}}\n",
                        &m),
                   0);
  assert_float_equal(m.regions.volume[0], 800, 1e-9);
  assert_true(worst_gamma(&m) > .05);
  mt_mesh_data_free(&m);
}

/* Area of the faces met once, which make up the surface of a conforming mesh. */
static double outer_area(const MtMeshData *m) {
  double once = 0;
  for (int64_t t = 0; t < m->nt; t++)
    for (int k = 0; k < 4; k++) {
      int met = 0;
      for (int64_t q = 0; q < m->nt; q++) {
        int shared = 0;
        for (int a = 0; a < 4; a++)
          for (int b = 0; b < 4; b++) shared += a != k && m->tet[4 * t + a] == m->tet[4 * q + b];
        met += shared == 3;
      }
      double x[4][3], n[4][3];
      for (int a = 0; a < 4; a++) memcpy(x[a], m->x + 3 * m->tet[4 * t + a], sizeof x[a]);
      mt_tet_normals((const double(*)[3])x, n);
      if (met == 1) once += sqrt(n[k][0] * n[k][0] + n[k][1] * n[k][1] + n[k][2] * n[k][2]) / 2;
    }
  return once;
}

/* Planes of the layers are exact; bricks alternate, so each face diagonal is shared. */
static void layers_are_exact_and_conforming(void **state) {
  (void)state;
  MtMeshData m;
  assert_int_equal(make("grains: {source: shape, shape: {kind: layers, size: [40 nm, 4 nm, 2 nm], axis: x,\n"
                        "  layers: [18.5 nm, 3 nm, 18.5 nm], spacing: [1 nm, 2 nm, 2 nm]}}\n"
                        "mesh: {size: 1 nm, air: {radius: 0}}\n",
                        &m),
                   0);
  assert_true(m.nt == 5 * (19 + 3 + 19) * 2 && m.regions.n == 3 && m.regions.ngrains == 3 && m.sphere[3] == 0);
  const double volume[3] = {148, 24, 148};
  for (int i = 0; i < 3; i++) assert_float_equal(m.regions.volume[i], volume[i], 1e-10);
  assert_string_equal(m.regions.name[2], "grain 2");
  assert_true(worst_gamma(&m) > .5);
  const double once = outer_area(&m); /* conforming */
  assert_float_equal(once, 2 * (40 * 4 + 40 * 2 + 4 * 2), 1e-9);
  mt_mesh_data_free(&m);
}

static void layers_in_air_keep_their_planes(void **state) {
  (void)state;
  MtMeshData m;
  assert_int_equal(make("grains: {source: shape, shape: {kind: layers, size: [4 nm, 4 nm, 10 nm], axis: z,\n"
                        "  layers: [4 nm, 1.5 nm, 4.5 nm]}}\nmesh: {size: 1.5 nm, air: {radius: 1.2, size: 3 nm}}\n",
                        &m),
                   0);
  const double volume[3] = {64, 24, 72};
  for (int i = 0; i < 3; i++) assert_float_equal(m.regions.volume[i], volume[i], 1e-9);
  assert_true(m.regions.kind[3] == MT_REGION_AIR);
  mt_mesh_data_free(&m);
}

/* Finer at the edges only. */
static void edges_are_refined_on_request(void **state) {
  (void)state;
  MtMeshData a, b;
  assert_int_equal(
      make("grains: {source: shape, shape: {kind: box, size: [10 nm, 10 nm, 10 nm]}}\nmesh: {size: 2 nm}\n", &a), 0);
  assert_int_equal(make("grains: {source: shape, shape: {kind: box, size: [10 nm, 10 nm, 10 nm], edge_size: 0.5 nm}}\n"
                        "mesh: {size: 2 nm}\n",
                        &b),
                   0);
  assert_true(b.nv > 3 * a.nv);
  assert_float_equal(b.regions.volume[0], 1000, 1e-9);
  mt_mesh_data_free(&a);
  mt_mesh_data_free(&b);
}

/* The whole ball is filled, once, and the cuts of neighbouring bricks meet. */
static void ball_is_filled(const char *cut) {
  MtMeshData m;
  char yaml[400];
  snprintf(yaml, sizeof yaml,
           "grains: {source: shape, shape: {kind: box, size: [10 nm, 6 nm, 2 nm], grid: true,\n"
           "  edge_size: 1 nm, growth: 1, spacing: [2 nm, 2 nm, 1 nm], cut: %s}}\n"
           "mesh: {size: 3 nm, air: {radius: 1.5, size: 20 nm}}\n",
           cut);
  assert_int_equal(make(yaml, &m), 0);
  const double R = m.sphere[3], ball = 4.0 / 3 * 3.14159265358979323846 * R * R * R;
  assert_float_equal(R, 1.5 * sqrt(35), 1e-12);
  assert_float_equal(m.regions.volume[0], 120, 1e-10);
  assert_true(worst_gamma(&m) > .02);
  double all = m.regions.volume[0] + m.regions.volume[1], furthest = 0;
  assert_true(all < ball && all > .8 * ball);
  for (int64_t i = 0; i < m.nv; i++) {
    double r2 = 0;
    for (int c = 0; c < 3; c++) r2 += (m.x[3 * i + c] - m.sphere[c]) * (m.x[3 * i + c] - m.sphere[c]);
    furthest = fmax(furthest, sqrt(r2));
  }
  assert_float_equal(furthest, R, 1e-9);
  /* the surface lies on the sphere: three times the volume is R times its area, but for the facets' sag */
  const double spanned = outer_area(&m) * R / 3;
  assert_true(spanned > all && spanned < 1.15 * all);
  mt_mesh_data_free(&m);
}

static void grid_fills_its_ball(void **state) {
  (void)state;
  ball_is_filled("five");
  ball_is_filled("six");
}

/* Largest slope along z of the interpolant of u = xy. */
static double slope_of_saddle(const char *cut, int tets) {
  MtMeshData m;
  char yaml[400];
  double most = 0;
  snprintf(yaml, sizeof yaml,
           "grains: {source: shape, shape: {kind: box, size: [6 nm, 4 nm, 0.75 nm], spacing: [2 nm, 2 nm, 0.25 nm],\n"
           "  cut: %s}}\nmesh: {size: 2 nm, air: {radius: 0}}\n",
           cut);
  assert_int_equal(make(yaml, &m), 0);
  assert_true(m.nt == tets * 18);
  assert_float_equal(m.regions.volume[0], 18, 1e-12);
  for (int64_t t = 0; t < m.nt; t++) {
    double x[4][3], normal[4][3], slope = 0;
    for (int k = 0; k < 4; k++) memcpy(x[k], m.x + 3 * m.tet[4 * t + k], sizeof x[k]);
    const double volume6 = mt_tet_normals((const double(*)[3])x, normal);
    assert_true(volume6 > 0);
    for (int k = 0; k < 4; k++) slope += x[k][0] * x[k][1] * normal[k][2] / volume6;
    most = fmax(most, fabs(slope));
  }
  assert_float_equal(outer_area(&m), 2 * (6 * 4 + 6 * .75 + 4 * .75), 1e-9); /* conforming */
  mt_mesh_data_free(&m);
  return most;
}

/* Bricks of 2 x 2 x 0.25 nm: a b/(2 c) = 8 nm in the middle tet of five, none in six. */
static void flat_bricks_see_a_saddle(void **state) {
  (void)state;
  assert_float_equal(slope_of_saddle("five", 5), 8, 1e-10);
  assert_float_equal(slope_of_saddle("six", 6), 0, 1e-10);
}

/* Every brick cut into 27: the coarse planes and layers are among the fine ones, volumes included. */
static void grid_is_refined_exactly(void **state) {
  (void)state;
  MtMeshData m[2];
  for (int k = 0; k < 2; k++) {
    char yaml[400];
    snprintf(yaml, sizeof yaml,
             "grains: {source: shape, shape: {kind: box, size: [10 nm, 6 nm, 2 nm], grid: true,\n"
             "  edge_size: 1 nm, growth: 1, spacing: [3 nm, 3 nm, 1 nm], refine: %d}}\n"
             "mesh: {size: 3 nm, air: {radius: 1.5, size: 20 nm}}\n",
             1 + 2 * k);
    assert_int_equal(make(yaml, &m[k]), 0);
  }
  assert_true(m[1].nt == 27 * m[0].nt);
  assert_float_equal(m[1].regions.volume[0], 120, 1e-10);
  assert_true(m[1].regions.volume[1] > m[0].regions.volume[1]); /* closer to the ball */
  int64_t found = 0;
  for (int64_t i = 0; i < m[0].nv; i++)
    for (int64_t j = 0; j < m[1].nv; j++) {
      double d2 = 0;
      for (int c = 0; c < 3; c++) d2 += pow(m[0].x[3 * i + c] - m[1].x[3 * j + c], 2);
      found += d2 < 1e-20;
    }
  assert_true(found == m[0].nv);
  for (int k = 0; k < 2; k++) mt_mesh_data_free(&m[k]);
}

static void nonsense_is_refused(void **state) {
  (void)state;
  static const char *const yaml[] = {
      "grains: {source: shape, shape: {kind: sphere, size: [20 nm, 10 nm, 20 nm]}}\nmesh: {size: 3 nm}\n",
      "grains: {source: shape, shape: {kind: layers, size: [9 nm, 1 nm, 1 nm], layers: [5 nm, 5 nm]}}\nmesh: {size: 1 "
      "nm}\n",
      "grains: {source: shape, shape: {kind: layers, size: [9 nm, 1 nm, 1 nm]}}\nmesh: {size: 1 nm, air: {radius: "
      "0}}\n",
      "grains: {source: shape, shape: {kind: box, size: [9 nm, 1 nm, 1 nm], easy_axis: [0, 0, 0]}}\nmesh: {size: 1 "
      "nm}\n",
      "grains: {source: shape, shape: {kind: sphere, size: [9 nm, 9 nm, 9 nm], grid: true}}\nmesh: {size: 1 nm}\n",
      "grains: {source: shape, shape: {kind: box, size: [9 nm, 1 nm, 1 nm]}}\nmesh: {size: 1 nm, air: {radius: 0.9}}\n",
  };
  for (size_t i = 0; i < sizeof yaml / sizeof *yaml; i++) {
    MtMeshData m;
    assert_int_equal(make(yaml[i], &m), MT_ERR_INPUT);
    assert_true(strlen(mt_error_message()) > 20);
    mt_error_clear();
  }
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sphere_in_air_has_its_volume),
      cmocka_unit_test(same_input_same_mesh),
      cmocka_unit_test(ellipsoid_and_box_in_air_are_filled),
      cmocka_unit_test(layers_are_exact_and_conforming),
      cmocka_unit_test(layers_in_air_keep_their_planes),
      cmocka_unit_test(edges_are_refined_on_request),
      cmocka_unit_test(grid_fills_its_ball),
      cmocka_unit_test(flat_bricks_see_a_saddle),
      cmocka_unit_test(grid_is_refined_exactly),
      cmocka_unit_test(nonsense_is_refused),
  };
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscFinalize();
  return failed;
}
