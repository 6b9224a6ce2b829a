/* The mesh report on a bar of three boxes, grain | grain boundary | grain, each cut into six tetrahedra about its
 * diagonal. */
#include "../../src/microstructure/mesh_report.h"
#include "magtwin/error.h"
#include "magtwin/microstructure.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LAYERS = 3 };
static const double cut[LAYERS + 1] = {0, 4, 7, 12};

static void assert_near(double a, double b, double tolerance) {
  if (!(fabs(a - b) <= tolerance)) fail_msg("%.17g differs from %.17g by more than %g", a, b, tolerance);
}

/* Node ix, iy, iz is ix * 4 + iy * 2 + iz; Kuhn's cut is the same on both sides of a face, so the boxes conform. */
static void fill_tets(MtMeshData *m) {
  static const int order[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  static const int stride[3] = {4, 2, 1};
  for (int l = 0; l < LAYERS; l++)
    for (int s = 0; s < 6; s++) {
      int64_t *t = &m->tet[4 * (6 * l + s)];
      t[0] = 4 * l;
      for (int k = 0; k < 3; k++) t[k + 1] = t[k] + stride[order[s][k]];
      bool odd = s == 1 || s == 2 || s == 5;
      if (odd) {
        int64_t swap = t[2];
        t[2] = t[3];
        t[3] = swap;
      }
      m->region[6 * l + s] = l;
    }
}

static void make_bar(MtMeshData *m) {
  static const MtRegionKind kind[LAYERS] = {MT_REGION_GRAIN, MT_REGION_GB, MT_REGION_GRAIN};
  static const char *const name[LAYERS] = {"grain 0", "gb 0-1", "grain 1"};
  const double box[6] = {0, 0, 0, 12, 10, 10};
  memset(m, 0, sizeof *m);
  m->nv = 4 * (LAYERS + 1);
  m->nt = 6 * LAYERS;
  m->x = calloc((size_t)(3 * m->nv), sizeof *m->x);
  m->tet = calloc((size_t)(4 * m->nt), sizeof *m->tet);
  m->region = calloc((size_t)m->nt, sizeof *m->region);
  for (int i = 0; i < m->nv; i++) {
    m->x[3 * i] = cut[i / 4];
    m->x[3 * i + 1] = 10 * (i / 2 % 2);
    m->x[3 * i + 2] = 10 * (i % 2);
  }
  fill_tets(m);
  memcpy(m->magnet_box, box, sizeof box);
  m->gb_thickness = 3;
  m->regions.n = LAYERS;
  m->regions.kind = calloc(LAYERS, sizeof *m->regions.kind);
  m->regions.name = calloc(LAYERS, sizeof *m->regions.name);
  for (int i = 0; i < LAYERS; i++) {
    m->regions.kind[i] = kind[i];
    m->regions.name[i] = strdup(name[i]);
  }
}

static void volumes_thickness_and_surface_of_the_bar(void **unused) {
  (void)unused;
  MtMeshData m;
  MtQuality q;
  MtFaceReport f;
  make_bar(&m);
  mt_mesh_quality(&m, &q);
  assert_int_equal(mt_mesh_faces(&m, &f), 0);
  assert_int_equal(q.kind[MT_REGION_GRAIN].ntets, 12);
  assert_int_equal(q.kind[MT_REGION_GB].ntets, 6);
  assert_int_equal(q.kind[MT_REGION_GRAIN].inverted + q.kind[MT_REGION_GB].inverted, 0);
  assert_near(q.kind[MT_REGION_GRAIN].volume, 900, 1e-11);
  assert_near(q.kind[MT_REGION_GB].volume, 300, 1e-11);
  assert_near(q.shortest, 3, 1e-14);
  assert_near(q.longest, sqrt(225), 1e-14); /* diagonal of 5 x 10 x 10 */
  assert_int_equal(f.broken_faces, 0);
  assert_int_equal(f.boundary_faces, 2 * (2 + 4 * LAYERS));
  assert_near(f.boundary_area, 2 * 100 + 4 * 120, 1e-11);
  assert_int_equal(f.nlayers, 1);
  assert_near(f.thickness_mean, 3, 1e-13);
  assert_near(f.thickness[1], 3, 1e-13);
  for (int b = 0; b < MT_THICKNESS_BINS; b++) assert_near(f.thickness_area[b], b == 10 ? 100 : 0, 1e-11);
  assert_int_equal(PetscFree(f.thickness), 0);
  mt_mesh_data_free(&m);
}

/* Tet 7 turned inside out: found, counted, and first of the worst; the histograms count every tet. */
static void inverted_tets_are_found(void **unused) {
  (void)unused;
  MtMeshData m;
  MtQuality q;
  make_bar(&m);
  int64_t swap = m.tet[4 * 7];
  m.tet[4 * 7] = m.tet[4 * 7 + 1];
  m.tet[4 * 7 + 1] = swap;
  mt_mesh_quality(&m, &q);
  assert_int_equal(q.kind[MT_REGION_GB].inverted, 1);
  assert_int_equal(q.kind[MT_REGION_GB].below_05, 1);
  assert_int_equal(q.worst[0], 7);
  assert_true(q.worst_gamma[0] < 0);
  for (int i = 1; i < MT_WORST; i++) assert_true(q.worst_gamma[i] >= q.worst_gamma[i - 1]);
  int64_t sum = 0;
  for (int b = 0; b < MT_GAMMA_BINS; b++) sum += q.kind[MT_REGION_GB].gamma[b];
  assert_int_equal(sum, 6);
  mt_mesh_data_free(&m);
}

static void a_doubled_tet_breaks_the_faces(void **unused) {
  (void)unused;
  MtMeshData m;
  MtFaceReport f;
  make_bar(&m);
  memcpy(&m.tet[4 * 17], &m.tet[4 * 16], 4 * sizeof *m.tet);
  assert_int_equal(mt_mesh_faces(&m, &f), 0);
  assert_true(f.broken_faces > 0);
  assert_int_equal(PetscFree(f.thickness), 0);
  mt_mesh_data_free(&m);
}

static void the_report_is_written(void **unused) {
  (void)unused;
  MtMeshData m;
  MtJson *json = mt_json_new();
  make_bar(&m);
  assert_int_equal(mt_mesh_report(&m, json), 0);
  const char *text = mt_json_text(json);
  const char *wanted[] = {"\"mesh\"",        "\"tets\": 18", "\"nodes\": 16", "\"gb_mean_thickness\"",
                          "\"inverted\": 0", "\"worst\""};
  for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) assert_non_null(strstr(text, wanted[i]));
  assert_null(strstr(text, "\"air\""));
  mt_json_free(&json);
  mt_mesh_data_free(&m);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(volumes_thickness_and_surface_of_the_bar),
      cmocka_unit_test(inverted_tets_are_found),
      cmocka_unit_test(a_doubled_tet_breaks_the_faces),
      cmocka_unit_test(the_report_is_written),
  };
  if (PetscInitialize(&argc, &argv, NULL, NULL) || mt_error_install()) return 99;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 99 : failed;
}
