/* ranks: 1 2 */
/* Pockets of phase: the volume that a flat cut of three grains' corners gives, a fraction that was asked for, and what
 * cannot be. */
#include "cubes.h"
#include "magtwin/error.h"
#include "refused.h"

static int rank;

/* Three grains at 120 degrees about an axis through a box. */
static void prism_cells(double edge, double height, MtCells *c) {
  MtPower p = {.n = 3, .box = {0, 0, 0, edge, edge, height}};
  assert_int_equal(PetscCalloc1(9, &p.seed), 0);
  assert_int_equal(PetscCalloc1(3, &p.weight), 0);
  assert_int_equal(PetscCalloc1(9, &p.axis), 0);
  assert_int_equal(PetscCalloc1(3, &p.label), 0);
  for (int i = 0; i < 3; i++) {
    const double angle = 0.3 + i * 2 * acos(-1) / 3;
    p.seed[3 * i] = edge / 2 + edge / 5 * cos(angle), p.seed[3 * i + 1] = edge / 2 + edge / 5 * sin(angle);
    p.seed[3 * i + 2] = height / 2;
  }
  assert_int_equal(mt_cells_build(&p, c), 0);
  mt_power_free(&p);
}

static PetscErrorCode mesh_with(const MtCells *c, double size, double t, const MtPocketOptions *pockets,
                                MtMeshData *d) {
  const MtMeshOptions o = {.size = size, .thickness = t, .layers = 1, .pockets = *pockets};
  MtJson *json = mt_json_new();
  PetscErrorCode rc = mt_mesh_cells(PETSC_COMM_WORLD, c, &o, d, json);
  mt_json_free(&json);
  return rc;
}

/* Each grain loses a kite: from its corner d = w cos 60 along its bisector, its rim w sin 60 - t/2 cos 60 beside it. */
static void corners_are_cut_flat(void **state) {
  (void)state;
  const double edge = 48, height = 8, t = 2, w = 10, kite = w * 0.5 * (w * sqrt(3) / 2 - t / 4);
  MtCells c;
  MtMeshData without, with;
  double a[MT_REGION_NKINDS], b[MT_REGION_NKINDS];
  prism_cells(edge, height, &c);
  assert_int_equal(mesh_with(&c, 2, t, &(MtPocketOptions){.share = 1}, &without), 0);
  assert_int_equal(mesh_with(&c, 2, t, &(MtPocketOptions){.share = 1, .size = w, .seed = 1}, &with), 0);
  if (rank == 0) {
    volumes(&without, a), assert_float_equal(volumes(&with, b) / (edge * edge * height), 1, 1e-12);
    assert_float_equal((a[MT_REGION_GRAIN] - b[MT_REGION_GRAIN]) / (3 * kite * height), 1, 0.02);
    assert_true(a[MT_REGION_POCKET] == 0 && b[MT_REGION_POCKET] > 3 * kite * height);
    assert_true(b[MT_REGION_TRIPLE] == 0 && b[MT_REGION_GB] < a[MT_REGION_GB]);
    assert_string_equal(with.regions.name[with.regions.n - 1], "pocket 0-1-2 #17");
    assert_conforming(&with);
    assert_true(worst_gamma(&with) > 0.1);
  }
  mt_mesh_data_free(&without), mt_mesh_data_free(&with);
  mt_cells_free(&c);
}

static void fractions_are_met(void **state) {
  (void)state;
  const MtPocketOptions asked[3] = {{.share = 1, .fraction = 0.12, .seed = 1},
                                    {.share = 0.5, .fraction = 0.06, .seed = 2},
                                    {.share = 1, .fraction = 0.02, .junctions = true, .seed = 1}};
  MtCells c;
  random_cells(8, 50, 5, 1, 2, &c);
  for (int i = 0; i < 3; i++) {
    MtMeshData d;
    double kind[MT_REGION_NKINDS];
    const PetscErrorCode rc = mesh_with(&c, 3, 2, asked + i, &d);
    assert_string_equal(mt_error_message(), "");
    assert_int_equal(rc, 0);
    if (rank == 0) {
      const double box = volumes(&d, kind);
      assert_float_equal(box / 125000, 1, 1e-12);
      assert_float_equal(kind[MT_REGION_POCKET] / box / asked[i].fraction, 1, 0.02);
      assert_true(worst_gamma(&d) > 0.1);
      assert_conforming(&d);
    }
    mt_mesh_data_free(&d);
  }
  mt_cells_free(&c);
}

/* Less than the elements at the lines have; more than the grains. */
static void impossible_fractions_are_refused(void **state) {
  (void)state;
  const double fraction[2] = {1e-4, 0.3};
  MtCells c;
  random_cells(6, 40, 5, 1, 2, &c);
  for (int i = 0; i < 2; i++) {
    MtMeshData d;
    const MtPocketOptions o = {.share = 0.05, .fraction = fraction[i], .seed = 1};
    assert_refused(mesh_with(&c, 5, 1, &o, &d), "mesh.gb.pockets.fraction");
  }
  mt_cells_free(&c);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(corners_are_cut_flat),
      cmocka_unit_test(fractions_are_met),
      cmocka_unit_test(impossible_fractions_are_refused),
  };
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  if (mt_error_install() || MPI_Comm_rank(PETSC_COMM_WORLD, &rank)) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscFinalize();
  return failed;
}
