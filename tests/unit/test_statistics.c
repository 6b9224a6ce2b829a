/* ranks: 1 2 3 */
/* What is said of labelled grains, on boxes and a slanted plane whose numbers are known. */
#include "../../src/microstructure/measured.h"
#include "folder.h"
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include "near.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { NX = 24, NY = 16, NZ = 12 };
static char folder[64] = "/tmp/magtwin_statistics_XXXXXX";
static int rank;

/* Three grains: below the plane z = 4 one of 24 x 16 x 4 voxels; above, parted by the plane 2 y = x. */
static int32_t label_at(int i, int j, int k) {
  return k < 4 ? 0 : 2 * j + 1 < i ? 1 : 2;
}

static MtLabels make(void) {
  MtLabels l = {.voxel = {2, 2, 3}, .ngrains = 3};
  assert_int_equal(mt_labels_layout(PETSC_COMM_WORLD, NX, NY, NZ, &l), 0);
  for (int v = 0; v < NX * NY * l.nz_local; v++) l.label[v] = label_at(v % NX, v / NX % NY, v / (NX * NY) + l.z0);
  assert_int_equal(mt_labels_count(PETSC_COMM_WORLD, &l), 0);
  return l;
}

static void next_line(FILE *f, int n, double *value) {
  char line[400], *p = line;
  assert_non_null(fgets(line, sizeof line, f));
  for (int i = 0; i < n; i++, p++) value[i] = strtod(p, &p);
}

static FILE *open_table(const char *name) {
  char path[128], head[400];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *f = fopen(path, "r");
  assert_non_null(f);
  assert_non_null(fgets(head, sizeof head, f));
  return f;
}

static void grains(void) {
  double v[11];
  FILE *f = open_table("grains.csv");
  next_line(f, 11, v);
  assert_near(v[1], NX * NY * 4, 0);
  assert_near(v[2], NX * NY * 4 * 12, 1e-6);
  assert_near(v[3], cbrt(6 * v[2] / MT_PI), 1e-3); /* the sphere of that volume */
  assert_near(v[4], 24, 1e-4);
  assert_near(v[5], 16, 1e-4);
  assert_near(v[6], 6, 1e-4);
  /* a box's second moments are side^2 / 12: widths 48 and 32 across, 12 along z */
  assert_near(v[7], sqrt((48. * 48 + 32 * 32) / 2) / 12, 2e-3);
  assert_near(v[8], 2, 0);
  assert_near(v[9], 48 * 32, 1e-2); /* nm2 of the plane z = 4 */
  assert_near(v[10], NX * NY + 2 * 4 * (NX + NY), 0);
  fclose(f);
}

static void contacts(void) {
  double v[4], sum = 0;
  FILE *f = open_table("contacts.csv");
  for (int i = 0; i < 2; i++) {
    next_line(f, 4, v);
    assert_near(v[0], 1, 0);
    assert_near(v[1], 2 + i, 0);
    sum += v[3];
  }
  assert_near(sum, 48 * 32, 1e-2);
  next_line(f, 4, v);
  assert_near(v[0], 2, 0);
  assert_near(v[1], 3, 0);
  assert_near(v[3], hypot(44, 22) * 24, 1e-2); /* steps over 22 voxels along x and 11 along y, 8 voxels high */
  assert_true(v[2] * 6 > 1.3 * v[3]);          /* the faces themselves add up to more */
  fclose(f);
}

static void numbers_of_grains(void **unused) {
  (void)unused;
  const double axis[9] = {0, 0, 1, 0, 0, 1, 0, 0, 1};
  MtLabels l = make();
  MtJson *json = mt_json_new();
  if (mt_labels_statistics(PETSC_COMM_WORLD, &l, axis, folder, json)) fail_msg("%s", mt_error_message());
  mt_json_free(&json);
  mt_labels_free(&l);
  if (rank) return;
  grains();
  contacts();
}

static int make_folder(void **unused) {
  (void)unused;
  return folder_make(folder, &rank);
}

static int remove_folder(void **unused) {
  (void)unused;
  char command[100];
  snprintf(command, sizeof command, "rm -rf %s", folder);
  MPI_Barrier(PETSC_COMM_WORLD);
  return rank ? 0 : system(command);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(numbers_of_grains)};
  if (PetscInitialize(&argc, &argv, NULL, NULL) || mt_error_install()) return 1;
  const int failed = cmocka_run_group_tests(tests, make_folder, remove_folder);
  if (PetscFinalize()) return 1;
  return failed;
}
