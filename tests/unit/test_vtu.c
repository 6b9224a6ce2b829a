/* timeout: 60 */
/* Meshes in VTK's XML, written and read again, whole and damaged: read or refused with a message, never a crash. */
#include "../../src/microstructure/import.h"
#include "folder.h"
#include "magtwin/error.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64] = "/tmp/magtwin_vtu_XXXXXX";
static int rank;

/* Two tetrahedra on one face: a grain of 1/6 and one of 1/3. */
static double x[] = {0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, -2};
static int64_t tet[] = {0, 1, 2, 3, 0, 2, 1, 4};
static int32_t region[] = {0, 1};
static MtRegionKind kind[] = {MT_REGION_GRAIN, MT_REGION_GRAIN};
static char *name[] = {"grain 0", "grain 1"};
static double volume[] = {1. / 6, 1. / 3};

static void write_mesh(const char *path) {
  const MtMeshData d = {.nv = 5,
                        .nt = 2,
                        .x = x,
                        .tet = tet,
                        .region = region,
                        .regions = {.n = 2, .kind = kind, .name = name, .volume = volume, .ngrains = 2}};
  assert_int_equal(mt_mesh_data_write_vtu(&d, path), 0);
}

static void comes_back(void **state) {
  (void)state;
  char path[128];
  MtImported f;
  snprintf(path, sizeof path, "%s/mesh.vtu", folder);
  write_mesh(path);
  assert_int_equal(mt_import_gmsh(path, NULL, 10, &f), 0);
  assert_int_equal(f.m.nv, 5);
  assert_int_equal(f.m.nt, 2);
  assert_int_equal(f.n, 2);
  assert_string_equal(f.name[1], "grain 1");
  for (int t = 0; t < 2; t++) {
    double y[4][3];
    for (int k = 0; k < 12; k++) y[k / 3][k % 3] = f.m.x[3 * f.m.tet[4 * t + k / 3] + k % 3];
    assert_true(fabs(mt_tet_volume((const double(*)[3])y) / (1000 * volume[f.m.region[t]]) - 1) < 1e-14);
  }
  mt_import_free(&f);
}

static uint64_t next_random(uint64_t *s) {
  *s = *s * 6364136223846793005u + 1442695040888963407u;
  return *s >> 33;
}

static void damaged_files_are_refused(void **state) {
  (void)state;
  static char good[8192], text[8192];
  char path[128];
  uint64_t seed = 1;
  int refused = 0;
  snprintf(path, sizeof path, "%s/mesh.vtu", folder);
  write_mesh(path);
  FILE *in = fopen(path, "rb");
  const size_t n = fread(good, 1, sizeof good, in);
  fclose(in);
  snprintf(path, sizeof path, "%s/bad.vtu", folder);
  for (int round = 0; round < 600; round++) {
    MtImported f;
    size_t length = round % 3 ? n : next_random(&seed) % n;
    memcpy(text, good, n);
    for (int k = 0; k < round % 4; k++) text[next_random(&seed) % n] = (char)next_random(&seed);
    if (round % 5 == 0) { /* another digit in the tree: counts, offsets, types of numbers */
      size_t at = next_random(&seed) % n;
      while (at + 1 < n && !(text[at] >= '0' && text[at] <= '9')) at++;
      text[at] = (char)('0' + next_random(&seed) % 10);
    }
    FILE *out = fopen(path, "wb");
    fwrite(text, 1, length, out);
    fclose(out);
    mt_error_clear();
    PetscErrorCode rc = mt_import_gmsh(path, NULL, 1, &f);
    if (rc && !(rc == MT_ERR_INPUT && strstr(mt_error_message(), "bad.vtu")))
      fail_msg("%d: %s", rc, mt_error_message());
    refused += rc != 0;
    mt_import_free(&f);
  }
  assert_in_range(refused, 200, 590);
  mt_error_clear();
}

int main(int argc, char **argv) {
  PetscErrorCode rc = PetscInitialize(&argc, &argv, NULL, NULL);
  if (rc || mt_error_install() || folder_make(folder, &rank)) return 1;
  mt_gmsh_begin();
  const struct CMUnitTest tests[] = {cmocka_unit_test(comes_back), cmocka_unit_test(damaged_files_are_refused)};
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  mt_gmsh_end();
  for (int i = 0; i < 2; i++) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s.vtu", folder, i ? "bad" : "mesh");
    unlink(path);
  }
  rmdir(folder);
  if (PetscFinalize()) return 1;
  return failed;
}
